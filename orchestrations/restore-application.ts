/** One application, brought back and watched to its true end. Its consumers come in held: suspended or scaled to zero. */
import type { ChosenPoint, RestorePart } from "../shared/domain/restore-run.ts";
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
    const started = yield* desk.run(steps.startRestore, { application: input.application, part, point: input.point }, `${input.application}-${part}`);
    if (started === null) continue;
    // Velero takes one Restore at a time. The step itself counts the deadline from its turn; here is the bound for all turns together.
    const deadlineMs = input.deadlineMs * started.turns;
    const ended = yield* desk.until(steps.restoreEnded, { part: started, storeTakesWrites: input.storeTakesWrites }, restoreWaiting(deadlineMs), started.name);
    if (ended.kind === "late") throw new StepFailed("restore-ended", `${started.name} is not at its end after ${deadlineMs / 1_000} s: ${ended.about}`);
    if (ended.value.kind === "broken") throw new StepFailed("restore-ended", `${started.name}: ${ended.value.why}`);
    parts.push(started);
  }
  return parts;
});
