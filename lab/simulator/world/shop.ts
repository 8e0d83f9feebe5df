/** The simulated application: a shop with a front, a database on a volume, and two consumers that must not act twice. */
import type { KubeObject } from "../../../shared/ports.ts";

export const shopNamespace = "shop";
/** Claim of the database's volume. */
export const ordersClaim = "data-orders-0";
export const consumerNames = { deployment: "order-mailer", cronJob: "invoice-run" } as const;
/** How many pods the front has. */
export const storefronts = 2;

const object = (apiVersion: string, kind: string, name: string, namespace: string | null, rest: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === null ? {} : { namespace }), ...more },
  ...rest,
});

const workload = (kind: string, name: string, replicas: number, labels: Readonly<Record<string, string>> = {}): KubeObject =>
  object("apps/v1", kind, name, shopNamespace, { spec: { replicas, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: `registry.example.com/${name}:1` }] } } } }, { labels: { app: name, ...labels } });

const consumer = { "lifeboat.dev/consumer": "true" };

/** What a backup of the shop holds, in the order in which Velero restores kinds. Groups are those of Velero's folders. */
export const shopObjects: readonly { readonly resource: string; readonly object: KubeObject }[] = [
  { resource: "priorityclasses.scheduling.k8s.io", object: object("scheduling.k8s.io/v1", "PriorityClass", "shop-critical", null, { value: 1_000 }) },
  { resource: "namespaces", object: object("v1", "Namespace", shopNamespace, null, {}) },
  { resource: "persistentvolumeclaims", object: object("v1", "PersistentVolumeClaim", ordersClaim, shopNamespace, { spec: { storageClassName: "managed-csi", volumeName: "pvc-orders" }, status: { phase: "Bound" } }) },
  { resource: "configmaps", object: object("v1", "ConfigMap", "storefront", shopNamespace, { data: { currency: "EUR" } }) },
  {
    resource: "pods",
    object: object("v1", "Pod", "orders-0", shopNamespace, { spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: ordersClaim } }] } }, { labels: { app: "orders" }, ownerReferences: [{ kind: "StatefulSet", name: "orders", uid: "orders" }] }),
  },
  { resource: "pods", object: object("v1", "Pod", "order-mailer-0", shopNamespace, { spec: {} }, { labels: { app: "order-mailer" }, ownerReferences: [{ kind: "ReplicaSet", name: "order-mailer", uid: "order-mailer" }] }) },
  { resource: "statefulsets.apps", object: workload("StatefulSet", "orders", 1) },
  { resource: "deployments.apps", object: workload("Deployment", "storefront", storefronts) },
  { resource: "deployments.apps", object: workload("Deployment", consumerNames.deployment, 1, consumer) },
  { resource: "cronjobs.batch", object: object("batch/v1", "CronJob", consumerNames.cronJob, shopNamespace, { spec: { schedule: "0 * * * *", suspend: false } }, { labels: consumer }) },
];

/** How many volumes of it hold data. */
export const shopVolumes = 1;
