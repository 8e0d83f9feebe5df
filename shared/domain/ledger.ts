/**
 * The ledger: one small head per plan, changed only by compare-and-swap, and write-once entries beside it. It, not the Durable
 * instance, says who runs, what was decided, whether abort was asked and which points of no return were passed. Everything here
 * is pure: a change is a function from head to head, or to the reason why not.
 */
import { type Intake, noIntake } from "./intake.ts";
import type { TakenOver } from "./ledger-takeover.ts";
import type { Outcome, Phase } from "./outcome.ts";
import { phases } from "./outcome.ts";

export interface Head {
  readonly format: 1;
  readonly plan: string;
  /** Grows by one with every run; a run owns exactly one. */
  readonly epoch: number;
  /** The region that serves users, as the last completed run left it. */
  readonly active: "primary" | "secondary";
  readonly run: OpenRun | null;
  readonly last: { readonly runId: string; readonly outcome: Outcome["kind"]; readonly endedAt: number } | null;
  /** The newest alerts and the runs that answered them, so that a late copy opens no second one. */
  readonly alerts: readonly { readonly alertId: string; readonly runId: string }[];
  /** Fired alerts that came while nothing could be started for them, oldest first. Their sender tells each only once. */
  readonly pendingAlerts: readonly PendingAlert[];
  /** What became of every notification that was taken. */
  readonly intake: Intake;
  readonly cooldownUntilAt: number | null;
  /** The run that passed the data point of no return and did not move users: whatever a later run undoes, the primary's data is no longer followed. */
  readonly promotedBy: string | null;
  /** Since when the active region has no proven replica elsewhere. */
  readonly unprotectedSinceAt: number | null;
  /** Hash chain over the entries of all phases that have ended. */
  readonly digest: string;
}

/** An alert that waits for the plan to be free. `rule` and `reason` become the run's own; `at`: when it came. */
export interface PendingAlert {
  readonly alertId: string;
  readonly rule: string;
  readonly reason: string;
  readonly at: number;
}

export type RunKind = "failover" | "recovery";
export type Door = "alert" | "http" | "timer";

/** What opened a run. `alertId` for alerts, the person's name for HTTP. */
export interface Opening {
  readonly kind: RunKind;
  readonly door: Door;
  readonly by: string;
  /** The person's id in the tenant; absent: no person opened it. They may not approve what they asked for. */
  readonly byId?: string;
  readonly reason: string;
  readonly alertId: string | null;
  /** Applications to recover in place; empty for a failover, which takes all. */
  readonly applications: readonly string[];
}

export interface OpenRun extends Opening {
  readonly id: string;
  readonly epoch: number;
  readonly openedAt: number;
  readonly planHash: string;
  readonly phases: readonly PhaseNote[];
  readonly question: Question | null;
  readonly decisions: readonly Decision[];
  readonly abort: { readonly by: string; readonly at: number; readonly reason: string } | null;
  readonly pointsOfNoReturn: { readonly data: number | null; readonly traffic: number | null };
  /** The run that hung and whose place this one took; absent: none. */
  readonly takenOver?: TakenOver;
}

export interface PhaseNote {
  readonly phase: Phase;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: string | null;
}

/** What a person is asked, and until when an answer counts. */
export interface Question {
  /** Names this question and nothing else: a digest of the run, its plan version, what is asked and what is shown. A yes must name it. */
  readonly id: string;
  /** `loss`: the point that was decided upon cannot be taken any more, and an older one loses more. */
  readonly about: "decision" | "fence" | "loss";
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly approvalsNeeded: number;
  /** What the run does when nobody answers in time: goes on (a veto window) or ends `declined`. */
  readonly silence: "go" | "decline";
  readonly text: string;
}

export interface Decision {
  readonly about: Question["about"];
  /** Which question was seen; `null`: not said, which is enough for a no. */
  readonly question: string | null;
  readonly verdict: "approve" | "deny";
  /** Who it is, by the tenant's own id: two people of one name are two. */
  readonly personId: string;
  readonly by: string;
  readonly at: number;
  readonly reason: string;
}

/** A change that was made, or why it was not. */
export type Changed = { readonly kind: "changed"; readonly head: Head } | { readonly kind: "refused"; readonly why: Refusal };
export type Refusal = "run-open" | "alert-handled" | "cooldown" | "stale-epoch" | "not-this-run" | "no-question" | "other-question" | "requester" | "expired" | "already-decided" | "past-no-return" | "already" | "already-moved";

const alertsKept = 50;
const pendingKept = 20;
/** Digest of a chain without links. */
export const emptyDigest = "0".repeat(64);

export function newHead(plan: string): Head {
  return { format: 1, plan, epoch: 0, active: "primary", run: null, last: null, alerts: [], pendingAlerts: [], intake: noIntake, cooldownUntilAt: null, promotedBy: null, unprotectedSinceAt: null, digest: emptyDigest };
}

export const runId = (plan: string, epoch: number): string => `${plan}-${epoch}`;

/** Opens a run, unless one is open, this alert was answered before, or the plan still rests from its last failover. */
export function openRun(head: Head, opening: Opening, planHash: string, at: number, ifEpoch: number | null = null): Changed {
  if (ifEpoch !== null && ifEpoch !== head.epoch) return refused("stale-epoch");
  if (opening.alertId !== null && head.alerts.some(({ alertId }) => alertId === opening.alertId)) return refused("alert-handled");
  if (head.run !== null) return refused("run-open");
  // The plan names its primary; until it is reprotected in the other direction there is nowhere to fail over to, and what is missing in
  // the primary must not come back there: users write elsewhere.
  if (head.active === "secondary") return refused("already-moved");
  if (opening.door === "alert" && head.cooldownUntilAt !== null && at < head.cooldownUntilAt) return refused("cooldown");
  const epoch = head.epoch + 1;
  const id = runId(head.plan, epoch);
  const run: OpenRun = {
    ...opening,
    id,
    epoch,
    openedAt: at,
    planHash,
    // Accepted is what this very write makes true.
    phases: [{ phase: "accept", startedAt: at, endedAt: at, outcome: "accepted" }],
    question: null,
    decisions: [],
    abort: null,
    pointsOfNoReturn: { data: null, traffic: null },
  };
  // A failover answers all that was told of the loss before it; a recovery in place answers none of it.
  const [pending, left] = opening.kind === "failover" ? [head.pendingAlerts, []] : [[], head.pendingAlerts];
  const answered = [...pending.map(({ alertId }) => alertId), ...(opening.alertId === null ? [] : [opening.alertId])];
  return changed({ ...head, epoch, run, alerts: remember(head, answered, id), pendingAlerts: left });
}

/** Keeps a fired alert until a run can be opened for it. */
export function keepAlert(head: Head, alert: PendingAlert): Changed {
  if (head.alerts.some(({ alertId }) => alertId === alert.alertId) || head.pendingAlerts.some(({ alertId }) => alertId === alert.alertId)) return refused("already");
  return changed({ ...head, pendingAlerts: [...head.pendingAlerts, alert].slice(-pendingKept) });
}

/** Forgets a kept alert: its sender says that the trouble is over. */
export function dropAlert(head: Head, id: string): Changed {
  if (!head.pendingAlerts.some(({ alertId }) => alertId === id)) return refused("already");
  return changed({ ...head, pendingAlerts: head.pendingAlerts.filter(({ alertId }) => alertId !== id) });
}

/** Notes that another alert belongs to a run already open or ended. */
export function joinAlert(head: Head, alertId: string, id: string): Changed {
  if (head.alerts.some((known) => known.alertId === alertId)) return refused("already");
  return changed({ ...head, alerts: remember(head, [alertId], id) });
}

function remember(head: Head, alertIds: readonly string[], id: string): Head["alerts"] {
  return [...head.alerts, ...[...new Set(alertIds)].map((alertId) => ({ alertId, runId: id }))].slice(-alertsKept);
}

/** Ends one phase and begins another, either of which may be left out. Doing it twice changes nothing more. */
export function turnPhase(head: Head, turn: PhaseTurn, at: number, digest: string | null): Changed {
  const { run } = head;
  if (run === null || run.epoch !== turn.epoch) return refused("not-this-run");
  let notes = run.phases;
  const { end, begin } = turn;
  if (end !== null) notes = notes.map((note) => (note.phase === end.phase && note.endedAt === null ? { ...note, endedAt: at, outcome: end.outcome } : note));
  if (begin !== null && !notes.some(({ phase }) => phase === begin)) notes = [...notes, { phase: begin, startedAt: at, endedAt: null, outcome: null }];
  notes = notes.toSorted((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase));
  return changed({ ...head, digest: digest ?? head.digest, run: { ...run, phases: notes } });
}

export interface PhaseTurn {
  readonly epoch: number;
  readonly end: { readonly phase: Phase; readonly outcome: string } | null;
  readonly begin: Phase | null;
}

/** Passes a point of no return. One compare-and-swap; refused once abort was asked, so that the two cannot cross. */
export function passPoint(head: Head, epoch: number, point: "data" | "traffic", at: number): Changed {
  const { run } = head;
  if (run === null || run.epoch !== epoch) return refused("not-this-run");
  if (run.pointsOfNoReturn[point] !== null) return refused("already");
  if (run.abort !== null) return refused("past-no-return");
  return changed({ ...head, run: { ...run, pointsOfNoReturn: { ...run.pointsOfNoReturn, [point]: at } } });
}

export function askQuestion(head: Head, epoch: number, question: Question): Changed {
  const { run } = head;
  if (run === null || run.epoch !== epoch) return refused("not-this-run");
  if (run.question?.about === question.about) return refused("already");
  return changed({ ...head, run: { ...run, question } });
}

/**
 * A person's answer. The same person answers one question once, and a question that has its answer takes no other. A yes must name the very
 * question that it was shown, and is no word of whoever asked for the run; a no is taken from anybody who may give one.
 */
export function decide(head: Head, id: string, decision: Decision): Changed {
  const { run } = head;
  if (run === null || run.id !== id) return refused("not-this-run");
  if (run.question === null || run.question.about !== decision.about) return refused("no-question");
  if (decision.at >= run.question.expiresAt) return refused("expired");
  if (decision.verdict === "approve" && decision.question !== run.question.id) return refused("other-question");
  if (decision.verdict === "approve" && decision.personId === run.byId) return refused("requester");
  if (run.decisions.some(({ about, personId }) => about === decision.about && personId === decision.personId)) return refused("already-decided");
  if (judge(run, decision.about, decision.at).kind !== "waiting") return refused("already-decided");
  return changed({ ...head, run: { ...run, decisions: [...run.decisions, decision] } });
}

/** Asks a run to stop. After the traffic point of no return there is only forward. */
export function abort(head: Head, id: string, by: string, reason: string, at: number): Changed {
  const { run } = head;
  if (run === null || run.id !== id) return refused("not-this-run");
  if (run.pointsOfNoReturn.traffic !== null) return refused("past-no-return");
  if (run.abort !== null) return refused("already");
  return changed({ ...head, run: { ...run, abort: { by, at, reason } } });
}

/** What the answers to the open question amount to at this instant. */
export function judge(run: OpenRun, about: Question["about"], at: number): { readonly kind: "waiting" } | { readonly kind: "go"; readonly by: readonly string[] } | { readonly kind: "declined"; readonly why: string } {
  const { question } = run;
  if (question === null || question.about !== about) return { kind: "waiting" };
  const answers = run.decisions.filter((decision) => decision.about === about);
  const denied = answers.find(({ verdict }) => verdict === "deny");
  if (denied) return { kind: "declined", why: `${denied.by} said no: ${denied.reason}` };
  // Where silence would be enough, a word is: an approval ends a veto window.
  if (answers.length >= Math.max(question.approvalsNeeded, 1)) return { kind: "go", by: answers.map(({ by }) => by) };
  if (at < question.expiresAt) return { kind: "waiting" };
  return question.silence === "go" ? { kind: "go", by: ["nobody objected within the window"] } : { kind: "declined", why: `nobody answered in time (${answers.length} of ${question.approvalsNeeded} approvals)` };
}

/** Ends the run. The head keeps what later runs need; everything else is in the entries and the report. */
export function closeRun(head: Head, epoch: number, outcome: Outcome, at: number, cooldownSeconds: number, digest: string): Changed {
  const { run } = head;
  if (run === null || run.epoch !== epoch) return refused("not-this-run");
  const moved = run.kind === "failover" && run.pointsOfNoReturn.traffic !== null;
  const rests = moved || (run.kind === "failover" && isStopped(run, outcome));
  return changed({
    ...head,
    run: null,
    digest,
    active: moved ? "secondary" : head.active,
    pendingAlerts: moved ? [] : head.pendingAlerts,
    last: { runId: run.id, outcome: outcome.kind, endedAt: at },
    promotedBy: moved ? null : run.pointsOfNoReturn.data !== null ? run.id : head.promotedBy,
    cooldownUntilAt: rests ? at + cooldownSeconds * 1_000 : head.cooldownUntilAt,
    unprotectedSinceAt: moved ? at : head.unprotectedSinceAt,
  });
}

/** A person's no: the next alert of the same loss must not start what was just stopped. Silence is nobody's no. */
const isStopped = ({ decisions }: OpenRun, { kind }: Outcome): boolean => kind === "aborted" || (kind === "declined" && decisions.some(({ verdict }) => verdict === "deny"));

const changed = (head: Head): Changed => ({ kind: "changed", head });
const refused = (why: Refusal): Changed => ({ kind: "refused", why });

// ---------------------------------------------------------------- entries

/** One write-once record: what a step meant to do, or what came of it. */
export interface Entry {
  readonly runId: string;
  readonly epoch: number;
  readonly planHash: string;
  readonly phase: Phase;
  readonly step: string;
  readonly key: string;
  readonly kind: "intent" | "outcome";
  readonly startedAt: number;
  readonly at: number;
  readonly value: unknown;
}

/** Six digits, so that names sort as numbers do. */
const padded = (epoch: number) => String(epoch).padStart(6, "0");

export const headName = (plan: string): string => `ledger/${plan}/head.json`;
export const entriesPrefix = (plan: string, epoch: number, phase?: Phase): string =>
  `ledger/${plan}/${padded(epoch)}/${phase === undefined ? "" : `${String(phases.indexOf(phase) + 1).padStart(2, "0")}-${phase}/`}`;
export const entryName = (plan: string, epoch: number, phase: Phase, step: string, key: string, kind: Entry["kind"]): string =>
  `${entriesPrefix(plan, epoch, phase)}${step}${key === "" ? "" : `.${key}`}.${kind}.json`;
