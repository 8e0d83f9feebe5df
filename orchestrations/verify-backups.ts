/** Scheduled verification of a plan, and the replication check of one new backup. Neither is a run: they change nothing but what is known at home. */
import { waits } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, call, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

export const verifyBackups = defineRunbook("verify-backups", function* (desk: Desk): Runbook<{ readonly checked: number; readonly usable: number }> {
  // While both regions answer: where their clusters are. A lost region's control plane cannot be asked any more.
  const { backups } = yield* desk.together({ backups: call(steps.checkAllBackups, {}), clusters: call(steps.learnClusters, {}) });
  return backups;
});

/** Looks at both containers until the backup has arrived whole, or the time is up: what was found last stays in the register either way. */
export const checkReplication = defineRunbook("check-replication", function* (desk: Desk, { backup }: { readonly backup: string }): Runbook<{ readonly state: string }> {
  const checked = yield* desk.until(steps.checkBackup, { backup }, waits.replication);
  return checked.kind === "done" ? checked.value : { state: `not whole after ${waits.replication.deadlineMs / 60_000} minutes: ${checked.about}` };
});
