import { backupState, storageLocationState } from "../../shared/domain/cluster-objects.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { accountName } from "../../shared/domain/replica.ts";
import { runLabel } from "../../shared/domain/restore-object.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { Cluster } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { readPoint } from "./chosen-point.ts";
import type { Work } from "./perform.ts";

/**
 * The new active region makes backups of its own, the way the lost one did: its schedule, into a container of its own, and a first backup
 * at once. All three by fixed names, so that a repeat finds them.
 */
export const startBackups: Work<typeof steps.startBackups> = async ({ point }, { world, plan, target, call }) => {
  const cluster = await world.clusters.of(target.cluster);
  const { storageLocation, schedule } = plan.storage.newBackups;
  await ensureLocation(cluster, plan, target.veleroNamespace);
  const template = { ...templateOf((await readPoint(world.home, call.ref, point)).spec), storageLocation };

  const scheduleName = plan.backups.schedule ?? plan.plan;
  const scheduled = { apiVersion: "velero.io/v1", kind: "Schedule", metadata: { name: scheduleName, namespace: target.veleroNamespace }, spec: { schedule, template, paused: false } };
  const made = await cluster.create(kinds.schedules, scheduled);
  if (made.kind === "exists") await cluster.patch(kinds.schedules, target.veleroNamespace, scheduleName, { spec: scheduled.spec });

  const backup = `lifeboat-${call.ref.runId}-first`;
  await cluster.create(kinds.backups, {
    apiVersion: "velero.io/v1",
    kind: "Backup",
    metadata: { name: backup, namespace: target.veleroNamespace, labels: { [runLabel]: call.ref.runId, "velero.io/schedule-name": scheduleName } },
    spec: template,
  });
  return { backup };
};

/** What Velero itself put into a backup's spec, and where it was to go, is not part of how it was asked for. */
function templateOf(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { storageLocation: _location, volumeSnapshotLocations: _snapshots, ...template } = spec;
  return template;
}

async function ensureLocation(cluster: Cluster, plan: Plan, namespace: string): Promise<void> {
  const { account, container, storageLocation } = plan.storage.newBackups;
  const name = accountName(account);
  const made = await cluster.create(kinds.backupStorageLocations, {
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name: storageLocation, namespace },
    spec: {
      provider: "azure",
      accessMode: "ReadWrite",
      objectStorage: { bucket: container },
      // With the address given and Entra sign-in, Velero needs no call to the storage control plane.
      config: { storageAccount: name, storageAccountURI: `https://${name}.blob.core.windows.net`, useAAD: "true" },
    },
  });
  const { bucket } = (made.object["spec"] as { objectStorage?: { bucket?: string } }).objectStorage ?? {};
  // One of that name was there before us. The replica is never written to.
  if (bucket !== container) throw new Error(`the storage location ${storageLocation} is there already and leads to container ${bucket ?? "(none)"}, not to ${container}: backups of the new active region cannot go there`);
  if (storageLocationState(made.object).readOnly) throw new Error(`the storage location ${storageLocation} is ReadOnly: backups of the new active region cannot go there`);
}

/** A first backup that is Completed: the new region is able to make them. */
export const firstBackupCompleted: Work<typeof steps.firstBackupCompleted> = async ({ backup }, { world, target }) => {
  const object = await (await world.clusters.of(target.cluster)).get(kinds.backups, target.veleroNamespace, backup);
  if (object === null) return { kind: "not-yet", about: `the backup ${backup} is not there` };
  const { phase, completedAt, why } = backupState(object);
  if (phase === "Completed" && completedAt !== null) return { kind: "done", value: { kind: "completed", completedAt } };
  if (["Failed", "FailedValidation", "PartiallyFailed"].includes(phase)) return { kind: "done", value: { kind: "failed", why: `${backup} ended ${phase}${why ? `: ${why}` : ""}` } };
  return { kind: "not-yet", about: `${backup} is ${phase || "not begun"}${why ? `: ${why}` : ""}` };
};
