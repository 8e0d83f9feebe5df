/** The digest of a blob's content, taken while it is read for another reason, or by reading it. */
import { createHash } from "node:crypto";
import { type Backups, type BlobPlace, BlobUnreadable } from "../../../shared/ports.ts";
import { bytesOr } from "./read-files.ts";

export interface Digesting {
  /** The same port; what is read through it to the end is digested on the way. */
  readonly backups: Backups;
  /** SHA-256 of a blob; `undefined`: it was not read to its end. */
  digestOf(place: BlobPlace, name: string): string | undefined;
}

export function digesting(backups: Backups): Digesting {
  const digests = new Map<string, string>();
  const keyOf = ({ url, container }: BlobPlace, name: string) => `${url}/${container}/${name}`;
  return {
    backups: {
      ...backups,
      async read(place, name, maxBytes) {
        const bytes = await backups.read(place, name, maxBytes);
        if (bytes !== null) digests.set(keyOf(place, name), createHash("sha256").update(bytes).digest("hex"));
        return bytes;
      },
      async open(place, name) {
        const chunks = await backups.open(place, name);
        return chunks && digested(chunks, (digest) => void digests.set(keyOf(place, name), digest));
      },
    },
    digestOf: (place, name) => digests.get(keyOf(place, name)),
  };
}

async function* digested(chunks: AsyncIterable<Uint8Array>, done: (digest: string) => void): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  done(hash.digest("hex"));
}

/** Reads a blob for its digest alone; `null`: it is not there, or not to be read. */
export async function digestBlob(backups: Backups, place: BlobPlace, name: string): Promise<string | null> {
  const chunks = await bytesOr(backups.open(place, name));
  if (chunks === null || chunks instanceof BlobUnreadable) return null;
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
