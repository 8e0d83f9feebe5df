/** Changes what a backup at the replica holds, past everything that could notice it on the way: as if it had been written so. */
import { gunzipSync, gzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import type { LabPair } from "../../lab/pair-in-a-box.ts";
import { accounts, blobHost } from "../../lab/world/pair.ts";

const container = "velero";
const replica = accounts.replica.name;

/** Rewrites one file of the replica, before the app has seen it whole: later it would be found tampered with. The world does not notice. */
export async function rewrite(pair: LabPair, name: string, change: (content: Buffer) => Buffer | Promise<Buffer>): Promise<void> {
  const before = await frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(replica)}`, container }).get(name);
  if (before === null) throw new Error(`${replica} has no ${name}`);
  await pair.bytes.put({ store: replica, container, name }, await change(Buffer.from(before)));
}

/** Changes text inside an archive to other text of the same length; the archive stays as large as it was. */
export function changeText(archive: Buffer, from: string, to: string): Buffer {
  const unpacked = gunzipSync(archive);
  const found = Buffer.from(from);
  if (from.length !== to.length || !unpacked.includes(found)) throw new Error(`"${from}" is not in the archive, or "${to}" is not as long`);
  for (let at = unpacked.indexOf(found); at !== -1; at = unpacked.indexOf(found, at + 1)) unpacked.write(to, at);
  return asLarge(gzipSync(unpacked, { level: 9 }), archive.length);
}

/** Fills a gzip file up by a field that readers skip (RFC 1952, FEXTRA). */
function asLarge(packed: Buffer, bytes: number): Buffer {
  const fill = bytes - packed.length - 2;
  if (fill < 0) throw new Error(`packed anew it has ${packed.length} bytes, and had ${bytes}`);
  const header = Buffer.from(packed.subarray(0, 10));
  header.writeUInt8(header.readUInt8(3) | 4, 3);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(fill);
  return Buffer.concat([header, length, Buffer.alloc(fill), packed.subarray(10)]);
}

/** The archive without one object, in all the places where it is kept. */
export async function withoutObject(archive: Buffer, file: RegExp): Promise<Buffer> {
  const entries = extract();
  const kept = pack();
  const chunks: Buffer[] = [];
  const whole = (async () => {
    for await (const chunk of kept) chunks.push(chunk as Buffer);
  })();
  entries.end(gunzipSync(archive));
  for await (const entry of entries) {
    const body: Buffer[] = [];
    for await (const chunk of entry) body.push(chunk as Buffer);
    if (!file.test(entry.header.name)) kept.entry({ ...entry.header, pax: null }, Buffer.concat(body));
  }
  kept.finalize();
  await whole;
  return gzipSync(Buffer.concat(chunks));
}
