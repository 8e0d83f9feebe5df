/** Unpacks a gzipped tar while it streams by, and hands on each entry whole. Holds one entry at a time. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";

export interface UnpackBounds {
  /** Of one entry. */
  readonly entryBytes: number;
  readonly entries: number;
  readonly unpackedBytes: number;
}

/** What was found is not what Velero writes. */
export class Unlike extends Error {
  override readonly name = "Unlike";
}

export interface Unpacked {
  /** Bytes that came in: packed. */
  readonly bytes: number;
  /** What is wrong with the archive; `null`: it was unpacked to its end. */
  readonly wrong: unknown;
}

/** Node's default of 16 KiB costs a trip to another thread for every four entries: with this it unpacks three times as fast. */
const pieceBytes = 128 * 1024;
/** What may follow the last entry: the end of an archive is two blocks of zeros, and some writers fill up to 10 KiB. */
const paddingMax = 1024 * 1024;
const endBytes = 1024;

/**
 * Calls `take` with each file's name and body, in order; what `take` throws is wrong with the archive. What is wrong with the way to it
 * (`chunks` throws) is thrown on.
 */
export async function unpackTarball(chunks: AsyncIterable<Uint8Array>, bounds: UnpackBounds, take: (name: string, body: Buffer) => void): Promise<Unpacked> {
  const source: Watched = { bytes: 0, broke: null };
  const padding: Padding = { bytes: 0 };
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  try {
    await pipeline(
      Readable.from(watched(chunks, source), { objectMode: false }),
      gunzip,
      (pieces: AsyncIterable<Buffer>) => bounded(pieces, bounds.unpackedBytes, padding),
      // streamx's Writable is Node's in all that a pipeline needs.
      extractor(bounds, take, padding) as unknown as NodeJS.WritableStream,
    );
    // Node stops quietly where a member is followed by something else; Go, which restores, does not.
    if (gunzip.bytesWritten < source.bytes) throw new Unlike(`${source.bytes - gunzip.bytesWritten} bytes follow its end`);
    return { bytes: source.bytes, wrong: null };
  } catch (error) {
    if (source.broke !== null) throw source.broke.error;
    return { bytes: source.bytes, wrong: error };
  }
}

/** Bytes since the last entry's: its headers, or the end of the archive. */
interface Padding {
  bytes: number;
}

/** By events, since a loop over entries and their parts takes two and a half times as long. */
function extractor({ entryBytes, entries: entriesMax }: UnpackBounds, take: (name: string, body: Buffer) => void, padding: Padding): tar.Extract {
  const extract = tar.extract();
  let entries = 0;
  extract.on("entry", ({ name, type, size }, entry, next) => {
    const parts: Buffer[] = [];
    const refuse = (error: unknown) => extract.destroy(error instanceof Error ? error : new Error(String(error)));
    entries += 1;
    padding.bytes = 0;
    entry.on("error", () => undefined); // the archive's own, which ends the pipeline
    if (entries > entriesMax) return refuse(new Unlike(`it holds more than ${entriesMax} entries`));
    if (leadsElsewhere(name)) return refuse(new Unlike(`${shown(name)} in it leads out of the folder that it is unpacked in`));
    if (type !== "file" && type !== "directory" && type !== "contiguous-file") return refuse(new Unlike(`${shown(name)} in it is no file but a ${type}`));
    if ((size ?? 0) > entryBytes) return refuse(new Unlike(`${shown(name)} in it has more than ${entryBytes} bytes`));
    entry.on("data", (data) => {
      const part = data as Buffer; // what a tar is made of
      padding.bytes = 0;
      parts.push(part);
    });
    entry.on("end", () => {
      try {
        if (type !== "directory") take(name, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts));
        next();
      } catch (error) {
        refuse(error);
      }
    });
  });
  return extract;
}

const leadsElsewhere = (name: string): boolean => name.startsWith("/") || name.includes("\\") || name.includes("\0") || name.split("/").includes("..");
/** A name for people: of a bounded length. */
const shown = (name: string): string => (name.length <= 300 ? name : `${name.slice(0, 299)}…`);

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

/** Stops an archive that unpacks into more than anyone has, or has no end of its own: one cut between two entries looks whole but for that. */
async function* bounded(pieces: AsyncIterable<Buffer>, maxBytes: number, padding: Padding): AsyncGenerator<Buffer> {
  let bytes = 0;
  let zeros = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    padding.bytes += piece.length;
    if (bytes > maxBytes) throw new Unlike(`it unpacks into more than ${maxBytes} bytes`);
    if (padding.bytes > paddingMax + pieceBytes + longHeaderBytes) throw new Unlike(`more than ${paddingMax} bytes follow its last entry`);
    zeros = zerosAtEnd(piece, zeros);
    yield piece;
  }
  if (bytes > 0 && zeros < endBytes) throw new Error("unexpected end of data: the archive inside has no end");
}

/** tar-stream takes up to 4 MiB for one entry's long name. */
const longHeaderBytes = 4 * 1024 * 1024;

function zerosAtEnd(piece: Buffer, before: number): number {
  let at = piece.length;
  const stop = Math.max(0, at - endBytes);
  while (at > stop && piece[at - 1] === 0) at -= 1;
  return at === 0 ? before + piece.length : piece.length - at;
}
