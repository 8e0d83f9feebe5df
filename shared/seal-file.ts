/** A seal whose key is a file: an Ed25519 private key in PEM. For installations that keep it on a mounted secret, and for the lab. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Seal } from "./ports.ts";

/** Reads the key once. Throws when the file is not there or holds no Ed25519 key; never says what it holds. */
export function openFileSeal(path: string): Seal {
  const key = privateKeyIn(path);
  const publicKey = createPublicKey(key);
  // Its name is a digest of the public half: a key that was exchanged is another.
  const name = `ed25519:${createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("hex").slice(0, 16)}`;
  return {
    sign: async (sha256) => ({ key: name, signature: sign(null, Buffer.from(sha256, "hex"), key).toString("base64") }),
    verify: async (sha256, seal) => seal.key === name && verify(null, Buffer.from(sha256, "hex"), publicKey, Buffer.from(seal.signature, "base64")),
  };
}

function privateKeyIn(path: string) {
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it holds no private key in PEM";
    throw new Error(`the key for manifests, ${path}, cannot be read: ${code}`, { cause: error });
  }
  throw new Error(`the key for manifests, ${path}, is no Ed25519 key: make one with openssl genpkey -algorithm ed25519`);
}
