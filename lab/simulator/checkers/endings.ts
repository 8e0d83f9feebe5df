/** Whether what the app says at the end is so: S7, S9, S10, S13, S15, S16, S23, L1, L6, L9. */
import { kinds } from "../../../shared/domain/kinds.ts";
import type { Report } from "../../../shared/domain/report.ts";
import { planName, rpoSeconds } from "../plan.ts";
import { shelves, wholeOn } from "../shelves.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";
import { opens, yesTo } from "./writers.ts";

/** The reports that were written, oldest first. */
export function reportsOf(evidence: Evidence): readonly Report[] {
  const reports = readOf.get(evidence) ?? readReports(evidence);
  readOf.set(evidence, reports);
  return reports;
}

/** Every checker asks for them, of a run that has ended. */
const readOf = new WeakMap<Evidence, readonly Report[]>();

function readReports({ sim }: Evidence): readonly Report[] {
  return [...sim.pair.home.blobs].filter(([name]) => /^reports\/[^/]+\/report\.json$/.test(name)).map(([, { body }]) => JSON.parse(body) as Report).toSorted((a, b) => a.epoch - b.epoch);
}

export function comesToItsEnd({ sim, rested, witness }: Evidence): readonly Violation[] {
  const at = sim.scheduler.now;
  const head = sim.head();
  if (!rested) return [wrong("L1", at, `after a day ${head?.run === null || head === null ? "something still goes on" : `${head.run.id} is still open, in ${head.run.phases.at(-1)?.phase}`}`)];
  const opened = new Set(witness.heads.flatMap((one) => one.head.run?.id ?? []));
  const stuck = [...sim.hub.instances.values()].filter(({ id, status }) => opened.has(id) && status === "Failed");
  return stuck.map(({ id, output }) => wrong("L1", at, `the instance ${id} broke: ${String(output)}`));
}

/** Who was told "it stops" sees it stopped; who was told "too late" sees it go on. */
export function abortIsTrue(evidence: Evidence): readonly Violation[] {
  const reports = reportsOf(evidence);
  return evidence.told.flatMap(({ deed, runId, status, at }) => {
    if (deed.kind !== "abort") return [];
    const report = reports.find((one) => one.runId === runId);
    if (status === 202 && report?.outcome === "recovered") return [wrong("S7", at, `abort of ${runId} was taken, and it recovered all the same`)];
    if (status === 409 && report?.outcome === "aborted") return [wrong("S7", at, `abort of ${runId} was too late, as was said, and it was aborted all the same`)];
    return [];
  });
}

/** What is said to be undone is undone, and where traffic is said to be it is. */
export function reportIsTrue(evidence: Evidence): readonly Violation[] {
  const { sim } = evidence;
  const { front, accounts, topology, world, clusters } = sim.pair;
  const report = reportsOf(evidence).at(-1);
  if (report === undefined || sim.head()?.run !== null) return [];
  const at = sim.scheduler.now;
  const no = (what: string): Violation => wrong("S23", at, `${report.runId} is ${report.outcome}, and ${what}`);
  const violations: Violation[] = [];
  const last = sim.head()?.last;
  if (last?.runId === report.runId && last.outcome !== report.outcome) violations.push(no(`the ledger says that it is ${last.outcome}`));
  const { after } = report.traffic;
  if (after === "westeurope" && !front.isOpen("primary")) violations.push(no("says that users are at westeurope, whose endpoint is closed"));
  if (after === "nobody" && (front.isOpen("primary") || front.isOpen("secondary"))) violations.push(no("says that the name leads nowhere, and an endpoint is open"));
  if (after === "northeurope" && !front.isOpen("secondary")) violations.push(no("says that users are at northeurope, whose endpoint is closed"));
  if (after !== "northeurope" && after !== "unknown" && front.isOpen("secondary")) violations.push(no("users are at northeurope"));
  if (report.outcome === "recovered") violations.push(...recoveredIsTrue(evidence).map(no));
  const undone = ["not-failed-over", "declined", "nothing-restorable", "target-not-ready"].includes(report.outcome) || (report.outcome === "aborted" && !report.next.some((line) => /endpoint|suspended/.test(line))) || report.next.some((line) => line.includes("everything was undone"));
  // What an earlier run left closed is not this one's to open.
  const openedAt = Date.parse(report.opened.at);
  const openBefore = evidence.witness.seen.findLast(({ effect }) => effect.at <= openedAt)?.primaryOpen ?? true;
  if (undone && openBefore) {
    if (!front.isOpen("primary")) violations.push(no("the primary's endpoint is closed"));
    const { objects } = clusters.westeurope;
    const asleep = [...(objects.list(kinds.deployments, "shop") ?? []), ...(objects.list(kinds.statefulSets, "shop") ?? [])].filter((object) => (object["spec"] as { replicas?: number }).replicas === 0);
    if (asleep.length > 0 && world.reach("westeurope") === "up") violations.push(no(`${asleep.map(({ metadata }) => metadata.name).join(", ")} in the primary is still stopped`));
    if (topology === "replicated" && accounts.policyOn("stshopneu") === null && [null, report.runId].includes(sim.head()?.promotedBy ?? null)) violations.push(no("the replication policy is gone"));
  }
  return violations;
}

function recoveredIsTrue({ sim }: Evidence): readonly string[] {
  const { front, clusters } = sim.pair;
  const { objects, ready } = clusters.northeurope;
  const said: string[] = [];
  if (front.isOpen("primary")) said.push("the primary's endpoint is open");
  if (ready("order-mailer") !== 1) said.push("the mailer does not run");
  if ((objects.get(kinds.cronJobs, "shop", "invoice-run")?.["spec"] as { suspend?: boolean } | undefined)?.suspend !== false) said.push("the invoice run is suspended");
  if (!(objects.list(kinds.backups, "velero") ?? []).some((backup) => (backup["spec"] as { storageLocation?: string }).storageLocation === "own" && (backup["status"] as { phase?: string } | undefined)?.phase === "Completed")) said.push("no backup of the new region is Completed");
  if ((objects.list(kinds.schedules, "velero") ?? []).length === 0) said.push("the new region has no schedule");
  return said;
}

/**
 * The point that was taken was whole, and not more is lost than was said. Where all five witnesses lie at once nobody can know that the
 * primary was not dark: the loss is then as true as they are.
 */
export function lossIsTrue(evidence: Evidence): readonly Violation[] {
  const { sim, witness } = evidence;
  return reportsOf(evidence).flatMap((report) => {
    const point = report.restorePoint;
    if (point === null) return [];
    const at = Date.parse(report.endedAt);
    const taken = shelves[sim.scenario.shelf].find(({ name }) => name === point.name);
    if (taken === undefined || taken.missing.length > 0 || taken.cut.length > 0 || taken.phase !== "Completed") return [wrong("S16", at, `${point.name} was taken, which is not whole`)];
    if (report.outcome !== "recovered" || sim.scenario.loss.kind === "liars") return [];
    const lost = (witness.lastWriteAt() - taken.takenAt) / 1_000;
    return point.lossSeconds + 1 < lost ? [wrong("S15", at, `${point.lossSeconds} s of changes are said to be lost, and ${Math.round(lost)} s are`)] : [];
  });
}

/** Where more is lost than the plan's objective allows, a person was asked and said yes before users were sent to it. */
export function lossAgreed(evidence: Evidence): readonly Violation[] {
  const { sim, witness } = evidence;
  if (sim.scenario.plan.tight !== true || sim.scenario.loss.kind === "liars") return [];
  return witness.seen.filter(opens).flatMap((seen) => {
    const taken = shelves[sim.scenario.shelf].find(({ snapshot }) => snapshot === seen.volume);
    const runId = seen.head?.run?.id;
    const { at } = seen.effect;
    const lost = taken === undefined ? 0 : (witness.lastWriteAt() - taken.takenAt) / 1_000;
    const agreed = yesTo(runId, evidence, at, (about) => about !== "fence").size > 0;
    return lost <= rpoSeconds.tight || agreed ? [] : [wrong("S15", at, `users are sent to the secondary, which lost ${Math.round(lost)} s of changes, more than the objective allows, and no person said yes to ${runId}`)];
  });
}

/** Every alert that was acknowledged is answered by a run, waits for one, or was taken back; and one alert opened one run at most. */
export function alertsAreKept({ sim, told, witness }: Evidence): readonly Violation[] {
  const at = sim.scheduler.now;
  // What is refused is so with its reason, in the answer itself.
  const taken = told.flatMap(({ deed, body }) => (deed.kind === "alert" && ((body as { runs?: readonly { readonly kind: string }[] }).runs ?? []).some(({ kind }) => kind !== "refused") ? [deed] : []));
  const kept = new Set(witness.heads.flatMap(({ head }) => [...head.alerts, ...head.pendingAlerts].map(({ alertId }) => alertId)));
  const head = sim.head();
  const waits = head?.active === "secondary" ? [] : (head?.pendingAlerts ?? []);
  const lost = [...taken.filter(({ alertId }) => !kept.has(`${alertId}/${planName}`)).map(({ alertId }) => `the alert ${alertId} was acknowledged and is nowhere`), ...waits.map(({ alertId }) => `the alert ${alertId} still waits for its run`)];
  const runs = new Map<string, Set<string>>();
  for (const { head } of witness.heads) {
    const { run } = head;
    if (run?.alertId == null) continue;
    runs.set(run.alertId, (runs.get(run.alertId) ?? new Set()).add(run.id));
  }
  const doubled = [...runs].filter(([, ids]) => ids.size > 1);
  const recoveredAt = witness.heads.find(({ head }) => head.last?.outcome === "recovered")?.at ?? Number.POSITIVE_INFINITY;
  const after = witness.heads.find(({ at: opened, head }) => opened > recoveredAt && head.run !== null);
  return [
    ...lost.map((what) => wrong("S9", at, what)),
    ...doubled.map(([alertId, ids]) => wrong("S10", at, `the alert ${alertId} opened ${[...ids].join(" and ")}`)),
    ...(after === undefined ? [] : [wrong("S13", after.at, `${after.head.run?.id} is opened for plan ${planName} after users were moved`)]),
  ];
}

/** One lost answer, one crash, one repeat changes nothing: what can be recovered is. */
export function recovers(evidence: Evidence): readonly Violation[] {
  const { sim, told } = evidence;
  const { loss, plan, shelf, troubles, deeds } = sim.scenario;
  const small = troubles.every((trouble) => trouble.kind === "again" || trouble.kind === "crash" || (trouble.kind === "pause" && trouble.forMs < 60_000) || (trouble.kind === "call" && trouble.times === 1 && troubles.filter(({ kind }) => kind === "call").length <= 2));
  const whole = wholeOn(shelves[shelf]) !== null;
  const lost = loss.kind === "region" && loss.forMs === null;
  const lets = plan.approval === "automatic" && plan.tight !== true && (plan.trafficOnly || plan.agent === true) && !deeds.some(({ kind }) => kind === "abort" || kind === "resolved" || kind === "edit-plan");
  const asked = told.some(({ deed, status }) => (deed.kind === "alert" || deed.kind === "start") && status === 202);
  if (!small || !whole || !lost || !lets || !asked) return [];
  const report = reportsOf(evidence).at(-1);
  return report?.outcome === "recovered" ? [] : [wrong("L6", sim.scheduler.now, `it could have recovered, and is ${report === undefined ? "without a report" : `${report.outcome}: ${report.summary.slice(0, 300)}`}`)];
}
