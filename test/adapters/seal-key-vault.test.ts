import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openKeyVaultSeal } from "../../shared/azure/seal-key-vault.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { type Asked, openScriptedServer, type Said, type ScriptedServer } from "./scripted-server.ts";

const host = "kv-lifeboat.vault.azure.net";
const keyId = `https://${host}/keys/manifests`;
const [first, second] = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
const digest = createHash("sha256").update("a manifest").digest("hex");
const another = createHash("sha256").update("another manifest").digest("hex");
const pairs: Readonly<Record<string, ReturnType<typeof made>>> = { [first]: made(), [second]: made() };

/** Answers as the REST reference of Key Vault says (getKey, sign; 401 with the challenge where no token came along). */
function vault(newest: string) {
  return ({ method, url, headers, body }: Asked): Said => {
    if (headers.authorization === undefined) return { status: 401, headers: { "www-authenticate": 'Bearer authorization="https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555", resource="https://vault.azure.net"' }, body: { error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." } } };
    const [, , name, version = "", verb = ""] = new URL(url, keyId).pathname.split("/");
    if (name !== "manifests") return { status: 404, body: { error: { code: "KeyNotFound", message: `A key with (name/id) ${name ?? ""} was not found in this key vault.` } } };
    const of = version === "" ? newest : version;
    const pair = pairs[of];
    if (pair === undefined) return { status: 404, body: { error: { code: "KeyNotFound", message: "not found" } } };
    const kid = `${keyId}/${of}`;
    if (method === "GET") return { status: 200, body: { key: { kid, key_ops: ["sign", "verify"], ...pair.publicKey.export({ format: "jwk" }) }, attributes: { enabled: true, created: 1_763_700_000, updated: 1_763_700_000, recoveryLevel: "Recoverable+Purgeable" } } };
    const asked = JSON.parse(body) as { readonly alg: string; readonly value: string };
    if (verb !== "sign" || asked.alg !== "ES256") return { status: 400, body: { error: { code: "BadParameter", message: "no such operation" } } };
    return { status: 200, body: { kid, value: overDigest(pair.privateKey, Buffer.from(asked.value, "base64url")).toString("base64url") } };
  };
}

let server: ScriptedServer;
beforeAll(async () => (server = await openScriptedServer()));
afterAll(() => server.close());
beforeEach(() => server.say(vault(first)));

const seal = (id = keyId) =>
  openKeyVaultSeal(id, { credential: { getToken: () => Promise.resolve({ token: "a-made-up-token", expiresOnTimestamp: Date.now() + 3_600_000 }) }, transport: openTransport({ [host]: server.url }), deadlineSeconds: 2 });

describe("a seal in a key vault", () => {
  test("is signed there and checked here, by the version that made it", async () => {
    const mine = seal();
    const sealed = await mine.sign(digest);
    expect(sealed.key).toBe(`${keyId}/${first}`);
    server.say(vault(second));
    // The key was renewed meanwhile: what the older version signed holds, and the next is signed by the newer one.
    expect([await mine.verify(digest, sealed), await mine.verify(another, sealed)]).toEqual([true, false]);
    const renewed = await mine.sign(digest);
    expect([renewed.key, await seal().verify(digest, renewed)]).toEqual([`${keyId}/${second}`, true]);
  });

  test("is made by the version that is named, where one is", async () => {
    server.say(vault(second));
    expect((await seal(`${keyId}/${first}`).sign(digest)).key).toBe(`${keyId}/${first}`);
  });

  test("is none of another key, and that one is not even asked for", async () => {
    const { key, signature } = await seal().sign(digest);
    const before = server.asked.length;
    expect(await seal().verify(digest, { key: key.replace("manifests", "others"), signature })).toBe(false);
    expect(await seal().verify(digest, { key: key.replace(host, "kv-mallory.vault.azure.net"), signature })).toBe(false);
    expect(server.asked).toHaveLength(before);
  });

  test("is none of a version that the key never had; while the key itself is not to be found, nobody knows", async () => {
    const { signature } = await seal().sign(digest);
    expect(await seal().verify(digest, { key: `${keyId}/${"0".repeat(32)}`, signature })).toBe(false);
    expect(await seal().verify(digest, { key: `${keyId}/../manifests/x`, signature })).toBe(false);
    server.say((asked) => (asked.headers.authorization === undefined ? vault(first)(asked) : { status: 404, body: { error: { code: "KeyNotFound", message: "deleted" } } }));
    await expect(seal().verify(digest, { key: `${keyId}/${first}`, signature })).rejects.toMatchObject({ name: "WorldError" });
  });

  test("asks for a public half once", async () => {
    const mine = seal();
    const sealed = await mine.sign(digest);
    await mine.verify(digest, sealed);
    const before = server.asked.length;
    await mine.verify(another, sealed);
    expect(server.asked).toHaveLength(before);
  });

  test.each([
    ["a vault that is dark", "reset" as const, /ECONNRESET|socket hang up/],
    ["a vault that says nothing", "silence" as const, /2 s/],
    ["rights that are missing", { status: 403, body: { error: { code: "Forbidden", message: "Caller is not authorized to perform action on resource." } } }, /status 403 Forbidden/],
  ])("says in plain words what went wrong with %s", async (_, said, words) => {
    server.say(said);
    const failed = seal().sign(digest);
    await expect(failed).rejects.toMatchObject({ name: "WorldError" });
    await expect(failed).rejects.toThrow(words);
    await expect(failed).rejects.not.toThrow(/made-up-token/);
  });
});

function made() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey };
}

/** A vault signs the digest that comes in; Node makes the digest itself, so what it was made of is looked up and signed. */
function overDigest(privateKey: ReturnType<typeof made>["privateKey"], given: Buffer): Buffer {
  const preimage = [digest, another].map((hex) => Buffer.from(hex, "hex")).find((bytes) => createHash("sha256").update(bytes).digest().equals(given));
  if (preimage === undefined) throw new Error("a digest came in that none of the tests has made");
  return sign("sha256", preimage, { key: privateKey, dsaEncoding: "ieee-p1363" });
}
