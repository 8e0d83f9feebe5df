/** One region's cluster: its objects, the pods that follow from them, and what is on its volume. */
import { kinds } from "../../../shared/domain/kinds.ts";
import type { KubeObject, Kind } from "../../../shared/ports.ts";
import type { Aks } from "../../world/aks.ts";
import type { RegionName } from "../../world/pair.ts";
import type { LabWorld } from "../../world/world.ts";
import { type Objects, openObjects } from "./objects.ts";
import { consumerNames, ordersClaim, shopNamespace, shopObjects } from "./shop.ts";

/** Kinds that a cluster knows beside those that the app asks for. */
export const moreKinds = {
  services: { apiVersion: "v1", plural: "services", namespaced: true },
  priorityClasses: { apiVersion: "scheduling.k8s.io/v1", plural: "priorityclasses", namespaced: false },
} as const satisfies Record<string, Kind>;

/** GitOps controllers are installed in neither cluster: their kinds are unknown there. */
const gitops: ReadonlySet<Kind> = new Set([kinds.kustomizations, kinds.helmReleases, kinds.applications]);
const known: readonly Kind[] = [...Object.values<Kind>(kinds), ...Object.values<Kind>(moreKinds)].filter((kind) => !gitops.has(kind));

export interface SimulatedCluster {
  readonly region: RegionName;
  readonly objects: Objects;
  /** How many pods of a workload are ready now. */
  readonly ready: (name: string) => number;
  /** Snapshot whose data is on the database's volume: `null` where there is no volume, empty where it is blank. */
  readonly volume: () => string | null;
  readonly fill: (snapshot: string) => void;
  /** Every attempt of the app to create something here, answered or not: what was asked for by each name. */
  readonly asked: Map<string, Set<string>>;
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** How long a pod that is ended still runs. */
const graceMs = 2_000;

export function openCluster(world: LabWorld, region: RegionName, aks: Aks): SimulatedCluster {
  const store = openObjects(region, known);
  const ready = new Map<string, number>();
  const state: { volume: string | null } = { volume: null };

  const objects: Objects = {
    ...store,
    // The machines are ARM's to say.
    list: (kind, namespace, selector) => (kind === kinds.nodes ? nodesOf(aks, region) : store.list(kind, namespace, selector)),
  };

  /** Brings a workload's pods to what its spec says now. */
  const follow = (kind: Kind, { metadata }: KubeObject): void => {
    const { name, namespace = "" } = metadata;
    const wanted = () => replicasOf(store.get(kind, namespace, name));
    const key = `${namespace}/${name}`;
    if (wanted() > (ready.get(key) ?? 0))
      world.clock.after(world.latencies.podStart, () => {
        const now = wanted();
        if (now <= (ready.get(key) ?? 0)) return;
        for (let at = 0; at < now; at++) store.create(kinds.pods, podOf(kind, namespace, name, at));
        settle(kind, namespace, name, now);
      });
    else if (wanted() < (ready.get(key) ?? 0)) {
      settle(kind, namespace, name, wanted());
      world.clock.after(graceMs, () => {
        for (let at = wanted(); at < podsMax; at++) store.delete(kinds.pods, namespace, `${name}-${at}`);
      });
    }
  };

  const settle = (kind: Kind, namespace: string, name: string, replicas: number): void => {
    const before = ready.get(`${namespace}/${name}`) ?? 0;
    ready.set(`${namespace}/${name}`, replicas);
    store.patch(kind, namespace, name, { status: { readyReplicas: replicas, replicas } });
    if (name === consumerNames.deployment && before === 0 && replicas > 0) world.record("consumer.acts", `${region}/${name}`);
  };

  store.onChange((kind, after, before) => {
    const specChanged = JSON.stringify(after?.["spec"]) !== JSON.stringify(before?.["spec"]);
    if (kind === kinds.deployments || kind === kinds.statefulSets) {
      if (after === null && before !== null) ready.delete(`${before.metadata.namespace}/${before.metadata.name}`);
      else if (after !== null && specChanged) follow(kind, after);
    }
    if (kind === kinds.cronJobs && after !== null && specChanged && (after["spec"] as { suspend?: boolean } | undefined)?.suspend !== true) world.record("consumer.acts", `${region}/${after.metadata.name}`);
    if (kind === kinds.persistentVolumeClaims && before === null && after?.metadata.name === ordersClaim) {
      state.volume = "";
      world.clock.after(bindMs, () => void store.patch(kinds.persistentVolumeClaims, shopNamespace, ordersClaim, { status: { phase: "Bound" } }));
    }
    if (kind === kinds.persistentVolumeClaims && after === null) state.volume = null;
  });

  for (const name of ["default", "kube-system", "velero"]) store.create(kinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  store.create(kinds.storageClasses, { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "managed-csi" } });
  return { region, objects, ready: (name) => ready.get(`${shopNamespace}/${name}`) ?? 0, volume: () => state.volume, fill: (snapshot) => void (state.volume = snapshot), asked: new Map() };
}

/** A disk, from asked for to bound. */
const bindMs = 3_000;
/** More than any workload of the shop has. */
const podsMax = 5;

/** The shop as it runs on a quiet day, with the data of this moment. */
export function deployShop({ objects, fill }: SimulatedCluster): void {
  for (const { object } of shopObjects) {
    const kind = kindOf(object);
    if (kind !== null && kind !== kinds.pods) objects.create(kind, object);
  }
  fill("live");
}

/** Kinds of one API version as discovery names them: those of the shop, and whatever else is asked for. `null`: the version is not served. */
export function kindNamesIn(apiVersion: string): readonly string[] | null {
  if (!known.some((kind) => kind.apiVersion === apiVersion)) return null;
  return [...new Set(shopObjects.filter(({ object }) => object.apiVersion === apiVersion).map(({ object }) => object.kind))];
}

/** The kind of an object, as the API has it. */
export function kindOf({ apiVersion, kind }: KubeObject): Kind | null {
  const plural = `${kind.toLowerCase()}${kind.endsWith("s") ? "es" : "s"}`;
  return known.find((candidate) => candidate.apiVersion === apiVersion && candidate.plural === plural) ?? null;
}

const replicasOf = (object: KubeObject | null): number => (object === null ? 0 : ((object["spec"] as { readonly replicas?: number }).replicas ?? 1));

function podOf(kind: Kind, namespace: string, workload: string, at: number): KubeObject {
  const owner = { kind: kind === kinds.deployments ? "ReplicaSet" : "StatefulSet", name: workload, uid: workload };
  const metadata: Changing<KubeObject["metadata"]> = { name: `${workload}-${at}`, namespace, labels: { app: workload }, ownerReferences: [owner] };
  return { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } };
}

const nodesOf = (aks: Aks, region: RegionName): readonly KubeObject[] =>
  aks.nodes(region).map(({ name, pool, ready }) => ({ apiVersion: "v1", kind: "Node", metadata: { name, labels: { agentpool: pool } }, status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] } }));
