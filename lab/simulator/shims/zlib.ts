/** `node:zlib` without its threads: what they end first is a matter of the machine, and must not be one of the run. */
import { Transform, type TransformCallback } from "node:stream";
import { gunzipSync } from "node:zlib";

export { gunzipSync, gzipSync } from "node:zlib";

/** Unpacks when all has come in. */
export function createGunzip(): Transform {
  const chunks: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      chunks.push(chunk);
      done();
    },
    flush(done: TransformCallback) {
      try {
        done(null, gunzipSync(Buffer.concat(chunks)));
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

export function gunzip(bytes: Uint8Array, options: { readonly maxOutputLength?: number }, done: (error: Error | null, plain: Buffer) => void): void {
  try {
    done(null, gunzipSync(bytes, options));
  } catch (error) {
    done(error as Error, Buffer.alloc(0));
  }
}
