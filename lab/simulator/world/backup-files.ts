/** What Velero writes into a container for one backup of the shop. The archive is the same for all: what differs is in the other files. */
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { backupFolder, filesOf, repositoryFolder } from "../../../shared/domain/velero-backup-files.ts";
import { shopNamespace, shopObjects, ordersClaim } from "./shop.ts";

export interface BackupMade {
  readonly name: string;
  readonly takenAt: number;
  readonly phase: "Completed" | "PartiallyFailed" | "Finalizing";
  readonly expiresAt: number;
  /** Id of the volume's snapshot in the repository. */
  readonly snapshot: string;
}

export const schedule = "shop-hourly";
/** `shop-hourly-20261121060000`. */
export const backupName = (takenAt: number): string => `${schedule}-${new Date(takenAt).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}`;
/** The blob of the repository that holds a snapshot's data. */
export const snapshotBlob = (snapshot: string): string => `${repositoryFolder(shopNamespace)}p${snapshot}`;

/** How long a backup takes. */
export const backupMs = 5_000;

/** The archive, once for the process. */
export async function openArchive(): Promise<Uint8Array> {
  const tar = pack();
  tar.entry({ name: "metadata/version", mtime: new Date(0) }, "1.1.0");
  for (const { resource, object } of shopObjects) {
    const { namespace, name } = object.metadata;
    const place = namespace === undefined ? "cluster" : `namespaces/${namespace}`;
    for (const folder of ["", "v1-preferredversion/"]) tar.entry({ name: `resources/${resource}/${folder}${place}/${name}.json`, mtime: new Date(0) }, JSON.stringify(object));
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const packed = (value: unknown): Uint8Array => gzipSync(json(value), { level: 1 });

/** `apps/v1/Deployment` → `["shop/storefront", …]`. */
function namesByKind(): Readonly<Record<string, readonly string[]>> {
  const all: Record<string, string[]> = {};
  for (const { object: { apiVersion, kind, metadata } } of shopObjects) (all[`${apiVersion}/${kind}`] ??= []).push(metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`);
  return all;
}

const listOfNames = packed(namesByKind());

/** Files that say the same in every backup. */
const same = { itemOperations: packed([]), results: packed({ errors: {}, warnings: {} }), volumeSnapshots: packed(null) };

/** Written once for each backup of a shelf: nobody changes a blob's bytes. */
const written = new WeakMap<BackupMade, ReadonlyMap<string, Uint8Array>>();

/** All blobs of one backup, by name, the repository's own among them. */
export function backupBlobs(made: BackupMade, archive: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const blobs = written.get(made) ?? blobsOf(made, archive);
  written.set(made, blobs);
  return blobs;
}

function blobsOf(made: BackupMade, archive: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const { name, snapshot } = made;
  const files = filesOf(name);
  const folder = backupFolder(name);
  return new Map([
    [folder + files.metadata, json(backupObject(made))],
    [folder + files.tarball, archive],
    [folder + files.resourceList, listOfNames],
    [folder + files.volumeInfo, packed([volumeInfo(snapshot)])],
    [folder + files.podVolumeBackups, packed([podVolumeBackup(made)])],
    [folder + files.itemOperations, same.itemOperations],
    [folder + files.results, same.results],
    [folder + files.volumeSnapshots, same.volumeSnapshots],
    [`${repositoryFolder(shopNamespace)}kopia.repository`, Buffer.from("{}")],
    [snapshotBlob(snapshot), Buffer.from(`data of ${snapshot}`)],
  ]);
}

/** The Backup as its own cluster saw it last. */
export function backupObject({ name, takenAt, phase, expiresAt }: BackupMade): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "velero.io/v1",
    kind: "Backup",
    metadata: { name, namespace: "velero", labels: { "velero.io/schedule-name": schedule, "velero.io/storage-location": "default" } },
    spec: { includedNamespaces: [shopNamespace], ttl: "72h0m0s", storageLocation: "default", defaultVolumesToFsBackup: true },
    status: {
      phase,
      formatVersion: "1.1.0",
      startTimestamp: instant(takenAt),
      ...(phase === "Finalizing" ? {} : { completionTimestamp: instant(takenAt + backupMs) }),
      expiration: instant(expiresAt),
      ...(phase === "PartiallyFailed" ? { errors: 2 } : {}),
      progress: { totalItems: shopObjects.length, itemsBackedUp: shopObjects.length },
    },
  };
}

/** The record of the volume's copy. */
export const podVolumeBackup = ({ name, snapshot }: Pick<BackupMade, "name" | "snapshot">): Readonly<Record<string, unknown>> => ({
  apiVersion: "velero.io/v1",
  kind: "PodVolumeBackup",
  metadata: { name: `${name}-orders`, namespace: "velero", labels: { "velero.io/backup-name": name }, annotations: { "velero.io/pvc-name": ordersClaim } },
  spec: { pod: { kind: "Pod", namespace: shopNamespace, name: "orders-0" }, volume: "data", backupStorageLocation: "default", uploaderType: "kopia" },
  status: { phase: "Completed", snapshotID: snapshot, progress: { totalBytes: 2_500_000, bytesDone: 2_500_000 } },
});

const volumeInfo = (snapshot: string): Readonly<Record<string, unknown>> => ({
  pvcName: ordersClaim,
  pvcNamespace: shopNamespace,
  pvName: "pvc-orders",
  backupMethod: "PodVolumeBackup",
  result: "succeeded",
  pvbInfo: { snapshotHandle: snapshot, size: 2_500_000, uploaderType: "kopia", volumeName: "data", podName: "orders-0", podNamespace: shopNamespace, Phase: "Completed" },
});

/** Velero's timestamps have whole seconds. */
const instant = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
