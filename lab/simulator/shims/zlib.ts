/** `node:zlib` without its threads: what they end first is a matter of the machine, and must not be one of the run. */
import { Transform, type TransformCallback } from "node:stream";
import { gunzipSync as unpack } from "node:zlib";
import { now } from "../time/virtual.ts";

export { gzipSync } from "node:zlib";

/** Blobs are unpacked once in a process: what is on a shelf is the same in every run. */
const unpacked = new WeakMap<Uint8Array, Buffer>();

export function gunzipSync(bytes: Uint8Array, options: { readonly maxOutputLength?: number } = {}): Buffer {
  const before = unpacked.get(bytes);
  if (before !== undefined && before.length <= (options.maxOutputLength ?? Infinity)) return before;
  const plain = unpack(bytes, options);
  unpacked.set(bytes, plain);
  return plain;
}

/** Unpacks when all has come in. */
class Gunzip extends Transform {
  readonly #chunks: Buffer[] = [];
  /** Packed bytes that belonged to the archive: all of them, as no simulated archive is followed by something else. */
  bytesWritten = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#chunks.push(chunk);
    this.bytesWritten += chunk.length;
    done();
  }

  override _flush(done: TransformCallback): void {
    try {
      done(null, gunzipSync(Buffer.concat(this.#chunks)));
    } catch (error) {
      done(error as Error);
    }
  }
}

export function createGunzip(): Gunzip {
  // Streams go on by ticks of their own: the event that opened one has not settled when its promises have.
  now().scheduler.streams();
  return new Gunzip();
}

export function gunzip(bytes: Uint8Array, options: { readonly maxOutputLength?: number }, done: (error: Error | null, plain: Buffer) => void): void {
  try {
    done(null, gunzipSync(bytes, options));
  } catch (error) {
    done(error as Error, Buffer.alloc(0));
  }
}
