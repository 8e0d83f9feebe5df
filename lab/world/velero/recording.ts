/** Objects out of the recorded backups, for clusters that are to look as if they had run for a while. */
import { type Archive, objectOf, readArchive } from "./archive.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { PodSpec } from "../kubernetes/workloads.ts";

/** A recording does not change: each of its archives is read once. */
const archives = new WeakMap<Uint8Array, Promise<Archive>>();

/** Reads a recorded backup's archive. Throws when the recording lacks it. */
export function recordedArchive(blobs: ReadonlyMap<string, Uint8Array>, backup: string): Promise<Archive> {
  const tarball = blobs.get(`backups/${backup}/${backup}.tar.gz`);
  if (!tarball) throw new Error(`the recording lacks backup ${backup}`);
  const archive = archives.get(tarball) ?? readArchive(tarball);
  archives.set(tarball, archive);
  return archive;
}

/** The newest of the recorded points of a schedule. */
export function newestPoint(blobs: ReadonlyMap<string, Uint8Array>, schedule: string): string {
  const points = [...blobs.keys()].flatMap((name) => new RegExp(`^backups/(${schedule}-\\d{14})/velero-backup\\.json$`).exec(name)?.[1] ?? []);
  const newest = points.toSorted().at(-1);
  if (newest === undefined) throw new Error(`the recording has no backup of schedule ${schedule}`);
  return newest;
}

/** All objects of an archive that `takes` wants, as they were; their pods on these nodes. Events are left behind. */
export function objectsOf(archive: Archive, takes: (item: { readonly resource: string; readonly namespace: string; readonly name: string }) => boolean, nodes: readonly string[]): KubernetesObject[] {
  let pods = 0;
  return archive.items
    .filter((item) => item.resource !== "events" && takes(item))
    .map((item) => {
      const object = objectOf(item);
      if (item.resource !== "pods") return object;
      const spec = object["spec"] as PodSpec; // a recorded pod has one
      pods += 1;
      return { ...object, spec: { ...spec, nodeName: nodes[(pods - 1) % nodes.length] } };
    });
}
