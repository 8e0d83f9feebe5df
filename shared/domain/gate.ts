/**
 * The gates in front of the points of no return: what must be on record, of this very run and under its own plan version, before one is
 * passed. They believe no value that a runbook carried, only what is read from the ledger at that moment. Pure.
 */
import { isAbove, isGreater } from "./asked.ts";
import { type Closed, fenceLevel, isEnough, type Quieted } from "./fence.ts";
import { instantText } from "./instant.ts";
import type { SelfFence } from "./lease.ts";
import { type DecisionCard, spoken } from "./decision.ts";
import type { Decision, Entry, OpenRun } from "./ledger.ts";
import type { Phase } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import { type Choice, restoreTriesMax } from "./restore-run.ts";

/** Where each piece of evidence stands in a run's records. */
export const gateRecords = {
  decided: { phase: "decide", step: "put-question", key: "decision" },
  weighed: { phase: "decide", step: "weigh-restore-points", key: "" },
  closed: { phase: "fence", step: "close-primary", key: "" },
  quieted: { phase: "fence", step: "quiet-primary", key: "" },
  forced: { phase: "fence", step: "put-question", key: "fence" },
  selfFenced: { phase: "fence", step: "agent-closed", key: "" },
  chosen: { phase: "choose", step: "choose-restore-point", key: "" },
  lossAgreed: { phase: "choose", step: "put-question", key: "loss" },
  verified: { phase: "verify", step: "verify-applications", key: "" },
} as const satisfies Readonly<Record<string, { readonly phase: Phase; readonly step: string; readonly key: string }>>;

export type GateRecord = keyof typeof gateRecords;

/** The steps that a gate stands in. A run that has no record of either came to none. */
export const gatedSteps: readonly string[] = ["pass-data-point", "open-secondary"];
export type Records = { readonly [R in GateRecord]: Entry | null };

/** What each point of no return asks for. */
const asked = {
  data: ["decided", "closed", "quieted", "chosen"],
  traffic: ["decided", "closed", "quieted", "chosen", "verified"],
} as const satisfies Readonly<Record<"data" | "traffic", readonly GateRecord[]>>;

/**
 * How old a look at the world may be when a gate goes by it, in seconds; an older one is taken anew there (functions/activities/gate-looks.ts). A
 * quarter of an hour: a run that waits for nobody comes from its fence to a gate in less.
 */
export const looksCountSeconds = 900;

/** How long a run may stand still, or wait for people, behind its last decision: it was about what was then, and a day later somebody else has acted. */
const decisionCountsSeconds = 86_400;

/** The time that restores may take between the data and the traffic point, all tries of all parts one after the other: a slow run is none that stood still. */
export const restoringSeconds = ({ applications, restore }: Plan): number => applications.length * 2 * restoreTriesMax * restore.deadlineSeconds;

/** What keeps the gate shut, each in words; empty: the point may be passed. */
export function gateLacks(point: "data" | "traffic", run: OpenRun, plan: Plan, records: Records, at: number): readonly string[] {
  const wanted: readonly GateRecord[] = asked[point];
  const missing = wanted.filter((record) => records[record] === null).map((record) => `there is no record of ${named(record)}`);
  const foreign = (Object.keys(gateRecords) as GateRecord[]).flatMap((record) => foreignTo(run, records[record], record));
  // What is not there, or not of this run, is not read.
  if (missing.length + foreign.length > 0) return [...missing, ...foreign];
  return [...decisionLacks(point, plan, records, at), ...fenceLacks(plan, records), ...choiceLacks(point, plan, records, at), ...(point === "traffic" ? verificationLacks(records) : [])];
}

const named = (record: GateRecord): string => {
  const { step, key } = gateRecords[record];
  return key === "" ? step : `${step} (${key})`;
};

/** Evidence counts for one run, one epoch and one plan version; the plan version names the target. */
function foreignTo(run: OpenRun, entry: Entry | null, record: GateRecord): readonly string[] {
  if (entry === null) return [];
  if (entry.runId !== run.id || entry.epoch !== run.epoch) return [`the record of ${named(record)} is of ${entry.runId}, epoch ${entry.epoch}, and this is ${run.id}, epoch ${run.epoch}`];
  if (entry.planHash !== run.planHash) return [`the record of ${named(record)} was made under another version of the plan (${entry.planHash.slice(0, 12)}, not ${run.planHash.slice(0, 12)})`];
  if (entry.kind !== "outcome") return [`the record of ${named(record)} says what was meant, not what came of it`];
  return [];
}

const kindOf = (value: unknown): string => (typeof value === "object" && value !== null && "kind" in value ? String(value.kind) : "nothing");

/** The value of a record, as the step that wrote it answers. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the ledger holds JSON; each caller names the answer of the step it asks for
const valueOf = <T>(entry: Entry | null): T | null => (entry === null ? null : (entry.value as T));

/** It was go, and is not of another day. What people agreed to later on counts from then. */
function decisionLacks(point: "data" | "traffic", plan: Plan, { decided, forced, lossAgreed }: Records, at: number): readonly string[] {
  const verdict = valueOf<Answered>(decided)?.verdict;
  if (kindOf(verdict) !== "go") return [`the decision was ${kindOf(verdict)}, not go`];
  const decidedAt = Math.max(...[decided, forced, lossAgreed].flatMap((record) => (record === null ? [] : [record.at])));
  const countsSeconds = decisionCountsSeconds + (point === "traffic" ? restoringSeconds(plan) : 0);
  return at - decidedAt <= countsSeconds * 1_000 ? [] : [`the decision is of ${instantText(decidedAt)}, longer ago than the ${spoken(countsSeconds)} that it counts: the run stood still, start another`];
}

/** The fence as it was found is enough for the plan, or a person took the rest upon themselves. */
function fenceLacks(plan: Plan, { closed, quieted, selfFenced, forced }: Records): readonly string[] {
  const [end, inside] = [valueOf<Closed>(closed), valueOf<Quieted>(quieted)];
  if (end === null || inside === null) return ["nobody knows how far the primary is fenced"];
  // Its wait may have ended without an answer; then there is none on record.
  const found = fenceLevel(end, inside, plan.fence.suspend, valueOf<{ readonly value: SelfFence }>(selfFenced)?.value);
  return isEnough(found, plan.fence) || saidByPerson(forced) ? [] : [`the fence is not enough for this plan and nobody took it upon themselves: ${found.about}`];
}

/** A point was chosen, lives on, and loses no more than was decided upon. */
function choiceLacks(point: "data" | "traffic", plan: Plan, { chosen, weighed, decided, lossAgreed }: Records, at: number): readonly string[] {
  const choice = valueOf<Choice>(chosen);
  if (choice === null || choice.kind !== "chosen") return ["no restore point was chosen"];
  const { name, expiresAt } = choice.point;
  const card = valueOf<{ readonly card?: DecisionCard }>(weighed)?.card;
  const greater = card !== undefined && isGreater(plan, card, choice.point);
  return [
    // Once it is restored it may expire; 0: it has no end.
    ...(point === "data" && expiresAt !== 0 && expiresAt <= at ? [`restore point ${name} expired at ${instantText(expiresAt)}`] : []),
    ...(greater && kindOf(valueOf<Answered>(lossAgreed)?.verdict) !== "go" ? [`with restore point ${name} more is lost than was decided upon, and nobody agreed to the greater loss`] : []),
    ...(isAbove(plan, choice.point) && !saidByPerson(greater ? lossAgreed : decided) ? [`restore point ${name} loses more than the plan's objective allows, and no person agreed to it`] : []),
  ];
}

/** What a question came to, as `putQuestion` keeps it. */
interface Answered {
  readonly verdict?: unknown;
  readonly decisions?: readonly Pick<Decision, "verdict">[];
}

/** Silence, and a plan that asks nobody, are no person's yes. */
function saidByPerson(answered: Entry | null): boolean {
  const answer = valueOf<Answered>(answered);
  return kindOf(answer?.verdict) === "go" && answer?.decisions?.some(({ verdict }) => verdict === "approve") === true;
}

function verificationLacks({ verified }: Records): readonly string[] {
  return kindOf(verified?.value) === "done" ? [] : ["nothing was verified in this run: users are not sent there"];
}
