/** What Velero checks and fills in before a restore begins. */
import type { VeleroContext } from "./context.ts";
import { filterProblems } from "./filters.ts";
import { type Modifiers, readModifiers } from "./modifiers.ts";
import { type Backup, getVelero, listVelero, type Restore, type RestoreSpec, type StorageLocation } from "./objects.ts";

/** Kinds that are never restored, whatever a restore asks for; in the order in which Velero adds them to its excludes. */
const nonRestorable = [
  "nodes",
  "events",
  "events.events.k8s.io",
  "backups.velero.io",
  "restores.velero.io",
  "resticrepositories.velero.io",
  "csinodes.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "backuprepositories.velero.io",
];
const itemOperationTimeout = "4h0m0s";

export interface ValidRestore {
  readonly kind: "valid";
  readonly spec: RestoreSpec;
  readonly backup: Backup;
  readonly location: StorageLocation;
  readonly modifiers: Modifiers;
}

/** `spec` is completed in both cases: it is written back. */
export type Validated = ValidRestore | { readonly kind: "invalid"; readonly spec: RestoreSpec; readonly errors: readonly string[] };

export function validateRestore(context: VeleroContext, { spec }: Restore): Validated {
  const completed: RestoreSpec = {
    ...spec,
    excludedResources: [...(spec.excludedResources ?? []), ...nonRestorable.filter((resource) => !(spec.excludedResources ?? []).includes(resource))],
    itemOperationTimeout: spec.itemOperationTimeout === undefined || spec.itemOperationTimeout === "0s" ? itemOperationTimeout : spec.itemOperationTimeout,
  };
  const errors = listErrors(completed, spec);
  const invalid = (...more: string[]): Validated => ({ kind: "invalid", spec: completed, errors: [...errors, ...more] });
  if ((spec.backupName ?? "") === "" ? (spec.scheduleName ?? "") === "" : (spec.scheduleName ?? "") !== "") return invalid("Either a backup or schedule must be specified as a source for the restore, but not both");
  if (spec.existingResourcePolicy !== undefined && !["", "none", "update"].includes(spec.existingResourcePolicy)) errors.push(`Invalid ExistingResourcePolicy: ${spec.existingResourcePolicy}`);
  const source = sourceOf(context, completed);
  if ("problems" in source) return invalid(...source.problems);
  const { backup, location } = source;
  const read = readModifiers(context.store, spec.resourceModifier);
  if ("problem" in read) return invalid(read.problem);
  const schedule = backup.metadata.labels?.["velero.io/schedule-name"];
  const filled = { ...completed, backupName: backup.metadata.name, ...(schedule === undefined ? {} : { scheduleName: schedule }) };
  return errors.length > 0 ? { kind: "invalid", spec: filled, errors } : { kind: "valid", spec: filled, backup, location, modifiers: read.rules };
}

function listErrors(completed: RestoreSpec, { includedResources, includedNamespaces, excludedNamespaces, labelSelector, orLabelSelectors }: RestoreSpec): string[] {
  return [
    ...nonRestorable.filter((resource) => (includedResources ?? []).includes(resource)).map((resource) => `${resource} are non-restorable resources`),
    ...filterProblems(includedResources, completed.excludedResources).map((problem) => `Invalid included/excluded resource lists: ${problem}`),
    ...filterProblems(includedNamespaces, excludedNamespaces).map((problem) => `Invalid included/excluded namespace lists: ${problem}`),
    ...(labelSelector !== undefined && orLabelSelectors !== undefined ? ["encountered labelSelector as well as orLabelSelectors in restore spec, only one can be specified"] : []),
  ];
}

function sourceOf({ store }: VeleroContext, { backupName = "", scheduleName = "" }: RestoreSpec): { readonly backup: Backup; readonly location: StorageLocation } | { readonly problems: readonly string[] } {
  const scheduled = listVelero(store, "backups").filter(({ metadata }) => metadata.labels?.["velero.io/schedule-name"] === scheduleName);
  const name = backupName === "" ? newestOf(scheduled) : backupName;
  if (name === null) return { problems: [...(scheduled.length === 0 ? ["No backups found for schedule"] : []), "No completed backups found for schedule"] };
  const backup = getVelero(store, "backups", name);
  if (!backup) return { problems: [`Error retrieving backup: can't find backup velero/${name}: Backup.velero.io "${name}" not found`] };
  const locationName = backup.spec.storageLocation ?? "";
  const location = getVelero(store, "backupstoragelocations", locationName);
  if (!location) return { problems: [`Error retrieving backup: BackupStorageLocation.velero.io "${locationName}" not found`] };
  if (location.status?.phase !== "Available") return { problems: [`The BSL ${locationName} is unavailable, cannot retrieve the backup`] };
  return { backup, location };
}

/** By start, among those that completed; replication is unknown to Velero. */
function newestOf(backups: readonly Backup[]): string | null {
  const own = backups.filter(({ status }) => status?.phase === "Completed");
  return own.toSorted((a, b) => (b.status?.startTimestamp ?? "").localeCompare(a.status?.startTimestamp ?? ""))[0]?.metadata.name ?? null;
}
