/**
 * Leave to act, and how long it lasts. A process may stand still between its look at the ledger and its act, for hours: whatever it was
 * about to do then, the run may have undone since. So every change asks the ledger again where the last look is old, and a look whose
 * answer found nobody awake is none.
 */
import type { Head } from "../../shared/domain/ledger.ts";
import { type Cluster, type World, WorldError } from "../../shared/ports.ts";
import type { Ledger } from "../ledger.ts";

/** As long as one call may take. The host gives an activity to somebody else after minutes, never sooner. */
const leaveMs = 30_000;
const looksMax = 5;

/** The head of a plan's ledger as it was a moment ago. Throws when no look comes back in time. */
export async function freshHead(ledger: Pick<Ledger, "head">, plan: string, now: () => number): Promise<Head> {
  for (let look = 0; look < looksMax; look++) {
    const askedAt = now();
    const head = await ledger.head(plan);
    if (now() - askedAt <= leaveMs) return head;
  }
  throw new WorldError("read the ledger", plan, `no look came back within ${leaveMs / 1_000} s`);
}

/** The same world, in which every change first asks `still` where it was asked longer ago than leave lasts. What `still` throws is thrown on. */
export function withLeave(world: World, still: () => Promise<void>): World {
  const { clock } = world;
  let askedAt = clock.now();
  const leave = async (): Promise<void> => {
    if (clock.now() - askedAt <= leaveMs) return;
    await still();
    askedAt = clock.now();
  };
  const asking = <Args extends unknown[], Out>(act: (...args: Args) => Promise<Out>) => async (...args: Args): Promise<Out> => {
    await leave();
    return act(...args);
  };
  const guarded = (cluster: Cluster): Cluster => ({
    ...cluster,
    ready: async (seconds) => cluster.ready(seconds),
    get: async (...args) => cluster.get(...args),
    list: async (...args) => cluster.list(...args),
    create: asking(async (...args: Parameters<Cluster["create"]>) => cluster.create(...args)),
    patch: asking(async (...args: Parameters<Cluster["patch"]>) => cluster.patch(...args)),
    delete: asking(async (...args: Parameters<Cluster["delete"]>) => cluster.delete(...args)),
  });
  const changing: Pick<World, "traffic" | "replication" | "aks" | "clusters"> = {
    traffic: {
      read: async (traffic) => world.traffic.read(traffic),
      closePrimary: asking(async (traffic) => world.traffic.closePrimary(traffic)),
      reopenPrimary: asking(async (traffic) => world.traffic.reopenPrimary(traffic)),
      openSecondary: asking(async (traffic) => world.traffic.openSecondary(traffic)),
    },
    replication: {
      lastSync: async (url) => world.replication.lastSync(url),
      policy: async (account) => world.replication.policy(account),
      deletePolicy: asking(async (...args: Parameters<World["replication"]["deletePolicy"]>) => world.replication.deletePolicy(...args)),
    },
    aks: {
      read: async (cluster) => world.aks.read(cluster),
      start: asking(async (cluster) => world.aks.start(cluster)),
      raisePool: asking(async (...args: Parameters<World["aks"]["raisePool"]>) => world.aks.raisePool(...args)),
    },
    clusters: {
      of: async (cluster) => guarded(await world.clusters.of(cluster)),
      refresh: async (cluster) => world.clusters.refresh(cluster),
    },
  };
  return { ...world, ...changing };
}
