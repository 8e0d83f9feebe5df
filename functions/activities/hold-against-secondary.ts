import type { Contents } from "../../shared/domain/contents.ts";
import type { Evidence } from "../../shared/domain/evidence.ts";
import type { Finding } from "../../shared/domain/findings.ts";
import { type Kind, kinds } from "../../shared/domain/kinds.ts";
import { namespacesOf } from "../../shared/domain/ladder-levels.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { type Parity, parity } from "../../shared/domain/parity.ts";
import { emptyRegister, type Register } from "../../shared/domain/register.ts";
import { newestFirst } from "../../shared/domain/restore-point-choice.ts";
import { isQueued, isUnderWay } from "../../shared/domain/restore-run.ts";
import { apisNeeded, type Quota, secondaryFit, type SecondarySeen } from "../../shared/domain/secondary-fit.ts";
import { standingOf } from "../../shared/domain/standing.ts";
import { type Target, targetOf } from "../../shared/domain/target.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { BlobUnreadable, type Cluster, type KubeObject, WorldError } from "../../shared/ports.ts";
import { provingOf, tell } from "./check-backups.ts";
import { alignPoint, pointFiles, viewOf } from "./make-ready.ts";
import { leaseLook } from "./lease-look.ts";
import type { Duty, Work } from "./perform.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";
import { ownPodsOf, webhooksOf } from "./see-state.ts";
import type { PointFound, Records } from "./restore-points/records.ts";
import { trafficDrift } from "./traffic-drift.ts";

/** Points whose import is held against their blobs at each verification, the newest: a failover takes one of these. */
const pointsHeld = 5;

/**
 * The secondary's cluster as it is now, held against the newest proven point: would it fit? And its Velero's view of the usable points, held
 * against their blobs. A point that was imported half-copied is imported anew: Velero itself never looks again. No blob is touched. And whether
 * the public name still leads where the ledger says, and the primary's lease agent still renews.
 */
export const holdAgainstSecondary: Work<typeof steps.holdAgainstSecondary> = async (_, duty) => {
  const { world, plan } = duty;
  const at = world.clock.now();
  const register = await readRegister(world.home, plan.plan);
  const { newestProven } = standingOf(register, plan, at);
  const [looked, drift, lease] = await Promise.all([lookAt(duty, register, newestProven?.name ?? null, at), trafficDrift(duty), leaseLook(duty)]);
  const findings = [...looked.findings, ...drift, ...lease];
  const found: Register = { ...emptyRegister, secondary: { at, point: newestProven?.name ?? null, findings, evidence: looked.evidence } };
  tell(duty, (await mergeIntoRegister(world.home, plan, found, at)).changed);
  return { point: newestProven?.name ?? null, findings: findings.length, imported: looked.imported };
};

interface Looked {
  readonly findings: readonly Finding[];
  readonly evidence: readonly Evidence[];
  readonly imported: readonly string[];
}

/** A cluster that cannot be asked is `unknown`, with its words. */
async function lookAt(duty: Duty, register: Register, newest: string | null, at: number): Promise<Looked> {
  const { world, plan } = duty;
  const { records, planHash } = provingOf(world, plan);
  const content = newest === null ? null : ((await records.found(newest))?.content ?? null);
  try {
    const target = targetOf(plan, "failover");
    const cluster = await world.clusters.of(target.cluster);
    const held = await heldPoints(duty, cluster, target, register, records, at);
    const view = held.views.filter(({ name }) => name === newest).map(({ ok, about }): Evidence => ({ level: "parity", rung: "readable", ok, about, at, planHash, expiresAt: at + plan.backups.verifyEverySeconds * 1_000 }));
    if (newest === null || content === null) return { ...held, evidence: view };
    const fit = secondaryFit(newest, content.contents, plan, await seenOf(duty, cluster, content.contents), at, planHash);
    return { findings: [...fit.findings, ...held.findings], evidence: [...view, ...fit.evidence], imported: held.imported };
  } catch (error) {
    if (!(error instanceof WorldError)) throw error;
    const fact = `the secondary's cluster could not be asked: ${error.message}`;
    return { findings: [{ kind: "unknown", point: newest, fact }], evidence: [{ level: "api", rung: "readable", ok: "unknown", about: fact, at, planHash, expiresAt: at }], imported: [] };
  }
}

/** Each question by itself: a right that is missing for one leaves only that one unknown. */
async function seenOf({ world, plan }: Duty, cluster: Cluster, contents: Contents): Promise<SecondarySeen> {
  const versions = [...apisNeeded(contents, plan).keys()];
  const state = orUnknown(async () => world.aks.read(plan.secondary.cluster));
  const names = async (kind: Kind) => orUnknown(async () => ((await cluster.list(kind, null)) ?? []).map(({ metadata }) => metadata.name));
  const [served, storageClasses, ingressClasses, quotas, aks, webhooks, ownPods, storeKey] = await Promise.all([
    cluster.serves === undefined ? null : orUnknown(async () => Object.fromEntries(await Promise.all(versions.map(async (version) => [version, (await cluster.serves?.(version)) ?? null] as const)))),
    names(kinds.storageClasses),
    names(kinds.ingressClasses),
    orUnknown(async () => (await Promise.all(namespacesOf(plan).map(async (namespace) => (await cluster.list(kinds.resourceQuotas, namespace)) ?? []))).flat().map(quotaOf)),
    state,
    orUnknown(async () => webhooksOf(cluster)),
    orUnknown(async () => ownPodsOf(cluster, world.clock.now())),
    orUnknown(async () => (await world.replication.encryptionKey?.(replicaAccount(plan))) ?? null),
  ]);
  return { served, storageClasses, ingressClasses, quotas, pools: aks?.pools ?? null, state: { webhooks, ownPods, identity: aks?.identity ?? null, storeKey } };
}

const replicaAccount = ({ storage }: Plan): string => (storage.topology === "shared" ? storage.account : storage.replica.account);

async function orUnknown<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorldError) return null;
    throw error;
  }
}

function quotaOf({ metadata: { name, namespace = "" }, ...object }: KubeObject): Quota {
  const { hard = {}, used = {} } = (object["status"] ?? {}) as { readonly hard?: Record<string, string>; readonly used?: Record<string, string> };
  const spec = (object["spec"] ?? {}) as { readonly hard?: Record<string, string> };
  return { namespace, name, limits: Object.fromEntries(Object.entries({ ...spec.hard, ...hard }).map(([resource, value]) => [resource, { hard: value, used: used[resource] ?? "0" }])) };
}

interface Held extends Omit<Looked, "evidence"> {
  /** How each of them stands there after this look. */
  readonly views: readonly { readonly name: string; readonly ok: boolean | "unknown"; readonly about: string }[];
}

async function heldPoints(duty: Duty, cluster: Cluster, target: Target, register: Register, records: Records, at: number): Promise<Held> {
  const { plan } = duty;
  const usable = Object.entries(register.points).map(([name, { restorePoint, firstSeenAt }]) => ({ name, takenAt: restorePoint.takenAt, usable: restorePoint.usable.kind === "usable" && restorePoint.reached !== null, firstSeenAt }));
  const findings: Finding[] = [];
  const imported: string[] = [];
  const views: Held["views"][number][] = [];
  for (const { name, firstSeenAt } of newestFirst(usable.filter(({ usable }) => usable)).slice(0, pointsHeld)) {
    const found = await records.found(name);
    const files = await orWhy(() => filesOf(duty, target, name, found));
    if (files.kind === "not") {
      findings.push({ kind: "unknown", point: name, fact: files.why });
      views.push({ name, ok: "unknown", about: `it could not be held against the secondary's Velero: ${files.why}` });
      continue;
    }
    const view = await viewOf(cluster, target, name);
    const compared = parity(files.value, view.backup, view.copies);
    const settled = compared.kind === "differs" && !(await inUse(duty, cluster, target)) ? await orWhy(() => importedAnew(cluster, target, name, files.value)) : null;
    if (settled?.kind === "done") imported.push(name);
    const fact = factOf(compared, settled, at > firstSeenAt + plan.backups.replicationDeadlineSeconds * 1_000);
    if (fact !== null) findings.push({ kind: "view-differs", point: name, fact });
    views.push({ name, ...viewToldOf(compared, settled) });
  }
  return { findings, imported, views };
}

/** What became of one point's part of the look. `null` in its place: it was left as it is. */
type Became<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "not"; readonly why: string };

/** What goes wrong with one point is said of it, and the others go on. A cluster or a store that does not answer is thrown on. */
async function orWhy<T>(act: () => Promise<T>): Promise<Became<T>> {
  try {
    return { kind: "done", value: await act() };
  } catch (error) {
    if (!(error instanceof Error) || (error instanceof WorldError && !(error instanceof BlobUnreadable))) throw error;
    return { kind: "not", why: error.message };
  }
}

const filesOf = async ({ world }: Duty, target: Target, name: string, found: PointFound | null) => found?.content?.files ?? pointFiles(world.backups, target, name);

/** While a run or anybody's restore is under way, the objects that it goes by are left alone. */
async function inUse({ ledger, plan }: Duty, cluster: Cluster, { veleroNamespace }: Target): Promise<boolean> {
  if ((await ledger.head(plan.plan)).run !== null) return true;
  const restores = (await cluster.list(kinds.restores, veleroNamespace)) ?? [];
  return restores.some((restore) => {
    const { phase = "" } = (restore["status"] ?? {}) as { readonly phase?: string };
    return isQueued({ phase }) || isUnderWay({ phase });
  });
}

async function importedAnew(cluster: Cluster, target: Target, name: string, files: Parameters<typeof alignPoint>[3]): Promise<"dropped and imported anew" | "completed"> {
  const { replaced } = await alignPoint(cluster, target, name, files);
  return replaced > 0 ? "dropped and imported anew" : "completed";
}

/** What was imported anew was read back, and is the same now. */
function viewToldOf(compared: Parity, settled: Became<string> | null): { readonly ok: boolean | "unknown"; readonly about: string } {
  switch (compared.kind) {
    case "equal":
      return { ok: true, about: "the secondary's Velero shows the same backup" };
    case "absent":
      return { ok: "unknown", about: "the secondary's Velero does not show this backup yet; a failover imports it" };
    case "differs":
      return settled?.kind === "done" ? { ok: true, about: `the secondary's Velero shows the same backup since it was ${settled.value}` } : { ok: false, about: `the secondary's Velero shows another backup of this name: ${compared.what}` };
  }
}

/** `null`: the cluster shows what the blobs say, or has time left to import it. */
function factOf(compared: Parity, settled: Became<string> | null, overdue: boolean): string | null {
  switch (compared.kind) {
    case "equal":
      return null;
    case "absent":
      return overdue ? "the secondary's Velero does not show this backup: its sync, or its storage location, does not work" : null;
    case "differs":
      return `${compared.what}; ${settled === null ? "a run or a restore is under way, so it was left as it is" : settled.kind === "done" ? `the imported object was ${settled.value}` : `it could not be imported anew: ${settled.why}`}`;
  }
}
