import { type Aks, type AksState, WorldError } from "../../../shared/ports.ts";
import { type ManagedCluster, type Pool, type PoolWish } from "../../world/aks.ts";
import { type RegionName, regions } from "../../world/pair.ts";
import type { Asked, Network } from "../network.ts";
import type { SimulatedPair } from "../world/pair.ts";

/** The region of a cluster, by its resource id. Throws for a cluster that the pair does not have. */
export function regionOf(cluster: string): RegionName {
  const found = Object.values(regions).find((known) => known.cluster.id.toLowerCase() === cluster.toLowerCase());
  if (!found) throw new WorldError("find", cluster, "status 404 ResourceNotFound");
  return found.region;
}

/** A region's control plane goes with its region. */
export const armCall = (op: string, thing: string, region: RegionName | null, mutating: boolean): Asked => ({ port: "arm", op, thing, region, mutating, fastMs: 40, slowMs: 120 });

export function openAks({ aks }: Pick<SimulatedPair, "aks">, network: Network): Aks {
  return {
    async read(cluster) {
      const region = regionOf(cluster);
      return network.ask(armCall("read cluster", region, region, false), () => stateOf(aks.cluster(region)));
    },
    async start(cluster) {
      const region = regionOf(cluster);
      return network.ask(armCall("start cluster", region, region, true), () => {
        const { power, provisioning } = aks.cluster(region);
        if (power !== "Stopped" || provisioning === "Starting") return;
        const asked = aks.start(region);
        if (asked.kind === "refused") throw new WorldError("start cluster", region, `status ${asked.status} ${asked.code}: ${asked.message}`);
      });
    },
    async raisePool(cluster, pool, nodes) {
      const region = regionOf(cluster);
      return network.ask(armCall("raise node pool", `${region}/${pool}`, region, true), () => {
        const found = aks.cluster(region).pools.find(({ name }) => name === pool);
        if (!found) return { kind: "refused", why: `no such node pool: ${pool}` };
        const wish = raised(found, nodes);
        if (wish === null) return { kind: "enough" };
        const asked = aks.putPool(region, pool, wish, found.eTag);
        if (asked.kind !== "refused") return { kind: "asked" };
        throw new WorldError("raise node pool", `${region}/${pool}`, `status ${asked.status} ${asked.code}: ${asked.message}`);
      });
    },
  };
}

const stateOf = ({ power, provisioning, kubernetesVersion, pools }: ManagedCluster): AksState => ({
  power: power === "Running" ? "running" : "stopped",
  provisioning,
  kubernetesVersion,
  pools: pools.map(({ name, count, minCount, maxCount, autoscaled, provisioning: state }) => ({ name, count, minCount, maxCount, autoscaled, provisioning: state })),
});

/** As the adapter raises: never lowers, the lower bound too where the pool scales itself; `null`: there are enough. */
function raised({ count, minCount, maxCount, autoscaled, provisioning }: Pool, nodes: number): PoolWish | null {
  const floor = (autoscaled ? minCount : count) ?? 0;
  if (floor >= nodes && provisioning !== "Failed") return null;
  return { autoscaled, count: Math.max(count, nodes), minCount: autoscaled ? Math.max(floor, nodes) : null, maxCount: autoscaled ? Math.max(maxCount ?? 0, nodes) : null };
}
