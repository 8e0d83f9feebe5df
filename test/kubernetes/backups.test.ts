/** Backups: what a Velero of the lab leaves in its container must have the form of what a real one left, and restore. */
import { beforeEach, expect, test } from "vitest";
import type { LabWorld } from "../../lab/world/world.ts";
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import type { Writer } from "../../lab/world/kubernetes/store.ts";
import { getOf, isReady, listOf, workloadKinds as kinds } from "../../lab/world/kubernetes/workloads.ts";
import { readArchive, ungzipJson } from "../../lab/world/velero/archive.ts";
import { changeVelero, createVelero, getVelero, listVelero, type Backup, type BackupSpec } from "../../lab/world/velero/objects.ts";
import { labWorld, until } from "./region.ts";
import { primary, restoreOf, secondary, watchPhases } from "./velero-region.ts";

const client: Writer = { manager: "test", part: "object" };
const recordedName = "shop-hourly-20261121055825";
let world: LabWorld;
let region: Awaited<ReturnType<typeof primary>>;

beforeEach(async () => {
  world = labWorld();
  region = await primary(world);
});

const store = () => region.cluster.store;
const terminal: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed", "FailedValidation"]);

async function backupOf(name: string, spec: BackupSpec): Promise<Backup> {
  createVelero(store(), "backups", { metadata: { name, labels: { "velero.io/schedule-name": "shop-hourly" } }, spec });
  return until(`the end of backup ${name}`, () => {
    const backup = getVelero(store(), "backups", name);
    return terminal.has(backup?.status?.phase ?? "") ? backup : null;
  });
}

const scheduled = (): BackupSpec => getVelero(store(), "schedules", "shop-hourly")?.spec.template ?? {};
const files = (container: ReadonlyMap<string, Uint8Array>, backup: string) => [...container.keys()].filter((name) => name.startsWith(`backups/${backup}/`)).map((name) => name.replaceAll(backup, "NAME")).toSorted();
const read = async (container: ReadonlyMap<string, Uint8Array>, backup: string, file: string) => ungzipJson(container.get(`backups/${backup}/${backup}-${file}`) ?? Buffer.of());

/** The form of a value: its keys and kinds, whatever its content. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [formOf(value[0])];
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, formOf(part)]));
}

test("the primary is up as on a quiet day: everything ready, the volume full, all recorded backups known", () => {
  expect(listOf(store(), "pods").every(isReady)).toBe(true);
  expect(listOf(store(), "deployments").map(({ metadata }) => metadata.name)).toEqual(["nginx", "order-mailer", "storefront", "velero"]);
  expect(store().get(kinds.configMaps, "shop", "storefront")?.["data"]).toMatchObject({ banner: "Last day" });
  expect(region.cluster.volumeFiles("shop", "data-orders-0")).toEqual({ "orders.txt": "order 1001 paid\norder 1002 paid\norder 1003 paid\n" });
  expect(listVelero(store(), "backups")).toHaveLength(9);
  expect(getVelero(store(), "backupstoragelocations", "default")?.status?.phase).toBe("Available");
  expect(region.velero.isRunning()).toBe(true);
});

test("a backup goes through the recorded phases and ends with the recorded fields", async () => {
  const seen = watchPhases(region.cluster, "backups");
  const backup = await backupOf("shop-hourly-20261121061000", scheduled());
  const phases = seen.map(({ status }) => (status as { phase?: string } | undefined)?.phase ?? "").filter((phase, at, all) => phase !== all[at - 1]);
  expect(phases).toEqual(["", "Queued", "ReadyToStart", "InProgress", "Finalizing", "Completed"]);
  const recorded = getVelero(store(), "backups", recordedName);
  expect(formOf(backup.status)).toEqual(formOf(recorded?.status));
  expect(formOf(backup.spec)).toEqual(formOf(recorded?.spec));
  expect(backup.metadata.annotations).toEqual(recorded?.metadata.annotations);
  expect(backup.metadata.labels).toEqual({ "velero.io/schedule-name": "shop-hourly", "velero.io/storage-location": "default" });
  expect(world.effects.filter(({ act }) => act.startsWith("velero.backup-")).slice(-2)).toMatchObject([
    { act: "velero.backup-started", key: "westeurope/shop-hourly-20261121061000" },
    { act: "velero.backup-completed", key: "westeurope/shop-hourly-20261121061000", detail: { phase: "Completed" } },
  ]);
});

test("its blobs have the names and the forms of a recorded backup's", async () => {
  const name = "shop-hourly-20261121061000";
  await backupOf(name, scheduled());
  const { blobs } = region.blobs;
  expect(files(blobs, name)).toEqual(files(region.recording, recordedName));
  const [mine, theirs] = [name, recordedName].map((backup) => JSON.parse(Buffer.from((backup === name ? blobs : region.recording).get(`backups/${backup}/velero-backup.json`) ?? Buffer.of()).toString()) as Backup);
  expect(formOf(mine?.status)).toEqual(formOf(theirs?.status));
  expect(mine).toMatchObject({ kind: "Backup", apiVersion: "velero.io/v1", metadata: { name }, status: { phase: "Completed" } });
  for (const file of ["volumeinfo.json.gz", "volumesnapshots.json.gz", "itemoperations.json.gz", "results.gz"]) expect(formOf(await read(blobs, name, file)), file).toEqual(formOf(await read(region.recording, recordedName, file)));
  const [volume] = (await read(blobs, name, "podvolumebackups.json.gz")) as KubernetesObject[];
  const [recordedVolume] = (await read(region.recording, recordedName, "podvolumebackups.json.gz")) as KubernetesObject[];
  expect(formOf([volume?.["spec"], volume?.["status"], volume?.metadata.labels])).toEqual(formOf([recordedVolume?.["spec"], recordedVolume?.["status"], recordedVolume?.metadata.labels]));
});

test("its resource list names what is in its archive, each twice, and the kinds of a recorded one", async () => {
  const name = "shop-hourly-20261121061000";
  await backupOf(name, scheduled());
  const { blobs } = region.blobs;
  const list = (await read(blobs, name, "resource-list.json.gz")) as Record<string, string[]>;
  const recordedList = (await read(region.recording, recordedName, "resource-list.json.gz")) as Record<string, string[]>;
  const { "v1/Event": _events, ...expected } = recordedList;
  expect(Object.keys(list)).toEqual(Object.keys(expected));
  expect(list["v1/Pod"]).toEqual(expected["v1/Pod"]);
  const archive = await readArchive(blobs.get(`backups/${name}/${name}.tar.gz`) ?? Buffer.of());
  expect(archive.items).toHaveLength(Object.values(list).flat().length);
  const { gunzipSync } = await import("node:zlib");
  const tar = gunzipSync(blobs.get(`backups/${name}/${name}.tar.gz`) ?? Buffer.of()).toString("latin1");
  expect(tar).toContain("resources/deployments.apps/v1-preferredversion/namespaces/shop/storefront.json");
  expect(tar).toContain("metadata/version");
});

test("the metadata is written early and again at the end, the log before all, the small files after the archive", async () => {
  const order: string[] = [];
  const put = region.blobs.put.bind(region.blobs);
  region.blobs.put = (blob, bytes) => {
    if (blob.startsWith("backups/")) order.push(blob.replaceAll("now", "NAME").replace("backups/NAME/", "") + (blob.endsWith("velero-backup.json") ? ` ${(JSON.parse(Buffer.from(bytes).toString()) as Backup).status?.phase}` : ""));
    return put(blob, bytes);
  };
  await backupOf("now", scheduled());
  expect(order.slice(0, 3)).toEqual(["NAME-logs.gz", "velero-backup.json Finalizing", "NAME.tar.gz"]);
  expect(order).toHaveLength(10);
  expect(order.at(-1)).toBe("velero-backup.json Completed");
});

test("a new point has the volume's present files, in new write-once blobs, and restores in the other region", async () => {
  const volume = getOf(store(), "claims", "shop", "data-orders-0")?.spec.volumeName ?? "";
  region.cluster.files.write(volume, { "orders.txt": "order 1001 paid\norder 2002 paid\n" });
  store().change(kinds.configMaps, "shop", "storefront", (draft) => void Object.assign(draft["data"] as object, { banner: "The lab's own" }), client);
  const before = new Set(region.blobs.blobs.keys());
  const name = "shop-hourly-20261121061000";
  await backupOf(name, scheduled());
  const added = [...region.blobs.blobs.keys()].filter((blob) => blob.startsWith("kopia/") && !before.has(blob));
  expect(added.map((blob) => blob.replace(/^kopia\/shop\/(_log_|xn0_|p|q).*$/, "$1")).toSorted()).toEqual(["_log_", "p", "q", "xn0_"]);

  const other = await secondary(labWorld());
  const [own] = listVelero(store(), "podvolumebackups").filter(({ metadata }) => metadata.labels?.["velero.io/backup-name"] === name);
  const snapshotId = own?.status?.snapshotID ?? "";
  const snapshot = region.snapshots.get(snapshotId);
  expect(snapshot).not.toBeNull();
  if (snapshot) other.snapshots.add(snapshotId, snapshot);
  for (const [blob, bytes] of region.blobs.blobs) other.replica.blobs.set(blob, bytes);
  await until("the other region has synced it", () => getVelero(other.cluster.store, "backups", name));
  const restore = await restoreOf(other, "shop", { backupName: name, includedNamespaces: ["*"] });
  expect(restore.status).toMatchObject({ phase: "Completed" });
  expect(other.cluster.store.get(kinds.configMaps, "shop", "storefront")?.["data"]).toMatchObject({ banner: "The lab's own" });
  expect(other.cluster.volumeFiles("shop", "data-orders-0")).toMatchObject({ "orders.txt": "order 1001 paid\norder 2002 paid\n" });
  await until("everything is ready there", () => (listOf(other.cluster.store, "pods", "shop").every(isReady) ? true : null));
});

test("a volume that nobody opted in is skipped, and only the volume info says so", async () => {
  const { status } = await backupOf("no-data", { includedNamespaces: ["shop"] });
  expect(status).toMatchObject({ phase: "Completed" });
  expect(await read(region.blobs.blobs, "no-data", "podvolumebackups.json.gz")).toBeNull();
  expect(await read(region.blobs.blobs, "no-data", "volumeinfo.json.gz")).toEqual([
    {
      pvcName: "data-orders-0",
      pvcNamespace: "shop",
      pvName: "pvc-1b0b219c-2b40-4a2f-96e3-5247689f0c5b",
      snapshotDataMoved: false,
      preserveLocalSnapshot: false,
      skipped: true,
      skippedReason: "volumeSnapshot: no applicable volumesnapshotter found;",
      pvInfo: { reclaimPolicy: "Delete", labels: null },
    },
  ]);
});

test("a backup into a read-only or unknown location fails its validation and leaves nothing", async () => {
  changeVelero(store(), "backupstoragelocations", "default", (draft) => void (draft.spec = { ...draft.spec, accessMode: "ReadOnly" }));
  expect((await backupOf("ro", scheduled())).status).toMatchObject({ phase: "FailedValidation", validationErrors: ["backup can't be created because backup storage location default is currently in read-only mode"] });
  expect((await backupOf("nowhere", { ...scheduled(), storageLocation: "nowhere" })).status?.validationErrors?.[0]).toContain('BackupStorageLocation.velero.io "nowhere" not found');
  expect([...region.blobs.blobs.keys()].some((blob) => /^backups\/(?:ro|nowhere)\//.test(blob))).toBe(false);
});

test.each(["61 * * * *", "hourly", "0 0 * * 7", "0 * * * * *"])("a schedule of %j is not taken, as robfig/cron takes none, until it is mended", async (wrong) => {
  const { schedule: usual = "" } = getVelero(store(), "schedules", "shop-hourly")?.spec ?? {};
  const set = (schedule: string) => changeVelero(store(), "schedules", "shop-hourly", (draft) => void (draft.spec = { ...draft.spec, schedule }));
  set(wrong);
  const seen = async (phase: string) => until(phase, () => [getVelero(store(), "schedules", "shop-hourly")?.status].find((status) => status?.phase === phase));
  expect((await seen("FailedValidation")).validationErrors).toEqual([expect.stringMatching(/^invalid schedule: /)]);
  set("@every 30m");
  expect(await seen("Enabled")).not.toHaveProperty("validationErrors");
  set(usual);
});

test("a schedule makes its backup when it is due, named after the minute, and none while it is paused", async () => {
  const soon = new Date(world.clock.now() + 120_000);
  changeVelero(store(), "schedules", "shop-hourly", (draft) => void (draft.spec = { ...draft.spec, schedule: `${soon.getUTCMinutes()} * * * *` }));
  const made = await until("a scheduled backup", () => listVelero(store(), "backups").find(({ metadata }) => metadata.name > recordedName && metadata.name.startsWith("shop-hourly-")));
  expect(made.metadata.name).toMatch(/^shop-hourly-20261121\d{6}$/);
  expect(made.metadata.labels?.["velero.io/schedule-name"]).toBe("shop-hourly");
  expect(getVelero(store(), "schedules", "shop-hourly")?.status).toMatchObject({ phase: "Enabled", lastBackup: expect.any(String) });
  await until("its end", () => (getVelero(store(), "backups", made.metadata.name)?.status?.phase === "Completed" ? true : null));
  changeVelero(store(), "schedules", "shop-hourly", (draft) => void (draft.spec = { ...draft.spec, paused: true, schedule: "* * * * *" }));
  const count = listVelero(store(), "backups").length;
  // Four minutes of lab time.
  await world.clock.sleep(240_000);
  expect(listVelero(store(), "backups")).toHaveLength(count);
});

test("sync takes away backups whose blobs are gone, never imports unfinished ones, and deletes no blob", async () => {
  const other = await secondary(world);
  const blobs = other.replica.blobs;
  for (const blob of [...blobs.keys()].filter((one) => one.startsWith("backups/demo-backup/"))) blobs.delete(blob);
  const metadata = JSON.parse(Buffer.from(blobs.get(`backups/${recordedName}/velero-backup.json`) ?? Buffer.of()).toString()) as Backup;
  blobs.set("backups/half/velero-backup.json", Buffer.from(JSON.stringify({ ...metadata, metadata: { ...metadata.metadata, name: "half" }, status: { ...metadata.status, phase: "Finalizing" } })));
  blobs.set("backups/debris/debris-logs.gz", Buffer.of());
  const count = blobs.size;
  const syncedAt = getVelero(other.cluster.store, "backupstoragelocations", "replica")?.status?.lastSyncedTime;
  await until("another sync", () => (getVelero(other.cluster.store, "backupstoragelocations", "replica")?.status?.lastSyncedTime !== syncedAt ? true : null));
  expect(getVelero(other.cluster.store, "backups", "demo-backup")).toBeNull();
  expect(listVelero(other.cluster.store, "backups").map(({ metadata: { name } }) => name)).not.toEqual(expect.arrayContaining(["half"]));
  expect(blobs.size).toBe(count);
});

test("deletion is refused where the location is read-only, and takes the blobs away where it is not", async () => {
  const other = await secondary(world);
  const ask = (cluster: typeof other.cluster, name: string) => createVelero(cluster.store, "deletebackuprequests", { metadata: { name }, spec: { backupName: "demo-backup" } });
  ask(other.cluster, "refused");
  const refused = await until("an answer", () => (getVelero(other.cluster.store, "deletebackuprequests", "refused")?.status?.phase === "Processed" ? getVelero(other.cluster.store, "deletebackuprequests", "refused") : null));
  expect(refused.status?.errors).toEqual(["backup deletion failed: cannot delete backup because backup storage location replica is currently in read-only mode"]);
  ask(region.cluster, "done");
  await until("the request is gone", () => (getVelero(store(), "deletebackuprequests", "done") ? null : true));
  expect(getVelero(store(), "backups", "demo-backup")).toBeNull();
  expect([...region.blobs.blobs.keys()].some((blob) => blob.startsWith("backups/demo-backup/"))).toBe(false);
});

test("a status request is answered with version and plugins", async () => {
  createVelero(store(), "serverstatusrequests", { metadata: { name: "hello" } });
  const answered = await until("an answer", () => (getVelero(store(), "serverstatusrequests", "hello")?.status?.phase === "Processed" ? getVelero(store(), "serverstatusrequests", "hello") : null));
  expect(answered.status).toMatchObject({ serverVersion: "v1.18.3", plugins: expect.arrayContaining([{ name: "velero.io/azure", kind: "ObjectStore" }]) });
});

test("an expired backup is labelled where its location is read-only, and deleted where it is not", async () => {
  // `short-lived` expired at 06:18:54.
  const later = labWorld({}, 200, Date.parse("2026-11-21T06:30:00Z"));
  const other = await secondary(later);
  const kept = await until("the label", () => (getVelero(other.cluster.store, "backups", "short-lived")?.metadata.labels?.["velero.io/gc-failure"] === undefined ? null : getVelero(other.cluster.store, "backups", "short-lived")));
  expect(kept.metadata.labels).toEqual({ "velero.io/gc-failure": "BSLReadOnly", "velero.io/storage-location": "replica" });
  const one = await primary(later);
  await until("it is gone", () => (getVelero(one.cluster.store, "backups", "short-lived") ? null : true));
  expect([...one.blobs.blobs.keys()].some((blob) => blob.startsWith("backups/short-lived/"))).toBe(false);
});

test("while one backup runs the others are queued in order", async () => {
  world = labWorld({ veleroBackup: 20_000 });
  region = await primary(world);
  for (const name of ["one", "three", "two"]) createVelero(store(), "backups", { metadata: { name }, spec: scheduled() });
  await until("the first runs", () => (getVelero(store(), "backups", "one")?.status?.phase === "InProgress" ? true : null));
  expect(["three", "two"].map((name) => getVelero(store(), "backups", name)?.status)).toEqual([{ phase: "Queued", queuePosition: 1 }, { phase: "Queued", queuePosition: 2 }]);
  await until("the last has completed", () => (getVelero(store(), "backups", "two")?.status?.phase === "Completed" ? true : null));
});
