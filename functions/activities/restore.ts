import { kinds } from "../../shared/domain/kinds.ts";
import { moverState, restoreState } from "../../shared/domain/cluster-objects.ts";
import { consumersOf, isReleased, modifierObject, releasePatch, restoreObject, type RestoreOrder } from "../../shared/domain/restore-object.ts";
import { broughtBy, isMoving, isUnderWay, judgeRestore, namesOfPart, restoredByLabel, restoreName, restoreProgress, type RestoreProgress, turnsIn } from "../../shared/domain/restore-run.ts";
import type { Kind } from "../../shared/domain/kinds.ts";
import type { Consumer } from "../../shared/domain/contents.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Cluster, KubeObject } from "../../shared/ports.ts";
import { fillAbandoned } from "./abandoned-volumes.ts";
import { readPoint } from "./chosen-point.ts";
import type { Work } from "./perform.ts";

/**
 * Asks Velero for one part of an application, by a name that is the run's own: asking twice finds the first. `null`: the part is empty.
 * After `earlier` ones that Velero gave up, volumes whose pods wait for those are filled too.
 */
export const startRestore: Work<typeof steps.startRestore> = async ({ application: name, part, point, earlier = [] }, { world, plan, target, call }) => {
  const application = plan.applications.find((known) => known.name === name);
  if (!application) throw new Error(`the plan has no application ${name}`);
  const { contents, volumes } = await readPoint(world.home, call.ref, point.name);
  const consumers = consumersOf(contents, application);
  if (part === "consumers" && consumers.length === 0 && application.consumers.podSelectors.length === 0) return null;
  const order: RestoreOrder = { name: restoreName(call.ref.runId, name, part, earlier.length + 1), namespace: target.veleroNamespace, runId: call.ref.runId, backup: point.name, application, part, consumers };
  const cluster = await world.clusters.of(target.cluster);
  if (part === "consumers" && consumers.length > 0) await cluster.create(kinds.configMaps, modifierObject(order));
  if (earlier.length > 0) await fillAbandoned(cluster, { order, earlier });
  const created = await cluster.create(kinds.restores, restoreObject(order));
  const spec = created.object["spec"] as { backupName?: string };
  if (spec.backupName !== point.name) throw new Error(`a Restore ${order.name} is there already and restores ${spec.backupName ?? "something else"}: delete it`);
  // Counted whole for the main part: data that only a consumer's pod could bring would be missing, and the restore is not whole then.
  const expected = part === "main" ? volumes.filter((volume) => application.namespaces.includes(volume.namespace) && volume.restorable).length : 0;
  return { application: name, part, name: order.name, volumes: expected, ...(earlier.length > 0 ? { earlier } : {}), turns: turnsIn(plan.applications.filter(({ wave }) => wave === application.wave).length) };
};

/** Whether a restore and everything that moves data for it has come to its end. What stands still for too long is broken too. */
export const restoreEnded: Work<typeof steps.restoreEnded> = async ({ part, storeTakesWrites, state }, { world, plan, target }) => {
  const cluster = await world.clusters.of(target.cluster);
  const { earlier = [] } = part;
  const selector = broughtBy([...earlier, part.name]);
  const [object, others] = await Promise.all([cluster.get(kinds.restores, target.veleroNamespace, part.name), cluster.list(kinds.restores, target.veleroNamespace)]);
  // After the Restore: movers that were listed before it ended may be fewer than it made, and it would seem to have lost a volume.
  const [restores, downloads] = await Promise.all([
    cluster.list(kinds.podVolumeRestores, target.veleroNamespace, selector),
    cluster.list(kinds.dataDownloads, target.veleroNamespace, selector),
  ]);
  if (object === null) return { kind: "done", value: { kind: "broken", why: "somebody deleted the Restore" } };
  const seen = restoreState(object);
  // A volume that an earlier restore filled is filled; one that it could not is somebody else's to fill, or missing in the count.
  const abandoned = (mover: KubeObject) => earlier.includes(mover.metadata.labels?.[restoredByLabel] ?? "") && !isMoving(moverState(mover)) && moverState(mover).phase !== "Completed";
  const movers = [...(restores ?? []), ...(downloads ?? [])].filter((mover) => !abandoned(mover)).map(moverState);
  const end = judgeRestore(seen, movers, part.volumes, storeTakesWrites);
  if (end !== null) return { kind: "done", value: end };

  const bytes = movers.reduce((sum, { bytesDone }) => sum + bytesDone, 0);
  const about = `${seen.phase || "waiting for its turn"}, ${seen.itemsRestored} of ${seen.totalItems} objects, ${movers.filter(({ phase }) => phase === "Completed").length} of ${part.volumes} volumes, ${bytes} bytes`;
  const otherUnderWay = (others ?? []).some((other) => other.metadata.name !== part.name && isUnderWay(restoreState(other)));
  const progress = restoreProgress((state ?? null) as RestoreProgress | null, seen, movers, otherUnderWay, world.clock.now(), plan.restore);
  if (progress.kind === "broken") return { kind: "done", value: { kind: "broken", why: `${progress.why}: ${about}` } };
  return { kind: "not-yet", about, state: progress.state };
};

/**
 * Gives consumers what the backup says they had, and reads it back. Released already is released. One that this run did not bring is not
 * touched: it is said, after all others have been released.
 */
export const releaseConsumers: Work<typeof steps.releaseConsumers> = async ({ applications, point }, { world, plan, target, call }) => {
  const { contents } = await readPoint(world.home, call.ref, point);
  const cluster = await world.clusters.of(target.cluster);
  const released: string[] = [];
  const left: string[] = [];
  for (const application of plan.applications.filter(({ name }) => applications.includes(name))) {
    const held = namesOfPart(call.ref.runId, application.name, "consumers");
    for (const consumer of consumersOf(contents, application)) {
      const why = await release(cluster, consumer, held);
      if (why === null) continue;
      const name = `${consumer.kind} ${consumer.namespace}/${consumer.name}`;
      if (why === "released") released.push(name);
      else left.push(`${name} ${why}`);
    }
  }
  if (left.length > 0) throw new Error(left.join("; "));
  return { released };
};

/** `released`, why it could not be, or `null`: it was at rest in the backup too. */
async function release(cluster: Cluster, consumer: Consumer, held: readonly string[]): Promise<string | null> {
  const patch = releasePatch(consumer);
  if (patch === null || consumer.namespace === null) return null;
  const kind = kindOf(consumer);
  const before = await cluster.get(kind, consumer.namespace, consumer.name);
  if (before === null) return "is in the backup and not in the cluster";
  if (!held.includes(before.metadata.labels?.[restoredByLabel] ?? "")) return `was not brought by ${held[0]}, so it is left as it is: release it by hand, or delete it and start again`;
  if (isReleased(consumer, before)) return "released";
  await cluster.patch(kind, consumer.namespace, consumer.name, patch);
  const after = await cluster.get(kind, consumer.namespace, consumer.name);
  return after !== null && isReleased(consumer, after) ? "released" : "reads back as held although it was released: see what holds it";
}

const consumerKinds: Readonly<Record<string, Kind>> = { Deployment: kinds.deployments, StatefulSet: kinds.statefulSets, CronJob: kinds.cronJobs, Job: kinds.jobs };

function kindOf({ kind, namespace, name }: Consumer): Kind {
  const known = consumerKinds[kind];
  if (!known) throw new Error(`${kind} ${namespace}/${name} carries the consumer label; only ${Object.keys(consumerKinds).join(", ")} can be held and released`);
  return known;
}
