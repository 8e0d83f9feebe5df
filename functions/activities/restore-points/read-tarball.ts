/** Reads a backup's archive from end to end while it streams by: what it holds, and whether it is whole. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";
import { gatherContents, keyOf, type Stored, storedOf } from "../../../shared/domain/contents.ts";
import type { TarballFound } from "../../../shared/domain/inventory.ts";

/** No archive of a cluster comes near these; one that does is refused instead of read for ever. An object in etcd has 1.5 MiB at most. */
export const tarballBounds = { entryBytes: 16 * 1024 * 1024, objects: 2_000_000, unpackedBytes: 256 * 1024 ** 3 } as const;

type Bounds = { readonly [K in keyof typeof tarballBounds]: number };

/**
 * What is wrong with the archive is a value: cut off, changed (each gzip member carries a CRC of its content), no archive, beyond a bound. What is
 * wrong with the way to it (`chunks` throws) is thrown on. Holds one object at a time, and the keys of all.
 */
export async function readTarball(chunks: AsyncIterable<Uint8Array>, consumerSelectors: readonly string[], bounds: Bounds = tarballBounds): Promise<TarballFound> {
  const source: Watched = { bytes: 0, broke: null };
  const unpacked = tar.extract();
  const gathered = gatherContents(consumerSelectors);
  const keys = new Set<string>();
  let formatVersion: string | null = null;
  let before: Buffer = Buffer.alloc(0);
  let stranger: string | null = null;
  const flowing = pipeline(
    Readable.from(watched(chunks, source), { objectMode: false }),
    createGunzip(),
    (chunks: AsyncIterable<Buffer>) => upTo(bounds.unpackedBytes, chunks),
    // streamx's Writable is Node's in all that a pipeline needs.
    unpacked as unknown as NodeJS.WritableStream,
  ).catch(() => undefined); // the loop below sees the same error
  try {
    for await (const entry of unpacked) {
      const body = await bodyOf(entry, entry.header.name, bounds.entryBytes);
      if (entry.header.name === "metadata/version") formatVersion = body.toString("utf8").trim().slice(0, 20);
      // Velero stores each object twice, one copy after the other.
      if (!entry.header.name.startsWith("resources/") || body.equals(before)) continue;
      before = body;
      const stored = objectIn(body);
      if (stored === null) {
        // Read on: if bytes were changed on the way, the packing says so at its end.
        stranger ??= entry.header.name;
        continue;
      }
      const key = keyOf(`${stored.apiVersion}/${stored.kind}`, stored.namespace === null ? stored.name : `${stored.namespace}/${stored.name}`);
      if (keys.has(key)) continue;
      if (keys.size >= bounds.objects) throw new Unlike(`it holds more than ${bounds.objects} objects`);
      keys.add(key);
      gathered.add(stored);
    }
    await flowing;
    if (stranger !== null) throw new Unlike(`${stranger} in it is no Kubernetes object`);
  } catch (error) {
    unpacked.destroy();
    await flowing;
    if (source.broke !== null) throw source.broke.error;
    return { kind: "broken", why: whyBroken(error, source.bytes, keys.size) };
  }
  if (formatVersion === null) return { kind: "broken", why: source.bytes === 0 ? "the tarball is empty" : "the tarball has no metadata/version: it is no archive of Velero's" };
  return { kind: "read", formatVersion, contents: gathered.contents(), keys };
}

/** What was found is not what Velero writes. */
class Unlike extends Error {
  override readonly name = "Unlike";
}

interface Watched {
  bytes: number;
  broke: { readonly error: unknown } | null;
}

/** Counts what comes in, and remembers whether it was the source that failed: an error of those behind it comes in at the `yield`. */
async function* watched(chunks: AsyncIterable<Uint8Array>, seen: Watched): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await source.next().catch((error: unknown) => {
        seen.broke = { error };
        throw error;
      });
      if (next.done === true) return;
      seen.bytes += next.value.byteLength;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

/** Stops an archive that unpacks into more than anyone has. */
async function* upTo(maxBytes: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Unlike(`it unpacks into more than ${maxBytes} bytes`);
    yield chunk;
  }
}

async function bodyOf(entry: AsyncIterable<unknown>, name: string, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of entry as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) throw new Unlike(`${name} in it has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, bytes);
}

function objectIn(body: Buffer): Stored | null {
  try {
    return storedOf(JSON.parse(body.toString("utf8")));
  } catch {
    return null;
  }
}

/** zlib's and tar's own words, with what they mean. */
function whyBroken(error: unknown, bytes: number, objects: number): string {
  const message = error instanceof Error ? error.message : String(error);
  const where = `after ${objects} objects, ${bytes} bytes read`;
  if (error instanceof Unlike) return `the tarball is not what Velero writes: ${message} (${where})`;
  if (/unexpected end of (file|data)/i.test(message)) return `the tarball is cut off: ${message} (${where})`;
  return `the tarball is damaged: ${message} (${where})`;
}
