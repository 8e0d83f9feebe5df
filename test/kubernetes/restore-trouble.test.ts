/** Restores into clusters that lack something, from repositories that lack something, by servers that end. Expectations as seen on a Velero 1.18.3. */
import { beforeEach, expect, test } from "vitest";
import type { LabWorld } from "../../lab/world/world.ts";
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import type { Writer } from "../../lab/world/kubernetes/store.ts";
import { getOf, isReady, listOf, workloadKinds as kinds } from "../../lab/world/kubernetes/workloads.ts";
import { objectOf, readArchive, ungzipJson, writeArchive } from "../../lab/world/velero/archive.ts";
import { changeVelero, createVelero, getVelero, listVelero } from "../../lab/world/velero/objects.ts";
import { labWorld, until } from "./region.ts";
import { restoreOf, secondary, volumeRestoresOf } from "./velero-region.ts";

const point = "shop-hourly-20261121055809";
const client: Writer = { manager: "test", part: "object" };
let world: LabWorld;
let region: Awaited<ReturnType<typeof secondary>>;

beforeEach(async () => {
  world = labWorld();
  region = await secondary(world);
});

const store = () => region.cluster.store;

test("a storage class that is missing leaves the pod unscheduled and the restore in progress", async () => {
  store().remove(kinds.storageClasses, "", "managed-csi");
  createVelero(store(), "restores", { metadata: { name: "shop" }, spec: { backupName: point, includedNamespaces: ["shop"] } });
  await until("a volume restore", () => volumeRestoresOf(region.cluster, "shop")[0]);
  const pod = await until("a reason", () => getOf(store(), "pods", "shop", "orders-0")?.status?.conditions?.find(({ reason }) => reason === "Unschedulable"));
  expect(pod.message).toContain("pod has unbound immediate PersistentVolumeClaims");
  expect(volumeRestoresOf(region.cluster, "shop")[0]?.status).toEqual({ progress: {} });
  expect(getVelero(store(), "restores", "shop")?.status).toMatchObject({ phase: "InProgress", progress: { itemsRestored: 32, totalItems: 32 } });
});

test("a volume backup that lost its snapshot id brings nothing back, and Velero calls it Completed", async () => {
  for (const { metadata } of listVelero(store(), "podvolumebackups"))
    changeVelero(store(), "podvolumebackups", metadata.name, (draft) => {
      const { snapshotID: _, ...status } = draft.status ?? {};
      draft.status = status;
    });
  const { status } = await restoreOf(region, "shop", { backupName: point, includedNamespaces: ["shop"] });
  expect(status).toMatchObject({ phase: "Completed", warnings: 1 });
  expect(volumeRestoresOf(region.cluster, "shop")).toEqual([]);
  await until("the database runs", () => (listOf(store(), "pods", "shop").some((pod) => pod.metadata.name === "orders-0" && isReady(pod)) ? true : null));
  expect(region.cluster.volumeFiles("shop", "data-orders-0")).toEqual({});
});

test("a pack that is missing from the repository fails the volume restore and says which", async () => {
  region.replica.blobs.delete("kopia/shop/p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147");
  const { status } = await restoreOf(region, "shop", { backupName: point, includedNamespaces: ["shop"] });
  expect(status).toMatchObject({ phase: "PartiallyFailed", errors: 1 });
  const [volume] = volumeRestoresOf(region.cluster, "shop");
  expect(volume?.status).toMatchObject({ phase: "Failed", message: expect.stringContaining("p5fde7e53759c3424a34983240d26c1b8") });
});

test("an object whose definition is missing is an error, everything else comes", async () => {
  const promotion: KubernetesObject = { apiVersion: "shop.example.com/v1", kind: "Promotion", metadata: { name: "winter", namespace: "disaster-demo" } };
  const name = "backups/demo-backup/demo-backup.tar.gz";
  const archive = await readArchive(region.replica.blobs.get(name) ?? Buffer.of());
  const items = archive.items.map((item) => ({ resource: item.resource, version: "v1", object: objectOf(item) }));
  region.replica.blobs.set(name, await writeArchive([...items, { resource: "promotions.shop.example.com", version: "v1", object: promotion }], world.clock.now()));
  const { status } = await restoreOf(region, "demo", { backupName: "demo-backup" });
  expect(status).toMatchObject({ phase: "PartiallyFailed", errors: 1 });
  const results = (await ungzipJson(region.replica.blobs.get("restores/demo/restore-demo-results.gz") ?? Buffer.of())) as { errors: unknown };
  expect(results.errors).toEqual({ namespaces: { "disaster-demo": ["error restoring promotions.shop.example.com/disaster-demo/winter: the server could not find the requested resource"] } });
  expect(store().get(kinds.configMaps, "disaster-demo", "page")).not.toBeNull();
});

test("without Velero's own Deployment nothing is restored; scaled to zero nothing is even looked at; a server that starts again gives up what it finds", async () => {
  const scale = (replicas: number) => store().change(kinds.deployments, "velero", "velero", (draft) => void Object.assign(draft["spec"] as object, { replicas }), client);
  store().remove(kinds.storageClasses, "", "managed-csi");
  createVelero(store(), "restores", { metadata: { name: "stuck" }, spec: { backupName: point, includedNamespaces: ["shop"] } });
  await until("in progress", () => (getVelero(store(), "restores", "stuck")?.status?.phase === "InProgress" ? true : null));
  scale(0);
  await until("the server has ended", () => (region.velero.isRunning() ? null : true));
  createVelero(store(), "restores", { metadata: { name: "later" }, spec: { backupName: "demo-backup" } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(getVelero(store(), "restores", "later")?.status).toBeUndefined();
  scale(1);
  await until("given up", () => (getVelero(store(), "restores", "stuck")?.status?.phase === "Failed" ? true : null));
  expect(getVelero(store(), "restores", "stuck")?.status?.failureReason).toBe('found a restore with status "InProgress" during the server starting, mark it as "Failed"');
  await until("the later one", () => (getVelero(store(), "restores", "later")?.status?.phase === "Completed" ? true : null));
});

test("restores run one at a time, at fifty items a second", async () => {
  const slow = labWorld({ veleroRestoreItem: 20 }, 20);
  const other = await secondary(slow);
  createVelero(other.cluster.store, "restores", { metadata: { name: "catalog" }, spec: { backupName: "catalog-1000" } });
  await until("in progress", () => (getVelero(other.cluster.store, "restores", "catalog")?.status?.phase === "InProgress" ? true : null));
  const demo = await restoreOf(other, "demo", { backupName: "demo-backup" });
  const catalog = getVelero(other.cluster.store, "restores", "catalog");
  const seconds = (Date.parse(catalog?.status?.completionTimestamp ?? "") - Date.parse(catalog?.status?.startTimestamp ?? "")) / 1000;
  // Measured: 21 s. No upper bound: on this clock every delay of the machine counts twenty times.
  expect(seconds).toBeGreaterThanOrEqual(20);
  expect(Date.parse(demo.status?.startTimestamp ?? "")).toBeGreaterThanOrEqual(Date.parse(catalog?.status?.completionTimestamp ?? ""));
});

test("nothing goes on while the region is lost", async () => {
  createVelero(store(), "restores", { metadata: { name: "demo" }, spec: { backupName: "demo-backup" } });
  world.setReach("northeurope", "reset");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(getVelero(store(), "restores", "demo")?.status?.phase).toBeUndefined();
  world.setReach("northeurope", "up");
  await until("the restore goes on", () => (getVelero(store(), "restores", "demo")?.status?.phase === "Completed" ? true : null));
});
