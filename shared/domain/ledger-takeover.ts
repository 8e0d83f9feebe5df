/**
 * Takeover: a person opens the next run over one that hangs. The epoch grows, so whatever the dead run still does is refused; what it
 * passed and fenced is inherited, so that nothing is forgotten and nothing is done twice. Pure.
 */
import { type Changed, type Head, type OpenRun, type Opening, runId } from "./ledger.ts";

/** The run that was taken over, and what it left. */
export interface TakenOver {
  readonly runId: string;
  readonly epoch: number;
  readonly at: number;
  /** Whether it had begun to fence: the primary may be closed and quieted by it. */
  readonly fenced: boolean;
}

export interface TakeOver extends Pick<Opening, "by" | "byId" | "reason"> {
  /** The run that is meant; another one that is open by now is left alone. */
  readonly runId: string;
  readonly ifEpoch: number;
  /** The plan version of the new run. */
  readonly planHash: string;
  /** Digest of the chain over all that the dead run wrote. */
  readonly digest: string;
  /** The digest that it was grown from: no link may have come in between. */
  readonly digestBefore: string;
}

/**
 * Opens a run of the same kind over the open one. It inherits the points of no return; decisions and an abort were about the other run, and
 * are not inherited.
 */
export function takeOver(head: Head, { runId: dead, ifEpoch, planHash, digest, digestBefore, ...asked }: TakeOver, at: number): Changed {
  const { run } = head;
  if (head.epoch !== ifEpoch || head.digest !== digestBefore) return { kind: "refused", why: "stale-epoch" };
  if (run === null || run.id !== dead) return { kind: "refused", why: "not-this-run" };
  const epoch = head.epoch + 1;
  const next: OpenRun = {
    ...asked,
    kind: run.kind,
    applications: run.applications,
    door: "http",
    alertId: null,
    id: runId(head.plan, epoch),
    epoch,
    openedAt: at,
    planHash,
    phases: [{ phase: "accept", startedAt: at, endedAt: at, outcome: "accepted" }],
    question: null,
    decisions: [],
    abort: null,
    pointsOfNoReturn: run.pointsOfNoReturn,
    takenOver: { runId: run.id, epoch: run.epoch, at, fenced: run.takenOver?.fenced === true || run.phases.some(({ phase }) => phase === "fence") },
  };
  return { kind: "changed", head: { ...head, epoch, run: next, digest, last: { runId: run.id, outcome: "halted", endedAt: at } } };
}

/**
 * How long a run waits after a takeover before its first act, in milliseconds: a call of the dead run that is on its way has an answer within
 * 30 s (leave to act, functions/activities/leave.ts), and as much again for clocks that differ.
 */
export const drainMs = 60_000;

/** How long a run has to wait before it may act; 0: not at all. */
export const drainLeftMs = ({ takenOver }: Pick<OpenRun, "takenOver">, at: number): number => (takenOver === undefined ? 0 : Math.max(0, takenOver.at + drainMs - at));
