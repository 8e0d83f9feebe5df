/** What a region's ingress finds behind a host name: read from the cluster's objects at this moment, as Kubernetes would route it. */
import { z } from "zod";
import type { ClusterObject, ClusterObjects } from "./cluster-objects.ts";
import { publicName, regions } from "./pair.ts";

export const demoName = "demo.example.com";

export type Backend =
  /** No Ingress has the host. */
  | { readonly kind: "none" }
  /** Something has it, and nothing behind it can answer. */
  | { readonly kind: "down"; readonly why: string; readonly ready: number; readonly wanted: number }
  | { readonly kind: "shop"; readonly ready: number; readonly wanted: number; readonly config: ShopConfig; readonly orders: Orders }
  | { readonly kind: "page"; readonly ready: number; readonly wanted: number; readonly html: string };

/** The data of ConfigMap `storefront`, as the storefront's pods have it in their environment. */
export interface ShopConfig {
  readonly banner: string;
  readonly currency: string;
  readonly region: string;
}

/** What the shop's database answers. */
export type Orders = { readonly kind: "lines"; readonly lines: readonly string[] } | { readonly kind: "down"; readonly why: string };

/** The backend of a host in one cluster. A region's own ingress host stands for the public name. */
export function backendOf(objects: ClusterObjects, host: string): Backend {
  const asked = Object.values(regions).some(({ ingressHost }) => ingressHost === host) ? publicName : host;
  // The demo has a Service and no Ingress; the lab's ingress knows it by name.
  if (asked === demoName) return pageOf(objects, "disaster-demo", "nginx");
  const service = serviceFor(objects, asked);
  return service === null ? { kind: "none" } : shopOf(objects, service.namespace, service.name);
}

function pageOf(objects: ClusterObjects, namespace: string, service: string): Backend {
  const found = workloadOf(objects, namespace, service);
  if (found.kind === "down") return found;
  const html = configData(objects, namespace, found.deployment.configMaps[0] ?? "")?.["index.html"];
  return html === undefined ? { ...found, kind: "down", why: `the page of ${namespace}/${service} is missing` } : { kind: "page", ready: found.ready, wanted: found.wanted, html };
}

function shopOf(objects: ClusterObjects, namespace: string, service: string): Backend {
  const found = workloadOf(objects, namespace, service);
  if (found.kind === "down") return found;
  const { ready, wanted } = found;
  const data = configData(objects, namespace, found.deployment.configMaps[0] ?? "");
  if (!data) return { ...found, kind: "down", why: `the settings of ${namespace}/${service} are missing` };
  return { kind: "shop", ready, wanted, config: { banner: data["banner"] ?? "", currency: data["currency"] ?? "", region: data["region"] ?? "" }, orders: ordersOf(objects, namespace) };
}

const database = { statefulSet: "orders", file: "orders.txt" } as const;

/** The database is a StatefulSet of one pod; its volume is that pod's claim of the first template. */
function ordersOf(objects: ClusterObjects, namespace: string): Orders {
  const set = read(statefulSet, objects.get("apps/v1", "statefulsets", namespace, database.statefulSet));
  if (!set) return { kind: "down", why: `there is no StatefulSet ${namespace}/${database.statefulSet}` };
  const name = `${database.statefulSet}-0`;
  const found = read(pod, objects.get("v1", "pods", namespace, name));
  if (!found || !isReady(found)) return { kind: "down", why: `pod ${namespace}/${name} is not ready` };
  const claim = `${set.spec.volumeClaimTemplates[0]?.metadata.name}-${name}`;
  const files = objects.volumeFiles(namespace, claim);
  if (files === null) return { kind: "down", why: `claim ${namespace}/${claim} is not bound` };
  // A volume that came back empty is a database without orders: it answers, and says so.
  return { kind: "lines", lines: (files[database.file] ?? "").split("\n").filter((line) => line !== "") };
}

/** The Service that an Ingress names for this host, whatever the path: every path of the shop has the same one. */
function serviceFor(objects: ClusterObjects, host: string): { readonly namespace: string; readonly name: string } | null {
  for (const object of objects.list("networking.k8s.io/v1", "ingresses", "")) {
    const found = read(ingress, object);
    const name = found?.spec.rules.find((rule) => rule.host === host)?.http?.paths[0]?.backend.service?.name;
    if (found && name !== undefined) return { namespace: found.metadata.namespace, name };
  }
  return null;
}

type Workload =
  | { readonly kind: "up"; readonly ready: number; readonly wanted: number; readonly deployment: { readonly configMaps: readonly string[] } }
  | Extract<Backend, { kind: "down" }>;

/** A Service's Deployment, by labels, and how many of the Service's pods are ready. */
function workloadOf(objects: ClusterObjects, namespace: string, name: string): Workload {
  const down = (why: string, ready = 0, wanted = 0): Workload => ({ kind: "down", why, ready, wanted });
  const selector = read(service, objects.get("v1", "services", namespace, name))?.spec.selector;
  if (!selector) return down(`there is no Service ${namespace}/${name}`);
  const matches = (labels: Readonly<Record<string, string>>) => Object.entries(selector).every(([key, value]) => labels[key] === value);
  const found = all(deployment, objects.list("apps/v1", "deployments", namespace)).find(({ spec }) => matches(spec.template.metadata.labels));
  if (!found) return down(`there is no Deployment behind Service ${namespace}/${name}`);
  const ready = all(pod, objects.list("v1", "pods", namespace)).filter((pod) => matches(pod.metadata.labels) && isReady(pod)).length;
  const wanted = found.spec.replicas;
  if (ready === 0) return down(`no pod of Deployment ${namespace}/${found.metadata.name} is ready`, 0, wanted);
  const { containers, volumes } = found.spec.template.spec;
  const configMaps = [...containers.flatMap(({ envFrom }) => envFrom.map(({ configMapRef }) => configMapRef?.name)), ...volumes.map(({ configMap }) => configMap?.name)].filter((name) => name !== undefined);
  return { kind: "up", ready, wanted, deployment: { configMaps } };
}

const configData = (objects: ClusterObjects, namespace: string, name: string) => read(configMap, objects.get("v1", "configmaps", namespace, name))?.data ?? null;

const isReady = ({ metadata, status }: z.infer<typeof pod>) => metadata.deletionTimestamp === undefined && status.conditions.some(({ type, status }) => type === "Ready" && status === "True");

// Only what is looked at; an object without it is not there for us.
const labels = z.record(z.string(), z.string()).default({});
const service = z.object({ spec: z.object({ selector: z.record(z.string(), z.string()) }) });
const configMap = z.object({ data: z.record(z.string(), z.string()).default({}) });
const ingress = z.object({
  metadata: z.object({ namespace: z.string() }),
  spec: z.object({
    rules: z.array(z.object({ host: z.string().optional(), http: z.object({ paths: z.array(z.object({ backend: z.object({ service: z.object({ name: z.string() }).optional() }) })) }).optional() })).default([]),
  }),
});
const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number().default(1),
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        containers: z.array(z.object({ envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }).optional() })).default([]) })).default([]),
        volumes: z.array(z.object({ configMap: z.object({ name: z.string() }).optional() })).default([]),
      }),
    }),
  }),
});
const statefulSet = z.object({ spec: z.object({ volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]) }) });
const pod = z.object({
  metadata: z.object({ labels, deletionTimestamp: z.string().optional() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).prefault({}),
});

function read<T>(schema: z.ZodType<T>, object: ClusterObject | null): T | null {
  return object === null ? null : (schema.safeParse(object).data ?? null);
}

const all = <T>(schema: z.ZodType<T>, objects: readonly ClusterObject[]): T[] => objects.map((object) => read(schema, object)).filter((found) => found !== null);
