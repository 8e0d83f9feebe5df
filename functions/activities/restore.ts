import { kinds } from "../../shared/domain/kinds.ts";
import { moverState, restoreState } from "../../shared/domain/cluster-objects.ts";
import { consumersOf, modifierObject, releasePatch, restoreObject, type RestoreOrder } from "../../shared/domain/restore-object.ts";
import { judgeRestore, restoreName } from "../../shared/domain/restore-run.ts";
import type { Kind } from "../../shared/domain/kinds.ts";
import type { Consumer } from "../../shared/domain/contents.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { readPoint } from "./chosen-point.ts";
import type { Work } from "./perform.ts";

/**
 * Asks Velero for one part of an application, by a name that is the run's own: asking twice finds the first. `null`: the part is empty.
 */
export const startRestore: Work<typeof steps.startRestore> = async ({ application: name, part, point }, { world, plan, target, call }) => {
  const application = plan.applications.find((known) => known.name === name);
  if (!application) throw new Error(`the plan has no application ${name}`);
  const { contents, volumes } = await readPoint(world.home, call.ref, point.name);
  const consumers = consumersOf(contents, application);
  if (part === "consumers" && consumers.length === 0 && application.consumers.podSelectors.length === 0) return null;
  const order: RestoreOrder = { name: restoreName(call.ref.runId, name, part), namespace: target.veleroNamespace, runId: call.ref.runId, backup: point.name, application, part, consumers };
  const cluster = await world.clusters.of(target.cluster);
  if (part === "consumers" && consumers.length > 0) await cluster.create(kinds.configMaps, modifierObject(order));
  const created = await cluster.create(kinds.restores, restoreObject(order));
  const spec = created.object["spec"] as { backupName?: string };
  if (spec.backupName !== point.name) throw new Error(`a Restore ${order.name} is there already and restores ${spec.backupName ?? "something else"}: delete it`);
  // Counted whole for the main part: data that only a consumer's pod could bring would be missing, and the restore is not whole then.
  const expected = part === "main" ? volumes.filter((volume) => application.namespaces.includes(volume.namespace) && volume.restorable).length : 0;
  return { application: name, part, name: order.name, volumes: expected };
};

interface Progress {
  readonly made: number;
  readonly sinceAt: number;
}

/** Whether a restore and everything that moves data for it has come to its end. What stands still for too long is broken too. */
export const restoreEnded: Work<typeof steps.restoreEnded> = async ({ part, storeTakesWrites, state }, { world, plan, target }) => {
  const cluster = await world.clusters.of(target.cluster);
  const selector = `velero.io/restore-name=${part.name}`;
  const [object, restores, downloads] = await Promise.all([
    cluster.get(kinds.restores, target.veleroNamespace, part.name),
    cluster.list(kinds.podVolumeRestores, target.veleroNamespace, selector),
    cluster.list(kinds.dataDownloads, target.veleroNamespace, selector),
  ]);
  if (object === null) return { kind: "done", value: { kind: "broken", why: "somebody deleted the Restore" } };
  const seen = restoreState(object);
  const movers = [...(restores ?? []), ...(downloads ?? [])].map(moverState);
  const end = judgeRestore(seen, movers, part.volumes, storeTakesWrites);
  if (end !== null) return { kind: "done", value: end };

  const bytes = movers.reduce((sum, { bytesDone }) => sum + bytesDone, 0);
  const about = `${seen.phase || "waiting for its turn"}, ${seen.itemsRestored} of ${seen.totalItems} objects, ${movers.filter(({ phase }) => phase === "Completed").length} of ${part.volumes} volumes, ${bytes} bytes`;
  const made = seen.itemsRestored + bytes + movers.length + seen.phase.length;
  const before = (state ?? null) as Progress | null;
  const now = world.clock.now();
  const progress: Progress = before !== null && before.made === made ? before : { made, sinceAt: now };
  if (now - progress.sinceAt > plan.restore.stallSeconds * 1_000) return { kind: "done", value: { kind: "broken", why: `no progress for ${plan.restore.stallSeconds} s: ${about}` } };
  return { kind: "not-yet", about, state: progress };
};

/** Gives consumers what the backup says they had. Released already is released. */
export const releaseConsumers: Work<typeof steps.releaseConsumers> = async ({ applications, point }, { world, plan, target, call }) => {
  const { contents } = await readPoint(world.home, call.ref, point);
  const cluster = await world.clusters.of(target.cluster);
  const released: string[] = [];
  for (const application of plan.applications.filter(({ name }) => applications.includes(name))) {
    for (const consumer of consumersOf(contents, application)) {
      const patch = releasePatch(consumer);
      if (patch === null || consumer.namespace === null) continue;
      const patched = await cluster.patch(kindOf(consumer), consumer.namespace, consumer.name, patch);
      if (patched === null) throw new Error(`${consumer.kind} ${consumer.namespace}/${consumer.name} is in the backup and not in the cluster`);
      released.push(`${consumer.kind} ${consumer.namespace}/${consumer.name}`);
    }
  }
  return { released };
};

const consumerKinds: Readonly<Record<string, Kind>> = { Deployment: kinds.deployments, StatefulSet: kinds.statefulSets, CronJob: kinds.cronJobs, Job: kinds.jobs };

function kindOf({ kind, namespace, name }: Consumer): Kind {
  const known = consumerKinds[kind];
  if (!known) throw new Error(`${kind} ${namespace}/${name} carries the consumer label; only ${Object.keys(consumerKinds).join(", ")} can be held and released`);
  return known;
}
