/** A cluster as a recorded backup saw it: every namespaced object of its tarball, nothing else. */
import { createReadStream } from "node:fs";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import type { ClusterObject } from "../../lab/world/cluster-objects.ts";
import { type MemoryCluster, memoryCluster } from "./cluster-in-memory.ts";

const backups = path.join(import.meta.dirname, "../../lab/velero-1.18.3/container/backups");
/** `resources/deployments.apps/namespaces/shop/storefront.json`; the folders named after a version hold the same objects again. */
const entryPath = /^resources\/([a-z]+)[^/]*\/namespaces\/([^/]+)\/(.+)\.json$/;

export async function recordedCluster(backup: string, volumes: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<MemoryCluster> {
  const objects: Record<string, ClusterObject> = {};
  const entries = createReadStream(path.join(backups, backup, `${backup}.tar.gz`)).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    const [, plural, namespace, name] = entryPath.exec(entry.header.name) ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    if (plural === undefined) continue;
    const object = JSON.parse(Buffer.concat(chunks).toString("utf8")) as ClusterObject;
    objects[`${String(object["apiVersion"])}/${plural}/${namespace}/${name}`] = object;
  }
  return memoryCluster(objects, volumes);
}
