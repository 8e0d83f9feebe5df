/**
 * The endings of a failover that does not recover. What is done depends on how far it came: before the points of no return everything is
 * undone; between them traffic is left alone and what must be rebuilt is said; after the traffic point there is only forward, with a person.
 */
import type { Quieted } from "../shared/domain/fence.ts";
import type { Outcome, Phase } from "../shared/domain/outcome.ts";
import { type Desk, type Runbook, StepFailed } from "./runbook.ts";
import { steps } from "./steps.ts";

/** How far the fence came. Set before the act, so that one which failed to answer is undone too. */
export interface Fenced {
  begun: boolean;
  quieted: Quieted | null;
}

export type Ending = Extract<Outcome, { kind: "declined" | "aborted" | "nothing-restorable" | "target-not-ready" }> | { readonly kind: "failed"; readonly failure: StepFailed };

export function* standDown(desk: Desk, fenced: Fenced, ending: Ending): Runbook<Outcome> {
  const why = whyOf(ending, desk.reached());
  // The ledger says what was passed: an act that did not answer may still have happened.
  const passed = yield* desk.run(steps.readPoints, {});
  if (passed.traffic) return { ...why, next: "the traffic point of no return is passed, so there is only forward: see to it that users are at the secondary, and do the remaining steps by hand" };
  if (passed.data) {
    if (ending.kind === "aborted") return { ...ending, left: ["the replication policy is deleted: the replica is no longer copied to; create a new policy into a fresh container", "the primary's public endpoint is closed and its workloads are suspended as far as they could be reached"] };
    return { ...why, next: "the data point of no return is passed and traffic was not touched: mend the cause, then start the failover again" };
  }
  const left = fenced.begun ? yield* undoFence(desk, fenced.quieted, ending.kind) : [];
  if (ending.kind === "aborted") return { ...ending, left };
  if (left.length > 0) return { ...why, next: `undo by hand what is left: ${left.join("; ")}` };
  if (ending.kind === "failed") return { ...why, next: "everything was undone; mend the cause, then start the failover again" };
  return ending;
}

/**
 * Wakes the primary, then opens it: users who come back find it running. What cannot be undone, because the primary does not answer, is
 * said and not forgotten. A phase of its own, so that the records of the phase that failed stay as they were hashed.
 */
function* undoFence(desk: Desk, quieted: Quieted | null, ended: string): Runbook<string[]> {
  yield* desk.phase("stand-down", ended);
  const woken = yield* tried(desk.run(steps.wakePrimary, { quieted }));
  const reopened = yield* tried(desk.run(steps.reopenPrimary, {}));
  return [
    ...(woken.kind === "done" ? woken.value.left : [`what is suspended in the primary (${woken.because})`]),
    ...(reopened.kind === "done" ? [] : [`the primary's public endpoint may still be closed (${reopened.because})`]),
  ];
}

/** A step that may fail without keeping the next one from being taken. */
function* tried<Out>(step: Runbook<Out>): Runbook<{ readonly kind: "done"; readonly value: Out } | { readonly kind: "failed"; readonly because: string }> {
  try {
    return { kind: "done", value: yield* step };
  } catch (error) {
    if (!(error instanceof StepFailed) || error.superseded) throw error;
    return { kind: "failed", because: error.because };
  }
}

type Halt = Omit<Extract<Outcome, { kind: "halted" }>, "next">;

function whyOf(ending: Ending, reached: Phase): Halt {
  const halted = (step: string, cause: string, phase: Phase = reached): Halt => ({ kind: "halted", phase, step, cause });
  switch (ending.kind) {
    case "failed":
      return halted(ending.failure.step, ending.failure.because, ending.failure.phase ?? reached);
    case "aborted":
      return halted("abort", `abort was asked by ${ending.by}`);
    case "declined":
      return halted("put-question", ending.why);
    case "nothing-restorable":
      return halted("choose-restore-point", "no restore point can be used");
    case "target-not-ready":
      return halted("check-target", ending.reasons.join("; "), "make-ready");
  }
}
