/** Backups that lie in a storage location become objects of the cluster, by name alone; those whose blobs are gone stop being objects. */
import { isRecord } from "../kubernetes/object.ts";
import { ApiError } from "../kubernetes/api-error.ts";
import { ungzipJson } from "./archive.ts";
import type { BlobStore } from "./blob-store.ts";
import { blobsOf, nowText, recordAct, type VeleroContext } from "./context.ts";
import { type Backup, changeVelero, createVelero, durationMs, getVelero, labelValue, listVelero, type PodVolumeBackup, type StorageLocation, veleroKind, veleroNamespace } from "./objects.ts";

/** How many backups are read at a time. */
const sideBySide = 8;
/** The server's default of `backupSyncPeriod`. */
const periodMsDefault = 60_000;
const finished: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed"]);
const unfinished: ReadonlySet<string> = new Set(["WaitingForPluginOperations", "WaitingForPluginOperationsPartiallyFailed", "Finalizing", "FinalizingPartiallyFailed"]);

/** The first look comes one period after the start: at the start itself no location has been validated yet. */
export function watchBackups(context: VeleroContext): void {
  const { session, world, store } = context;
  session.task("sync backups", async () => {
    for (;;) {
      await session.sleep(world.latencies.veleroSyncPeriod);
      for (const location of listVelero(store, "backupstoragelocations")) if (isDue(location, world.clock.now())) await sync(context, location);
    }
  });
}

function isDue({ spec, status }: StorageLocation, now: number): boolean {
  if (status?.phase !== "Available") return false;
  const periodMs = durationMs(spec.backupSyncPeriod ?? "") ?? periodMsDefault;
  const last = Date.parse(status.lastSyncedTime ?? "");
  return periodMs > 0 && (Number.isNaN(last) || now >= last + periodMs);
}

/** One sync of one location. What cannot be read is passed over, and tried again the next time. */
export async function sync(context: VeleroContext, location: StorageLocation): Promise<void> {
  const { store, session } = context;
  const blobs = blobsOf(context, location);
  let names: readonly string[];
  try {
    names = await blobs.list("backups/");
  } catch (error) {
    if (session.isOver()) throw error;
    return;
  }
  const there = new Set(names.flatMap((name) => (name.split("/").length > 2 ? [name.split("/")[1] ?? ""] : [])));
  const unknown = [...there].filter((name) => !getVelero(store, "backups", name));
  for (let from = 0; from < unknown.length; from += sideBySide) {
    const some = unknown.slice(from, from + sideBySide);
    const fetched = await Promise.all(some.map((name) => fetchBackup(context, blobs, name)));
    // Whoever imports by himself may have been quicker, meanwhile.
    fetched.forEach((backup, at) => backup && !getVelero(store, "backups", some[at] ?? "") && importBackup(context, location, some[at] ?? "", backup));
  }
  removeOrphans(context, location, there);
  changeVelero(store, "backupstoragelocations", location.metadata.name, (draft) => void (draft.status = { ...draft.status, lastSyncedTime: nowText(context) }));
}

interface Fetched {
  readonly backup: Backup;
  readonly phase: string;
  readonly volumes: readonly PodVolumeBackup[];
}

/** What there is of a backup in its container; `null`: nothing to import, now. */
async function fetchBackup(context: VeleroContext, blobs: BlobStore, name: string): Promise<Fetched | null> {
  const backup = await metadataOf(context, blobs, name);
  const phase = backup === null ? null : importablePhase(backup, context.world.clock.now());
  return backup === null || phase === null ? null : { backup, phase, volumes: await volumesOf(context, blobs, name) };
}

function importBackup(context: VeleroContext, location: StorageLocation, name: string, { backup, phase, volumes }: Fetched): void {
  const { store } = context;
  const { labels, annotations } = backup.metadata;
  const created = createVelero(store, "backups", {
    metadata: { name, labels: { ...labels, "velero.io/storage-location": labelValue(location.metadata.name) }, ...(annotations ? { annotations } : {}) },
    spec: { ...backup.spec, hooks: {}, storageLocation: location.metadata.name },
    status: { ...backup.status, phase },
  });
  recordAct(context, "backup-imported", name);
  for (const volume of volumes) importVolume(context, location, created, volume);
}

async function metadataOf({ session }: VeleroContext, blobs: BlobStore, name: string): Promise<Backup | null> {
  try {
    const bytes = await blobs.get(`backups/${name}/velero-backup.json`);
    const value: unknown = bytes === null ? null : JSON.parse(Buffer.from(bytes).toString("utf8"));
    // Half a file has no spec; a whole one was written by a Velero.
    return isRecord(value) && isRecord(value["metadata"]) && isRecord(value["spec"]) ? (value as unknown as Backup) : null;
  } catch (error) {
    if (session.isOver()) throw error;
    return null;
  }
}

/** The phase that an imported backup gets; `null`: not to be imported. Unfinished ones come when they have expired, to be cleaned up. */
function importablePhase({ status }: Backup, now: number): string | null {
  const phase = status?.phase ?? "";
  if (finished.has(phase)) return phase;
  return unfinished.has(phase) && Date.parse(status?.expiration ?? "") <= now ? "PartiallyFailed" : null;
}

async function volumesOf({ session }: VeleroContext, blobs: BlobStore, name: string): Promise<readonly PodVolumeBackup[]> {
  try {
    const bytes = await blobs.get(`backups/${name}/${name}-podvolumebackups.json.gz`);
    const value = bytes === null ? null : await ungzipJson(bytes);
    return Array.isArray(value) ? (value as PodVolumeBackup[]) : [];
  } catch (error) {
    if (session.isOver()) throw error;
    return [];
  }
}

function importVolume({ store }: VeleroContext, location: StorageLocation, backup: Backup, { metadata, spec, status }: PodVolumeBackup): void {
  const { name, generateName, labels, annotations } = metadata;
  const uid = backup.metadata.uid ?? "";
  try {
    createVelero(store, "podvolumebackups", {
      metadata: {
        name,
        ...(generateName === undefined ? {} : { generateName }),
        labels: { ...labels, "velero.io/backup-uid": uid },
        ...(annotations ? { annotations } : {}),
        ownerReferences: [{ apiVersion: "velero.io/v1", kind: "Backup", name: backup.metadata.name, uid, controller: true }],
      },
      spec: { ...spec, backupStorageLocation: location.metadata.name },
      status,
    });
  } catch (error) {
    // One of that name is there already: it stays as it is.
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Only of finished backups, and never a blob. */
function removeOrphans({ store }: VeleroContext, location: StorageLocation, there: ReadonlySet<string>): void {
  for (const { metadata, spec, status } of listVelero(store, "backups")) {
    if (spec.storageLocation !== location.metadata.name || there.has(metadata.name)) continue;
    if (status?.phase === "Completed" || status?.phase === "PartiallyFailed") store.remove(veleroKind(store, "backups"), veleroNamespace, metadata.name);
  }
}
