/** Restores, one at a time, in the phases that a Velero 1.18.3 was seen to go through. */
import { isRecord } from "../kubernetes/object.ts";
import { workloadKinds } from "../kubernetes/workloads.ts";
import { ArchiveBroken, readArchive, ungzipJson } from "./archive.ts";
import type { BlobStore } from "./blob-store.ts";
import { blobsOf, nowText, recordAct, type VeleroContext } from "./context.ts";
import { logLine } from "./log.ts";
import { changeVelero, getVelero, listVelero, type Restore, type RestoreStatus, veleroNamespace } from "./objects.ts";
import { deleteFolder } from "./requests.ts";
import { writeRestore } from "./restore-files.ts";
import { ensureNamespace, restoreItem, type RestoreJob } from "./restore-items.ts";
import { openMessages, openRestoredItems } from "./restore-results.ts";
import { filtersOf, selectFrom } from "./restore-selection.ts";
import { type ValidRestore, validateRestore } from "./restore-validation.ts";
import { cancelVolumeRestores, restorePodVolumes } from "./volume-restores.ts";

const finalizer = "restores.velero.io/external-resources-finalizer";
/** How often Velero writes down how far a restore has come. */
const progressMs = 1_000;

/** Keeps one restore going while any waits. */
export function runRestores(context: VeleroContext): void {
  const { session, store } = context;
  let isBusy = false;
  const next = () => {
    if (isBusy) return;
    const restore = listVelero(store, "restores")
      .filter(({ status, metadata }) => ["", "New"].includes(status?.phase ?? "") && metadata.deletionTimestamp === undefined)
      .toSorted((a, b) => (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))[0];
    if (!restore) return;
    isBusy = true;
    session.task(`restore ${restore.metadata.name}`, async () => {
      try {
        await session.sleep(0);
        await carryOut(context, restore.metadata.name);
      } finally {
        isBusy = false;
        if (!session.isOver()) next();
      }
    });
  };
  session.follow("restores", ({ type, object }) => {
    if (type === "ADDED") next();
    else if (type === "MODIFIED" && object.metadata.deletionTimestamp !== undefined) session.task(`clean up after ${object.metadata.name}`, () => cleanUp(context, object as Restore));
  });
}

/** A restore that was being worked on when the server ended cannot be gone on with. */
export function failInterrupted(context: VeleroContext): void {
  const { store } = context;
  for (const plural of ["restores", "backups"] as const)
    for (const { metadata, status } of listVelero(store, plural)) {
      if (status?.phase !== "InProgress") continue;
      const what = plural === "restores" ? "restore" : "backup";
      const failureReason = `found a ${what} with status "InProgress" during the server starting, mark it as "Failed"`;
      changeVelero(store, plural, metadata.name, (draft) => void (draft.status = { ...draft.status, phase: "Failed", failureReason, completionTimestamp: nowText(context) }));
      if (plural === "restores") cancelVolumeRestores(context, metadata.uid ?? "");
    }
}

/** What only its last steps were missing from when the server ended, the next server ends. */
export function endFinalizing(context: VeleroContext): void {
  const { store, session } = context;
  for (const { metadata, status } of listVelero(store, "restores")) {
    const phase = { Finalizing: "Completed", FinalizingPartiallyFailed: "PartiallyFailed" }[status?.phase ?? ""];
    if (phase === undefined) continue;
    session.task(`end restore ${metadata.name}`, async () => {
      await session.sleep(0);
      changeVelero(store, "restores", metadata.name, (draft) => void (draft.status = { ...draft.status, phase, completionTimestamp: nowText(context) }));
      recordAct(context, "restore-ended", metadata.name, { phase });
    });
  }
}

/** Before a restore goes its files go, and for that its location must be there. */
async function cleanUp(context: VeleroContext, restore: Restore): Promise<void> {
  const { store } = context;
  const { name, finalizers = [] } = restore.metadata;
  if (!finalizers.includes(finalizer)) return;
  const backup = getVelero(store, "backups", restore.spec.backupName ?? "");
  const location = getVelero(store, "backupstoragelocations", backup?.spec.storageLocation ?? "");
  if (backup && location?.status?.phase !== "Available") return;
  try {
    if (location) await deleteFolder(blobsOf(context, location), `restores/${name}/`);
  } catch (error) {
    if (context.session.isOver()) throw error;
    // The store is out of reach: the restore stays, as one of an unavailable location does.
    return;
  }
  changeVelero(store, "restores", name, (draft) => void (draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== finalizer)));
}

async function carryOut(context: VeleroContext, name: string): Promise<void> {
  const { store, session } = context;
  const say = (status: RestoreStatus) => changeVelero(store, "restores", name, (draft) => void (draft.status = { ...draft.status, ...status }));
  changeVelero(store, "restores", name, (draft) => void (draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []).filter((one) => one !== finalizer), finalizer]));
  await session.sleep(0);
  const restore = getVelero(store, "restores", name);
  if (!restore) return;
  const validated = validateRestore(context, restore);
  changeVelero(store, "restores", name, (draft) => {
    draft.spec = validated.spec;
    draft.status = validated.kind === "valid" ? { phase: "InProgress", startTimestamp: nowText(context) } : { phase: "FailedValidation", validationErrors: validated.errors };
  });
  if (validated.kind === "invalid") return;
  recordAct(context, "restore-started", name, { backup: validated.backup.metadata.name });
  const failure = await run(context, { ...restore, spec: validated.spec }, validated, say);
  if (failure !== null) say({ phase: "Failed", failureReason: `restore execution failed: ${failure}`, completionTimestamp: nowText(context) });
  recordAct(context, "restore-ended", name, { phase: getVelero(store, "restores", name)?.status?.phase });
}

/** Runs a valid restore to its end. Returns why it could not even begin, or null. */
async function run(context: VeleroContext, restore: Restore, { backup, location, modifiers }: ValidRestore, say: (status: RestoreStatus) => void): Promise<string | null> {
  const { store, session, world } = context;
  const backupName = backup.metadata.name;
  const blobs = blobsOf(context, location);
  const fetched = await fetchBackup(context, blobs, backupName);
  if ("failure" in fetched) return fetched.failure;
  const lines: string[] = [];
  const volumeWork: Promise<string[]>[] = [];
  const pace = { requests: 0 };
  const job: Omit<RestoreJob, "archive"> = {
    restore,
    backupName,
    filters: filtersOf(store.kinds, restore.spec),
    modifiers,
    volumeBackups: listVelero(store, "podvolumebackups").filter(({ metadata }) => metadata.labels?.["velero.io/backup-name"] === backupName),
    volumeMethods: fetched.volumeMethods,
    warnings: openMessages(),
    errors: openMessages(),
    restored: openRestoredItems(),
    volumesMadeAnew: new Set(),
    asked: (requests) => void (pace.requests += requests),
    log: (level, message, item) =>
      void lines.push(logLine(world.clock.now(), level, message, { ...(item ? { groupResource: item.resource, namespace: item.namespace, name: item.name } : {}), restore: `velero/${restore.metadata.name}` })),
    onPodWithVolumes(pod, namespace, volumes) {
      const work = restorePodVolumes(context, restore, pod, namespace, location.metadata.name, volumes);
      // Waited for below, unless the server ends first: then nobody asks any more.
      work.catch(() => {});
      volumeWork.push(work);
    },
  };
  job.log("info", "starting restore");
  const problem = await restoreArchive(context, job, fetched.tarball, pace, say);
  if (problem === null) {
    say({ progress: { totalItems: job.restored.count(), itemsRestored: job.restored.count() } });
    job.log("info", "Waiting for all pod volume restores to complete");
    for (const errors of await Promise.all(volumeWork)) for (const error of errors) job.errors.velero(error);
    job.log("info", "Done waiting for all pod volume restores to complete");
  } else job.errors.velero(problem);
  for (const message of job.errors.lines()) job.log("error", message);
  for (const message of job.warnings.lines()) job.log("warning", message);
  job.log("info", "restore completed");
  await writeRestore(context, blobs, job, lines.join(""));
  await finish(context, job, say);
  await session.sleep(0);
  return null;
}

async function fetchBackup({ session }: VeleroContext, blobs: BlobStore, name: string): Promise<{ readonly tarball: Uint8Array; readonly volumeMethods: ReadonlyMap<string, string> } | { readonly failure: string }> {
  try {
    const tarball = await blobs.get(`backups/${name}/${name}.tar.gz`);
    if (tarball === null)
      return { failure: `error downloading backup: error copying Backup to temp file: rpc error: code = Unknown desc = RESPONSE 404: 404 The specified blob does not exist.\nERROR CODE: BlobNotFound` };
    const info = await blobs.get(`backups/${name}/${name}-volumeinfo.json.gz`);
    return { tarball, volumeMethods: methodsOf(info === null ? null : await ungzipJson(info)) };
  } catch (error) {
    if (session.isOver()) throw error;
    return { failure: error instanceof ArchiveBroken ? error.message : `error downloading backup: error copying Backup to temp file: rpc error: code = Unknown desc = ${(error as Error).message}` };
  }
}

const methodsOf = (info: unknown): ReadonlyMap<string, string> => new Map((Array.isArray(info) ? info : []).filter(isRecord).map((one) => [String(one["pvName"]), typeof one["backupMethod"] === "string" ? one["backupMethod"] : ""]));

/** Restores every selected item at the measured pace. Returns what kept it from any of it, or null. */
async function restoreArchive(context: VeleroContext, incomplete: Omit<RestoreJob, "archive">, tarball: Uint8Array, sent: { readonly requests: number }, say: (status: RestoreStatus) => void): Promise<string | null> {
  const { store, session, world } = context;
  // One of Velero's own actions asks for its Deployment, to learn which image its init containers get.
  if (!store.get(workloadKinds.deployments, veleroNamespace, "velero")) return 'rpc error: code = Unknown desc = deployments.apps "velero" not found';
  let job: RestoreJob;
  try {
    job = { ...incomplete, archive: await readArchive(tarball) };
  } catch (error) {
    if (!(error instanceof ArchiveBroken)) throw error;
    return error.message;
  }
  const { restore, restored } = job;
  const select = () => selectFrom(job.archive, store.kinds, restore.spec, job.filters);
  // Definitions first: only then are the kinds known that they define.
  const definitions = select().items.filter(({ resource }) => resource === "customresourcedefinitions.apiextensions.k8s.io");
  const pace = paceOf(context, sent);
  for (const item of definitions) {
    await restoreItem(context, job, item);
    await pace();
  }
  const { items, errors } = select();
  for (const { namespace, message } of errors) job.errors.item(namespace, message);
  const rest = items.slice(definitions.length);
  // Counted like everything else, but never counted as done: the estimate stays one too high for each.
  const total = rest.length;
  let processed = 0;
  let toldAt = world.clock.now();
  for (const item of rest) {
    if (item.resource === "namespaces") {
      const target = restore.spec.namespaceMapping?.[item.name] ?? item.name;
      await ensureNamespace(context, job, item.name, target).catch((error: unknown) => {
        if (session.isOver()) throw error;
        job.errors.velero((error as Error).message);
      });
      continue;
    }
    await restoreItem(context, job, item);
    processed += 1;
    await pace();
    const estimate = restored.count() + total - processed;
    job.log("info", `Restored ${restored.count()} items out of an estimated total of ${estimate} (estimate will change throughout the restore)`, item);
    if (world.clock.now() - toldAt < progressMs) continue;
    toldAt = world.clock.now();
    say({ progress: { totalItems: estimate, itemsRestored: restored.count() } });
  }
  return null;
}

/** Timers are too coarse for one item each: what is owed is waited for in portions. */
const portionMs = 200;

/**
 * Velero's client sends 100 requests a second, and the first 100 at once (its QPS and burst); what was measured takes a tenth of an item
 * beside that. Making an object takes two requests, looking at one that is there takes one.
 */
const burst = 100;

function paceOf({ world, session }: VeleroContext, sent: { readonly requests: number }): () => Promise<void> {
  const item = world.latencies.veleroRestoreItem;
  const startedAt = world.clock.now();
  let items = 0;
  return async () => {
    items += 1;
    const dueAt = startedAt + (Math.max(0, sent.requests - burst) * item) / 2 + (items * item) / 10;
    const owedMs = dueAt - world.clock.now();
    if (owedMs >= portionMs) await session.sleep(owedMs);
  };
}

async function finish(context: VeleroContext, { warnings, errors }: Omit<RestoreJob, "archive">, say: (status: RestoreStatus) => void): Promise<void> {
  const { session } = context;
  const counted = { ...(warnings.count() > 0 ? { warnings: warnings.count() } : {}), ...(errors.count() > 0 ? { errors: errors.count() } : {}) };
  const isPartial = errors.count() > 0;
  say({ ...counted, phase: isPartial ? "FinalizingPartiallyFailed" : "Finalizing" });
  await session.sleep(0);
  say({ hookStatus: {} });
  await session.sleep(0);
  say({ phase: isPartial ? "PartiallyFailed" : "Completed", completionTimestamp: nowText(context) });
}
