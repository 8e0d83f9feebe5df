/** Archives in the shape that Velero writes, of any size: the objects of a recorded backup again and again, each time under other names. */
import { createReadStream } from "node:fs";
import path from "node:path";
import { createGunzip, createGzip } from "node:zlib";
import * as tar from "tar-stream";

const recorded = "shop-hourly-20261121055825";
const archive = path.join(import.meta.dirname, `../lab/velero-1.18.3/container/backups/${recorded}/${recorded}.tar.gz`);
/** Part of every object's name, so long in all of them that it can be written over in place. */
const placeholder = "-00000000";
const block = 512;

/** A gzipped archive of at least so many bytes of tar, as chunks. `plainBytes` grows while it is read. */
export async function veleroArchive(bytes: number): Promise<{ readonly chunks: AsyncIterable<Buffer>; readonly plain: { bytes: number; objects: number } }> {
  const { version, objects, count } = await template();
  const plain = { bytes: 0, objects: 0 };
  const gzip = createGzip({ level: 1, chunkSize: 1024 * 1024 });
  const feed = async () => {
    const write = async (piece: Buffer) => {
      plain.bytes += piece.length;
      if (!gzip.write(piece)) await new Promise<void>((resolve) => gzip.once("drain", resolve));
    };
    await write(version);
    for (let round = 0; plain.bytes < bytes; round++) {
      await write(renamed(objects, `-${String(round).padStart(placeholder.length - 1, "0")}`));
      plain.objects += count;
    }
    await write(Buffer.alloc(2 * block));
    gzip.end();
  };
  feed().catch((error: unknown) => gzip.destroy(error instanceof Error ? error : new Error(String(error))));
  return { chunks: gzip as AsyncIterable<Buffer>, plain };
}

async function template(): Promise<{ readonly version: Buffer; readonly objects: Buffer; readonly count: number }> {
  const version = tar.pack();
  const objects = tar.pack();
  version.entry({ name: "metadata/version" }, "1.1.0\n");
  let entries = 0;
  for await (const entry of createReadStream(archive).pipe(createGunzip()).pipe(tar.extract())) {
    const parts: Buffer[] = [];
    for await (const part of entry as AsyncIterable<Buffer>) parts.push(part);
    if (!entry.header.name.startsWith("resources/")) continue;
    const object = JSON.parse(Buffer.concat(parts).toString("utf8")) as { metadata: { name: string } };
    object.metadata.name += placeholder;
    objects.entry({ name: entry.header.name.replace(/\.json$/, `${placeholder}.json`), mode: 0o755 }, JSON.stringify(object));
    entries += 1;
  }
  version.finalize();
  objects.finalize();
  return { version: await packed(version), objects: await packed(objects), count: entries / 2 };
}

/** What was packed, without the two blocks of zeros at its end. */
async function packed(pack: tar.Pack): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of pack as unknown as AsyncIterable<Buffer>) parts.push(part); // streamx's types leave the chunks open
  return Buffer.concat(parts).subarray(0, -2 * block);
}

/** A copy with other names, and the sums of the headers that hold them made right. */
function renamed(objects: Buffer, name: string): Buffer {
  const copy = Buffer.from(objects);
  for (let at = copy.indexOf(placeholder); at !== -1; at = copy.indexOf(placeholder, at + placeholder.length)) copy.write(name, at, "latin1");
  for (let at = 0; at < copy.length; ) {
    const header = copy.subarray(at, at + block);
    header.fill(" ", 148, 156);
    let sum = 0;
    for (const byte of header) sum += byte;
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    at += block + Math.ceil(Number.parseInt(header.toString("latin1", 124, 136), 8) / block) * block;
  }
  return copy;
}
