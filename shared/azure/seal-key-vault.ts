/**
 * A seal whose key lies in a key vault and never leaves it (@azure/keyvault-keys): ES256 over the digest. Signatures are checked here, by the
 * key's public half, which is asked for once. The client is loaded when it is first needed.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { KeyVaultKey } from "@azure/keyvault-keys";
import { keyVaultKey } from "../key-vault-key.ts";
import type { Seal } from "../ports.ts";
import { type Arm, armOptions } from "./arm.ts";
import { answerOf, azureCall } from "./azure-call.ts";

/** Signs with the key's newest version, or with the one that is named. Needs an EC key on P-256; calls throw a `WorldError`. */
export function openKeyVaultSeal(keyId: string, arm: Arm): Seal {
  const { origin } = new URL(keyId);
  const [, name = "", version] = keyVaultKey.exec(keyId) ?? [];
  const options = armOptions(arm);
  /** Public halves by their full address: a signature names the version that made it, and versions never change. */
  const known = new Map<string, KeyObject>();

  const client = async () => {
    const { KeyClient } = await import("@azure/keyvault-keys");
    return new KeyClient(origin, arm.credential, options);
  };
  const readKey = async (of?: string) => {
    const keys = await client();
    return azureCall("read key", keyId, arm.deadlineSeconds, (abortSignal) => keys.getKey(name, { abortSignal, ...(of === undefined ? {} : { version: of }) }));
  };
  /** `null`: the key has no such version. A key that is not there itself is one that nobody can ask: that is thrown. */
  const versionOf = async (of: string): Promise<KeyVaultKey | null> => {
    const keyClient = await client();
    const found = await azureCall("read key", keyId, arm.deadlineSeconds, (abortSignal) =>
      keyClient.getKey(name, { abortSignal, version: of }).catch((error: unknown) => {
        if (answerOf(error)?.status === 404) return null;
        throw error;
      }),
    );
    if (found === null) await readKey();
    return found;
  };
  const publicHalf = async (id: string): Promise<KeyObject | null> => {
    const found = await versionOf(id.slice(id.lastIndexOf("/") + 1));
    if (found === null) return null;
    const { key } = found;
    const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64url");
    const half = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: text(key?.x), y: text(key?.y) } });
    known.set(id, half);
    return half;
  };

  return {
    async sign(sha256) {
      const { CryptographyClient } = await import("@azure/keyvault-keys");
      const key = await readKey(version);
      const signer = new CryptographyClient(key, arm.credential, options);
      const { result } = await azureCall("sign", keyId, arm.deadlineSeconds, (abortSignal) => signer.signData("ES256", Buffer.from(sha256, "hex"), { abortSignal }));
      return { key: key.id ?? keyId, signature: Buffer.from(result).toString("base64") };
    },
    async verify(sha256, { key, signature }) {
      // The name of another key is another's, whatever it signs.
      if (!key.startsWith(`${origin}/keys/${name}/`) || keyVaultKey.exec(key)?.[2] === undefined) return false;
      const half = known.get(key) ?? (await publicHalf(key));
      // Nobody but whoever forged it would name a version that there never was: versions are not deleted one by one.
      if (half === null) return false;
      return verify("sha256", Buffer.from(sha256, "hex"), { key: half, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64"));
    },
  };
}
