/** Runbooks that exist for the tests of the desk alone: one for each of its verbs. */
import { type Runbook, type RunbookDefinition, type Waiting, call, defineRunbook, start } from "../../orchestrations/runbook.ts";
import { steps } from "../../orchestrations/steps.ts";

const runOnce = defineRunbook("run-once", function* (desk) {
  return yield* desk.run(steps.warmTarget, {});
});

const waitUntil = defineRunbook("wait-until", function* (desk, waiting: Waiting) {
  return yield* desk.until(steps.veleroAlive, {}, waiting);
});

const sideBySide = defineRunbook("side-by-side", function* (desk) {
  return yield* desk.together({ target: call(steps.assessTarget, {}), points: call(steps.readPolicy, {}), store: call(steps.reopenPrimary, {}) });
});

const breaks = defineRunbook("breaks", function* (desk): Runbook<never> {
  yield* desk.run(steps.readPoints, {});
  throw new TypeError("a mistake of ours");
});

const breaksInside = defineRunbook("breaks-inside", function* (desk) {
  return yield* desk.together({ broken: start(breaks, {}) });
});

/** Known to `test/orchestrations/app` only. */
export const trials: readonly RunbookDefinition<never, unknown>[] = [runOnce, waitUntil, sideBySide, breaks, breaksInside];
