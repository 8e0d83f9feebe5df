/** What a face says to one request, as a value, so that `handle` alone decides whether it ever leaves. */
import type { Readable } from "node:stream";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is for answers that stay open, such as a watch; it is destroyed when the client leaves or the region is lost. */
  readonly body?: string | Uint8Array | Readable;
}

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value),
});

export const text = (status: number, body: string, contentType = "text/plain; charset=utf-8"): Answer => ({ status, headers: { "content-type": contentType }, body });
