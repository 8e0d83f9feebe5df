/** The controllers: what a Kubernetes 1.34.4 was seen to do with workloads, claims, nodes and namespaces, at the speed of the test. */
import { beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../lab/world/kubernetes/cluster.ts";
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import type { Writer } from "../../lab/world/kubernetes/store.ts";
import { getOf, isReady, listOf, type Pod, workloadKinds as kinds } from "../../lab/world/kubernetes/workloads.ts";
import { labWorld, openMachines, runningCluster, until } from "./region.ts";

const client: Writer = { manager: "test", part: "object" };
let machines: ReturnType<typeof openMachines>;
let cluster: Cluster;

beforeEach(() => {
  machines = openMachines();
  cluster = runningCluster(labWorld(), machines);
  create(kinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
});

const create = (kind: Parameters<Cluster["store"]["create"]>[0], object: KubernetesObject) => cluster.store.create(kind, object, client);
const web = (replicas: number, cpu = "100m") => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: { replicas, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1", resources: { requests: { cpu } } }] } } },
});
const database = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "orders", namespace: "shop" },
  spec: {
    replicas: 1,
    serviceName: "orders",
    selector: { matchLabels: { app: "orders" } },
    template: { metadata: { labels: { app: "orders" } }, spec: { containers: [{ name: "db", image: "db:1" }] } },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], storageClassName: "managed-csi", resources: { requests: { storage: "8Gi" } } } }],
  },
};
const pods = () => listOf(cluster.store, "pods", "shop");
const ready = () => pods().filter(isReady);
const status = (kind: "deployments" | "statefulSets", name: string) => getOf(cluster.store, kind, "shop", name)?.status;
const whenReady = (count: number) => until(`${count} ready pods`, () => (ready().length === count && pods().length === count ? ready() : null));

test("a deployment gets its pods, and its status counts them", async () => {
  create(kinds.deployments, web(3));
  await whenReady(3);
  await until("status", () => (status("deployments", "web")?.["availableReplicas"] === 3 ? true : null));
  expect(status("deployments", "web")).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    updatedReplicas: 3,
    conditions: expect.arrayContaining([expect.objectContaining({ type: "Available", status: "True", reason: "MinimumReplicasAvailable" })]),
  });
  expect(new Set(pods().map(({ spec }) => spec.nodeName))).toEqual(new Set(["aks-user-1", "aks-user-2"]));
});

test("scaled to zero a deployment has no pods, and its generation grows by one", async () => {
  create(kinds.deployments, web(2));
  await whenReady(2);
  cluster.store.change(kinds.deployments, "shop", "web", (draft) => void Object.assign(draft["spec"] as object, { replicas: 0 }), client);
  await whenReady(0);
  await until("status", () => (status("deployments", "web")?.["replicas"] === undefined && status("deployments", "web")?.["observedGeneration"] === 2 ? true : null));
  expect(getOf(cluster.store, "deployments", "shop", "web")?.metadata.generation).toBe(2);
});

test("loose pods that match are adopted, and one too many is deleted", async () => {
  const loose = (name: string): KubernetesObject => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop", labels: { app: "web", "pod-template-hash": "abc" } }, spec: { containers: [{ name: "web", image: "web:1" }] } });
  for (const name of ["web-abc-1", "web-abc-2", "web-abc-3"]) create(kinds.pods, loose(name));
  await whenReady(3);
  const { template } = web(2).spec;
  create(kinds.replicaSets, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web-abc", namespace: "shop", labels: { app: "web", "pod-template-hash": "abc" } },
    spec: { replicas: 2, selector: { matchLabels: { app: "web", "pod-template-hash": "abc" } }, template: { ...template, metadata: { labels: { app: "web", "pod-template-hash": "abc" } } } },
  });
  create(kinds.deployments, web(2));
  const left = await whenReady(2);
  expect(left.every(({ metadata }) => metadata.name.startsWith("web-abc-") && metadata.ownerReferences?.[0]?.name === "web-abc")).toBe(true);
  await until("the set has an owner", () => getOf(cluster.store, "replicaSets", "shop", "web-abc")?.metadata.ownerReferences?.find(({ kind }) => kind === "Deployment"));
  expect(listOf(cluster.store, "replicaSets", "shop")).toHaveLength(1);
});

test("pods that find no room wait with the reason, and start when a node comes", async () => {
  machines.set([{ name: "aks-system-1", pool: "system", ready: true }, { name: "aks-user-1", pool: "user", ready: true }]);
  create(kinds.deployments, web(3, "700m"));
  await until("two run", () => (ready().length === 2 ? true : null));
  const waiting = await until("one waits", () => pods().find((pod) => pod.status?.conditions?.some(({ reason }) => reason === "Unschedulable")));
  expect(waiting.status?.conditions?.[0]?.message).toBe("0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Insufficient cpu.");
  machines.set([...machines.machines(), { name: "aks-user-2", pool: "user", ready: true }]);
  await whenReady(3);
});

test("a node that is not ready takes the readiness of its pods with it; one that is gone, the pods", async () => {
  create(kinds.deployments, web(2));
  await whenReady(2);
  const [system, one, two] = machines.machines();
  machines.set([system, one, { ...two, ready: false }].filter((machine) => machine?.name !== undefined) as never);
  await until("one unready", () => (ready().length === 1 ? true : null));
  machines.set([system, one].filter((machine) => machine !== undefined));
  const replaced = await whenReady(2);
  expect(new Set(replaced.map(({ spec }) => spec.nodeName))).toEqual(new Set(["aks-user-1"]));
});

test("a stateful pod gets a claim, and the claim a new empty volume", async () => {
  create(kinds.statefulSets, database);
  const [pod] = (await whenReady(1)) as [Pod];
  expect(pod.metadata).toMatchObject({ name: "orders-0", labels: { "statefulset.kubernetes.io/pod-name": "orders-0" } });
  const claim = getOf(cluster.store, "claims", "shop", "data-orders-0");
  expect(claim?.status?.phase).toBe("Bound");
  expect(cluster.volumeFiles("shop", "data-orders-0")).toEqual({});
  expect(await until("status", () => (status("statefulSets", "orders")?.["availableReplicas"] === 1 ? status("statefulSets", "orders") : null))).toMatchObject({ replicas: 1, readyReplicas: 1, observedGeneration: 1 });
});

test("a claim of a class that is not there keeps its pod pending", async () => {
  cluster.store.remove(kinds.storageClasses, "", "managed-csi");
  create(kinds.statefulSets, database);
  const pod = await until("a reason", () => pods().find(({ status }) => status?.conditions?.some(({ reason }) => reason === "Unschedulable")));
  expect(pod.status?.conditions?.[0]?.message).toBe("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found");
  expect(cluster.volumeFiles("shop", "data-orders-0")).toBeNull();
});

test("a pod with Velero's init container waits until its volume carries the mark of the restore", async () => {
  const { store, files } = cluster;
  create(kinds.claims, { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data", namespace: "shop" }, spec: { storageClassName: "managed-csi", accessModes: ["ReadWriteOnce"] } });
  const spec = {
    initContainers: [{ name: "restore-wait", image: "velero/velero:v1.18.3", args: ["restore-1"], volumeMounts: [{ name: "data", mountPath: "/restores/data" }] }],
    containers: [{ name: "db", image: "db:1" }],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  };
  create(kinds.pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "db", namespace: "shop" }, spec });
  const waiting = await until("Init:0/1", () => pods().find(({ status }) => Array.isArray(status?.["initContainerStatuses"])));
  expect(waiting.status).toMatchObject({ phase: "Pending", initContainerStatuses: [{ name: "restore-wait", ready: false, state: { running: {} } }] });
  files.write(getOf(store, "claims", "shop", "data")?.spec.volumeName ?? "", { "orders.txt": "order 1", ".velero/restore-1": "" });
  await whenReady(1);
});

test("a deleted namespace ends with everything in it, volumes and files too", async () => {
  create(kinds.statefulSets, database);
  create(kinds.deployments, web(2));
  await whenReady(3);
  const volume = getOf(cluster.store, "claims", "shop", "data-orders-0")?.spec.volumeName ?? "";
  cluster.files.write(volume, { "orders.txt": "order 1" });
  cluster.store.remove(kinds.namespaces, "", "shop");
  expect(cluster.store.get(kinds.namespaces, "", "shop")?.["status"]).toMatchObject({ phase: "Terminating" });
  expect(() => create(kinds.deployments, { ...web(1), metadata: { name: "late", namespace: "shop" } })).toThrow("because it is being terminated");
  await until("the namespace is gone", () => (cluster.store.get(kinds.namespaces, "", "shop") ? null : true));
  expect(pods()).toEqual([]);
  expect(cluster.store.get(kinds.volumes, "", volume)).toBeNull();
  expect(cluster.files.read(volume)).toEqual({});
});

test("a service knows its ready pods, and a slice that nobody owns is replaced", async () => {
  create(kinds.deployments, web(2));
  await whenReady(2);
  create(kinds.slices, { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "web-old", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } }, addressType: "IPv4", endpoints: [], ports: [] });
  create(kinds.services, { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" }, spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] } });
  const endpoints = await until("endpoints", () => cluster.store.get(kinds.endpoints, "shop", "web"));
  expect(endpoints["subsets"]).toMatchObject([{ ports: [{ port: 8080 }], addresses: [{}, {}] }]);
  const slices = cluster.store.list(kinds.slices, "shop");
  expect(slices.map(({ metadata }) => metadata.generateName)).toEqual(["web-"]);
});
