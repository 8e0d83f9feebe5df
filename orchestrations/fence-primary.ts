/** The fence of a failover: what can be closed from here, and the word of the agent in there where there is one. Undone by stand-down.ts. */
import { type FenceFound, fenceLevel, isEnough } from "../shared/domain/fence.ts";
import type { Plan } from "../shared/domain/plan.ts";
import { agentWaiting } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, call } from "./runbook.ts";
import type { Fenced } from "./stand-down.ts";
import { steps } from "./steps.ts";

/** The level that was reached. Where what we reached ourselves is not enough for the plan, the agent is waited for, and no longer than its lease lasts. */
export function* fencePrimary(desk: Desk, plan: Plan, fenced: Fenced): Runbook<FenceFound> {
  const { agent, suspend } = plan.fence;
  fenced.begun = true;
  // First, so that it begins while we try by ourselves.
  if (agent !== undefined) yield* desk.run(steps.askAgent, {});
  const { closed, quieted } = yield* desk.together({ closed: call(steps.closePrimary, {}), quieted: call(steps.quietPrimary, {}) });
  fenced.quieted = quieted;
  const found = fenceLevel(closed, quieted, suspend);
  // Over an open endpoint there is no level, whatever the agent says.
  if (agent === undefined || closed.kind === "open" || isEnough(found, plan.fence)) return found;
  const word = yield* desk.until(steps.agentClosed, {}, agentWaiting(agent));
  return fenceLevel(closed, quieted, suspend, word.kind === "done" ? word.value : { kind: "no", about: word.about });
}
