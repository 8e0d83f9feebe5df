import type { IncomingMessage } from "node:http";

/** The largest request body that the real host takes: 100 MB. */
export const bodyBytesMax = 104_857_600;

/** The body is larger than the host takes. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/**
 * A request's body as the real host forwards it without streaming: only with a `Content-Length` above zero, so a chunked upload arrives
 * as null. More than `bytesMax` throws BodyTooLarge before anything is read.
 */
export async function readBody(request: IncomingMessage, bytesMax = bodyBytesMax): Promise<Buffer | null> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bytesMax) throw new BodyTooLarge(`a body of ${announced} bytes: the host takes ${bytesMax}`);
  // Read to the end even when it is dropped, so that the connection can be used again.
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (announced > 0) chunks.push(chunk as Buffer);
  return announced > 0 ? Buffer.concat(chunks) : null;
}
