/** Velero through the API alone, with the real client of Kubernetes: as Lifeboat sees it. */
import { ApiException, Watch } from "@kubernetes/client-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LabWorld } from "../../lab/world/world.ts";
import type { Restore, StorageLocation } from "../../lab/world/velero/objects.ts";
import { asMergePatch, labWorld, serve, until } from "./region.ts";
import { secondary } from "./velero-region.ts";

const velero = { group: "velero.io", version: "v1", namespace: "velero" };
let world: LabWorld;
let region: Awaited<ReturnType<typeof secondary>>;
let api: Awaited<ReturnType<typeof serve>>;

beforeEach(async () => {
  world = labWorld();
  region = await secondary(world);
  api = await serve(world, region.cluster);
});
afterEach(() => api.close());

const create = (name: string, spec: Record<string, unknown>) => api.custom.createNamespacedCustomObject({ ...velero, plural: "restores", body: { apiVersion: "velero.io/v1", kind: "Restore", metadata: { name }, spec } });
const read = async (name: string) => (await api.custom.getNamespacedCustomObject({ ...velero, plural: "restores", name })) as Restore;
const isThere = (name: string) =>
  read(name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiException && error.code === 404) return null;
      throw error;
    },
  );

test("a restore is created, watched to its end, and deleted with its files", async () => {
  const phases: string[] = [];
  const watch = await new Watch(api.kubeConfig).watch(
    "/apis/velero.io/v1/namespaces/velero/restores",
    { fieldSelector: "metadata.name=demo" },
    (_type, { status }: Restore) => void phases.push(status?.phase ?? ""),
    () => {},
  );
  await create("demo", { backupName: "demo-backup", itemOperationTimeout: "1h0m0s", notAField: "is pruned" });
  await until("its end", () => (phases.at(-1) === "Completed" ? true : null));
  watch.abort();
  expect(phases.filter((phase, at) => phase !== phases[at - 1])).toEqual(["", "InProgress", "Finalizing", "Completed"]);
  const restore = await read("demo");
  expect(restore.spec).toMatchObject({ backupName: "demo-backup", itemOperationTimeout: "1h0m0s" });
  expect(restore.spec).not.toHaveProperty("notAField");
  expect(world.effects.map(({ act, key }) => `${act} ${key}`)).toEqual(expect.arrayContaining(["kubernetes.created northeurope/restores/velero/demo", "velero.restore-started northeurope/demo", "velero.restore-ended northeurope/demo"]));
  const files = () => [...region.replica.blobs.keys()].filter((name) => name.startsWith("restores/demo/"));
  expect(files()).toHaveLength(5);
  await api.custom.deleteNamespacedCustomObject({ ...velero, plural: "restores", name: "demo" });
  await until("it is gone", async () => ((await isThere("demo")) ? null : true));
  expect(files()).toEqual([]);
});

test("a restore of the wrong form is refused by the definition's schema, a second of the same name by its name", async () => {
  await expect(create("wrong", { backupName: 7 })).rejects.toMatchObject({ code: 422 });
  await create("twice", { backupName: "demo-backup" });
  await expect(create("twice", { backupName: "demo-backup" })).rejects.toMatchObject({ code: 409 });
  expect(world.effects.filter(({ act, key }) => act === "kubernetes.created" && key.endsWith("/twice"))).toHaveLength(1);
});

test("a location whose lastSyncedTime is taken away is synced at the next look", async () => {
  const location = async () => (await api.custom.getNamespacedCustomObject({ ...velero, plural: "backupstoragelocations", name: "replica" })) as StorageLocation;
  const before = await location();
  await api.custom.patchNamespacedCustomObject({ ...velero, plural: "backupstoragelocations", name: "replica", body: { status: { lastSyncedTime: null } } }, asMergePatch);
  const synced = await until("a new sync", async () => {
    const { status } = await location();
    return status?.lastSyncedTime !== undefined && status.lastSyncedTime > (before.status?.lastSyncedTime ?? "") ? status : null;
  });
  expect(synced.phase).toBe("Available");
});

test("a Deployment scaled through the API takes Velero with it, and so does a cluster without machines", async () => {
  const scale = (replicas: number) => api.apps.patchNamespacedDeployment({ namespace: "velero", name: "velero", body: { spec: { replicas } } }, asMergePatch);
  await scale(0);
  await until("no server", () => (region.velero.isRunning() ? null : true));
  await scale(1);
  await until("a server", () => (region.velero.isRunning() ? true : null));
  const machines = region.machines.machines();
  region.machines.set([]);
  await until("no server", () => (region.velero.isRunning() ? null : true));
  expect((await api.core.listNode()).items).toEqual([]);
  region.machines.set(machines);
  await until("a server", () => (region.velero.isRunning() ? true : null));
});

test("a create whose answer is lost happened once, and a repeat finds it", async () => {
  world.inject({ call: "POST velero.io/restores", kind: "effect-without-answer" });
  await expect(create("once", { backupName: "demo-backup" })).rejects.not.toBeInstanceOf(ApiException);
  await expect(create("once", { backupName: "demo-backup" })).rejects.toMatchObject({ code: 409 });
  await until("its end", async () => ((await read("once")).status?.phase === "Completed" ? true : null));
  expect(world.effects.filter(({ act, key }) => act === "velero.restore-started" && key === "northeurope/once")).toHaveLength(1);
});
