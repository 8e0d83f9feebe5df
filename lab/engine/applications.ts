/** The lab's applications as their teams would deploy them: from the manifests of `lab/applications`, with the shop's orders on its volume. */
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { Api, ApiObject } from "../real/api.ts";
import type { RealCluster } from "../real/real-cluster.ts";
import { isReady } from "./seen-effects.ts";

export const applicationNamespaces = ["shop", "disaster-demo"] as const;
/** Where the shop's database keeps its data. */
export const ordersClaim = { namespace: "shop", claim: "data-orders-0" } as const;

const folder = new URL("../applications/", import.meta.url);
/** Velero's schedule that makes the shop's backups. */
export const scheduleName = "shop-hourly";
const lookMs = 100;
const readyMsMax = 90_000;

export interface Deploying {
  /** What becomes of each object first; default: it stays as it is. */
  readonly change?: (object: ApiObject) => ApiObject;
  readonly signal?: AbortSignal | undefined;
}

/** What deploying needs of a cluster. */
type Place = Pick<RealCluster, "api" | "writeVolumeFile">;

/** Resolves when every pod is Ready and the orders are on the volume. Throws an `ApiRefused`, or says what did not become ready. */
export async function deployApplications(cluster: Place, { change = (object) => object, signal }: Deploying = {}): Promise<void> {
  const { api } = cluster;
  for (const object of [...(await manifest("shop")), ...(await manifest("disaster-demo"))]) await api.apply(change(object));
  await until("its custom kind to be established", signal, async () => isEstablished(await api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/promotions.shop.example.com")));
  for (const object of await manifest("shop-promotions")) await api.apply(object);
  for (const namespace of applicationNamespaces) await until(`all pods of ${namespace} to be Ready`, signal, async () => (await waiting(cluster, namespace)).length === 0);
  await cluster.writeVolumeFile(ordersClaim.namespace, ordersClaim.claim, "orders.txt", Buffer.from(orders));
}

/** What the shop has sold. */
const orders = Array.from({ length: 12 }, (_, at) => `order ${String(1000 + at)}; 2026-11-21; EUR ${(19.9 + at * 3.5).toFixed(2)}\n`).join("");

/** As in the recorded backups: the volume's files with the objects, and of the cluster's own things those that the shop needs. */
const template = {
  includedNamespaces: ["shop"],
  includedClusterScopedResources: ["customresourcedefinitions.apiextensions.k8s.io", "priorityclasses.scheduling.k8s.io", "persistentvolumes"],
  defaultVolumesToFsBackup: true,
  ttl: "72h0m0s",
};

/** The shop's hourly backup, to the location of that name. Needs Velero's kinds. `lastBackup` now: the first run is the next full hour. */
export async function scheduleBackups(api: Api, storageLocation: string): Promise<void> {
  await api.apply({ apiVersion: "velero.io/v1", kind: "Schedule", metadata: { name: scheduleName, namespace: "velero" }, spec: { schedule: "0 * * * *", skipImmediately: true, template: { ...template, storageLocation } } });
}

/** What they bring that lies in no namespace, and their namespaces. */
export async function clusterObjects(): Promise<readonly ApiObject[]> {
  return [...(await manifest("shop")), ...(await manifest("disaster-demo"))].filter(({ metadata }) => metadata.namespace === undefined);
}

async function manifest(name: string): Promise<readonly ApiObject[]> {
  // Our own files.
  return parseAllDocuments(await readFile(new URL(`${name}.yaml`, folder), "utf8")).map((document) => document.toJS() as ApiObject);
}

/** Names of the workloads' pods that are not Ready yet, and of workloads without pods. */
async function waiting({ api }: Place, namespace: string): Promise<readonly string[]> {
  const of = (kind: string) => api.list(`/apis/apps/v1/namespaces/${namespace}/${kind}`);
  const [deployments, sets, pods] = await Promise.all([of("deployments"), of("statefulsets"), api.list(`/api/v1/namespaces/${namespace}/pods`)]);
  const short = [...deployments, ...sets].filter((workload) => {
    const wanted = (workload["spec"] as { replicas?: number }).replicas ?? 1;
    const { readyReplicas = 0 } = (workload["status"] ?? {}) as { readyReplicas?: number };
    return readyReplicas < wanted;
  });
  return [...short, ...pods.filter((pod) => !isReady(pod))].map(({ metadata }) => metadata.name);
}

function isEstablished(definition: ApiObject | null): boolean {
  const { conditions = [] } = (definition?.["status"] ?? {}) as { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  return conditions.some(({ type, status }) => type === "Established" && status === "True");
}

async function until(what: string, signal: AbortSignal | undefined, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + readyMsMax;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`the applications were not up within ${readyMsMax / 1_000} s: waited for ${what}`);
    await wait(lookMs, undefined, signal ? { signal } : {});
  }
}
