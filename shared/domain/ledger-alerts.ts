/**
 * How alerts change a plan's ledger: many at once in one change, so that a storm of them costs as many writes as there are writes in a
 * second, and not as many as there are alerts. Each is accounted for in the same change that takes it.
 */
import type { Intake } from "./intake.ts";
import { type Changed, dropAlert, type Head, joinAlert, keepAlert, openRun, type Refusal } from "./ledger.ts";

/** One notification about one plan, as its door read it. */
export interface Arrival {
  readonly alertId: string;
  readonly condition: "fired" | "resolved";
  readonly rule: string;
  /** Why it is about this plan; the run's reason, if it opens one. */
  readonly reason: string;
}

/** What became of an arrival. */
export type Taken =
  | { readonly kind: "opened" | "joined"; readonly runId: string }
  /** Nothing can be started now: the alert waits in the ledger, and the watchdog opens its run when the plan is free. */
  | { readonly kind: "kept"; readonly why: Refusal; readonly runId: string | null; readonly epoch: number }
  /** Nothing is started: `runId` is the run that speaks against it. */
  | { readonly kind: "refused"; readonly why: Refusal; readonly runId: string | null; readonly epoch: number }
  /** The trouble is over. A run that is under way looks for itself. */
  | { readonly kind: "resolved" };

const countedAs = { opened: "started", joined: "merged", kept: "suppressed", resolved: "suppressed", refused: "rejected" } as const satisfies Record<Taken["kind"], keyof Intake>;

/** Takes arrivals in their order. The same arrivals taken twice open nothing twice. */
export function takeAlerts(head: Head, arrivals: readonly Arrival[], planHash: string, at: number): { readonly head: Head; readonly taken: readonly Taken[] } {
  let now = head;
  const intake: { -readonly [Count in keyof Intake]: number } = { ...head.intake };
  const taken: Taken[] = [];
  for (const arrival of arrivals) {
    const one = takeAlert(now, arrival, planHash, at);
    now = one.head;
    taken.push(one.taken);
    intake.accepted += 1;
    intake[countedAs[one.taken.kind]] += 1;
  }
  return { head: { ...now, intake }, taken };
}

function takeAlert(head: Head, { alertId, condition, rule, reason }: Arrival, planHash: string, at: number): { readonly head: Head; readonly taken: Taken } {
  const after = (changed: Changed): Head => (changed.kind === "changed" ? changed.head : head);
  if (condition === "resolved") return { head: after(dropAlert(head, alertId)), taken: { kind: "resolved" } };
  const opened = openRun(head, { kind: "failover", door: "alert", by: rule, reason, alertId, applications: [] }, planHash, at);
  if (opened.kind === "changed") return { head: opened.head, taken: { kind: "opened", runId: opened.head.run?.id ?? "" } };
  const { why } = opened;
  const handled = head.alerts.find((known) => known.alertId === alertId);
  if (why === "alert-handled" && handled) return { head, taken: { kind: "joined", runId: handled.runId } };
  // Joined only where it is the same work: a loss that is told while something is recovered in place is not answered by that.
  if (why === "run-open" && head.run?.kind === "failover") return { head: after(joinAlert(head, alertId, head.run.id)), taken: { kind: "joined", runId: head.run.id } };
  const speaking = { why, runId: head.run?.id ?? head.last?.runId ?? null, epoch: head.epoch };
  if (why === "run-open" || why === "cooldown") return { head: after(keepAlert(head, { alertId, rule, reason, at })), taken: { kind: "kept", ...speaking } };
  return { head, taken: { kind: "refused", ...speaking } };
}
