/** What a step is, and what crosses between a runbook and an activity: plain JSON, nothing else. */
import type { Phase } from "../shared/domain/outcome.ts";
import type { Question, RunKind } from "../shared/domain/ledger.ts";

/** A name, two types, a bound. `records` says what its activity writes into the ledger. */
export interface Step<In, Out> {
  readonly name: string;
  readonly attempts: number;
  /** `act`: changes the world: intent before, outcome after, epoch checked. `answer`: a judgement worth keeping. `nothing`: a look. */
  readonly records: "act" | "answer" | "nothing";
  /** Never set: they carry the types. */
  readonly takes?: In;
  readonly gives?: Out;
}

/** Five attempts: about 15 s of pauses. */
const attemptsUsual = 5;

/** Looks; leaves no trace in the ledger. */
export const look = <In, Out>(name: string): Step<In, Out> => ({ name, attempts: attemptsUsual, records: "nothing" });
/** Looks and judges; the answer is kept. */
export const judgement = <In, Out>(name: string): Step<In, Out> => ({ name, attempts: attemptsUsual, records: "answer" });
/** Changes the world. */
export const act = <In, Out>(name: string): Step<In, Out> => ({ name, attempts: attemptsUsual, records: "act" });

/** Twenty-five attempts: about eight minutes of pauses, and at most 200 events of history. */
const attemptsPatient = 25;
/** For what ends a run, which would stay open and hold its plan; and for what is left once users are at the secondary: to give up there helps nobody. */
export const patient = <In, Out>(step: Step<In, Out>): Step<In, Out> => ({ ...step, attempts: attemptsPatient });

/** Which run a step belongs to. Travels with every call, so that an activity can ask the ledger whether it may still act. */
export interface RunRef {
  readonly runId: string;
  readonly plan: string;
  /** 0: no run at all (a verification, a replication check): it takes no act of a run, and what it puts right (docs/restore-points.md) it leaves alone while a run is open. */
  readonly epoch: number;
  readonly planHash: string;
  readonly kind: RunKind;
}

/** The input of every activity. */
export interface StepCall {
  readonly ref: RunRef;
  readonly phase: Phase | null;
  readonly step: string;
  readonly key: string;
  readonly input: unknown;
  /** One look of many: abort, which acts look for by themselves, is looked for here too, because such a wait may take hours. */
  readonly watched?: boolean;
}

/** The output of every activity: an answer, "try again", "this run may not act any more", or "somebody asked to stop". */
export type StepAnswer =
  | { readonly kind: "answer"; readonly value: unknown }
  | { readonly kind: "again"; readonly because: string; readonly retryAfterSeconds: number | null }
  | { readonly kind: "superseded"; readonly because: string }
  | { readonly kind: "aborted"; readonly by: string };

/** The answer of a step that is asked until it is done. `state` is given back to it at the next look. */
export type Look<Out> = { readonly kind: "done"; readonly value: Out } | { readonly kind: "not-yet"; readonly about: string; readonly state?: unknown };

/** A question to a person, or to the plan's own rule. */
export interface Asked extends Pick<Question, "about" | "approvalsNeeded" | "silence" | "text"> {
  readonly expiresSeconds: number;
}

/** The two steps that the desk itself takes. */
export const deskSteps = {
  turnPhase: patient(look<{ readonly end: { readonly phase: Phase; readonly outcome: string } | null; readonly begin: Phase | null }, { readonly abortBy: string | null }>("turn-phase")),
  putQuestion: look<Asked, { readonly kind: "waiting"; readonly expiresAt: number } | { readonly kind: "go"; readonly by: readonly string[] } | { readonly kind: "declined"; readonly why: string } | { readonly kind: "aborted"; readonly by: string }>("put-question"),
} as const;
