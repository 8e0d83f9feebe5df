/** The blobs of a backup, in the order and the forms in which Velero writes them. */
import type { KubernetesObject } from "../kubernetes/object.ts";
import { gzipJson, gzipText, writeArchive } from "./archive.ts";
import type { SelectedItem, SelectedVolume } from "./backup-selection.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Backup, PodVolumeBackup } from "./objects.ts";

export interface BackupContents {
  readonly items: readonly SelectedItem[];
  readonly volumes: readonly SelectedVolume[];
  readonly volumeBackups: readonly PodVolumeBackup[];
  readonly errors: readonly string[];
  /** Pods that are in the list of resources and not in the archive: a hook failed before them. `shop/orders-0`. */
  readonly keptOut: ReadonlySet<string>;
  readonly log: string;
}

/** Writes everything but the end. Returns what went wrong, or null; then the metadata and the tarball are taken back, as Velero does. */
export async function writeBackup(blobs: BlobStore, backup: Backup, contents: BackupContents, at: number): Promise<string | null> {
  const { name } = backup.metadata;
  const folder = `backups/${name}/`;
  const put = async (file: string, bytes: Uint8Array) => {
    const answer = await blobs.put(`${folder}${file}`, bytes);
    return answer === "ok" ? null : `error uploading ${file}: ${answer.code}`;
  };
  // The log alone may be missing.
  await put(`${name}-logs.gz`, await gzipText(contents.log));
  const archived = contents.items.filter(({ kind, object }) => kind.resource !== "pods" || !contents.keptOut.has(nameOf(object)));
  const first = (await put("velero-backup.json", metadataBytes(backup))) ?? (await put(`${name}.tar.gz`, await writeArchive(archived.map(({ kind, object }) => ({ resource: kind.resource, version: kind.version, object })), at)));
  if (first !== null) return first;
  const { volumeBackups, errors } = contents;
  const small: readonly (readonly [file: string, value: unknown])[] = [
    [`${name}-podvolumebackups.json.gz`, volumeBackups.length === 0 ? null : volumeBackups.map(({ apiVersion: _apiVersion, kind: _kind, ...rest }) => rest)],
    [`${name}-volumesnapshots.json.gz`, null],
    [`${name}-itemoperations.json.gz`, []],
    [`${name}-resource-list.json.gz`, resourceList(contents.items)],
    [`${name}-results.gz`, { errors: errors.length > 0 ? { velero: errors } : {}, warnings: {} }],
    [`${name}-volumeinfo.json.gz`, contents.volumes.map((volume) => volumeInfo(volume, volumeBackups))],
  ];
  for (const [file, value] of small) {
    const problem = await put(file, await gzipJson(value));
    if (problem === null) continue;
    await blobs.delete(`${folder}${name}.tar.gz`);
    await blobs.delete(`${folder}velero-backup.json`);
    return problem;
  }
  return null;
}

/** `velero-backup.json`, as it is: written early, and once more at the end. */
export const metadataBytes = (backup: Backup): Uint8Array => Buffer.from(JSON.stringify(backup, null, 2));

function resourceList(items: readonly SelectedItem[]): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  for (const { kind, object } of items) (lists[`${kind.apiVersion}/${kind.kind}`] ??= []).push(nameOf(object));
  return Object.fromEntries(Object.entries(lists).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, names]) => [kind, names.toSorted()]));
}

const nameOf = ({ metadata }: KubernetesObject) => (metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`);

function volumeInfo({ pod, volume, claim, skippedBecause }: SelectedVolume, volumeBackups: readonly PodVolumeBackup[]): Record<string, unknown> {
  const place = { pvcName: claim.metadata.name, pvcNamespace: claim.metadata.namespace, pvName: claim.spec.volumeName };
  const how = { snapshotDataMoved: false, preserveLocalSnapshot: false };
  const pvInfo = { reclaimPolicy: "Delete", labels: null };
  if (skippedBecause !== null) return { ...place, ...how, skipped: true, skippedReason: skippedBecause, pvInfo };
  const backup = volumeBackups.find(({ spec }) => spec.volume === volume && spec.pod.name === pod.metadata.name && spec.pod.namespace === pod.metadata.namespace);
  const { startTimestamp, completionTimestamp, snapshotID, progress, incrementalBytes, phase = "" } = backup?.status ?? {};
  return {
    ...place,
    backupMethod: "PodVolumeBackup",
    ...how,
    skipped: false,
    startTimestamp,
    completionTimestamp,
    result: phase === "Completed" ? "succeeded" : "failed",
    pvbInfo: {
      snapshotHandle: snapshotID ?? "",
      size: progress?.totalBytes ?? 0,
      incrementalSize: incrementalBytes ?? 0,
      uploaderType: "kopia",
      volumeName: volume,
      podName: pod.metadata.name,
      podNamespace: pod.metadata.namespace,
      nodeName: pod.spec.nodeName,
      Phase: phase,
    },
    pvInfo,
  };
}
