import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../cli/generated-files.ts";
import { ConfigError, readConfig, settings } from "../../shared/config.ts";

const least = {
  HOME_STORAGE_URL: "https://stlifeboat.blob.core.windows.net",
  PEOPLE_ISSUER: "https://login.example.com/v2.0",
  PEOPLE_AUDIENCE: "api://lifeboat",
  PEOPLE_JWKS_URL: "https://login.example.com/keys",
};

/** What is wrong with the settings, sentence by sentence. */
function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("settings", () => {
  test("give what is not set its default", () => {
    expect(readConfig(least)).toEqual({
      home: { url: "https://stlifeboat.blob.core.windows.net", container: "lifeboat" },
      identityClientId: null,
      people: { issuer: "https://login.example.com/v2.0", audience: "api://lifeboat", jwksUrl: "https://login.example.com/keys" },
      backupSources: [],
      schedules: { verification: "0 */15 * * * *", watchdog: "0 * * * * *" },
      dnsServers: [],
      endpointHosts: {},
    });
  });

  test("are all read", () => {
    const config = readConfig({
      ...least,
      HOME_STORAGE_URL: "https://home.example.com/",
      HOME_CONTAINER: "boats",
      AZURE_CLIENT_ID: "11111111-2222-4333-8444-555555555555",
      BACKUP_SOURCES: "ShopWeu, ShopNeu,",
      ShopWeu__blobServiceUri: "https://stshopweu.blob.core.windows.net",
      ShopWeu__container: "velero",
      ShopNeu: "UseDevelopmentStorage=true",
      ShopNeu__container: " velero-neu ",
      VERIFICATION_SCHEDULE: "30 5,35 * * * *",
      WATCHDOG_SCHEDULE: "*/10 * * * * *",
      DNS_SERVERS: "127.0.0.1:5353, 10.0.0.4,[::1]:53",
      ENDPOINT_HOSTS: '{"Management.Azure.com":"http://127.0.0.1:8080","a.example.com":"https://10.0.0.9"}',
    });
    expect(config).toMatchObject({
      home: { url: "https://home.example.com", container: "boats" },
      identityClientId: "11111111-2222-4333-8444-555555555555",
      backupSources: [{ name: "ShopWeu", container: "velero" }, { name: "ShopNeu", container: "velero-neu" }],
      schedules: { verification: "30 5,35 * * * *", watchdog: "*/10 * * * * *" },
      dnsServers: ["127.0.0.1:5353", "10.0.0.4", "[::1]:53"],
      endpointHosts: { "management.azure.com": "http://127.0.0.1:8080", "a.example.com": "https://10.0.0.9" },
    });
  });

  test("set to nothing count as not set, as the portal clears them", () => {
    const cleared = Object.fromEntries(Object.keys(settings.shape).map((name) => [name, " "]));
    expect(readConfig({ ...cleared, ...least })).toEqual(readConfig(least));
    expect(problemsOf(cleared)).toHaveLength(4);
  });

  test("take one key for manifests, from a file or from a vault", () => {
    const [file, key] = [{ MANIFEST_KEY_FILE: "/secrets/manifests.pem" }, { MANIFEST_KEY_VAULT_KEY: "https://kv-lifeboat.vault.azure.net/keys/manifests" }];
    expect([readConfig({ ...least, ...file }).manifestKeyFile, readConfig({ ...least, ...key }).manifestKeyVaultKey]).toEqual([file.MANIFEST_KEY_FILE, key.MANIFEST_KEY_VAULT_KEY]);
    expect(problemsOf({ ...least, ...file, ...key })).toEqual([expect.stringContaining("remove one of the two")]);
    for (const wrong of ["https://kv-lifeboat.vault.azure.net", "http://kv-lifeboat.vault.azure.net/keys/manifests", "https://kv-lifeboat.vault.azure.net/secrets/manifests", `${key.MANIFEST_KEY_VAULT_KEY}/newest`]) expect(problemsOf({ ...least, MANIFEST_KEY_VAULT_KEY: wrong })).toEqual([expect.stringContaining("must be the address of a key in a key vault")]);
  });

  test("cannot be changed once they are read", () => {
    const config = readConfig({ ...least, ENDPOINT_HOSTS: '{"a.example.com":"http://127.0.0.1:1"}' });
    for (const part of [config, ...Object.values(config).filter((value) => typeof value === "object" && value !== null)]) expect(Object.isFrozen(part)).toBe(true);
  });

  test("that are wrong are named all together, each with what to write", () => {
    const problems = problemsOf({ ...least, HOME_STORAGE_URL: undefined, AZURE_CLIENT_ID: "mine", VERIFICATION_SCHEDULE: "*/15 * * * *", DNS_SERVERS: "localhost", ENDPOINT_HOSTS: "{}}", BACKUP_SOURCES: "Shop" });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["HOME_STORAGE_URL", "AZURE_CLIENT_ID", "VERIFICATION_SCHEDULE", "DNS_SERVERS", "ENDPOINT_HOSTS", "Shop__blobServiceUri", "Shop__container"]);
    for (const problem of problems) expect(problem).toMatch(/; set it (like this|to)/);
  });

  test.each([
    ["HOME_STORAGE_URL", "http://stlifeboat.blob.core.windows.net"],
    ["PEOPLE_JWKS_URL", "ftp://login.example.com"],
    ["HOME_CONTAINER", "Boats"],
    ["VERIFICATION_SCHEDULE", "0 0 0 31 2 *"],
    ["WATCHDOG_SCHEDULE", "0 99 * * * *"],
    ["DNS_SERVERS", "10.0.0.4:70000"],
    ["DNS_SERVERS", "10.0.0.256"],
    ["ENDPOINT_HOSTS", '["management.azure.com"]'],
    ["ENDPOINT_HOSTS", '{"management.azure.com":"127.0.0.1:8080"}'],
    ["ENDPOINT_HOSTS", '{"management.azure.com":"http://127.0.0.1:8080/path"}'],
    ["BACKUP_SOURCES", "Shop,Shop"],
    ["BACKUP_SOURCES", "shop weu"],
  ])("%s cannot be %j", (name, value) => {
    expect(problemsOf({ ...least, [name]: value, Shop: "x", Shop__container: "x" })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });

  test("may leave TLS out on this machine, and nowhere else", () => {
    for (const host of ["127.0.0.1:10000", "localhost:10000", "[::1]:10000", "127.0.0.11"]) expect(problemsOf({ ...least, HOME_STORAGE_URL: `http://${host}/devstoreaccount1` }), host).toEqual([]);
    for (const host of ["127.0.0.1.example.com", "localhost.example.com", "10.0.0.1"]) expect(problemsOf({ ...least, HOME_STORAGE_URL: `http://${host}` }), host).toHaveLength(1);
  });

  test("never show their values, which may be secrets in the wrong place", () => {
    const secret = fc.stringMatching(/^[A-Z]{12,20}[!{}?]{2,4}$/);
    const env = fc.dictionary(fc.constantFrom(...Object.keys(settings.shape), "Shop", "Shop__container"), secret.map((text) => `  ${text}`));
    fc.assert(fc.property(env, fc.boolean(), (given, listed) => {
      const problems = problemsOf({ ...given, ...(listed ? { BACKUP_SOURCES: "Shop" } : {}) }).join("\n");
      return Object.values(given).every((value) => !problems.includes(value.trim()));
    }));
  });
});

describe("what is made from the table", () => {
  test.each(Object.entries(generatedFiles))("%s is as `npm run docs` makes it", (path, text) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(text());
  });

  test("the sample settings start the app as they are", () => {
    const { Values } = JSON.parse(generatedFiles["local.settings.sample.json"]?.() ?? "") as { Values: Record<string, string> };
    expect(problemsOf(Values)).toEqual([]);
  });

  test("the settings page has a row for each setting", () => {
    const page = generatedFiles["docs/settings.md"]?.() ?? "";
    for (const name of Object.keys(settings.shape)) expect(page).toContain(`| \`${name}\` |`);
  });
});
