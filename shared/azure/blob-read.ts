/** Reading blobs, whole or as a stream: shared by our own account and by what Velero wrote. */
import type { BlobClient } from "@azure/storage-blob";
import { BlobUnreadable } from "../ports.ts";
import { answerOf, azureCall } from "./azure-call.ts";

export interface BlobBytes {
  readonly bytes: Uint8Array;
  readonly etag: string;
  /** By the service's own clock, in whole seconds: when it was written, and when this was answered. `null`: it did not say. */
  readonly writtenAt: number | null;
  readonly answeredAt: number | null;
}

/** All bytes of a blob; `null`: there is none. Throws when it has more than `bytesMax`, before reading them. */
export function readBlob(blob: BlobClient, thing: string, bytesMax: number, deadlineSeconds: number): Promise<BlobBytes | null> {
  return azureCall("read blob", thing, deadlineSeconds, async (abortSignal) => {
    const answer = await download(blob, thing, abortSignal);
    if (answer === null) return null;
    const tooLarge = () => new BlobUnreadable("read blob", thing, `it has more than ${bytesMax} bytes`);
    if (answer.bytes > bytesMax) {
      answer.body.destroy();
      throw tooLarge();
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge();
      chunks.push(chunk);
    }
    const { etag, writtenAt, answeredAt } = answer;
    return { bytes: Buffer.concat(chunks), etag, writtenAt, answeredAt };
  });
}

/** A blob as chunks, each of which must come within the deadline; `null`: there is none. Leaving the loop early ends the download. */
export async function streamBlob(blob: BlobClient, thing: string, deadlineSeconds: number): Promise<AsyncIterable<Uint8Array> | null> {
  const answer = await azureCall("open blob", thing, deadlineSeconds, (abortSignal) => download(blob, thing, abortSignal));
  return answer && chunksOf(answer.body, thing, deadlineSeconds);
}

async function* chunksOf(body: Body, thing: string, deadlineSeconds: number): AsyncGenerator<Uint8Array> {
  const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await azureCall("read blob", thing, deadlineSeconds, () => chunks.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

type Body = NodeJS.ReadableStream & { destroy(): void };

async function download(blob: BlobClient, thing: string, abortSignal: AbortSignal): Promise<({ readonly body: Body; readonly bytes: number } & Omit<BlobBytes, "bytes">) | null> {
  try {
    const { readableStreamBody, contentLength, etag, lastModified, date } = await blob.download(0, undefined, { abortSignal });
    if (readableStreamBody === undefined) throw new Error("an answer without a body");
    return { body: readableStreamBody, bytes: contentLength ?? 0, etag: etag ?? "", writtenAt: lastModified?.getTime() ?? null, answeredAt: date?.getTime() ?? null };
  } catch (error) {
    if (noSuchBlob(error)) return null;
    const answer = answerOf(error);
    // In the archive tier, being brought back from it, under a key that we were not given: `BlobArchived` and its like.
    if (answer?.status === 409 && answer.code.startsWith("Blob")) throw new BlobUnreadable("read blob", thing, `the account does not give it: ${answer.code}`);
    throw error;
  }
}

/** A missing container is a mistake in the plan or the account, and no statement about a blob in it. */
export const noSuchBlob = (error: unknown): boolean => {
  const answer = answerOf(error);
  return answer?.status === 404 && !answer.code.startsWith("Container");
};
