/** Scheduled verification of a plan, and the replication check of one new backup. Neither is a run: what they change beyond what is known at home stands in docs/restore-points.md. */
import { replicationWaiting } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, call, defineRunbook, tried } from "./runbook.ts";
import { steps } from "./steps.ts";

/** `dueAt`: by which tick of the timer it was started; without it, it is done whatever was done before. */
export const verifyBackups = defineRunbook("verify-backups", function* (desk: Desk, { dueAt }: { readonly dueAt?: number }): Runbook<{ readonly checked: number; readonly usable: number; readonly already?: true }> {
  // While both regions answer: where their clusters are. A lost region's control plane cannot be asked any more.
  const { backups } = yield* desk.together({ backups: call(steps.checkAllBackups, dueAt === undefined ? {} : { dueAt }), clusters: call(steps.learnClusters, {}) });
  if (backups.already === true) return backups;
  // Then what follows from it. A cluster that does not answer takes nothing away from what was found in the store.
  yield* tried(desk.run(steps.holdAgainstSecondary, {}));
  yield* tried(desk.run(steps.guardRetention, {}));
  return backups;
});

/** For an instance that was started before the plan gave a deadline: what the plan says when it says nothing. */
const deadlineSecondsUsual = 3_600;

/**
 * Looks at both containers until the backup has arrived whole, or the plan's time is up: what was found last stays in the register either way,
 * and the last look opens the finding that it is late. Waits on timers alone; a backup that comes again meanwhile joins by this instance's id.
 */
export const checkReplication = defineRunbook("check-replication", function* (desk: Desk, { backup, deadlineSeconds = deadlineSecondsUsual }: { readonly backup: string; readonly deadlineSeconds?: number }): Runbook<{ readonly state: string }> {
  const checked = yield* desk.until(steps.checkBackup, { backup }, replicationWaiting(deadlineSeconds));
  return checked.kind === "done" ? checked.value : { state: `not whole after ${Math.round(deadlineSeconds / 60)} minutes: ${checked.about}` };
});
