/** Writes the report around a runbook, so that no ending can forget it, and closes the run in the ledger. */
import type { Outcome } from "../shared/domain/outcome.ts";
import { type Desk, type Runbook, type RunbookDefinition, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

export function reported<In>(runbook: RunbookDefinition<In, Outcome>): RunbookDefinition<In, Outcome> {
  return defineRunbook(runbook.name, function* (desk: Desk, input: In): Runbook<Outcome> {
    const outcome = yield* runbook.body(desk, input);
    yield* desk.phase("report"); // 11.
    yield* desk.run(steps.report, { outcome });
    yield* desk.run(steps.closeRun, { outcome });
    return outcome;
  });
}
