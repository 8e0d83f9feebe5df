/** One application, brought back and watched to its true end. Its consumers come in held: suspended or scaled to zero. */
import { type ChosenPoint, type RestorePart, restoreTriesMax } from "../shared/domain/restore-run.ts";
import { restoreWaiting } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, StepFailed, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

export interface RestoreInput {
  readonly application: string;
  readonly point: ChosenPoint;
  readonly storeTakesWrites: boolean;
  /** For one restore, from when Velero takes it. */
  readonly deadlineMs: number;
}

export const restoreApplication = defineRunbook("restore-application", function* (desk: Desk, input: RestoreInput): Runbook<readonly RestorePart[]> {
  const parts: RestorePart[] = [];
  // Consumers last: what they would consume is there by then, and still nobody acts.
  for (const part of ["main", "consumers"] as const) {
    const restored = yield* restorePart(desk, input, part);
    if (restored !== null) parts.push(restored);
  }
  return parts;
});

/** A part to its end. Velero gives up what it was restoring when its server ends: then by another Restore, which leaves what is there. */
function* restorePart(desk: Desk, { application, point, storeTakesWrites, deadlineMs: oneMs }: RestoreInput, part: RestorePart["part"]): Runbook<RestorePart | null> {
  const earlier: string[] = [];
  for (;;) {
    const started = yield* desk.run(steps.startRestore, { application, part, point, ...(earlier.length === 0 ? {} : { earlier: [...earlier] }) }, [application, part, ...(earlier.length === 0 ? [] : [earlier.length + 1])].join("-"));
    if (started === null) return null;
    // Velero takes one Restore at a time. The step itself counts the deadline from its turn; here is the bound for all turns together.
    const deadlineMs = oneMs * started.turns;
    const ended = yield* desk.until(steps.restoreEnded, { part: started, storeTakesWrites }, restoreWaiting(deadlineMs), started.name);
    if (ended.kind === "late") throw new StepFailed("restore-ended", `${started.name} is not at its end after ${deadlineMs / 1_000} s: ${ended.about}`);
    const end = ended.value;
    if (end.kind === "whole" || end.kind === "degraded") return started;
    earlier.push(started.name);
    if (end.kind === "broken") throw new StepFailed("restore-ended", `${started.name}: ${end.why}`);
    if (earlier.length === restoreTriesMax) throw new StepFailed("restore-ended", `Velero's server ended in the middle of ${earlier.join(", ")}: see why it does (${end.why})`);
  }
}
