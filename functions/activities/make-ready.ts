import { gunzipSync } from "node:zlib";
import { namespaceHeldBy, readiness, repositoryState, storageLocationState } from "../../shared/domain/cluster-objects.ts";
import { type CustomKind, customKindOf } from "../../shared/domain/contents.ts";
import { unknownKinds } from "../../shared/domain/custom-kinds.ts";
import { kinds, occupying } from "../../shared/domain/kinds.ts";
import { importFrom, parity, type PointFiles } from "../../shared/domain/parity.ts";
import { whyNotHeld } from "../../shared/domain/restore-object.ts";
import { restoredByLabel, restoreNames } from "../../shared/domain/restore-run.ts";
import { blockedBy } from "../../shared/domain/secondary-state.ts";
import type { Target } from "../../shared/domain/target.ts";
import { backupFolder, filesOf } from "../../shared/domain/velero-backup-files.ts";
import { readBackup, readPodVolumeBackups } from "../../shared/domain/velero-backup.ts";
import type { Backups, Cluster, KubeObject } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { readPoint } from "./chosen-point.ts";
import type { Work } from "./perform.ts";
import { webhooksOf } from "./see-state.ts";

/** Names that `velero install` gives (Velero 1.18). */
const velero = "velero";
const nodeAgent = "node-agent";

/** Velero's server and its node agents run. Without the Deployment a restore ends PartiallyFailed; without agents volumes wait for ever. */
export const veleroAlive: Work<typeof steps.veleroAlive> = async (_, { world, target }) => {
  const cluster = await world.clusters.of(target.cluster);
  const [server, agents] = await Promise.all([
    cluster.get(kinds.deployments, target.veleroNamespace, velero),
    cluster.get(kinds.daemonSets, target.veleroNamespace, nodeAgent),
  ]);
  if (server === null) return { kind: "not-yet", about: `there is no Deployment ${target.veleroNamespace}/${velero}: install Velero in ${target.region}` };
  if (agents === null) return { kind: "not-yet", about: `there is no DaemonSet ${target.veleroNamespace}/${nodeAgent}: install Velero with --use-node-agent` };
  const up = readiness(server, "Deployment");
  const agentsUp = readiness(agents, "DaemonSet");
  if (up.ready < 1) return { kind: "not-yet", about: `Velero's server has ${up.ready} of ${up.wanted} replicas ready` };
  if (agentsUp.ready < 1 || agentsUp.ready < agentsUp.wanted) return { kind: "not-yet", about: `${agentsUp.ready} of ${agentsUp.wanted} node agents are ready` };
  return { kind: "done", value: { version: imageOf(server) } };
};

function imageOf(deployment: KubeObject): string {
  const spec = deployment["spec"] as { template?: { spec?: { containers?: { image?: string }[] } } } | undefined;
  return spec?.template?.spec?.containers?.[0]?.image ?? "unknown";
}

/** The storage location that we restore from is Available and ReadOnly. A recovery in place reads the primary's own, which takes writes. */
export const storageLocationReady: Work<typeof steps.storageLocationReady> = async (_, { world, target }) => {
  const cluster = await world.clusters.of(target.cluster);
  const object = await cluster.get(kinds.backupStorageLocations, target.veleroNamespace, target.storageLocation);
  if (object === null) return { kind: "not-yet", about: `there is no storage location ${target.storageLocation} in ${target.region}` };
  const { available, readOnly, message } = storageLocationState(object);
  if (!available) return { kind: "not-yet", about: `the storage location ${target.storageLocation} is not Available: ${message || "no reason given"}` };
  if (target.source !== null && !readOnly) return { kind: "not-yet", about: `the storage location ${target.storageLocation} is not ReadOnly: Velero there could delete the replica` };
  return { kind: "done", value: { storageLocation: target.storageLocation } };
};

/**
 * Makes the cluster's view of the point equal the blobs: what is missing is imported as Velero's sync would, at once; what differs was
 * imported half-copied and is replaced. Deleting a Backup object touches no blob (that takes a DeleteBackupRequest).
 */
export const alignView: Work<typeof steps.alignView> = async ({ point }, { world, target }) => alignPoint(await world.clusters.of(target.cluster), target, point, await pointFiles(world.backups, target, point));

/** The same with the files at hand. Safe to run again. */
export async function alignPoint(cluster: Cluster, target: Target, point: string, files: PointFiles): Promise<{ readonly imported: number; readonly replaced: number }> {
  let replaced = 0;
  const before = await viewOf(cluster, target, point);
  const compared = parity(files, before.backup, before.copies);
  if (compared.kind === "equal") return { imported: 0, replaced };
  // A copy that is missing beside a Backup that is right is added: Velero's sync would not, and an earlier run of this step may have come only so far.
  const isRight = compared.kind === "differs" && compared.copiesMissing === true;
  if (compared.kind === "differs" && !isRight) {
    for (const copy of before.copies) await cluster.delete(kinds.podVolumeBackups, target.veleroNamespace, copy.metadata.name);
    await cluster.delete(kinds.backups, target.veleroNamespace, point);
    replaced = 1;
  }
  const imported = await importPoint(cluster, target, files, isRight ? before.backup : null);
  const now = await viewOf(cluster, target, point);
  const after = parity(files, now.backup, now.copies);
  if (after.kind !== "equal") throw new Error(`the cluster's view of ${point} still is not what the blobs say: ${after.kind === "differs" ? after.what : "it is not there"}`);
  return { imported, replaced };
}

/** `there`: the Backup, where it is right already. Returns how many objects the view was given. */
async function importPoint(cluster: Cluster, target: Target, files: PointFiles, there: KubeObject | null): Promise<number> {
  const first = importFrom(files, target.storageLocation, target.veleroNamespace);
  if (first.kind === "skipped") throw new Error(`${files.backup.name} cannot be imported: ${first.why}`);
  const backup = there ?? (await cluster.create(kinds.backups, first.backup)).object;
  const owned = importFrom(files, target.storageLocation, target.veleroNamespace, backup.metadata.uid);
  if (owned.kind === "skipped") throw new Error(`${files.backup.name} cannot be imported: ${owned.why}`);
  for (const copy of owned.podVolumeBackups) await cluster.create(kinds.podVolumeBackups, copy);
  return (there === null ? 1 : 0) + owned.podVolumeBackups.length;
}

/** What the cluster shows of a point. */
export async function viewOf(cluster: Cluster, { veleroNamespace }: Target, point: string) {
  const [backup, copies] = await Promise.all([
    cluster.get(kinds.backups, veleroNamespace, point),
    cluster.list(kinds.podVolumeBackups, veleroNamespace, `velero.io/backup-name=${point}`),
  ]);
  return { backup, copies: copies ?? [] };
}

/** The files of a point that an import is made of, read from its blobs. */
export async function pointFiles(backups: Backups, { backups: place }: Target, point: string): Promise<PointFiles> {
  const folder = backupFolder(point);
  const { metadata, podVolumeBackups } = filesOf(point);
  const [backupBytes, copiesBytes] = await Promise.all([backups.read(place, folder + metadata), backups.read(place, folder + podVolumeBackups)]);
  if (backupBytes === null || copiesBytes === null) throw new Error(`${folder} lost a file since it was chosen`);
  const backup = readBackup(new TextDecoder().decode(backupBytes));
  const copies = readPodVolumeBackups(gunzipSync(copiesBytes).toString());
  if (backup.kind === "unreadable") throw new Error(`${folder}${metadata}: ${backup.why}`);
  if (copies.kind === "unreadable") throw new Error(`${folder}${podVolumeBackups}: ${copies.why}`);
  return { backup: backup.value, podVolumeBackups: copies.value };
}

/** The repositories of volume data that the cluster knows for this location are Ready. One that is not there yet is made at its first use. */
export const repositoriesReady: Work<typeof steps.repositoriesReady> = async (_, { world, plan, target }) => {
  const cluster = await world.clusters.of(target.cluster);
  const namespaces = new Set(plan.applications.flatMap((application) => application.namespaces));
  const ours = ((await cluster.list(kinds.backupRepositories, target.veleroNamespace)) ?? [])
    .map(repositoryState)
    .filter(({ storageLocation, namespace }) => storageLocation === target.storageLocation && namespaces.has(namespace));
  const waiting = ours.filter(({ ready }) => !ready);
  if (waiting.length > 0) return { kind: "not-yet", about: waiting.map(({ namespace, message }) => `${namespace} is not Ready${message ? `: ${message}` : ""}`).join("; ") };
  return { kind: "done", value: { repositories: ours.length } };
};

/** What the point needs of the cluster, held against what the cluster has. A restore over objects that exist changes nothing and says `Completed`. */
export const checkTarget: Work<typeof steps.checkTarget> = async ({ point, applications }, { world, plan, target, call, log }) => {
  const { contents, volumes } = await readPoint(world.home, call.ref, point);
  const due = plan.applications.filter(({ name }) => applications === undefined || applications.includes(name));
  const cluster = await world.clusters.of(target.cluster);
  const namespaces = [...new Set(due.flatMap((application) => application.namespaces))];
  const ours = new Set(restoreNames(call.ref.runId, due.map(({ name }) => name)));
  const wantedClasses = new Set([...(target.source === null ? [] : plan.secondary.storageClasses), ...namespaces.flatMap((namespace) => contents.namespaces[namespace]?.storageClasses ?? [])]);
  const unread = (what: string, fact: Readonly<Record<string, string>>) => (error: unknown) => {
    // Where it cannot be looked at, the restore will say.
    log(what, { run: call.ref.runId, ...fact, because: error instanceof Error ? error.message : String(error) });
    return [];
  };
  const [classes, definitions, occupied, ending, refusing] = await Promise.all([
    cluster.list(kinds.storageClasses, null),
    cluster.list(kinds.customResourceDefinitions, null),
    Promise.all(namespaces.map((namespace) => occupants(cluster, namespace, ours))),
    Promise.all(namespaces.map(async (namespace) => whyEnding(cluster, namespace).catch(unread("namespace.unread", { namespace })))),
    webhooksOf(cluster).then((webhooks) => blockedBy(contents, namespaces, webhooks)).catch(unread("webhooks.unread", {})),
  ]);
  const known = new Set((classes ?? []).map(({ metadata }) => metadata.name));
  const reasons = [
    ...[...wantedClasses].filter((name) => !known.has(name)).map((name) => `there is no storage class ${name}: volumes would come back empty`),
    ...unknownKinds(contents, plan, (definitions ?? []).flatMap((definition) => customKindIn(definition) ?? [])),
    ...due.flatMap((application) => whyNotHeld(contents, volumes, application)),
    ...occupied.flat(),
    ...ending.flat(),
    ...refusing.map((webhook) => `nobody answers for the ${webhook}, and the cluster refuses what it should judge: bring its service back up in ${target.region}, or take the webhook away by hand, and start again`),
  ];
  return reasons.length === 0 ? { kind: "able" } : { kind: "unable", reasons };
};

/** What a list gives has no kind of its own. */
const customKindIn = (definition: KubeObject): CustomKind | null =>
  customKindOf({ apiVersion: kinds.customResourceDefinitions.apiVersion, kind: "CustomResourceDefinition", namespace: null, name: definition.metadata.name, object: definition });

/** A namespace that is being deleted takes nothing new, and Velero would wait for its end. What holds it is for a person to let go: it may be cleaning up something real. */
async function whyEnding(cluster: Cluster, namespace: string): Promise<string[]> {
  const found = await cluster.get(kinds.namespaces, null, namespace);
  const since = found?.metadata.deletionTimestamp;
  if (since === undefined) return [];
  const held = namespaceHeldBy(found);
  return [`namespace ${namespace} is being deleted since ${since} and has not come to its end${held === "" ? "" : ` (${held})`}: see what holds it with \`kubectl get namespace ${namespace} -o yaml\`, let that finish, and start again`];
}

/** Workloads and claims in a namespace that no restore of this run has brought. */
async function occupants(cluster: Cluster, namespace: string, ours: ReadonlySet<string>): Promise<string[]> {
  const lists = await Promise.all(occupying.map(async (kind) => (await cluster.list(kind, namespace)) ?? []));
  const foreign = lists.flat().filter(({ metadata }) => !ours.has(metadata.labels?.[restoredByLabel] ?? ""));
  if (foreign.length === 0) return [];
  const names = foreign.slice(0, 3).map(({ metadata }) => metadata.name);
  return [`namespace ${namespace} is not empty (${names.join(", ")}${foreign.length > 3 ? ` and ${foreign.length - 3} more` : ""}): a restore would skip what is there; move it away first`];
}
