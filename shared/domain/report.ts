/**
 * The report of a run: a pure function of what the ledger holds. Everything that a reader sees, in whatever form, comes from this one
 * object, so no two forms can disagree.
 */
import type { DecisionCard } from "./decision.ts";
import type { Verdict } from "./health.ts";
import type { SelfFence } from "./lease.ts";
import type { ToldFinding } from "./findings.ts";
import { type FenceFound, fenceLevel, type Closed, type Quieted } from "./fence.ts";
import type { Entry, Head, OpenRun } from "./ledger.ts";
import type { Outcome, PassedOver, Phase } from "./outcome.ts";
import type { Plan, Topology } from "./plan.ts";
import { decidedBy } from "./report-decision.ts";
import type { RestoreEnd } from "./restore-run.ts";

export interface Report {
  readonly format: 1;
  readonly runId: string;
  readonly kind: OpenRun["kind"];
  readonly outcome: Outcome["kind"];
  /** The outcome in a sentence. */
  readonly summary: string;
  readonly plan: string;
  readonly planHash: string;
  readonly topology: Topology;
  readonly epoch: number;
  readonly opened: { readonly at: string; readonly door: OpenRun["door"]; readonly by: string; readonly reason: string };
  readonly endedAt: string;
  /** From when the loss was first seen to the first green outside probe; `null` when users were not moved. */
  readonly rtoSeconds: number | null;
  readonly objectives: Plan["objectives"];
  readonly restorePoint: { readonly name: string; readonly takenAt: string; readonly lossSeconds: number; readonly items: number; readonly volumeBytes: number } | null;
  readonly passedOver: readonly PassedOver[];
  /** What was wrong with the plan's restore points when one was chosen. */
  readonly findings: readonly ToldFinding[];
  readonly steps: readonly ReportStep[];
  readonly confirmation: Verdict | null;
  /** `by`: who decided, in a sentence; `null` where it did not come to a decision. */
  readonly decision: { readonly card: DecisionCard | null; readonly by: string | null; readonly asked: string | null; readonly answers: OpenRun["decisions"]; readonly abort: OpenRun["abort"] };
  readonly fence: { readonly level: string; readonly about: string } | null;
  /** The region that users were sent to, before the run and after it. */
  readonly traffic: { readonly before: string; readonly after: string };
  readonly checks: readonly { readonly check: string; readonly saw: string }[];
  readonly pointsOfNoReturn: { readonly data: string | null; readonly traffic: string | null };
  readonly acts: readonly ReportAct[];
  readonly next: readonly string[];
  /** What somebody outside saw, where somebody looked. */
  readonly observed: Observed | null;
  /** Hash chain over the ledger's entries of all phases that had ended. */
  readonly digest: string;
}

/** Seen by an independent client through the public name. It knows nothing of the ledger, so it may contradict it. */
export interface Observed {
  readonly by: string;
  readonly lastGoodAt: string | null;
  readonly firstGoodAt: string | null;
  /** From the last good answer to the first good one after it. */
  readonly rtoSeconds: number | null;
  /** What the page showed then, in its own words. */
  readonly shows: string | null;
  /** Writes that the primary accepted after it was fenced. */
  readonly writesToPrimary: number;
  /** Seconds of its clock in a second of ours: 1 but in a lab. */
  readonly rate: number;
  /** Content of a volume, written before the loss and read where it was restored: SHA-256 in lower-case hex; `after` null: not found. Absent: none was written. */
  readonly canary?: { readonly equal: boolean; readonly before: string; readonly after: string | null };
  /** What does not fit together; empty when the report and the observer agree. */
  readonly disagrees: readonly string[];
}

interface Ends {
  readonly primary: boolean;
  readonly secondary: boolean;
}

export interface ReportStep {
  readonly name: Phase;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly seconds: number | null;
  readonly outcome: string;
}

/** One record of the ledger, in the order of time. */
export interface ReportAct {
  readonly at: string;
  readonly step: string;
  readonly key: string;
  readonly phase: Phase;
  /** `unknown`: it was begun, and nothing says what came of it. */
  readonly seconds: number | "unknown";
}

export interface ReportInput {
  readonly head: Head;
  readonly run: OpenRun;
  readonly plan: Plan;
  readonly entries: readonly Entry[];
  readonly outcome: Outcome;
  readonly endedAt: number;
}

export function buildReport({ head, run, plan, entries, outcome, endedAt }: ReportInput): Report {
  const outcomes = entries.filter(({ kind }) => kind === "outcome").toSorted((a, b) => a.at - b.at);
  const open = unanswered(entries);
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the ledger holds JSON; each caller names the answer of the step it asks for
  const found = <T>(step: string): T | null => (outcomes.find((entry) => entry.step === step)?.value as T | undefined) ?? null;

  const confirmed = found<{ kind: "done"; value: Verdict }>("confirm-loss")?.value ?? null;
  const weighed = found<{ kind: string; card?: DecisionCard; text?: string; passedOver?: PassedOver[] }>("weigh-restore-points");
  const chosen = found<{ kind: string; point?: { name: string; takenAt: number; lossSeconds: number; items: number; volumeBytes: number }; passedOver: PassedOver[]; findings?: ToldFinding[] }>("choose-restore-point");
  const opened = found<{ kind: string; before?: Ends; after?: Ends }>("open-secondary");
  const seen = found<{ kind: "done"; value: { at: number } }>("seen-from-outside");
  const verified = found<{ kind: "done"; value: { checks: { check: string; saw: string }[] } }>("verify-applications");
  const { point } = chosen ?? {};

  return {
    format: 1,
    runId: run.id,
    kind: run.kind,
    outcome: outcome.kind,
    summary: summaryOf(outcome, run.kind),
    plan: plan.plan,
    planHash: run.planHash,
    topology: plan.storage.topology,
    epoch: run.epoch,
    opened: { at: instant(run.openedAt), door: run.door, by: run.by, reason: run.reason },
    endedAt: instant(endedAt),
    rtoSeconds: seen === null ? null : seconds(lossSeenAt(run, confirmed), seen.value.at),
    objectives: plan.objectives,
    restorePoint: point === undefined ? null : { name: point.name, takenAt: instant(point.takenAt), lossSeconds: point.lossSeconds, items: point.items, volumeBytes: point.volumeBytes },
    passedOver: chosen?.passedOver ?? weighed?.passedOver ?? [],
    findings: chosen?.findings ?? [],
    steps: run.phases.map((note) => stepOf(note, outcome, endedAt)),
    confirmation: confirmed,
    decision: { card: weighed?.card ?? null, by: run.question === null ? null : decidedBy(run, plan, weighed?.card?.withinRpo === false), asked: run.question?.text ?? null, answers: run.decisions, abort: run.abort },
    fence: fenceOf(run, plan.fence, found("close-primary"), found("quiet-primary"), found<{ value: SelfFence }>("agent-closed")?.value ?? null),
    traffic: trafficOf({ head, run, plan, opened: opened?.after ?? null, closed: found<Closed>("close-primary")?.kind === "closed", reopened: found<{ kind: string }>("reopen-primary")?.kind === "reopened", open: open.map(({ step }) => step) }),
    checks: [...remarkableRestores(outcomes), ...(verified?.value.checks ?? [])],
    pointsOfNoReturn: { data: instantOrNull(run.pointsOfNoReturn.data), traffic: instantOrNull(run.pointsOfNoReturn.traffic) },
    acts: [...outcomes, ...open]
      .toSorted((a, b) => a.at - b.at)
      .map(({ step, key, phase, kind, startedAt, at }) => ({ at: instant(at), step, key, phase, seconds: kind === "outcome" ? seconds(startedAt, at) : "unknown" })),
    next: nextOf(outcome, plan),
    observed: null,
    digest: head.digest,
  };
}

/** What was begun and has no outcome: it may have happened. The report itself is the one act that is under way while this is read. */
function unanswered(entries: readonly Entry[]): readonly Entry[] {
  const same = (one: Entry, other: Entry): boolean => one.phase === other.phase && one.step === other.step && one.key === other.key;
  return entries.filter((entry) => entry.kind === "intent" && entry.phase !== "report" && !entries.some((other) => other.kind === "outcome" && same(entry, other)));
}

/** Restores that are whole and yet not as they should be, and those that had to be asked for again: whoever relies on them must know. */
function remarkableRestores(outcomes: readonly Entry[]): Report["checks"] {
  return outcomes.flatMap(({ step, key, value }) => {
    if (step !== "restore-ended") return [];
    const { value: end } = value as { readonly kind: "done"; readonly value: RestoreEnd };
    if (end.kind === "interrupted") return [{ check: `restore ${key}`, saw: "Velero's server ended in the middle of it; the same was restored again" }];
    return end.kind === "degraded" ? [{ check: `restore ${key}`, saw: `degraded: ${end.why}` }] : [];
  });
}

/** The loss began, as far as we saw it ourselves; what was asked for by a person began when they asked. */
const lossSeenAt = (run: OpenRun, confirmed: Verdict | null): number => (confirmed?.kind === "lost" ? Math.min(confirmed.since, run.openedAt) : run.openedAt);

function stepOf({ phase, startedAt, endedAt: at, outcome }: OpenRun["phases"][number], end: Outcome, endedAt: number): ReportStep {
  // The report is the step that is being taken while this is written; a phase nobody ended is the one the run ended in.
  const last = at ?? endedAt;
  return { name: phase, startedAt: instant(startedAt), endedAt: instant(last), seconds: seconds(startedAt, last), outcome: outcome ?? (phase === "report" ? "done" : end.kind) };
}

interface TrafficFacts {
  readonly head: Head;
  readonly run: OpenRun;
  readonly plan: Plan;
  readonly opened: Ends | null;
  readonly closed: boolean;
  readonly reopened: boolean;
  /** Steps that were begun and did not answer. */
  readonly open: readonly string[];
}

/** By what was done and read back, whatever the outcome is called. */
function trafficOf({ head: { active, promotedBy }, run, plan: { primary, secondary }, opened, closed, reopened, open }: TrafficFacts): Report["traffic"] {
  // A run that halted past the data point left the primary's endpoint closed; whether a person has opened it since, nobody looked.
  const inPrimary = promotedBy === null || reopened ? primary.name : "unknown";
  const before = active === "primary" ? inPrimary : secondary.name;
  if (opened?.secondary) return { before, after: secondary.name };
  if (run.pointsOfNoReturn.traffic !== null) return { before, after: "unknown" };
  if (open.includes("reopen-primary") || (open.includes("close-primary") && !reopened)) return { before, after: "unknown" };
  // Behind a fence that stands, the public name leads nowhere until a person decides.
  return { before, after: closed && !reopened ? "nobody" : before };
}

function fenceOf(run: OpenRun, { suspend }: Plan["fence"], closed: Closed | null, quieted: Quieted | null, agent: SelfFence | null): Report["fence"] {
  if (closed === null || quieted === null) return null;
  const found: FenceFound = fenceLevel(closed, quieted, suspend, agent);
  const forced = run.decisions.find(({ about, verdict }) => about === "fence" && verdict === "approve");
  if (forced) return { level: `forced by ${forced.by}`, about: `${found.about}; ${forced.reason}` };
  return { level: found.kind === "level" ? found.level : "none", about: found.about };
}

export function summaryOf(outcome: Outcome, kind: OpenRun["kind"]): string {
  switch (outcome.kind) {
    case "recovered":
      return `The application runs again from ${outcome.restorePoint}${outcome.unprotected ? "; it is unprotected until it is reprotected in the other direction" : ""}.`;
    case "not-failed-over":
      return `${kind === "failover" ? "Nobody failed over" : "Nothing was restored"}: ${outcome.why}.`;
    case "declined":
      return `The failover was declined: ${outcome.why}.`;
    case "aborted":
      return `Aborted by ${outcome.by}. ${outcome.left.length === 0 ? "Everything was undone." : `Left: ${outcome.left.join("; ")}.`}`;
    case "nothing-restorable":
      return `No restore point can be used; traffic was not touched.`;
    case "target-not-ready":
      return `The target cannot take the load: ${outcome.reasons.join("; ")}. Traffic was not touched.`;
    case "halted":
      return `Halted in ${outcome.phase} at ${outcome.step}: ${outcome.cause}. Next: ${outcome.next}.`;
    case "refused":
      return `Refused: ${outcome.why}.`;
  }
}

function nextOf(outcome: Outcome, plan: Plan): readonly string[] {
  switch (outcome.kind) {
    case "recovered":
      return outcome.unprotected
        ? [`Reprotect ${plan.plan} in the other direction as soon as ${plan.primary.name} is back: until then ${plan.secondary.name} has no replica elsewhere.`, `Keep ${plan.primary.name} fenced when it returns: its data is older than what users write now.`]
        : ["Find out who deleted it."];
    case "halted":
      return [outcome.next];
    case "nothing-restorable":
      return ["Mend the backups named above, or start a failover by hand with another plan version that accepts an older point."];
    case "target-not-ready":
      return outcome.reasons.map((reason) => `Mend: ${reason}`);
    case "aborted":
      return outcome.left.map((left) => `Put right by hand: ${left}`);
    case "not-failed-over":
    case "declined":
    case "refused":
      return [];
  }
}

const instant = (at: number): string => new Date(at).toISOString();
const instantOrNull = (at: number | null): string | null => (at === null ? null : instant(at));
const seconds = (from: number, to: number): number => Math.round((to - from) / 100) / 10;
