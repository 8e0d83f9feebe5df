/**
 * Everything the app reads from its settings, in one table. `docs/settings.md` and `local.settings.sample.json` are made from it.
 * Secrets are not among them: the app signs in with its managed identity.
 */
import { Cron } from "croner";
import { z } from "zod";
import { keyVaultKey } from "./key-vault-key.ts";

/** What a row of the table says beside its schema. `example` is a value that a real installation could have. */
export interface SettingNotes {
  readonly about: string;
  readonly example: string;
  /** Value in the sample file for a first start on one machine; the example where it is not given. */
  readonly sample?: string;
}

/** A row of a table of settings. */
export const setting = <S extends z.ZodType>(schema: S, notes: SettingNotes): S => schema.meta({ ...notes });

/** The variables of a table that are set. Empty counts as not set: that is how the portal clears a setting. */
export const givenIn = (env: Readonly<Record<string, string | undefined>>, table: z.ZodObject): Readonly<Record<string, string | undefined>> => Object.fromEntries(Object.keys(table.shape).flatMap((name) => (env[name]?.trim() ? [[name, env[name]]] : [])));

/** Text of a setting, or the sentence that says what to write. */
const text = z.string({ error: "is not set" }).trim().min(1, "is empty");
const httpsUrl = text.refine(isSafeUrl, "must be an address that begins with https:// (http:// only where it leads to this machine itself)");
const guid = text.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be the client id of a user-assigned identity: 8-4-4-4-12 hexadecimal digits");
const schedule = text.refine(isNcrontab, "must be a schedule of six fields, seconds first: `0 */15 * * * *` is every 15 minutes");
const list = z.string().transform((value) => value.split(",").map((item) => item.trim()).filter((item) => item !== ""));

/** One rule for each variable, in the order of the settings page. */
export const settings = z.object({
  HOME_STORAGE_URL: setting(httpsUrl.transform((url) => url.replace(/\/+$/, "")), {
    about: "Blob endpoint of the home account, outside both regions: plans, ledger, registers and reports live there.",
    example: "https://stlifeboat.blob.core.windows.net",
  }),
  HOME_CONTAINER: setting(text.regex(/^[a-z0-9](-?[a-z0-9]){2,62}$/, "must be the name of a blob container: 3 to 63 lower-case letters, digits and single hyphens").default("lifeboat"), {
    about: "Container in the home account.",
    example: "lifeboat",
  }),
  AZURE_CLIENT_ID: setting(guid.optional(), {
    about: "Client id of the user-assigned identity to sign in with. Not set: the system-assigned one.",
    example: "11111111-2222-4333-8444-555555555555",
    sample: "",
  }),
  PEOPLE_ISSUER: setting(httpsUrl, {
    about: "Issuer of the tokens that people bring, exactly as in their claim `iss`.",
    example: "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
  }),
  PEOPLE_AUDIENCE: setting(text, {
    about: "Audience of those tokens: the application id of Lifeboat's app registration, exactly as in their claim `aud`.",
    example: "api://lifeboat",
  }),
  PEOPLE_JWKS_URL: setting(httpsUrl, {
    about: "Where the issuer publishes its keys.",
    example: "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/discovery/v2.0/keys",
  }),
  BACKUP_SOURCES: setting(list.pipe(z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,40}$/, "must be a comma-separated list of connection names: letters, digits and underscores, beginning with a letter")).max(20, "must list at most 20 connections").refine((names) => new Set(names).size === names.length, "lists a connection twice")).default([]), {
    about: "Names of the connections whose new backups are checked at once, one blob trigger each, separated by commas. Each name N needs the settings `N__blobServiceUri` (or `N`, a connection string) and `N__container`.",
    example: "ShopBackups",
    sample: "",
  }),
  VERIFICATION_SCHEDULE: setting(schedule.default("0 */15 * * * *"), {
    about: "When the app looks for plans whose backups are due to be verified (`backups.verifyEverySeconds` in the plan): six fields, seconds first, UTC.",
    example: "0 */15 * * * *",
  }),
  WATCHDOG_SCHEDULE: setting(schedule.default("0 * * * * *"), {
    about: "When the app looks for runs that stand still: six fields, seconds first, UTC.",
    example: "0 * * * * *",
  }),
  MANIFEST_KEY_FILE: setting(text.optional(), {
    about: "File with the Ed25519 private key (PEM) that signs the manifests of restore points, on a mounted secret. Not set: manifests have their digests alone.",
    example: "/secrets/lifeboat-manifest.pem",
    sample: "",
  }),
  MANIFEST_KEY_VAULT_KEY: setting(text.regex(keyVaultKey, "must be the address of a key in a key vault: https://VAULT.vault.azure.net/keys/NAME, with /VERSION behind it for a version of its own").optional(), {
    about: "Key in a key vault (EC, P-256) that signs the manifests of restore points, in place of `MANIFEST_KEY_FILE`. The vault belongs outside the primary region. Not set: no vault is asked.",
    example: "https://kv-lifeboat.vault.azure.net/keys/manifests",
    sample: "",
  }),
  DNS_SERVERS: setting(list.pipe(z.array(z.union([z.ipv4(), z.string().refine(isAddressAndPort)], { error: "must be a comma-separated list of addresses, each with a port if it is not 53: 10.0.0.4,10.0.0.5:5353" })).max(8, "must list at most 8 servers")).default([]), {
    about: "DNS servers that are asked what users get, separated by commas. Not set: those of the machine.",
    example: "168.63.129.16",
    sample: "",
  }),
  ENDPOINT_HOSTS: setting(z.string().trim().transform(hostMap).default({}), {
    about: "Host names that are reached at another address, as a JSON object: a private gateway, or a lab. Not set in production: every client then reaches Azure.",
    example: '{"management.azure.com":"http://127.0.0.1:8080"}',
    sample: "",
  }),
});

/** A container of backups that a blob trigger watches. `name` is the trigger's connection. */
export interface BackupSource {
  readonly name: string;
  readonly container: string;
}

/** The settings, read and checked; frozen through and through. */
export interface Config {
  /** `url` has no slash at its end. */
  readonly home: { readonly url: string; readonly container: string };
  /** `null`: the system-assigned identity. */
  readonly identityClientId: string | null;
  readonly people: { readonly issuer: string; readonly audience: string; readonly jwksUrl: string };
  readonly backupSources: readonly BackupSource[];
  readonly schedules: { readonly verification: string; readonly watchdog: string };
  /** Not there: manifests are not signed. */
  readonly manifestKeyFile?: string;
  readonly manifestKeyVaultKey?: string;
  /** Empty: the machine's own. */
  readonly dnsServers: readonly string[];
  /** Lower-case host name to the address (scheme, host, port) that is asked in its place. */
  readonly endpointHosts: Readonly<Record<string, string>>;
}

/** Thrown once, at start-up, with every problem in it. Names variables and rules; the values themselves stay out, they may be secrets put in the wrong place. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the settings are not complete:\n${problems.map((problem) => `  ${problem}`).join("\n")}\nWhat each is for: docs/settings.md`);
    this.problems = problems;
  }
}

/** Reads the environment once, at start-up. Throws a `ConfigError` that holds every problem, not the first. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = givenIn(env, settings);
  const read = settings.safeParse(given);
  const problems = read.success ? [] : read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}${remedyOf(String(issue.path[0]))}`);
  const names = settings.shape.BACKUP_SOURCES.safeParse(given["BACKUP_SOURCES"]).data ?? [];
  if (given["MANIFEST_KEY_FILE"] !== undefined && given["MANIFEST_KEY_VAULT_KEY"] !== undefined) problems.push("MANIFEST_KEY_VAULT_KEY: is set beside MANIFEST_KEY_FILE; manifests are signed with one key, remove one of the two");
  problems.push(...names.flatMap((name) => sourceProblems(env, name)));
  if (!read.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);

  const all = read.data;
  return Object.freeze({
    home: Object.freeze({ url: all.HOME_STORAGE_URL, container: all.HOME_CONTAINER }),
    identityClientId: all.AZURE_CLIENT_ID ?? null,
    people: Object.freeze({ issuer: all.PEOPLE_ISSUER, audience: all.PEOPLE_AUDIENCE, jwksUrl: all.PEOPLE_JWKS_URL }),
    backupSources: Object.freeze(all.BACKUP_SOURCES.map((name) => Object.freeze({ name, container: env[`${name}__container`]?.trim() ?? "" }))),
    schedules: Object.freeze({ verification: all.VERIFICATION_SCHEDULE, watchdog: all.WATCHDOG_SCHEDULE }),
    ...(all.MANIFEST_KEY_FILE === undefined ? {} : { manifestKeyFile: all.MANIFEST_KEY_FILE }),
    ...(all.MANIFEST_KEY_VAULT_KEY === undefined ? {} : { manifestKeyVaultKey: all.MANIFEST_KEY_VAULT_KEY }),
    dnsServers: Object.freeze(all.DNS_SERVERS),
    endpointHosts: Object.freeze(all.ENDPOINT_HOSTS),
  });
}

/** What a row of the table says, by the name of its variable. */
export function notesOf(name: keyof typeof settings.shape): SettingNotes {
  return settings.shape[name].meta() as unknown as SettingNotes; // put there by `setting`, for every row
}

function remedyOf(name: string): string {
  return name in settings.shape ? `; set it like this: ${notesOf(name as keyof typeof settings.shape).example}` : "";
}

/** The Functions host finds a trigger's connection by these names itself; a missing one would only show as a trigger that never fires. */
function sourceProblems(env: Readonly<Record<string, string | undefined>>, name: string): string[] {
  const has = (variable: string) => Boolean(env[variable]?.trim());
  const problems: string[] = [];
  if (!has(`${name}__blobServiceUri`) && !has(name)) problems.push(`${name}__blobServiceUri: is not set, and ${name} is listed in BACKUP_SOURCES; set it to the blob endpoint of that account: https://stshopweu.blob.core.windows.net`);
  if (!has(`${name}__container`)) problems.push(`${name}__container: is not set, and ${name} is listed in BACKUP_SOURCES; set it to the container that Velero writes to: velero`);
  return problems;
}

/** Tokens and keys travel to these addresses. Loopback may do without TLS: Azurite, a lab. */
function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

function isNcrontab(value: string): boolean {
  try {
    return new Cron(value, { mode: "6-part", paused: true }).nextRun() !== null;
  } catch {
    return false; // croner throws on every pattern it cannot read; which part it was is in the reader's eyes
  }
}

function isAddressAndPort(value: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/i.exec(value) ?? [];
  const address = bracketed === undefined ? z.ipv4().safeParse(plain) : z.ipv6().safeParse(bracketed);
  return address.success && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
}

function hostMap(value: string, context: z.core.$RefinementCtx<string>): Record<string, string> {
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  let map: unknown;
  try {
    map = JSON.parse(value);
  } catch {
    return refuse("must be a JSON object of host names and addresses"); // the parser's own message would quote the value
  }
  const hosts = z.record(z.string().regex(/^[a-z0-9.-]+$/i), z.string().refine(isOrigin)).safeParse(map);
  if (!hosts.success) return refuse("must map host names to addresses with scheme, host and port and nothing after them");
  return Object.fromEntries(Object.entries(hosts.data).map(([host, address]) => [host.toLowerCase(), new URL(address).origin]));
}

function isOrigin(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, pathname, search, username } = new URL(address);
  return (protocol === "http:" || protocol === "https:") && pathname === "/" && search === "" && username === "";
}
