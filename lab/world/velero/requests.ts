/** Small questions and orders to a Velero server: is it there, delete this backup, what has expired. */
import type { BlobStore } from "./blob-store.ts";
import { blobsOf, nowText, recordAct, type VeleroContext } from "./context.ts";
import { type Backup, changeVelero, createVelero, type DeleteBackupRequest, getVelero, labelValue, listVelero, veleroKind, veleroNamespace } from "./objects.ts";

/** The version that wrote the recorded backups. */
export const veleroVersion = "v1.18.3";
/** A status request is taken away a minute after it was answered. */
const answeredMs = 60_000;
/** Velero looks for expired backups once an hour, and at every backup that it gets to know. */
const collectionMs = 3_600_000;

const plugins = [
  { kind: "BackupItemAction", name: "velero.io/crd-remap-version" },
  { kind: "BackupItemAction", name: "velero.io/pod" },
  { kind: "BackupItemAction", name: "velero.io/pv" },
  { kind: "BackupItemAction", name: "velero.io/service-account" },
  { kind: "ObjectStore", name: "velero.io/azure" },
  ...["add-pvc-from-pod", "change-image-name", "change-storage-class", "crd-preserve-fields", "init-restore-hook", "job", "pod", "pod-volume-restore", "pvc", "role-bindings", "secret", "service", "service-account"].map(
    (name) => ({ kind: "RestoreItemAction", name: `velero.io/${name}` }),
  ),
  { kind: "VolumeSnapshotter", name: "velero.io/azure" },
] as const;

export function answerStatusRequests(context: VeleroContext): void {
  const { session, store } = context;
  session.follow("serverstatusrequests", ({ type, object: { metadata, ...request } }) => {
    if (type === "DELETED" || (request["status"] as { phase?: string } | undefined)?.phase === "Processed") return;
    session.task(`answer ${metadata.name}`, async () => {
      await session.sleep(0);
      changeVelero(store, "serverstatusrequests", metadata.name, (draft) => void (draft.status = { phase: "Processed", plugins, processedTimestamp: nowText(context), serverVersion: veleroVersion }));
      await session.sleep(answeredMs);
      if (getVelero(store, "serverstatusrequests", metadata.name)) store.remove(veleroKind(store, "serverstatusrequests"), veleroNamespace, metadata.name);
    });
  });
}

export function deleteBackups(context: VeleroContext): void {
  const { session, store } = context;
  session.follow("deletebackuprequests", ({ type, object }) => {
    const request = object as DeleteBackupRequest;
    if (type !== "ADDED" || request.status?.phase === "Processed") return;
    const { name } = request.metadata;
    session.task(`process ${name}`, async () => {
      await session.sleep(0);
      const backup = getVelero(store, "backups", request.spec.backupName);
      const problem = backup ? whyNotDeleted(context, backup) : "backup not found";
      if (problem !== null) return changeVelero(store, "deletebackuprequests", name, (draft) => void (draft.status = { phase: "Processed", errors: [`backup deletion failed: ${problem}`] }));
      changeVelero(store, "deletebackuprequests", name, (draft) => void (draft.status = { phase: "InProgress" }));
      const failure = backup ? await deleteBackup(context, backup) : null;
      changeVelero(store, "deletebackuprequests", name, (draft) => void (draft.status = { phase: "Processed", ...(failure === null ? {} : { errors: [failure] }) }));
      if (failure !== null) return;
      if (getVelero(store, "deletebackuprequests", name)) store.remove(veleroKind(store, "deletebackuprequests"), veleroNamespace, name);
    });
  });
}

function whyNotDeleted({ store }: VeleroContext, { spec }: Backup): string | null {
  const name = spec.storageLocation ?? "";
  const location = getVelero(store, "backupstoragelocations", name);
  if (!location) return `backup storage location ${name} not found`;
  if (location.spec.accessMode === "ReadOnly") return `cannot delete backup because backup storage location ${name} is currently in read-only mode`;
  if (location.status?.phase !== "Available") return `cannot delete backup because backup storage location ${name} is currently in Unavailable state`;
  return null;
}

/** Its blobs, the restores made from it and their blobs, then the object itself; the repository's packs stay until maintenance. Returns what went wrong. */
async function deleteBackup(context: VeleroContext, { metadata, spec }: Backup): Promise<string | null> {
  const { store } = context;
  const location = getVelero(store, "backupstoragelocations", spec.storageLocation ?? "");
  if (!location) return `backup storage location ${spec.storageLocation ?? ""} not found`;
  const blobs = blobsOf(context, location);
  changeVelero(store, "backups", metadata.name, (draft) => void (draft.status = { ...draft.status, phase: "Deleting" }));
  try {
    await deleteFolder(blobs, `backups/${metadata.name}/`);
    for (const restore of listVelero(store, "restores").filter((one) => one.spec.backupName === metadata.name)) {
      await deleteFolder(blobs, `restores/${restore.metadata.name}/`);
      store.purge(veleroKind(store, "restores"), veleroNamespace, restore.metadata.name);
    }
  } catch (error) {
    if (context.session.isOver()) throw error;
    return `error removing backup from backup storage: ${(error as Error).message}`;
  }
  if (getVelero(store, "backups", metadata.name)) store.remove(veleroKind(store, "backups"), veleroNamespace, metadata.name);
  recordAct(context, "backup-deleted", metadata.name);
  return null;
}

/** Deletes every blob in a folder. */
export async function deleteFolder(blobs: BlobStore, folder: string): Promise<void> {
  for (const name of await blobs.list(folder)) await blobs.delete(name);
}

/** Expired backups are asked to be deleted; where the location is read-only, they are labelled and stay. */
export function collectGarbage(context: VeleroContext): void {
  const { session, store } = context;
  const look = (backup: Backup) => {
    const expiresAt = Date.parse(backup.status?.expiration ?? "");
    if (Number.isNaN(expiresAt) || expiresAt > context.world.clock.now()) return;
    const { name, uid = "" } = backup.metadata;
    const location = getVelero(store, "backupstoragelocations", backup.spec.storageLocation ?? "");
    if (location?.spec.accessMode === "ReadOnly") return changeVelero(store, "backups", name, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, "velero.io/gc-failure": "BSLReadOnly" }));
    if (location?.status?.phase !== "Available" || listVelero(store, "deletebackuprequests").some(({ spec }) => spec.backupName === name)) return;
    createVelero(store, "deletebackuprequests", { metadata: { generateName: `${name}-`, labels: { "velero.io/backup-name": labelValue(name), "velero.io/backup-uid": uid } }, spec: { backupName: name }, status: {} });
  };
  session.follow("backups", ({ type, object }) => {
    if (type === "ADDED") session.task(`look at the age of ${object.metadata.name}`, async () => {
      await session.sleep(0);
      const backup = getVelero(store, "backups", object.metadata.name);
      if (backup) look(backup);
    });
  });
  session.every("collect expired backups", () => collectionMs, async () => {
    for (const backup of listVelero(store, "backups")) look(backup);
  });
}
