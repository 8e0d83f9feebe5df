/** Writes the report around a runbook, so that no ending can forget it, and closes the run in the ledger. */
import type { Outcome, Phase } from "../shared/domain/outcome.ts";
import { type Desk, type Runbook, type RunbookDefinition, StepFailed, defineRunbook, tried } from "./runbook.ts";
import { steps } from "./steps.ts";

export function reported<In>(runbook: RunbookDefinition<In, Outcome>): RunbookDefinition<In, Outcome> {
  return defineRunbook(runbook.name, function* (desk: Desk, input: In): Runbook<Outcome> {
    const outcome = yield* endOf(desk, runbook.body(desk, input));
    // The ledger has gone on without this run: its record and its report are not ours to write.
    if (outcome.kind === "refused") return outcome;
    // A run ends in the phase that it could not go on from, but for standing down, which it does to the end.
    const ended = outcome.kind === "recovered" || desk.reached() === "stand-down" ? "done" : outcome.kind;
    yield* desk.phase("report", ended); // 11.
    // A run whose report cannot be written is over all the same: left open, it would hold its plan for ever.
    yield* tried(desk.run(steps.report, { outcome }));
    yield* desk.run(steps.closeRun, { outcome });
    return outcome;
  });
}

/**
 * For a run whose own instance is gone: it came to its end without closing the run, which only a person can go on from. Started by the
 * watchdog; it writes what is known and gives the plan free.
 */
export const closeAbandoned = defineRunbook("close-abandoned", function* (desk: Desk, { reached }: { readonly reached: Phase }): Runbook<Outcome> {
  const outcome: Outcome = { kind: "halted", phase: reached, step: runbookItself, cause: "the instance of this run ended without closing it", next: "find out from the ledger what was done and what is fenced; nothing was undone" };
  yield* desk.phase("report", outcome.kind);
  yield* tried(desk.run(steps.report, { outcome }));
  yield* desk.run(steps.closeRun, { outcome });
  return outcome;
});

/** How the runbook ended, whatever happened in it: even what it did not foresee is an ending, with a report. */
function* endOf(desk: Desk, body: Runbook<Outcome>): Runbook<Outcome> {
  try {
    return yield* body;
  } catch (error) {
    if (error instanceof StepFailed && error.superseded) return { kind: "refused", why: error.because };
    const halted = { kind: "halted", phase: desk.reached(), next: "find out from the ledger what was done and what is fenced; nothing was undone" } as const;
    if (error instanceof StepFailed) return { ...halted, phase: error.phase ?? halted.phase, step: error.step, cause: error.because };
    return { ...halted, step: runbookItself, cause: error instanceof Error ? error.message : String(error) };
  }
}

/** Where a mistake of the runbook's own is reported. */
const runbookItself = "runbook";
