/**
 * A new backup at its source: check whether it arrives whole at the replica. Registered at the source, because replicated blobs may
 * raise no event of their own. Fires for each version of `velero-backup.json`; only one that has ended is worth checking.
 */
import * as df from "durable-functions";
import type { BackupSource } from "../../shared/config.ts";
import { labelledForPlan, namedByPlan } from "../../shared/domain/plan-backups.ts";
import { ended, readBackup } from "../../shared/domain/velero-backup.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import type { World } from "../../shared/ports.ts";
import { noRun, plansAt } from "../runs.ts";
import { startNew } from "../start.ts";

/** The container and, where the host says it, the account: two sources may have containers of one name. */
function isSourceOf(plan: Plan, container: string, uri: unknown): boolean {
  const { source } = placesOf(plan);
  return source.container === container && (typeof uri !== "string" || !URL.canParse(uri) || new URL(uri).hostname === new URL(source.url).hostname);
}

export function backupArrived(world: World, { name: connection, container }: BackupSource): void {
  df.app.client.storageBlob(`backup-arrived-${connection}`, {
    connection,
    path: `${container}/backups/{backup}/velero-backup.json`,
    handler: async (blob, client, context) => {
      const { backup } = context.triggerMetadata ?? {};
      const folder = typeof backup === "string" ? backup : "";
      const ignored = (why: string) => context.log("backup.ignored", { folder, why });
      const read = readBackup(Buffer.isBuffer(blob) ? blob.toString("utf8") : typeof blob === "string" ? blob : JSON.stringify(blob));
      if (read.kind === "unreadable") return ignored(`not a backup: ${read.why}`);
      if (read.value.name !== folder) return ignored(`it says it is ${read.value.name}`);
      if (!ended(read.value.phase)) return ignored(`its phase is ${read.value.phase}: it comes again when it has ended`);
      const { plans } = await plansAt(world.home);
      const ours = plans.filter(({ plan }) => (namedByPlan(plan, folder) || labelledForPlan(plan, read.value.labels)) && isSourceOf(plan, container, context.triggerMetadata?.["uri"]));
      if (ours.length === 0) return ignored("no plan selects it");
      await Promise.all(ours.map(({ plan }) => startNew(client, "check-replication", `replica--${plan.plan}--${folder}`, { ref: noRun(plan.plan), phase: null, input: { backup: folder, deadlineSeconds: plan.backups.replicationDeadlineSeconds } })));
      context.log("backup.arrived", { folder, plans: ours.map(({ plan }) => plan.plan) });
    },
  });
}
