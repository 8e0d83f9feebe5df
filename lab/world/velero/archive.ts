/** The tarball of a backup: its objects by resource, namespace and name. */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { extract, pack } from "tar-stream";
import { isRecord, type KubernetesObject } from "../kubernetes/object.ts";

/** An archive cannot be read. The message is the one that Velero, which is written in Go, was seen to give. */
export class ArchiveBroken extends Error {
  override readonly name = "ArchiveBroken";
}

/** One item, as text: read when its turn comes, for a single broken one breaks nothing else. */
export interface ArchiveItem {
  readonly resource: string;
  /** Empty: cluster-scoped. */
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

export interface Archive {
  readonly items: readonly ArchiveItem[];
  find(resource: string, namespace: string, name: string): ArchiveItem | null;
}

const namespaced = /^resources\/([^/]+)\/namespaces\/([^/]+)\/(.+)\.json$/;
const clusterScoped = /^resources\/([^/]+)\/cluster\/(.+)\.json$/;

/** Reads the copies that Velero restores from; the versioned ones beside them are for a feature that is off. Throws `ArchiveBroken`. */
export async function readArchive(bytes: Uint8Array): Promise<Archive> {
  const items = new Map<string, ArchiveItem>();
  for (const [path, text] of await untar(await unzip(bytes))) {
    const inNamespace = namespaced.exec(path);
    const [, resource = "", namespace = "", name = ""] = inNamespace ?? [];
    const [, clusterResource = "", clusterName = ""] = clusterScoped.exec(path) ?? [];
    const item = inNamespace ? { resource, namespace, name, path, text } : clusterResource === "" ? null : { resource: clusterResource, namespace: "", name: clusterName, path, text };
    if (item) items.set(keyOf(item.resource, item.namespace, item.name), item);
  }
  return { items: [...items.values()], find: (resource, namespace, name) => items.get(keyOf(resource, namespace, name)) ?? null };
}

const keyOf = (resource: string, namespace: string, name: string) => `${resource}/${namespace}/${name}`;

async function unzip(bytes: Uint8Array): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new ArchiveBroken(bytes.length === 0 ? "EOF" : "gzip: invalid header");
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    throw new ArchiveBroken((error as NodeJS.ErrnoException).code === "Z_BUF_ERROR" ? "unexpected EOF" : "flate: corrupt input", { cause: error });
  }
}

function untar(bytes: Buffer): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, string>();
    const reader = extract();
    // By events: an archive has thousands of small entries, and awaiting each costs more than reading it.
    reader.on("entry", ({ name }, entry, next) => {
      const chunks: Buffer[] = [];
      entry.on("data", (chunk) => void chunks.push(chunk as Buffer));
      entry.on("end", () => {
        files.set(name, Buffer.concat(chunks).toString("utf8"));
        next();
      });
    });
    reader.once("finish", () => resolve(files));
    reader.once("error", (cause) => reject(new ArchiveBroken("archive/tar: invalid tar header", { cause })));
    reader.end(bytes);
  });
}

/** The object of an item. Throws what JSON has against it. */
export function objectOf({ text }: ArchiveItem): KubernetesObject {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || !isRecord(value["metadata"])) throw new Error("metadata not found");
  return value as unknown as KubernetesObject; // apiVersion and kind are read with care
}

export interface PackedItem {
  readonly resource: string;
  readonly version: string;
  readonly object: KubernetesObject;
}

/** Packs items as Velero does: every one twice, the preferred version under its own folder. `at` is the time of every entry. */
export async function writeArchive(items: readonly PackedItem[], at: number): Promise<Uint8Array> {
  const writer = pack();
  const add = (name: string, text: string) => writer.entry({ name, mode: 0o755, mtime: new Date(at) }, text);
  add("metadata/version", "1.1.0\n");
  for (const { resource, version, object } of items) {
    const { namespace, name } = object.metadata;
    const place = namespace === undefined ? `cluster/${name}.json` : `namespaces/${namespace}/${name}.json`;
    const text = JSON.stringify(object);
    add(`resources/${resource}/${place}`, text);
    add(`resources/${resource}/${version}-preferredversion/${place}`, text);
  }
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return promisify(gzip)(Buffer.concat(chunks));
}

/** A small file as Velero writes all of them: JSON, a newline, gzip. */
export const gzipJson = (value: unknown): Promise<Buffer> => promisify(gzip)(`${JSON.stringify(value)}\n`);
/** A text, compressed. */
export const gzipText = (text: string): Promise<Buffer> => promisify(gzip)(text);

/** The JSON in a compressed file. Throws `ArchiveBroken` or what JSON has against it. */
export async function ungzipJson(bytes: Uint8Array): Promise<unknown> {
  return JSON.parse((await unzip(bytes)).toString("utf8")) as unknown;
}
