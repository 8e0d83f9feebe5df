/**
 * Velero's own kinds, with the fields that the lab reads and writes. Their CRDs prune and check every object in the store, so the
 * views below are taken on trust, here and nowhere else.
 */
import { createHash } from "node:crypto";
import { noSuchResource } from "../kubernetes/api-error.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubernetesObject, Metadata } from "../kubernetes/object.ts";
import type { Store, Writer } from "../kubernetes/store.ts";

/** The namespace that Velero is installed in. */
export const veleroNamespace = "velero";

export interface Filters {
  includedNamespaces?: readonly string[];
  excludedNamespaces?: readonly string[];
  includedResources?: readonly string[];
  excludedResources?: readonly string[];
  includeClusterResources?: boolean;
  labelSelector?: unknown;
  orLabelSelectors?: readonly unknown[];
}

export interface BackupSpec extends Filters {
  storageLocation?: string;
  ttl?: string;
  defaultVolumesToFsBackup?: boolean;
  includedClusterScopedResources?: readonly string[];
  excludedClusterScopedResources?: readonly string[];
  includedNamespaceScopedResources?: readonly string[];
  excludedNamespaceScopedResources?: readonly string[];
  [field: string]: unknown;
}

export interface BackupStatus {
  phase?: string;
  startTimestamp?: string;
  completionTimestamp?: string;
  expiration?: string;
  failureReason?: string;
  validationErrors?: readonly string[];
  errors?: number;
  warnings?: number;
  progress?: { totalItems?: number; itemsBackedUp?: number };
  [field: string]: unknown;
}

export interface Backup extends KubernetesObject {
  spec: BackupSpec;
  status?: BackupStatus;
}

export interface RestoreSpec extends Filters {
  backupName?: string;
  scheduleName?: string;
  namespaceMapping?: Readonly<Record<string, string>>;
  restorePVs?: boolean;
  preserveNodePorts?: boolean;
  existingResourcePolicy?: string;
  resourceModifier?: { readonly kind: string; readonly name: string };
  itemOperationTimeout?: string;
  [field: string]: unknown;
}

export interface RestoreStatus {
  phase?: string;
  startTimestamp?: string;
  completionTimestamp?: string;
  failureReason?: string;
  validationErrors?: readonly string[];
  errors?: number;
  warnings?: number;
  progress?: { totalItems?: number; itemsRestored?: number };
  [field: string]: unknown;
}

export interface Restore extends KubernetesObject {
  spec: RestoreSpec;
  status?: RestoreStatus;
}

export interface StorageLocation extends KubernetesObject {
  spec: {
    readonly provider?: string;
    readonly config?: Readonly<Record<string, string>>;
    readonly objectStorage?: { readonly bucket: string; readonly prefix?: string };
    readonly default?: boolean;
    readonly accessMode?: "ReadWrite" | "ReadOnly";
    readonly backupSyncPeriod?: string;
    readonly validationFrequency?: string;
  };
  status?: { phase?: "Available" | "Unavailable"; lastSyncedTime?: string; lastValidationTime?: string; message?: string };
}

export interface VolumeRef {
  readonly kind: "Pod";
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export interface VolumeStatus {
  phase?: string;
  message?: string;
  node?: string;
  path?: string;
  snapshotID?: string;
  incrementalBytes?: number;
  acceptedTimestamp?: string;
  startTimestamp?: string;
  completionTimestamp?: string;
  progress?: { totalBytes?: number; bytesDone?: number };
}

export interface PodVolumeBackup extends KubernetesObject {
  spec: { readonly backupStorageLocation: string; readonly node: string; readonly pod: VolumeRef; readonly volume: string; readonly uploaderType: "kopia"; readonly [field: string]: unknown };
  status?: VolumeStatus;
}

export interface PodVolumeRestore extends KubernetesObject {
  spec: {
    readonly backupStorageLocation: string;
    readonly pod: VolumeRef;
    readonly volume: string;
    readonly snapshotID: string;
    readonly snapshotSize?: number;
    readonly sourceNamespace: string;
    readonly [field: string]: unknown;
  };
  status?: VolumeStatus;
}

export interface BackupRepository extends KubernetesObject {
  spec: { volumeNamespace: string; backupStorageLocation: string; repositoryType: "kopia"; maintenanceFrequency: string };
  status?: { phase?: "New" | "Ready" | "NotReady"; message?: string; lastMaintenanceTime?: string };
}

export interface Schedule extends KubernetesObject {
  spec: { readonly schedule: string; readonly template: BackupSpec; readonly paused?: boolean; skipImmediately?: boolean; readonly useOwnerReferencesInBackup?: boolean };
  status?: { phase?: string; lastBackup?: string; lastSkipped?: string; validationErrors?: readonly string[] };
}

export interface ServerStatusRequest extends KubernetesObject {
  status?: { phase?: string; processedTimestamp?: string; serverVersion?: string; plugins?: readonly { readonly name: string; readonly kind: string }[] };
}

export interface DeleteBackupRequest extends KubernetesObject {
  spec: { readonly backupName: string };
  status?: { phase?: string; errors?: readonly string[] };
}

interface Views {
  readonly backups: Backup;
  readonly restores: Restore;
  readonly backupstoragelocations: StorageLocation;
  readonly podvolumebackups: PodVolumeBackup;
  readonly podvolumerestores: PodVolumeRestore;
  readonly backuprepositories: BackupRepository;
  readonly schedules: Schedule;
  readonly serverstatusrequests: ServerStatusRequest;
  readonly deletebackuprequests: DeleteBackupRequest;
}
export type VeleroKind = keyof Views;

const server: Writer = { manager: "velero-server", part: "everything" };

/** The kind as the cluster's CRDs define it. Throws when its CRD is missing. */
export function veleroKind(store: Store, plural: VeleroKind): ResourceKind {
  const kind = store.kinds.find("velero.io/v1", plural);
  if (!kind) throw noSuchResource();
  return kind;
}

export const listVelero = <K extends VeleroKind>(store: Store, plural: K): Views[K][] => store.list(veleroKind(store, plural), veleroNamespace) as Views[K][];
export const getVelero = <K extends VeleroKind>(store: Store, plural: K, name: string): Views[K] | null => store.get(veleroKind(store, plural), veleroNamespace, name) as Views[K] | null;

/** Writes as Velero's server, in one change; nothing when the object is gone meanwhile. */
export function changeVelero<K extends VeleroKind>(store: Store, plural: K, name: string, edit: (draft: Views[K]) => void): void {
  const kind = veleroKind(store, plural);
  if (!store.get(kind, veleroNamespace, name)) return;
  store.change(kind, veleroNamespace, name, (draft) => edit(draft as Views[K]), server);
}

/** `metadata` without a name takes one from `generateName`. */
export function createVelero<K extends VeleroKind>(store: Store, plural: K, object: { readonly metadata: Partial<Metadata>; readonly spec?: unknown; readonly status?: unknown }): Views[K] {
  const kind = veleroKind(store, plural);
  const metadata = { ...object.metadata, namespace: veleroNamespace } as Metadata; // the store makes the name
  return store.create(kind, { ...object, apiVersion: kind.apiVersion, kind: kind.kind, metadata }, server) as Views[K];
}

/** A label's value has at most 63 characters: Velero keeps 57 and six of the SHA-256. */
export const labelValue = (name: string): string => (name.length <= 63 ? name : name.slice(0, 57) + createHash("sha256").update(name).digest("hex").slice(0, 6));

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A Go duration, `720h0m0s`, in milliseconds; `null`: it is none. */
export function durationMs(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return text === "0" ? 0 : null;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, number, unit = ""]) => sum + Number(number) * (unitMs[unit] ?? 0), 0);
}

/** Whole seconds as a Go duration: `1m0s`, `10s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ""}${seconds >= 60 ? `${minutes}m` : ""}${seconds % 60}s`;
}
