import { type Cluster, type Clusters, type Home, type KubeObject, WorldError } from "../../../shared/ports.ts";
import { type RegionName, regions } from "../../world/pair.ts";
import type { Asked, Network } from "../network.ts";
import type { Scheduler } from "../time/scheduler.ts";
import { kindNamesIn } from "../world/cluster.ts";
import type { SimulatedPair } from "../world/pair.ts";
import { armCall, regionOf } from "./aks.ts";
import type { Lies } from "./world.ts";

/** How long an address that was read at home is believed. */
const readMs = 60_000;

export function openClusters(pair: Pick<SimulatedPair, "clusters" | "aks" | "world">, network: Network, scheduler: Scheduler, home: Home, lies: Lies): Clusters {
  const readAt = new Map<RegionName, number>();
  const nameOf = (region: RegionName): string => `clusters/${regions[region].resourceGroup}/${regions[region].cluster.name}.json`;
  const learn = async (region: RegionName): Promise<void> => {
    const { fqdn } = regions[region].cluster;
    await network.ask(armCall("read user credentials", region, region, false), () => fqdn);
    await home.put(nameOf(region), JSON.stringify({ server: `https://${fqdn}`, learntAt: scheduler.now }));
    readAt.delete(region);
  };
  return {
    async of(cluster) {
      const region = regionOf(cluster);
      const before = readAt.get(region);
      if (before === undefined || scheduler.now - before >= readMs) {
        if ((await home.read(nameOf(region))) === null) await learn(region);
        readAt.set(region, scheduler.now);
      }
      return openCluster(pair, region, network, lies);
    },
    refresh: async (cluster) => learn(regionOf(cluster)),
  };
}

/** The API of one cluster. One that is stopped has nobody who could answer. */
export function openCluster({ clusters, aks, world }: Pick<SimulatedPair, "clusters" | "aks"> & { readonly world: Pick<SimulatedPair["world"], "record"> }, region: RegionName, network: Network, lies: Lies): Cluster {
  const { objects, asked: askedFor } = clusters[region];
  const asked = (op: string, thing: string, mutating: boolean, deadlineMs?: number): Asked => ({ port: "kubernetes", op, thing: `${region}/${thing}`, region, mutating, fastMs: 5, slowMs: 25, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  const serving = (): void => {
    if (aks.cluster(region).power !== "Running") throw new WorldError("reach", region, "connection refused");
  };
  return {
    async ready(timeoutSeconds) {
      if (region === "westeurope" && lies.has("kubernetes-api")) return { kind: "no-answer", why: "the probe was lied to" };
      try {
        await network.ask(asked("ready", "readyz", false, timeoutSeconds * 1_000), serving);
        return { kind: "ready" };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        // Whoever answers is there, whatever the answer is.
        return { kind: /status \d/.test(why) ? "not-ready" : "no-answer", why };
      }
    },
    get: (kind, namespace, name) =>
      network.ask(asked("get", `${kind.plural}/${name}`, false), () => {
        serving();
        return objects.get(kind, namespace, name);
      }),
    list: (kind, namespace, labelSelector) =>
      network.ask(asked("list", kind.plural, false), () => {
        serving();
        return objects.list(kind, namespace, labelSelector);
      }),
    serves: (apiVersion) =>
      network.ask(asked("serves", apiVersion, false), () => {
        serving();
        return kindNamesIn(apiVersion);
      }),
    create: (kind, object) => {
      const wanted = object as KubeObject; // what the app creates has a name
      const { name, namespace = null } = wanted.metadata;
      const key = `${kind.plural}/${namespace ?? ""}/${name}`;
      askedFor.set(key, (askedFor.get(key) ?? new Set()).add(JSON.stringify(object)));
      return network.ask(asked("create", `${kind.plural}/${name}`, true), () => {
        serving();
        const created = objects.create(kind, wanted);
        if (created !== null) {
          world.record("kubernetes.created", `${region}/${kind.plural}/${namespace ?? ""}/${name}`);
          return { kind: "created", object: created };
        }
        const there = objects.get(kind, namespace, name);
        if (there === null) throw new WorldError("create", name, "it existed when it was to be created and was gone when it was read");
        return { kind: "exists", object: there };
      });
    },
    patch: (kind, namespace, name, patch) =>
      network.ask(asked("patch", `${kind.plural}/${name}`, true), () => {
        serving();
        const before = objects.get(kind, namespace, name);
        const after = objects.patch(kind, namespace, name, patch);
        if (after !== before) world.record("kubernetes.changed", `${region}/${kind.plural}/${namespace ?? ""}/${name}`, { spec: after?.["spec"] });
        return after;
      }),
    delete: (kind, namespace, name) =>
      network.ask(asked("delete", `${kind.plural}/${name}`, true), () => {
        serving();
        if (objects.get(kind, namespace, name) !== null) world.record("kubernetes.deleted", `${region}/${kind.plural}/${namespace ?? ""}/${name}`);
        objects.delete(kind, namespace, name);
      }),
  };
}
