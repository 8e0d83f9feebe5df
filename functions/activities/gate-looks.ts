/** What the gates look at anew, because it may have been otherwise since it was written down. Only looks. */
import { backupFolder, filesOf } from "../../shared/domain/velero-backup-files.ts";
import type { Closed, Quieted } from "../../shared/domain/fence.ts";
import { looksCountSeconds, type Records } from "../../shared/domain/gate.ts";
import type { Choice } from "../../shared/domain/restore-run.ts";
import { runningPods } from "../../shared/fence/running-pods.ts";
import { namespacesOf } from "../../shared/fence/rules.ts";
import { readySeconds } from "../../shared/fence/walk.ts";
import type { Entry } from "../../shared/domain/ledger.ts";
import { withDeadline } from "../../shared/deadline.ts";
import type { Duty } from "./perform.ts";

type Seeing = Pick<Duty, "plan" | "world" | "target">;

/** For all pods of the primary: an ailing cluster must not hold a gate up for longer. */
const podsSeconds = 15;

const isOld = ({ at }: Entry, now: number): boolean => now - at > looksCountSeconds * 1_000;

/** The records with what is seen now in the place of what is old. Whoever does not answer now changes nothing: what was stopped there was seen to be. */
export async function seenAnew(records: Records, { plan, world }: Seeing): Promise<Records> {
  const { quieted } = records;
  const was = quieted?.value as Quieted | undefined;
  if (quieted === null || was?.kind !== "quiet" || !isOld(quieted, world.clock.now())) return records;
  const running = await podsOfPrimary({ plan, world });
  return running.length === 0 ? records : { ...records, quieted: { ...quieted, value: { kind: "partly", suspended: was.suspended, left: running } satisfies Quieted } };
}

async function podsOfPrimary({ plan, world }: Pick<Seeing, "plan" | "world">): Promise<readonly string[]> {
  try {
    return await withDeadline(podsSeconds, async (signal) => {
      const cluster = await world.clusters.of(plan.primary.cluster);
      if ((await cluster.ready(readySeconds)).kind !== "ready") return [];
      return (await Promise.all(namespacesOf(plan).map(async (namespace) => runningPods(cluster, namespace, [], signal)))).flat();
    });
  } catch {
    return [];
  }
}

/** What cannot be taken back does not begin over a fence that somebody undid, nor for a point that is gone. Behind it both are looked at by the acts themselves. */
export async function goneSince(point: "data" | "traffic", { closed, chosen }: Records, { plan, world, target }: Seeing): Promise<readonly string[]> {
  if (point === "traffic") return [];
  const [open, lost] = await Promise.all([
    (closed?.value as Closed | undefined)?.kind === "closed" ? world.traffic.read(plan.traffic).then(({ primary }) => primary.open) : false,
    chosen !== null && isOld(chosen, world.clock.now()) ? pointLost(chosen.value as Choice, { world, target }) : false,
  ]);
  return [...(open ? ["the primary's public endpoint was closed by this run and is open again: somebody undid the fence"] : []), ...(lost ? ["the restore point that was chosen is not at the replica any more"] : [])];
}

async function pointLost(choice: Choice, { world, target }: Pick<Seeing, "world" | "target">): Promise<boolean> {
  return choice.kind === "chosen" && (await world.backups.read(target.backups, `${backupFolder(choice.point.name)}${filesOf(choice.point.name).metadata}`)) === null;
}
