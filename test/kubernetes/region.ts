/** A region's cluster for tests: machines that a test may change, a clock as fast as asked, and its API over HTTP. */
import { setHeaderOptions, KubeConfig, PatchStrategy, CustomObjectsApi, CoreV1Api, AppsV1Api } from "@kubernetes/client-node";
import { labStart, startClock } from "../../lab/clock.ts";
import { serveKubernetesApi } from "../../lab/faces/kubernetes-api.ts";
import { type Cluster, openCluster } from "../../lab/world/kubernetes/cluster.ts";
import type { Machine } from "../../lab/world/kubernetes/controllers/context.ts";
import { controllerManager } from "../../lab/world/kubernetes/store.ts";
import { workloadKinds } from "../../lab/world/kubernetes/workloads.ts";
import { type Latencies, noLatencies } from "../../lab/world/latencies.ts";
import { type LabWorld, openWorld } from "../../lab/world/world.ts";

export const threeMachines: readonly Machine[] = [
  { name: "aks-system-1", pool: "system", ready: true },
  { name: "aks-user-1", pool: "user", ready: true },
  { name: "aks-user-2", pool: "user", ready: true },
];

export function openMachines(start: readonly Machine[] = threeMachines) {
  let machines = start;
  const listeners: (() => void)[] = [];
  return {
    machines: () => machines,
    onMachines: (call: () => void) => void listeners.push(call),
    set(next: readonly Machine[]) {
      machines = next;
      for (const call of listeners) call();
    },
  };
}

export const labWorld = (latencies: Partial<Latencies> = {}, rate = 200, startMs = labStart): LabWorld => openWorld(startClock({ rate, startMs }), { ...noLatencies, ...latencies });

export function runningCluster(world: LabWorld, machines = openMachines()): Cluster {
  const cluster = openCluster(world, "northeurope", machines);
  cluster.store.create(workloadKinds.storageClasses, { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "managed-csi" }, provisioner: "disk.csi.azure.com", volumeBindingMode: "WaitForFirstConsumer" }, controllerManager);
  cluster.run();
  return cluster;
}

export const goodToken = "made-up-token-of-the-tests";

/** The API of a cluster, and the real client pointed at it. */
export async function serve(world: LabWorld, cluster: Cluster) {
  const listener = await serveKubernetesApi(world, { cluster, authenticate: (token) => token === goodToken });
  const config = (token: string) => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: "lab", server: listener.url, skipTLSVerify: true }],
      users: [{ name: "test", token }],
      contexts: [{ name: "lab", cluster: "lab", user: "test" }],
      currentContext: "lab",
    });
    return kubeConfig;
  };
  const kubeConfig = config(goodToken);
  return {
    url: listener.url,
    close: () => listener.close(),
    kubeConfig,
    stranger: config("made-up-token-of-nobody").makeApiClient(CoreV1Api),
    core: kubeConfig.makeApiClient(CoreV1Api),
    apps: kubeConfig.makeApiClient(AppsV1Api),
    custom: kubeConfig.makeApiClient(CustomObjectsApi),
  };
}

export const asMergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
export const asStrategicPatch = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
export const asJsonPatch = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);

/** Waits until `look` gives something that is not null or undefined; fails with `what` after a while. */
export async function until<T>(what: string, look: () => T | null | undefined | Promise<T | null | undefined>, waitMs = 5_000): Promise<T> {
  const endAt = performance.now() + waitMs;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined) return seen;
    if (performance.now() > endAt) throw new Error(`not within ${waitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
