/**
 * The secondary's own view of a backup, held against the blobs. Velero restores by its Backup and PodVolumeBackup objects, which its sync
 * made once and never refreshes: an object imported from a half-replicated backup stays as it was.
 */
import { backupOf, ended, podVolumeBackupOf, type PodVolumeBackup, type Raw, type VeleroBackup } from "./velero-backup.ts";

export type Parity =
  | { readonly kind: "equal" }
  /** `copiesMissing`: what is there is right, and the rest can be added to it. */
  | { readonly kind: "differs"; readonly what: string; readonly copiesMissing?: true }
  | { readonly kind: "absent" };

/** The files of a point that an import is made of. */
export interface PointFiles {
  readonly backup: VeleroBackup;
  readonly podVolumeBackups: readonly PodVolumeBackup[];
}

/**
 * Compares what decides a restore: names, spec, times, phase, counts, snapshots. What Velero's sync changes on purpose is left out:
 * namespace, uid, storage location, owners, and the hooks, which it drops (backup_sync_controller.go, Velero 1.18.3).
 */
export function parity(point: PointFiles, clusterBackup: Raw | null, clusterPodVolumeBackups: readonly Raw[]): Parity {
  if (clusterBackup === null) return { kind: "absent" };
  const there = backupOf(clusterBackup);
  if (there.kind === "unreadable") return { kind: "differs", what: `its Backup object cannot be read: ${there.why}` };
  const what = firstDifference(backupFacts(point.backup), backupFacts(there.value)) ?? podVolumeDifference(point.podVolumeBackups, clusterPodVolumeBackups);
  if (what !== null) return { kind: "differs", what };
  const missing = missingCopy(point.podVolumeBackups, clusterPodVolumeBackups);
  return missing === null ? { kind: "equal" } : { kind: "differs", what: missing, copiesMissing: true };
}

function missingCopy(point: readonly PodVolumeBackup[], cluster: readonly Raw[]): string | null {
  const there = new Set(cluster.map((object) => objectOf(object["metadata"])["name"]));
  const copy = point.find(({ name }) => !there.has(name));
  return copy === undefined ? null : `PodVolumeBackup ${copy.name} is not there: the volume ${copy.claim ?? copy.volume} of ${copy.namespace}/${copy.pod} would come back empty`;
}

function podVolumeDifference(point: readonly PodVolumeBackup[], cluster: readonly Raw[]): string | null {
  const there = new Map<string, PodVolumeBackup>();
  for (const object of cluster) {
    const read = podVolumeBackupOf(object);
    if (read.kind === "unreadable") return `a PodVolumeBackup object cannot be read: ${read.why}`;
    there.set(read.value.name, read.value);
  }
  for (const copy of point) {
    const same = there.get(copy.name);
    if (!same) continue; // missing is told apart from different
    there.delete(copy.name);
    const difference = firstDifference(copyFacts(copy), copyFacts(same));
    if (difference !== null) return `PodVolumeBackup ${copy.name}: ${difference}`;
  }
  const [foreign] = there.keys();
  return foreign === undefined ? null : `PodVolumeBackup ${foreign} is there and not in the backup`;
}

function backupFacts({ object, labels: _labels, ...facts }: VeleroBackup): Raw {
  const { hooks: _hooks, storageLocation: _location, ...spec } = objectOf(object["spec"]);
  return { ...facts, schedule: _labels["velero.io/schedule-name"] ?? null, spec };
}

function copyFacts({ object, ...facts }: PodVolumeBackup): Raw {
  const { backupStorageLocation: _location, ...spec } = objectOf(object["spec"]);
  return { ...facts, spec };
}

/** The first field that differs, named by its path. Empty values and absent ones are the same: Go leaves them out. */
function firstDifference(here: unknown, there: unknown, path = ""): string | null {
  if (isEmpty(here) && isEmpty(there)) return null;
  if (typeof here !== "object" || typeof there !== "object" || here === null || there === null || Array.isArray(here) !== Array.isArray(there)) {
    return here === there ? null : `${path} is ${shownValue(there)} there and ${shownValue(here)} in the backup`;
  }
  const [left, right] = [objectOf(here), objectOf(there)];
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const difference = firstDifference(left[key], right[key], path === "" ? key : `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === false || value === 0 || (typeof value === "object" && Object.values(value).every(isEmpty));
const shownValue = (value: unknown): string => (value === undefined ? "absent" : JSON.stringify(value).slice(0, 80));
const objectOf = (value: unknown): Raw => (typeof value === "object" && value !== null ? (value as Raw) : {}); // narrowed just now

export type Import =
  | { readonly kind: "import"; readonly backup: Raw; readonly podVolumeBackups: readonly Raw[] }
  /** Velero's sync makes nothing of it. */
  | { readonly kind: "skipped"; readonly why: string };

/**
 * The objects that Velero's sync creates for a backup: its own names, labels, annotations and status, the local storage location, no hooks, no
 * owner from the other cluster. `backupUid` is the uid that the new Backup got; without it the copies keep the old one.
 */
export function importFrom({ backup, podVolumeBackups }: PointFiles, storageLocation: string, veleroNamespace: string, backupUid?: string): Import {
  // `Failed` ones are imported too, so that they can be deleted; unfinished ones are not.
  if (!ended(backup.phase) && backup.phase !== "Failed") return { kind: "skipped", why: `its phase is ${backup.phase}` };
  const metadata = objectOf(backup.object["metadata"]);
  const spec = objectOf(backup.object["spec"]);
  return {
    kind: "import",
    backup: {
      ...backup.object,
      metadata: { ...created(metadata, veleroNamespace), labels: { ...objectOf(metadata["labels"]), "velero.io/storage-location": storageLocation } },
      spec: { ...spec, hooks: {}, storageLocation },
    },
    podVolumeBackups: podVolumeBackups.map(({ object }) => importedCopy(object, storageLocation, veleroNamespace, backupUid)),
  };
}

function importedCopy(object: Raw, storageLocation: string, namespace: string, backupUid: string | undefined): Raw {
  const metadata = objectOf(object["metadata"]);
  const labels = objectOf(metadata["labels"]);
  const uid = backupUid ?? labels["velero.io/backup-uid"];
  const owners = Object.values(objectOf(metadata["ownerReferences"])).map((owner) => ({ ...objectOf(owner), ...(backupUid === undefined ? {} : { uid: backupUid }) }));
  return {
    apiVersion: "velero.io/v1",
    kind: "PodVolumeBackup",
    ...object,
    metadata: {
      ...created(metadata, namespace),
      labels: { ...labels, ...("velero.io/backup-uid" in labels ? { "velero.io/backup-uid": uid } : {}) },
      ...(owners.length > 0 ? { ownerReferences: owners } : {}),
    },
    spec: { ...objectOf(object["spec"]), backupStorageLocation: storageLocation },
  };
}

/** Metadata as a client sends it: what the API server fills in is left out. */
function created(metadata: Raw, namespace: string): Raw {
  const { uid: _uid, resourceVersion: _version, generation: _generation, creationTimestamp: _created, managedFields: _managed, ownerReferences: _owners, ...kept } = metadata;
  return { ...kept, namespace };
}
