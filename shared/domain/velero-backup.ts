/**
 * What Velero writes into `backups/<name>/`, read strictly where we act on it and tolerantly elsewhere: unknown fields are kept or ignored,
 * counters that are absent are 0 (Velero leaves zeroes out). Checked against the files of a Velero 1.18.3.
 */
import { z } from "zod";

/** What a file said, or why it says nothing. A file that cannot be read is an answer, not an error. */
export type Reading<T> = { readonly kind: "read"; readonly value: T } | { readonly kind: "unreadable"; readonly why: string };

/** A JSON object as it came. */
export type Raw = Readonly<Record<string, unknown>>;

/** `velero-backup.json`: the Backup object as its own cluster saw it last. */
export interface VeleroBackup {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As written; see `ended` and `stillWriting`. A phase that is not known reads as "not finished". */
  readonly phase: string;
  /** UTC ms. The data is as of this instant. */
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly expiresAt: number | null;
  readonly formatVersion: string | null;
  readonly errors: number;
  readonly warnings: number;
  readonly totalItems: number;
  /** How many item operations (data movements) Velero began for it. */
  readonly operationsAttempted: number;
  /** `v1.34.4`: the Kubernetes it was taken from. */
  readonly kubernetesVersion: string | null;
  readonly object: Raw;
}

/** One PodVolumeBackup of `<b>-podvolumebackups.json.gz`: a volume copied by file-system backup. */
export interface PodVolumeBackup {
  readonly name: string;
  /** Namespace of the pod, which is also the name of the Kopia repository. */
  readonly namespace: string;
  readonly pod: string;
  readonly volume: string;
  /** Name of the claim behind the pod's volume; `null` for one without (an emptyDir). */
  readonly claim: string | null;
  readonly uploader: string;
  readonly phase: string;
  /** Empty when the copy named none: such a volume is silently not restored. */
  readonly snapshot: string;
  readonly bytes: number;
  readonly message: string;
  readonly object: Raw;
}

/** The two phases of a backup that came to its end with something to restore. */
export const ended = (phase: string): boolean => phase === "Completed" || phase === "PartiallyFailed";

/** Phases in which Velero 1.18 has uploaded something and has not written its last word. */
export const stillWriting = (phase: string): boolean =>
  ["WaitingForPluginOperations", "WaitingForPluginOperationsPartiallyFailed", "Finalizing", "FinalizingPartiallyFailed"].includes(phase);

export const scheduleLabel = "velero.io/schedule-name";

const text = z.string().nullish().transform((value) => value ?? "");
const count = z.number().nullish().transform((value) => value ?? 0);
const texts = z.record(z.string(), z.string()).nullish().transform((value) => value ?? {});
const instant = z.iso
  .datetime({ offset: true })
  .nullish()
  .transform((value) => (value ? Date.parse(value) : null));

const backupShape = z
  .object({
    kind: z.literal("Backup"),
    apiVersion: z.literal("velero.io/v1"),
    metadata: z.object({ name: z.string().min(1), labels: texts, annotations: texts }),
    spec: z.object({}),
    status: z
      .object({
        phase: text,
        formatVersion: text,
        startTimestamp: instant,
        completionTimestamp: instant,
        expiration: instant,
        errors: count,
        warnings: count,
        progress: z.object({ totalItems: count }).nullish(),
        backupItemOperationsAttempted: count,
      })
      .prefault({}),
  })
  .transform(
    ({ metadata, status }): Omit<VeleroBackup, "object"> => ({
      name: metadata.name,
      labels: metadata.labels,
      phase: status.phase || "New",
      startedAt: status.startTimestamp,
      completedAt: status.completionTimestamp,
      expiresAt: status.expiration,
      formatVersion: status.formatVersion || null,
      errors: status.errors,
      warnings: status.warnings,
      totalItems: status.progress?.totalItems ?? 0,
      operationsAttempted: status.backupItemOperationsAttempted,
      kubernetesVersion: metadata.annotations["velero.io/source-cluster-k8s-gitversion"] ?? null,
    }),
  );

const podVolumeBackupShape = z
  .object({
    metadata: z.object({ name: z.string().min(1), annotations: texts }),
    spec: z.object({ pod: z.object({ namespace: z.string().min(1), name: z.string().min(1) }), volume: z.string().min(1), uploaderType: text }),
    status: z.object({ phase: text, snapshotID: text, message: text, progress: z.object({ totalBytes: count }).nullish() }).prefault({}),
  })
  .transform(
    ({ metadata, spec, status }): Omit<PodVolumeBackup, "object"> => ({
      name: metadata.name,
      namespace: spec.pod.namespace,
      pod: spec.pod.name,
      volume: spec.volume,
      claim: metadata.annotations["velero.io/pvc-name"] || null,
      uploader: spec.uploaderType || "restic", // Velero's own default for objects from before the field existed
      phase: status.phase || "New",
      snapshot: status.snapshotID,
      bytes: status.progress?.totalBytes ?? 0,
      message: status.message,
    }),
  );

/** Reads `velero-backup.json`. */
export const readBackup = (json: string): Reading<VeleroBackup> => readJson(json, backupOf);

/** Reads a Backup as an API server gives it. */
export function backupOf(object: unknown): Reading<VeleroBackup> {
  return withObject(backupShape, object);
}

/** Reads `<b>-podvolumebackups.json.gz`, unpacked: an array, or `null` for none. */
export function readPodVolumeBackups(json: string): Reading<readonly PodVolumeBackup[]> {
  return readJson(json, (value) => {
    const list = z.array(z.unknown()).nullable().safeParse(value);
    if (!list.success) return { kind: "unreadable", why: problemsOf(list.error) };
    const read: PodVolumeBackup[] = [];
    for (const object of list.data ?? []) {
      const one = podVolumeBackupOf(object);
      if (one.kind === "unreadable") return one;
      read.push(one.value);
    }
    return { kind: "read", value: read };
  });
}

/** Reads a PodVolumeBackup as an API server gives it. */
export function podVolumeBackupOf(object: unknown): Reading<PodVolumeBackup> {
  return withObject(podVolumeBackupShape, object);
}

/** Parses JSON and reads it. Never throws: what is no JSON is unreadable, with the place where it stops being so. */
export function readJson<T>(json: string, read: (value: unknown) => Reading<T>): Reading<T> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { kind: "unreadable", why: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  return read(value);
}

/** A schema as a reader. */
export const reader =
  <T>(schema: z.ZodType<T>) =>
  (json: string): Reading<T> =>
    readJson(json, (value) => {
      const parsed = schema.safeParse(value);
      return parsed.success ? { kind: "read", value: parsed.data } : { kind: "unreadable", why: problemsOf(parsed.error) };
    });

function withObject<T>(shape: z.ZodType<T>, object: unknown): Reading<T & { readonly object: Raw }> {
  const parsed = shape.safeParse(object);
  if (!parsed.success) return { kind: "unreadable", why: problemsOf(parsed.error) };
  if (isDeeper(object, depthMax)) return { kind: "unreadable", why: `it is nested deeper than ${depthMax} levels` };
  return { kind: "read", value: { ...parsed.data, object: object as Raw } }; // the schema has seen that it is an object
}

/** What is kept as it came is written again, and whoever writes or compares it goes down level by level. Velero's own reader stops at 10,000 (Go, encoding/json). */
const depthMax = 200;

function isDeeper(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= levels && level.length > 0; depth++) level = level.flatMap((part) => (typeof part === "object" && part !== null ? Object.values(part) : []));
  return level.length > 0;
}

/** The first three problems; a file that is wrong in one place of an array is wrong in all. */
const problemsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`)
    .join("; ");
