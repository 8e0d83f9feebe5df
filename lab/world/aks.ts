/** The two managed clusters: power, node pools, their operations, and the nodes that come of them. */
import { randomUUID } from "node:crypto";
import { type Operation, type OperationError, type Operations, openOperations } from "./operations.ts";
import { type RegionName, regions } from "./pair.ts";
import { type Refusal, refused } from "./refusal.ts";
import type { LabWorld } from "./world.ts";

export type Power = "Running" | "Stopped";

export interface PoolStart {
  readonly name: string;
  readonly mode: "System" | "User";
  readonly count: number;
  /** Given: the cluster autoscaler is on. */
  readonly autoscale?: { readonly min: number; readonly max: number };
}

export interface Pool {
  readonly name: string;
  readonly mode: "System" | "User";
  readonly count: number;
  readonly minCount: number | null;
  readonly maxCount: number | null;
  readonly autoscaled: boolean;
  readonly vmSize: string;
  readonly provisioning: "Succeeded" | "Scaling" | "Updating" | "Failed";
  readonly eTag: string;
}

export interface ManagedCluster {
  readonly region: RegionName;
  readonly power: Power;
  readonly provisioning: "Succeeded" | "Starting" | "Stopping" | "Failed";
  readonly kubernetesVersion: string;
  readonly eTag: string;
  readonly pools: readonly Pool[];
}

export interface Node {
  readonly name: string;
  readonly pool: string;
  readonly ready: boolean;
}

/** What the region can still give to starts and raises: everything, nothing, or that many more nodes before it fails. */
export type Capacity = { readonly kind: "enough" } | { readonly kind: "none"; readonly code: "SkuNotAvailable" | "AllocationFailed" } | { readonly kind: "partial"; readonly nodes: number; readonly code: "AllocationFailed" };

/** A pool as PUT asks for it: the whole of it, except what only the service writes. */
export type PoolWish = Pick<Pool, "count" | "minCount" | "maxCount" | "autoscaled">;

export type AksAnswer = { readonly kind: "begun"; readonly operation: Operation } | { readonly kind: "nothing-to-do" } | Refusal;

export interface Aks {
  cluster(region: RegionName): ManagedCluster;
  start(region: RegionName): AksAnswer;
  stop(region: RegionName): AksAnswer;
  /** `ifMatch` null: whatever its eTag is. */
  putPool(region: RegionName, pool: string, wish: PoolWish, ifMatch: string | null): AksAnswer;
  /** The nodes that the cluster has now; a stopped one has none. */
  nodes(region: RegionName): readonly Node[];
  /** Calls back with all nodes of a region whenever they change. Not called for those of the beginning. */
  onNodes(call: (region: RegionName, nodes: readonly Node[]) => void): void;
  setCapacity(region: RegionName, capacity: Capacity): void;
  readonly operations: Operations;
}

export interface AksOptions {
  readonly pools?: Partial<Record<RegionName, readonly PoolStart[]>>;
  readonly power?: Partial<Record<RegionName, Power>>;
}

/** The secondary is a small warm standby: its `user` pool must grow before it can take the load. */
const poolsAtStart: Readonly<Record<RegionName, readonly PoolStart[]>> = {
  westeurope: [{ name: "system", mode: "System", count: 1 }, { name: "user", mode: "User", count: 2 }],
  northeurope: [{ name: "system", mode: "System", count: 1 }, { name: "user", mode: "User", count: 1 }],
};

const regionNames: readonly RegionName[] = ["westeurope", "northeurope"];

type Changing<T> = { -readonly [K in keyof T]: T[K] };
interface ClusterState extends Omit<Changing<ManagedCluster>, "pools"> {
  /** `present`: nodes there are, while `count` says already how many were asked for, as AKS does. */
  readonly pools: (Changing<Pool> & { busy: boolean; present: number })[];
  busy: "start" | "stop" | null;
  capacity: Capacity;
}

export function openAks(world: LabWorld, options: AksOptions = {}): Aks {
  const operations = openOperations(world);
  const listeners: ((region: RegionName, nodes: readonly Node[]) => void)[] = [];
  const clusters = new Map(regionNames.map((region) => [region, clusterAtStart(region, options)]));
  const stateOf = (region: RegionName): ClusterState => {
    const state = clusters.get(region);
    if (!state) throw new Error(`no cluster in ${region}`);
    return state;
  };
  const changed = (state: ClusterState) => {
    state.eTag = randomUUID();
    for (const call of listeners) call(state.region, nodesOf(state));
  };

  return {
    operations,
    cluster(region) {
      const state = stateOf(region);
      return { ...state, pools: state.pools.map((pool) => ({ ...pool })) };
    },
    nodes: (region) => nodesOf(stateOf(region)),
    onNodes: (call) => void listeners.push(call),
    setCapacity: (region, capacity) => void (stateOf(region).capacity = capacity),

    start(region) {
      const state = stateOf(region);
      const busy = busyWith(state);
      if (busy) return busy;
      if (state.power === "Running") return { kind: "nothing-to-do" };
      Object.assign(state, { busy: "start", provisioning: "Starting", eTag: randomUUID() });
      const end = () => {
        const error = allocationError(state.capacity, region);
        Object.assign(state, { busy: null, ...(error ? { provisioning: "Failed" } : { provisioning: "Succeeded", power: "Running" }) });
        changed(state);
        if (!error) world.record("aks.started", regions[region].cluster.name);
        return error;
      };
      return { kind: "begun", operation: operations.begin({ kind: "start", target: regions[region].cluster.id, region }, world.latencies.clusterStart, end) };
    },

    stop(region) {
      const state = stateOf(region);
      const busy = busyWith(state);
      if (busy) return busy;
      if (state.power === "Stopped") return { kind: "nothing-to-do" };
      Object.assign(state, { busy: "stop", provisioning: "Stopping", eTag: randomUUID() });
      const end = () => {
        Object.assign(state, { busy: null, provisioning: "Succeeded", power: "Stopped" });
        changed(state);
        world.record("aks.stopped", regions[region].cluster.name);
        return null;
      };
      return { kind: "begun", operation: operations.begin({ kind: "stop", target: regions[region].cluster.id, region }, world.latencies.clusterStart, end) };
    },

    putPool(region, name, wish, ifMatch) {
      const state = stateOf(region);
      const pool = state.pools.find((pool) => pool.name === name);
      const no = pool ? refusedPut(state, pool, wish, ifMatch) : refused(404, "NotFound", `the lab's cluster ${regions[region].cluster.name} has no pool ${name}, and makes none`);
      if (no || !pool) return no ?? { kind: "nothing-to-do" };
      const count = wish.autoscaled ? Math.min(Math.max(wish.count, wish.minCount ?? 0), wish.maxCount ?? wish.count) : wish.count;
      const from = pool.present;
      const settings = { minCount: wish.autoscaled ? wish.minCount : null, maxCount: wish.autoscaled ? wish.maxCount : null, autoscaled: wish.autoscaled };
      const same = count === pool.count && settings.minCount === pool.minCount && settings.maxCount === pool.maxCount && settings.autoscaled === pool.autoscaled;
      // A failed pool that is asked for again is tried again, even when nothing else differs.
      if (same && pool.provisioning === "Succeeded") return { kind: "nothing-to-do" };
      Object.assign(pool, { ...settings, busy: true, count, provisioning: count === from ? "Updating" : "Scaling", eTag: randomUUID() });
      const end = () => {
        const { reached, error } = scaled(from, count, state.capacity, region);
        Object.assign(pool, { busy: false, present: reached, count: reached, provisioning: error ? "Failed" : "Succeeded", eTag: randomUUID() });
        changed(state);
        const act = reached > from ? "aks.pool-raised" : reached < from ? "aks.pool-lowered" : error ? null : "aks.pool-updated";
        if (act) world.record(act, `${regions[region].cluster.name}/${name}`, { from, to: reached });
        return error;
      };
      const target = `${regions[region].cluster.id}/agentPools/${name}`;
      return { kind: "begun", operation: operations.begin({ kind: "pool", target, region }, world.latencies.poolScale, end) };
    },
  };
}

function clusterAtStart(region: RegionName, { pools, power }: AksOptions): ClusterState {
  return {
    region,
    power: power?.[region] ?? "Running",
    provisioning: "Succeeded",
    // The version that the recorded backups were made on.
    kubernetesVersion: "1.34.4",
    eTag: randomUUID(),
    busy: null,
    capacity: { kind: "enough" },
    pools: (pools?.[region] ?? poolsAtStart[region]).map(({ name, mode, count, autoscale }) => ({
      name,
      mode,
      count,
      minCount: autoscale?.min ?? null,
      maxCount: autoscale?.max ?? null,
      autoscaled: autoscale !== undefined,
      vmSize: "Standard_D4s_v5",
      provisioning: "Succeeded" as const,
      eTag: randomUUID(),
      busy: false,
      present: count,
    })),
  };
}

function nodesOf({ power, pools }: ClusterState): Node[] {
  if (power === "Stopped") return [];
  // Named as AKS names the machines of a scale set; the number in the middle is the same for all pools of a cluster.
  return pools.flatMap(({ name, present }) => Array.from({ length: present }, (_, at) => ({ name: `aks-${name}-20261121-vmss${at.toString(36).padStart(6, "0")}`, pool: name, ready: true })));
}

function busyWith(state: ClusterState): Refusal | null {
  const under = state.busy ?? (state.pools.some((pool) => pool.busy) ? "putAgentPool" : null);
  return under === null ? null : refused(409, "OperationNotAllowed", `Operation is not allowed: another operation (${under}) is in progress on ${regions[state.region].cluster.name}`);
}

function refusedPut(state: ClusterState, pool: ClusterState["pools"][number], wish: PoolWish, ifMatch: string | null): Refusal | null {
  const where = `pool ${pool.name} of ${regions[state.region].cluster.name}`;
  // Two pools may change side by side; one pool, or the whole cluster, only once at a time.
  if (state.busy || pool.busy) return refused(409, "OperationNotAllowed", `Operation is not allowed: another operation (${state.busy ?? "putAgentPool"}) is in progress on ${where}`);
  if (state.power === "Stopped") return refused(409, "OperationNotAllowed", `${where}: a stopped cluster takes nothing but start and delete`);
  if (ifMatch !== null && ifMatch !== pool.eTag) return refused(412, "PreconditionFailed", `the eTag of ${where} is ${pool.eTag}, not ${ifMatch}`);
  const bad = badWish(pool, wish);
  return bad ? refused(400, "InvalidParameter", `${where}: ${bad}`) : null;
}

function badWish({ mode }: Pick<Pool, "mode">, { count, minCount, maxCount, autoscaled }: PoolWish): string | null {
  if (!Number.isInteger(count) || count < 0 || count > 1000) return "count must be a whole number from 0 to 1000";
  if (mode === "System" && count < 1) return "a system pool has at least one node";
  if (!autoscaled) return minCount === null && maxCount === null ? null : "minCount and maxCount need enableAutoScaling";
  if (minCount === null || maxCount === null || minCount > maxCount) return "enableAutoScaling needs minCount and maxCount, the first not above the second";
  return null;
}

function allocationError(capacity: Capacity, region: RegionName): OperationError | null {
  if (capacity.kind === "enough") return null;
  return {
    code: capacity.code,
    message: capacity.code === "SkuNotAvailable" ? `Standard_D4s_v5 is not available in ${region} for this subscription` : `allocation failed: not enough capacity for Standard_D4s_v5 in ${region}`,
  };
}

/** How far a pool comes on its way to `count`. Giving nodes back needs no capacity. */
function scaled(from: number, count: number, capacity: Capacity, region: RegionName): { readonly reached: number; readonly error: OperationError | null } {
  if (count <= from || capacity.kind === "enough") return { reached: count, error: null };
  const reached = capacity.kind === "partial" ? Math.min(count, from + capacity.nodes) : from;
  return { reached, error: reached === count ? null : allocationError(capacity, region) };
}
