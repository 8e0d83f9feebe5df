/** Backups, one at a time: from the wish to the last blob, in the phases that a Velero 1.18.3 was seen to go through. */
import { kubernetesVersion } from "../kubernetes/version.ts";
import { backUpVolume } from "./volume-backups.ts";
import { type BackupContents, metadataBytes, writeBackup } from "./backup-files.ts";
import { selectItems, selectVolumes } from "./backup-selection.ts";
import { blobsOf, nowText, recordAct, type VeleroContext } from "./context.ts";
import { filterProblems } from "./filters.ts";
import { preHooksOf } from "./hooks.ts";
import { logLine } from "./log.ts";
import { type Backup, type BackupStatus, changeVelero, durationMs, getVelero, labelValue, listVelero, type PodVolumeBackup, type StorageLocation } from "./objects.ts";

const defaults = { csiSnapshotTimeout: "10m0s", itemOperationTimeout: "4h0m0s", ttl: "720h0m0s", volumeGroupSnapshotLabelKey: "velero.io/volume-group" } as const;

/** A durations that is zero stands for one that was not given. */
const given = (value: unknown): value is string => typeof value === "string" && value !== "0s";

export function runBackups(context: VeleroContext): void {
  const { session, store } = context;
  let current: string | null = null;
  const waiting = () =>
    listVelero(store, "backups")
      .filter(({ status, metadata }) => metadata.name !== current && ["", "New", "Queued", "ReadyToStart"].includes(status?.phase ?? "") && metadata.deletionTimestamp === undefined)
      .toSorted((a, b) => (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || (a.metadata.name < b.metadata.name ? -1 : 1));
  const next = () => {
    const chosen = current === null ? waiting()[0]?.metadata.name : undefined;
    current ??= chosen ?? null;
    waiting().forEach(({ metadata }, at) => changeVelero(store, "backups", metadata.name, (draft) => void (draft.status = { ...draft.status, phase: "Queued", queuePosition: at + 1 })));
    if (chosen === undefined) return;
    session.task(`make backup ${chosen}`, async () => {
      try {
        await session.sleep(0);
        await make(context, chosen);
      } finally {
        current = null;
        if (!session.isOver()) next();
      }
    });
  };
  session.follow("backups", ({ type }) => {
    if (type === "ADDED") next();
  });
}

async function make(context: VeleroContext, name: string): Promise<void> {
  const { store, session } = context;
  const say = (status: BackupStatus) => changeVelero(store, "backups", name, (draft) => void (draft.status = { ...draft.status, ...status }));
  say({ phase: "Queued", queuePosition: 1 });
  await session.sleep(0);
  changeVelero(store, "backups", name, (draft) => void (draft.status = { phase: "ReadyToStart" }));
  await session.sleep(0);
  const location = validateAndComplete(context, name);
  const backup = getVelero(store, "backups", name);
  if (!backup || !location) return;
  recordAct(context, "backup-started", name);
  const contents = await collect(context, backup, location, say);
  const now = getVelero(store, "backups", name);
  if (now) await upload(context, now, location, contents, say);
  recordAct(context, "backup-completed", name, { phase: getVelero(store, "backups", name)?.status?.phase });
}

/** Fills in what was left out and starts the clock; the location, or null when it cannot be. */
function validateAndComplete(context: VeleroContext, name: string): StorageLocation | null {
  const { store } = context;
  const { spec } = getVelero(store, "backups", name) ?? {};
  if (!spec) return null;
  const locationName = spec.storageLocation ?? listVelero(store, "backupstoragelocations").find((one) => one.spec.default === true)?.metadata.name ?? "default";
  const location = getVelero(store, "backupstoragelocations", locationName);
  const validationErrors = problemsOf(spec, locationName, location);
  const ttl = given(spec.ttl) ? spec.ttl : defaults.ttl;
  changeVelero(store, "backups", name, (draft) => {
    draft.metadata.labels = { ...draft.metadata.labels, "velero.io/storage-location": labelValue(locationName) };
    draft.metadata.annotations = {
      ...draft.metadata.annotations,
      "velero.io/resource-timeout": "10m0s",
      "velero.io/source-cluster-k8s-gitversion": kubernetesVersion.gitVersion,
      "velero.io/source-cluster-k8s-major-version": kubernetesVersion.major,
      "velero.io/source-cluster-k8s-minor-version": kubernetesVersion.minor,
    };
    draft.spec = {
      defaultVolumesToFsBackup: false,
      excludedClusterScopedResources: ["volumesnapshotcontents.snapshot.storage.k8s.io"],
      excludedNamespaceScopedResources: ["volumesnapshots.snapshot.storage.k8s.io"],
      snapshotMoveData: false,
      volumeGroupSnapshotLabelKey: defaults.volumeGroupSnapshotLabelKey,
      ...spec,
      storageLocation: locationName,
      csiSnapshotTimeout: given(spec["csiSnapshotTimeout"]) ? spec["csiSnapshotTimeout"] : defaults.csiSnapshotTimeout,
      itemOperationTimeout: given(spec["itemOperationTimeout"]) ? spec["itemOperationTimeout"] : defaults.itemOperationTimeout,
      ttl,
    };
    const begun = { expiration: nowText(context, durationMs(ttl) ?? 0), formatVersion: "1.1.0", version: 1 };
    draft.status = validationErrors.length > 0 ? { ...begun, phase: "FailedValidation", validationErrors } : { ...begun, phase: "InProgress", startTimestamp: nowText(context) };
  });
  return validationErrors.length > 0 ? null : location;
}

function problemsOf(spec: Backup["spec"], locationName: string, location: StorageLocation | null): string[] {
  const lists = filterProblems(spec.includedNamespaces, spec.excludedNamespaces).map((problem) => `Invalid included/excluded namespace lists: ${problem}`);
  if (spec.labelSelector !== undefined && spec.orLabelSelectors !== undefined) lists.push("encountered labelSelector as well as orLabelSelectors in backup spec, only one can be specified");
  if (!location)
    return [
      ...lists,
      `an existing backup storage location was not specified at backup creation time and the default ${locationName} was not found. Please address this issue (see \`velero backup-location -h\` for options) and create a new backup. Error: BackupStorageLocation.velero.io "${locationName}" not found`,
    ];
  if (location.spec.accessMode === "ReadOnly") return [...lists, `backup can't be created because backup storage location ${locationName} is currently in read-only mode`];
  if (location.status?.phase !== "Available") return [...lists, `backup can't be created because BackupStorageLocation ${locationName} is in Unavailable status.`];
  return lists;
}

/** Reads the cluster and backs its volumes up. Of the measured time one part goes to the objects, two to volumes; the rest to uploads. */
async function collect(context: VeleroContext, backup: Backup, location: StorageLocation, say: (status: BackupStatus) => void): Promise<BackupContents> {
  const { store, session, world } = context;
  const takeMs = world.latencies.veleroBackup;
  const { name } = backup.metadata;
  const items = selectItems(store, backup);
  say({ progress: { totalItems: items.length } });
  const hooks = preHooksOf(backup.spec, items.filter(({ kind }) => kind.resource === "pods").map(({ object }) => object));
  const isKept = ({ metadata }: { readonly metadata: { readonly name: string; readonly namespace?: string } }) => !hooks.keptOut.has(`${metadata.namespace ?? ""}/${metadata.name}`);
  const volumes = selectVolumes(store, backup, items).filter(({ pod }) => isKept(pod));
  const volumeBackups: PodVolumeBackup[] = [];
  const errors: string[] = [...hooks.errors];
  await session.sleep(takeMs / 5);
  if (volumes.some(({ skippedBecause }) => skippedBecause === null)) say({ progress: { totalItems: items.length, itemsBackedUp: 1 } });
  for (const volume of volumes.filter(({ skippedBecause }) => skippedBecause === null)) {
    try {
      const done = await backUpVolume(context, backup, location, volume, (takeMs * 2) / 5);
      volumeBackups.push(done);
      if (done.status?.phase !== "Completed") errors.push(`pod volume backup failed: ${done.status?.message ?? ""}`);
    } catch (error) {
      if (session.isOver() || !(error instanceof Error)) throw error;
      errors.push(error.message);
    }
  }
  say({ progress: { totalItems: items.length, itemsBackedUp: items.length }, hookStatus: hooks.attempted > 0 ? { hooksAttempted: hooks.attempted, hooksFailed: hooks.attempted } : {} });
  const log = items.map(({ kind, object }) => logLine(world.clock.now(), "info", "Backed up", { backup: `velero/${name}`, name: object.metadata.name, namespace: object.metadata.namespace ?? "", resource: kind.resource })).join("");
  return { items, volumes, volumeBackups, errors, keptOut: hooks.keptOut, log };
}

async function upload(context: VeleroContext, backup: Backup, location: StorageLocation, contents: BackupContents, say: (status: BackupStatus) => void): Promise<void> {
  const { store, session, world } = context;
  const { name } = backup.metadata;
  const blobs = blobsOf(context, location);
  const counted = contents.errors.length > 0 ? { errors: contents.errors.length } : {};
  const finalizing = { ...backup.status, ...counted, phase: contents.errors.length > 0 ? "FinalizingPartiallyFailed" : "Finalizing" };
  const failed = (why: string) => say({ phase: "Failed", failureReason: `backup execution failed: ${why}`, completionTimestamp: nowText(context) });
  try {
    if ((await blobs.list(`backups/${name}/`)).includes(`backups/${name}/velero-backup.json`)) return failed("backup already exists in object storage");
    const problem = await writeBackup(blobs, { ...backup, status: finalizing }, contents, world.clock.now());
    if (problem !== null) return failed(problem);
    say(finalizing);
    await session.sleep((world.latencies.veleroBackup * 2) / 5);
    const phase = contents.errors.length > 0 ? "PartiallyFailed" : "Completed";
    const completed = { ...finalizing, phase, completionTimestamp: nowText(context) };
    const answer = await blobs.put(`backups/${name}/velero-backup.json`, metadataBytes({ ...(getVelero(store, "backups", name) ?? backup), status: completed }));
    if (answer !== "ok") return failed(`error uploading backup metadata: ${answer.code}`);
    say(completed);
  } catch (error) {
    if (session.isOver() || !(error instanceof Error)) throw error;
    failed(error.message);
  }
}
