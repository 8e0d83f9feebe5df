/** How long each runbook waits for what, and how a plan's words become the desk's. Pure. */
import type { FenceFound } from "./fence.ts";
import { spoken } from "./decision.ts";
import { type Verdict, verdictText } from "./health.ts";
import { instantText } from "./instant.ts";
import type { Plan } from "./plan.ts";

const s = 1_000;
const min = 60 * s;

/**
 * The first pause, the longest, and when to stop waiting, in milliseconds. Deadlines are several times the longest duration in
 * docs/latencies.md for that wait.
 */
export const waits = {
  capacity: { pauseMsFirst: 2 * s, pauseMsMax: 15 * s, deadlineMs: 15 * min },
  lock: { pauseMsFirst: 1 * s, pauseMsMax: 10 * s, deadlineMs: 5 * min },
  velero: { pauseMsFirst: 1 * s, pauseMsMax: 10 * s, deadlineMs: 10 * min },
  verification: { pauseMsFirst: 1 * s, pauseMsMax: 10 * s, deadlineMs: 10 * min },
  outside: { pauseMsFirst: 1 * s, pauseMsMax: 5 * s, deadlineMs: 10 * min },
  backup: { pauseMsFirst: 2 * s, pauseMsMax: 30 * s, deadlineMs: 60 * min },
} as const;

/** Quick at first, for a small backup is there in seconds; until the plan says that it is late, and one look after that, so that the last one says so. */
export const replicationWaiting = (deadlineSeconds: number) => ({ pauseMsFirst: 2 * s, pauseMsMax: 60 * s, deadlineMs: deadlineSeconds * s + 5 * s });

/**
 * All witnesses are asked at the plan's own pace. For a machine the runbook waits a little longer than the plan's give-up time, so that
 * its verdict can arrive; a person who asked for the failover waits for one soak and no longer.
 */
export const confirmWaiting = ({ confirmation }: Plan, door: "alert" | "http" | "timer") => ({
  pauseMsFirst: confirmation.everySeconds * s,
  pauseMsMax: confirmation.everySeconds * s,
  deadlineMs: door === "http" ? confirmation.soakSeconds * s : confirmation.giveUpSeconds * s + 5 * min,
});

/** One more look before the fence, at the pace of the confirmation and for one soak: what agreed then must agree again. */
export const stillLostWaiting = ({ confirmation }: Plan) => ({ pauseMsFirst: confirmation.everySeconds * s, pauseMsMax: confirmation.everySeconds * s, deadlineMs: confirmation.soakSeconds * s });

/** Four looks a second at first: a small application is restored in three seconds, and each second of waiting would be one of being dark. */
export const restoreWaiting = (deadlineMs: number) => ({ pauseMsFirst: 0.25 * s, pauseMsMax: 15 * s, deadlineMs });

/** Names of the applications, wave by wave. */
export function wavesOf({ applications }: Plan): string[][] {
  const waves = [...new Set(applications.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => applications.filter((application) => application.wave === wave).map(({ name }) => name));
}

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
