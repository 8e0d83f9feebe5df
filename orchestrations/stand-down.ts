/**
 * The endings of a failover that does not recover. What is done depends on how far it came: before the points of no return everything is
 * undone; between them traffic is left alone and what must be rebuilt is said; after the traffic point there is only forward, with a person.
 */
import type { Quieted, Suspended } from "../shared/domain/fence.ts";
import type { Outcome } from "../shared/domain/outcome.ts";
import { type Desk, type Runbook, StepFailed, call } from "./runbook.ts";
import { steps } from "./steps.ts";

/** How far the fence came. Set before the act, so that one which failed to answer is undone too. */
export interface Fenced {
  begun: boolean;
  quieted: Quieted | null;
}

export type Ending = Extract<Outcome, { kind: "declined" | "aborted" | "nothing-restorable" | "target-not-ready" }> | { readonly kind: "failed"; readonly failure: StepFailed };

export function* standDown(desk: Desk, fenced: Fenced, ending: Ending): Runbook<Outcome> {
  // The ledger says what was passed: an act that did not answer may still have happened.
  const passed = yield* desk.run(steps.readPoints, {});
  if (passed.traffic) return halted(desk, ending, "users are at the secondary: finish the remaining steps by hand, then close the run");
  if (passed.data) {
    if (ending.kind === "aborted") return { ...ending, left: ["the replication policy is deleted: the replica is no longer copied to; create a new policy into a fresh container", "the primary's public endpoint is closed and its workloads are suspended as far as they could be reached"] };
    return halted(desk, ending, "the backups are promoted and traffic was not touched: mend the cause, then start the failover again");
  }
  const left = fenced.begun ? yield* undoFence(desk, fenced.quieted) : [];
  switch (ending.kind) {
    case "aborted":
      return { ...ending, left };
    case "failed":
      return halted(desk, ending, left.length === 0 ? "everything was undone; mend the cause, then start the failover again" : `undo by hand what is left: ${left.join("; ")}`);
    case "declined":
    case "nothing-restorable":
    case "target-not-ready":
      return ending;
  }
}

/** Opens the primary again. What cannot be undone, because the primary does not answer, is said and not forgotten. */
function* undoFence(desk: Desk, quieted: Quieted | null): Runbook<string[]> {
  const suspended: readonly Suspended[] = quieted === null || quieted.kind === "unreachable" ? [] : quieted.suspended;
  try {
    const { woken } = yield* desk.together({ reopened: call(steps.reopenPrimary, {}), woken: call(steps.wakePrimary, { suspended }) });
    return [...woken.left];
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return [`the fence of the primary (${error.step}: ${error.because})`];
  }
}

function halted(desk: Desk, ending: Ending, next: string): Outcome {
  const { step, cause } = whyOf(ending);
  return { kind: "halted", phase: (ending.kind === "failed" ? ending.failure.phase : null) ?? desk.reached(), step, cause, next };
}

function whyOf(ending: Ending): { step: string; cause: string } {
  switch (ending.kind) {
    case "failed":
      return { step: ending.failure.step, cause: ending.failure.because };
    case "aborted":
      return { step: "abort", cause: `abort was asked by ${ending.by}` };
    case "declined":
      return { step: "decide", cause: ending.why };
    case "nothing-restorable":
      return { step: "choose-restore-point", cause: "no restore point can be used" };
    case "target-not-ready":
      return { step: "check-target", cause: ending.reasons.join("; ") };
  }
}
