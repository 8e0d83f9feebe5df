/** How long each runbook waits for what, and how a plan's words become the desk's. Pure. */
import type { Plan } from "./plan.ts";
import type { AgentTerms } from "./plan-agent.ts";

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
 * All witnesses are asked at the plan's own pace, and who looks gives up by the plan's own time. A machine that could not look at all (its hosts
 * were down, the home account was silent) looks anew for an hour more: the region does not come back because nobody saw that it is gone. A
 * person who asked for the failover waits for one soak and no longer.
 */
export const confirmWaiting = ({ confirmation }: Plan, door: "alert" | "http" | "timer") => ({
  pauseMsFirst: confirmation.everySeconds * s,
  pauseMsMax: confirmation.everySeconds * s,
  deadlineMs: door === "http" ? confirmation.soakSeconds * s : confirmation.giveUpSeconds * s + 60 * min,
});

/** One more look before the fence, at the pace of the confirmation and for one soak: what agreed then must agree again. */
export const stillLostWaiting = ({ confirmation }: Plan) => ({ pauseMsFirst: confirmation.everySeconds * s, pauseMsMax: confirmation.everySeconds * s, deadlineMs: confirmation.soakSeconds * s });

/** Four looks a second at first: a small application is restored in three seconds, and each second of waiting would be one of being dark. */
export const restoreWaiting = (deadlineMs: number) => ({ pauseMsFirst: 0.25 * s, pauseMsMax: 15 * s, deadlineMs });

/** As long as the silence of the agent in the primary needs to prove something, and a renewal more: then whatever there is to be known is known. */
export const agentWaiting = ({ renewSeconds, leaseSeconds, closingSeconds, marginSeconds }: AgentTerms) => ({ pauseMsFirst: 1 * s, pauseMsMax: Math.min(5, renewSeconds) * s, deadlineMs: (leaseSeconds + closingSeconds + marginSeconds + 2 * renewSeconds) * s + 30 * s });

/** One that reaches home reads at its next renewal that it may open, opens, and says so at once. */
export const agentOpeningWaiting = ({ renewSeconds }: AgentTerms) => ({ pauseMsFirst: 1 * s, pauseMsMax: Math.min(5, renewSeconds) * s, deadlineMs: 2 * renewSeconds * s + 30 * s });

/** Names of the applications, wave by wave. */
export function wavesOf({ applications }: Plan): string[][] {
  const waves = [...new Set(applications.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => applications.filter((application) => application.wave === wave).map(({ name }) => name));
}
