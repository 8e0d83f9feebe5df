import type { BlobDownloadResponseParsed, ContainerClient } from "@azure/storage-blob";
import { deadlineSeconds } from "../blob-connection.ts";
import type { TypedData } from "../typed-data.ts";
import type { BlobVersion } from "./blob-receipts.ts";

/** One page of a listing. */
export interface BlobPage {
  readonly versions: readonly BlobVersion[];
  readonly next: string | undefined;
}

/** Lists one page, under a deadline of its own: what a function does between two pages does not count. */
export async function listPage(container: ContainerClient, prefix: string, from: string | undefined, closing: AbortSignal): Promise<BlobPage> {
  const listing = container.listBlobsFlat({ prefix, abortSignal: bounded(closing) });
  for await (const page of listing.byPage({ maxPageSize: 1_000, ...(from ? { continuationToken: from } : {}) })) {
    const versions = page.segment.blobItems.map(({ name, properties }) => ({ container: container.containerName, blob: name, etag: properties.etag }));
    return { versions, next: page.continuationToken };
  }
  return { versions: [], next: undefined };
}

export interface BlobContent {
  readonly bytes: Buffer;
  readonly properties: BlobDownloadResponseParsed;
}

/** One version's content; null when that version is no longer there. The ETag `*` is any version. */
export async function download(container: ContainerClient, { blob, etag }: BlobVersion, closing: AbortSignal): Promise<BlobContent | null> {
  try {
    const properties = await container.getBlobClient(blob).download(0, undefined, { conditions: { ifMatch: etag }, abortSignal: bounded(closing) });
    const chunks: Buffer[] = [];
    for await (const chunk of properties.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    return { bytes: Buffer.concat(chunks), properties };
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404 || statusCode === 412) return null;
    throw error;
  }
}

/** The trigger metadata of the real host; the library makes the keys' first letters small. */
export function triggerMetadata(path: string, uri: string, { properties }: BlobContent, variables: Readonly<Record<string, string>>): Record<string, TypedData> {
  const { lastModified, createdOn, etag, contentType, contentLength, blobType, leaseState } = properties;
  const shown = { LastModified: lastModified, CreatedOn: createdOn, ETag: etag, ContentType: contentType, ContentLength: contentLength, BlobType: blobType, LeaseState: leaseState };
  return {
    BlobTrigger: { string: path },
    Uri: { json: JSON.stringify(uri) },
    Properties: { json: JSON.stringify(shown) },
    Metadata: { json: JSON.stringify(properties.metadata ?? {}) },
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { string: value }])),
  };
}

function bounded(closing: AbortSignal): AbortSignal {
  return AbortSignal.any([closing, AbortSignal.timeout(deadlineSeconds * 1_000)]);
}
