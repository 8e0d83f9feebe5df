/** Whether an open run has stood still for longer than any of its steps may take. Pure. */
import { restoringSeconds } from "./gate.ts";
import type { OpenRun } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** Of the waits whose length is not the plan's own, the longest is an hour, for the first backup of the new region. */
const phaseSecondsMax = 5_400;

/** Since when nothing has moved, UTC ms; `null`: it moves, restores as long as the plan lets it, or people still have time to answer. */
export function stalledSince({ openedAt, phases, decisions, question }: OpenRun, plan: Plan, at: number): number | null {
  if (question !== null && at < question.expiresAt) return null;
  const movedAt = Math.max(openedAt, ...phases.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt ?? startedAt]), ...decisions.map((decision) => decision.at));
  const restores = phases.some(({ phase, endedAt }) => phase === "restore" && endedAt === null);
  const seconds = restores ? Math.max(phaseSecondsMax, restoringSeconds(plan)) : phaseSecondsMax;
  return at - movedAt > seconds * 1_000 ? movedAt : null;
}
