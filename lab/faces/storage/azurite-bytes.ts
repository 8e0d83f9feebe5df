/** Moves bytes inside Azurite for the storage rules: no client sees these requests. */
import type http from "node:http";
import { Readable } from "node:stream";
import { turnstile } from "../../turnstile.ts";
import type { BlobBytes, BlobKey } from "../../world/storage/blob-bytes.ts";
import type { AzuriteLink, AzuriteRequest } from "./azurite-link.ts";

/** Copies and uploads under way at once: enough to keep two cores busy. */
const placesMax = 8;
/** Headers of a blob that a copy has too, by the name under which a commit takes them. */
const contentHeaders = {
  "content-type": "x-ms-blob-content-type",
  "content-encoding": "x-ms-blob-content-encoding",
  "content-language": "x-ms-blob-content-language",
  "content-disposition": "x-ms-blob-content-disposition",
  // Not content-md5: on a GET Azurite makes that up where the blob has none.
  "x-ms-blob-content-md5": "x-ms-blob-content-md5",
  "cache-control": "x-ms-blob-cache-control",
} as const;

export function azuriteBytes(link: AzuriteLink): BlobBytes {
  const pass = turnstile(placesMax);
  let blocks = 0;

  /** In one block, whatever its size: a commit without a Content-MD5 leaves the blob without one, as Velero's are. */
  async function write(key: BlobKey, content: Readable | Uint8Array, bytes: number, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
    blocks += 1;
    const id = Buffer.from(String(blocks).padStart(12, "0")).toString("base64");
    const place = { method: "PUT", store: key.store, path: blobPath(key), signal };
    if (bytes > 0) await done(link, { ...place, query: `comp=block&blockid=${encodeURIComponent(id)}`, headers: { "content-length": String(bytes) }, body: content });
    const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${bytes > 0 ? `<Latest>${id}</Latest>` : ""}</BlockList>`;
    await done(link, { ...place, query: "comp=blocklist", headers: { "content-type": "application/xml", ...headers }, body: Buffer.from(list) });
  }

  return {
    copy: (from, to, signal) =>
      pass(async () => {
        const source = await link.send({ method: "GET", store: from.store, path: blobPath(from), signal });
        if (source.statusCode === 404) return await drained(source, false);
        if (source.statusCode !== 200) throw await refusal(source, `GET ${from.store}${blobPath(from)}`);
        await write(to, source, Number(source.headers["content-length"]), copiedHeaders(source.headers), signal);
        return true;
      }),
    put: (key, content) => pass(() => write(key, content, content.byteLength, { "x-ms-blob-content-type": "application/octet-stream" })),
    delete: (key) => done(link, { method: "DELETE", store: key.store, path: blobPath(key), headers: { "x-ms-delete-snapshots": "include" } }, 404),
    createContainer: (store, container) => done(link, { method: "PUT", store, path: `/${container}`, query: "restype=container" }, 409),
    deleteContainer: (store, container) => done(link, { method: "DELETE", store, path: `/${container}`, query: "restype=container" }, 404),
  };
}

export const blobPath = ({ container, name }: Omit<BlobKey, "store">): string => `/${container}/${name.split("/").map(encodeURIComponent).join("/")}`;

function copiedHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const copied: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") continue;
    if (name.startsWith("x-ms-meta-")) copied[name] = value;
    if (name in contentHeaders) copied[contentHeaders[name as keyof typeof contentHeaders]] = value;
  }
  return copied;
}

/** Throws unless Azurite did it, or says by `elseStatus` that it was so already. */
async function done(link: AzuriteLink, request: AzuriteRequest, elseStatus?: number): Promise<void> {
  const answer = await link.send(request);
  const status = answer.statusCode ?? 0;
  if (status >= 300 && status !== elseStatus) throw await refusal(answer, `${request.method} ${request.store}${request.path}`);
  await drained(answer, undefined);
}

async function refusal(answer: http.IncomingMessage, what: string): Promise<Error> {
  return new Error(`Azurite refused ${what}: ${answer.statusCode} ${(await answer.toArray()).map(String).join("").slice(0, 400)}`);
}

function drained<T>(answer: http.IncomingMessage, value: T): Promise<T> {
  return new Promise((resolve, reject) => {
    answer.once("error", reject);
    answer.once("end", () => resolve(value));
    answer.resume();
  });
}
