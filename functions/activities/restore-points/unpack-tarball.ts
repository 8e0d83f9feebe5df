/** Unpacks a gzipped tar while it streams by, and hands on each entry whole. Holds one entry at a time. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { openTarEntries, type TakeEntry, type TarBounds, Unlike } from "./tar-entries.ts";

export interface UnpackBounds extends TarBounds {
  readonly unpackedBytes: number;
}

export interface Unpacked {
  /** Bytes that came in: packed. */
  readonly bytes: number;
  /** What is wrong with the archive; `null`: it was unpacked to its end. */
  readonly wrong: unknown;
}

/** Node's default of 16 KiB costs a trip to another thread for every four entries: with this it unpacks three times as fast. */
const pieceBytes = 128 * 1024;

/**
 * Calls `take` with each file, in order; what `take` throws is wrong with the archive. What is wrong with the way to it
 * (`chunks` throws) is thrown on.
 */
export async function unpackTarball(chunks: AsyncIterable<Uint8Array>, bounds: UnpackBounds, take: TakeEntry): Promise<Unpacked> {
  const source: Watched = { bytes: 0, broke: null };
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  const entries = openTarEntries(bounds, take);
  let unpacked = 0;
  let wrong: unknown = null;
  try {
    await pipeline(Readable.from(watched(chunks, source), { objectMode: false }), gunzip, async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        unpacked += piece.length;
        try {
          if (unpacked > bounds.unpackedBytes) throw new Unlike(`it unpacks into more than ${bounds.unpackedBytes} bytes`);
          entries.push(piece);
        } catch (error) {
          // The pipeline may say that it was aborted, and not why.
          wrong = error;
          throw error;
        }
      }
    });
    entries.end();
    // Node stops quietly where a member is followed by something else; Go, which restores, does not.
    if (gunzip.bytesWritten < source.bytes) throw new Unlike(`${source.bytes - gunzip.bytesWritten} bytes follow its end`);
    return { bytes: source.bytes, wrong: null };
  } catch (error) {
    if (source.broke !== null) throw source.broke.error;
    return { bytes: source.bytes, wrong: wrong ?? error };
  }
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
