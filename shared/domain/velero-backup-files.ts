/** The other files of a backup, beside `velero-backup.json` and the archive: which there are, and what we read in them. */
import { z } from "zod";
import { type PodVolumeBackup, type Reading, reader, type VeleroBackup } from "./velero-backup.ts";

/** Folder of a backup in its container. */
export const backupFolder = (backup: string): string => `backups/${backup}/`;
/** Folder of the Kopia repository of a namespace's volumes. */
export const repositoryFolder = (namespace: string): string => `kopia/${namespace}/`;

/**
 * Names of the files of one backup, inside its folder. Velero 1.18 always writes all of them, as `null` or `[]` if need be
 * (persistence/object_store.go); only the log is best effort.
 */
export const filesOf = (backup: string) => ({
  metadata: "velero-backup.json",
  tarball: `${backup}.tar.gz`,
  resourceList: `${backup}-resource-list.json.gz`,
  volumeInfo: `${backup}-volumeinfo.json.gz`,
  podVolumeBackups: `${backup}-podvolumebackups.json.gz`,
  itemOperations: `${backup}-itemoperations.json.gz`,
  results: `${backup}-results.gz`,
  volumeSnapshots: `${backup}-volumesnapshots.json.gz`,
});
export type BackupFile = keyof ReturnType<typeof filesOf>;

const text = z.string().nullish().transform((value) => value ?? "");
const count = z.number().nullish().transform((value) => value ?? 0);
const flag = z.boolean().nullish().transform((value) => value ?? false);
const list = <T>(item: z.ZodType<T>) => z.array(item).nullish().transform((value) => value ?? []);
const moved = z.object({ snapshotHandle: text, size: count, uploaderType: text, Phase: text });

const volumeInfo = z.object({
  pvcName: text,
  pvcNamespace: text,
  pvName: text,
  backupMethod: text.describe("PodVolumeBackup, CSISnapshot, NativeSnapshot; empty where the volume was skipped"),
  snapshotDataMoved: flag,
  skipped: flag,
  skippedReason: text,
  result: text.describe("succeeded or failed"),
  snapshotDataMovementInfo: moved.nullish(),
  pvbInfo: moved.extend({ podNamespace: text, podName: text, volumeName: text }).nullish(),
});
/** What Velero says of one volume that it met. */
export type VolumeInfo = z.output<typeof volumeInfo>;

const identifier = z.object({ Group: text, Resource: text, Namespace: text, Name: text }); // Go's own field names: the type has no JSON tags
const itemOperation = z.object({
  spec: z.object({ operationID: text, resourceIdentifier: identifier.nullish(), postOperationItems: list(identifier) }),
  status: z.object({ phase: text, error: text }).prefault({}),
});
/** One asynchronous act of a backup: a volume's data on its way into the repository. */
export type ItemOperation = z.output<typeof itemOperation>;

const problems = z
  .object({ velero: list(z.string()), cluster: list(z.string()), namespaces: z.record(z.string(), list(z.string())).nullish() })
  .nullish()
  .transform((value) => (value ? [...value.velero, ...value.cluster, ...Object.values(value.namespaces ?? {}).flat()] : []));
const results = z.object({ errors: problems, warnings: problems });
/** Errors and warnings, flattened. */
export type Results = z.output<typeof results>;

/** `apps/v1/Deployment` → `["shop/storefront", …]`; names without a slash are cluster-scoped. */
export type ResourceList = Readonly<Record<string, readonly string[]>>;

export const readVolumeInfo: (json: string) => Reading<readonly VolumeInfo[]> = reader(list(volumeInfo));
export const readVolumeSnapshots: (json: string) => Reading<readonly unknown[]> = reader(list(z.unknown()));
export const readItemOperations: (json: string) => Reading<readonly ItemOperation[]> = reader(list(itemOperation));
export const readResults: (json: string) => Reading<Results> = reader(results);
export const readResourceList: (json: string) => Reading<ResourceList> = reader(
  z.record(z.string(), list(z.string())).nullable().transform((value) => value ?? {}),
);

/** The small files of one backup as they were found. */
export interface BackupFiles {
  readonly metadata: File<VeleroBackup>;
  readonly volumeInfo: File<readonly VolumeInfo[]>;
  readonly podVolumeBackups: File<readonly PodVolumeBackup[]>;
  readonly itemOperations: File<readonly ItemOperation[]>;
  readonly resourceList: File<ResourceList>;
  readonly results: File<Results>;
  /** Native snapshots; of use in their own region only, but a restore that cannot read the list fails. */
  readonly volumeSnapshots?: File<readonly unknown[]>;
}

/** A file that was read, was unreadable, is not there, or was not asked for. */
export type File<T> = Reading<T> | { readonly kind: "absent" } | { readonly kind: "not-asked" };
