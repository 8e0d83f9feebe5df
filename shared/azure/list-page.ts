/**
 * One page of a container's list. The client asks, signs, and reads the answer's frame; the blobs are taken out of the text before it sees
 * them, since its XML parser needs a tenth of a millisecond for each (docs/decisions/0011-own-list-reader.md).
 */
import type { BlobItem as SdkBlobItem, ContainerClient } from "@azure/storage-blob";
import type { BlobItem } from "../ports.ts";

export interface ListedPage {
  /** Can be gone through once. */
  readonly items: Iterable<BlobItem>;
  readonly continuationToken: string | null;
}

/** The service's own largest page. */
const maxPageSize = 5000;

/** Requests whose answers are looked for, by the signal that they carry: nothing else of a call reaches both its ends. */
const awaited = new WeakMap<object, Packed[]>();

/**
 * Some hundred blobs as bytes, a line of JSON for each, outside the heap. A page waits for its turn; as thirty thousand small objects it
 * would outlive the collector's young generation, and a long list would fill memory with pages that nobody needs any more.
 */
type Packed = Buffer;

/**
 * Bytes to pack into, used again and again: a page outlives the young generation while it waits, and what it is packed into would then stay
 * until the next full collection.
 */
const slabs: ArrayBufferLike[] = [];
const slabBytes = 32 * 1024;
/** Two pages at each end of two lists; more are left to the collector. */
const slabsMax = 512;

function packed(lines: string): Packed {
  const bytes = Buffer.byteLength(lines);
  if (bytes > slabBytes) return Buffer.from(lines);
  const slab = Buffer.from(slabs.pop() ?? new ArrayBuffer(slabBytes), 0, bytes);
  slab.write(lines);
  return slab;
}

function unpacked({ buffer }: Packed): void {
  if (buffer.byteLength === slabBytes && slabs.length < slabsMax) slabs.push(buffer);
}

export async function listPage(container: ContainerClient, prefix: string, continuationToken: string | null, abortSignal: AbortSignal): Promise<ListedPage> {
  const taken: Packed[] = [];
  awaited.set(abortSignal, taken);
  const { value: page } = await container
    .listBlobsFlat({ prefix, abortSignal })
    .byPage({ maxPageSize, ...(continuationToken === null ? {} : { continuationToken }) })
    .next();
  if (page === undefined) throw new Error("an answer without a page");
  return { items: itemsOf(taken, page.segment.blobItems), continuationToken: page.continuationToken || null };
}

function* itemsOf(taken: Packed[], others: readonly SdkBlobItem[]): Generator<BlobItem> {
  for (let lines = taken.shift(); lines !== undefined; lines = taken.shift()) {
    for (let at = 0; at < lines.length; ) {
      const end = lines.indexOf(lineEnd, at);
      yield JSON.parse(lines.toString("utf8", at, end)) as BlobItem; // packed below
      at = end + 1;
    }
    unpacked(lines);
  }
  for (const item of others) yield itemOf(item);
}

/** For the transport: whether the answer to a request is to be taken apart while it comes. */
export const isAwaited = (abortSignal: object | undefined): boolean => abortSignal !== undefined && awaited.has(abortSignal);

/**
 * For the transport: the frame of an answer, without its blobs. They are taken out of the bytes while these come, so that no page is ever held as a
 * whole; a blob that is not written as expected stays in the frame, for the client's own parser.
 */
export async function frameOf(abortSignal: object, body: AsyncIterable<Uint8Array>): Promise<string> {
  const taken = awaited.get(abortSignal) ?? [];
  const frame: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    // Only what lies across the border of two chunks is copied together.
    const border = bytes.indexOf(blobEnd);
    if (border === -1) {
      rest = Buffer.concat([rest, bytes]);
      continue;
    }
    const first = border + blobEnd.length;
    const lines = linesIn(Buffer.concat([rest, bytes.subarray(0, first)]), frame);
    const others = linesIn(bytes.subarray(first), frame);
    rest = Buffer.from(others.rest);
    taken.push(packed(lines.lines + others.lines));
  }
  // As the client decodes an answer: without the mark of its byte order.
  return new TextDecoder().decode(Buffer.concat([...frame, rest]));
}

/** A line for each blob that ends in these bytes; what lies between blobs goes to the frame, and what follows the last one is the rest. */
function linesIn(bytes: Buffer, frame: Buffer[]): { readonly lines: string; readonly rest: Buffer } {
  let lines = "";
  let at = 0;
  for (let end = bytes.indexOf(blobEnd); end !== -1; end = bytes.indexOf(blobEnd, at)) {
    const start = bytes.indexOf(blobStart, at);
    const item = start === -1 || start > end ? null : blobIn(bytes.toString("utf8", start, end));
    if (item !== null) lines += `${JSON.stringify(item)}\n`;
    const kept = bytes.subarray(at, item === null ? end + blobEnd.length : start);
    if (kept.length > 0) frame.push(Buffer.from(kept));
    at = end + blobEnd.length;
  }
  return { lines, rest: bytes.subarray(at) };
}

const [blobStart, blobEnd, lineEnd] = ["<Blob>", "</Blob>", 10] as const;

/** `null`: something is in it that this does not know. */
function blobIn(text: string): BlobItem | null {
  const valueOf = (tag: string): string | null => {
    const start = text.indexOf(`<${tag}>`);
    const end = start === -1 ? -1 : text.indexOf("<", start + tag.length + 2);
    return end === -1 ? null : text.slice(start + tag.length + 2, end);
  };
  if (!text.startsWith(blobStart)) return null;
  const name = plain(valueOf("Name"));
  const [bytes, etag, modified] = [valueOf("Content-Length"), valueOf("Etag"), valueOf("Last-Modified")];
  const lastModifiedAt = modified === null ? Number.NaN : Date.parse(modified);
  if (name === null || bytes === null || etag === null || !/^\d+$/.test(bytes) || Number.isNaN(lastModifiedAt)) return null;
  return { name, bytes: Number(bytes), etag, lastModifiedAt, replication: replicationOf(statusesIn(text)), ...inArchive(valueOf("AccessTier")) };
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Text as XML means it; `null`: an entity that is none of the five, nor a number. */
function plain(text: string | null): string | null {
  if (text === null || !text.includes("&")) return text;
  let unknown = false;
  const decoded = text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (_, entity: string) => {
    const code = entity.startsWith("#x") ? Number.parseInt(entity.slice(2), 16) : entity.startsWith("#") ? Number(entity.slice(1)) : null;
    const character = code === null ? entities[entity] : String.fromCodePoint(code);
    unknown ||= character === undefined;
    return character ?? "";
  });
  return unknown ? null : decoded;
}

const inArchive = (tier: string | null | undefined): Pick<BlobItem, "archived"> => (tier === "Archive" ? { archived: true } : {});

/** `<OrMetadata><or-POLICY_RULE>complete</or-POLICY_RULE></OrMetadata>`, one for each rule. */
function statusesIn(text: string): readonly string[] {
  const start = text.indexOf("<OrMetadata>");
  return start === -1 ? [] : [...text.slice(start, text.indexOf("</OrMetadata>")).matchAll(/<or-[^>/]*>([^<]*)</g)].map(([, status = ""]) => status);
}

/** As the client reads it. */
const itemOf = (item: SdkBlobItem): BlobItem => ({
  name: item.name,
  bytes: item.properties.contentLength ?? 0,
  etag: item.properties.etag,
  lastModifiedAt: item.properties.lastModified.getTime(),
  replication: replicationOf((item.objectReplicationSourceProperties ?? []).flatMap(({ rules }) => rules.map(({ replicationStatus }) => replicationStatus))),
  ...inArchive(item.properties.accessTier),
});

/** One word for all rules: a blob is there when each of its copies is. No status yet is "pending"; a list cannot tell that from "not a source". */
function replicationOf(statuses: readonly string[]): BlobItem["replication"] {
  if (statuses.includes("failed")) return "failed";
  return statuses.length > 0 && statuses.every((status) => status === "complete") ? "complete" : "pending";
}
