/** What people are asked, by the plan's own rule: whether to fail over, whether a weaker fence is enough, whether a greater loss is. Pure. */
import { spoken } from "./decision.ts";
import type { FenceFound } from "./fence.ts";
import { type Verdict, verdictText } from "./health.ts";
import { instantText } from "./instant.ts";
import type { Plan } from "./plan.ts";

/** What is asked before the failover, with what is down: `verdict` null where nobody could look. Whoever started it by hand has decided already. */
export function decisionAsked({ approval }: Plan, door: "alert" | "http" | "timer", by: string, points: string, verdict: Verdict | null = null) {
  const card = verdict === null ? points : `${verdictText(verdict)} ${points}`;
  const nobody = { about: "decision", approvalsNeeded: 0, silence: "go", expiresSeconds: 0 } as const;
  if (door === "http" && approval.mode !== "approval") return { ...nobody, text: `${card} Decided by ${by}, who started it.` };
  switch (approval.mode) {
    case "automatic":
      return { ...nobody, text: `${card} Nobody is asked: ${approval.because}` };
    case "veto":
      return { about: "decision", approvalsNeeded: 0, silence: "go", expiresSeconds: approval.windowSeconds, text: card } as const;
    case "approval":
      return { about: "decision", approvalsNeeded: approval.approvals, silence: "decline", expiresSeconds: approval.expiresSeconds, text: card } as const;
  }
}

/**
 * Asked when the point that was decided upon cannot be taken any more: what was agreed to was another loss. By the plan's own rule, as the
 * decision itself was.
 */
export function lossAsked({ approval }: Plan, door: "alert" | "http" | "timer", shown: LossShown, found: LossShown) {
  const text = `More is lost than was decided upon: ${shown.name}, taken ${instantText(shown.takenAt)}, cannot be used any more, and ${found.name}, taken ${instantText(found.takenAt)}, loses ${spoken((shown.takenAt - found.takenAt) / 1_000)} of changes more. Go on with it?`;
  if (approval.mode === "automatic" || (door === "http" && approval.mode !== "approval")) return { about: "loss", approvalsNeeded: 0, silence: "go", expiresSeconds: 0, text } as const;
  if (approval.mode === "veto") return { about: "loss", approvalsNeeded: 0, silence: "go", expiresSeconds: approval.windowSeconds, text } as const;
  return { about: "loss", approvalsNeeded: approval.approvals, silence: "decline", expiresSeconds: approval.expiresSeconds, text } as const;
}

/** A restore point as far as its loss goes. */
export interface LossShown {
  readonly name: string;
  readonly takenAt: number;
}

/** How long a person has to say that a weaker fence is enough. */
const fenceExpiresSeconds = 3_600;

export const fenceAsked = (found: FenceFound) =>
  ({ about: "fence", approvalsNeeded: 1, silence: "decline", expiresSeconds: fenceExpiresSeconds, text: `The primary may still take writes: ${found.about}. Go on all the same? Recorded as forced by whoever says so.` }) as const;
