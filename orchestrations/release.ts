/** After users are served: consumers begin to act, and the new active region begins to make backups of its own. */
import { waits } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, StepFailed, call, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

export const release = defineRunbook("release", function* (desk: Desk, { applications, point }: { readonly applications: readonly string[]; readonly point: string }): Runbook<{ readonly backup: string }> {
  const { backups } = yield* desk.together({ consumers: call(steps.releaseConsumers, { applications, point }), backups: call(steps.startBackups, { point }) });
  const completed = yield* desk.until(steps.firstBackupCompleted, { backup: backups.backup }, waits.backup);
  if (completed.kind === "late") throw new StepFailed("first-backup-completed", completed.about);
  if (completed.value.kind === "failed") throw new StepFailed("first-backup-completed", completed.value.why);
  return backups;
}, "release");
