/**
 * Every restore that a real Velero made of the recorded container is made again, in the same order, from the same bytes: phases,
 * counts, resource lists, volume restores and messages must come out as they were recorded.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { LabWorld } from "../../lab/world/world.ts";
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import { workloadKinds } from "../../lab/world/kubernetes/workloads.ts";
import { ungzipJson } from "../../lab/world/velero/archive.ts";
import { getVelero, listVelero, type Restore } from "../../lab/world/velero/objects.ts";
import { labWorld, until } from "./region.ts";
import { restoreOf, secondary, volumeRestoresOf, watchPhases } from "./velero-region.ts";

const recording = path.join(import.meta.dirname, "../../lab/velero-1.18.3");

async function recordedEvents(file: string, name: (object: KubernetesObject) => string): Promise<Map<string, KubernetesObject[]>> {
  const lines = (await readFile(path.join(recording, "watch", `${file}.jsonl`), "utf8")).trim().split("\n");
  const events = new Map<string, KubernetesObject[]>();
  for (const line of lines) {
    const { object } = JSON.parse(line) as { object: KubernetesObject };
    events.set(name(object), [...(events.get(name(object)) ?? []), object]);
  }
  return events;
}

const statusOf = (object: KubernetesObject) => (object["status"] ?? {}) as Record<string, unknown>;
/** The phases that an object went through, repeats left out. */
const phasesOf = (objects: readonly KubernetesObject[]) => objects.map((object) => (statusOf(object)["phase"] as string | undefined) ?? "").filter((phase, at, all) => phase !== all[at - 1]);
/** Which fields a status had, in the order in which it got them; progress while it ran depends on the machine. */
const shapesOf = (objects: readonly KubernetesObject[]) =>
  objects.map((object) => Object.keys(statusOf(object)).toSorted().join(",")).filter((shape, at, all) => shape !== all[at - 1] && shape !== "phase,progress,startTimestamp");

let world: LabWorld;
let region: Awaited<ReturnType<typeof secondary>>;
let seen: KubernetesObject[];
let volumesSeen: KubernetesObject[];
let recorded: Map<string, KubernetesObject[]>;
const ended = new Map<string, Restore>();

const replay = async (name: string) => {
  const first = recorded.get(name)?.[0];
  ended.set(name, await restoreOf(region, name, (first as Restore).spec, 20_000));
};

beforeAll(async () => {
  world = labWorld({ podStart: 1_000, volumeRestore: 1_900 });
  region = await secondary(world);
  seen = watchPhases(region.cluster, "restores");
  volumesSeen = watchPhases(region.cluster, "podvolumerestores");
  recorded = await recordedEvents("secondary-restores", ({ metadata }) => metadata.name);
  await replay("no-data-r1");
  // As it was then: the namespace was deleted before the next one.
  region.cluster.store.remove(workloadKinds.namespaces, "", "shop");
  await until("the shop is gone", () => (region.cluster.store.get(workloadKinds.namespaces, "", "shop") ? null : true));
  for (const name of ["shop-r1", "demo-r1", "catalog-r1"]) await replay(name);
  await until("the shop has settled", () => (region.cluster.store.list(workloadKinds.slices, "shop").every(({ metadata }) => metadata.ownerReferences !== undefined) ? true : null));
  for (const name of ["again-r1", "mapped-r1", "no-such-backup"]) await replay(name);
}, 60_000);

const restores = ["no-data-r1", "shop-r1", "demo-r1", "catalog-r1", "again-r1", "mapped-r1"] as const;
const blob = async (container: ReadonlyMap<string, Uint8Array>, name: string) => {
  const bytes = container.get(name);
  return bytes ? await ungzipJson(bytes) : undefined;
};

test.each([...restores, "no-such-backup"])("%s ends as it was recorded", (name) => {
  const last = recorded.get(name)?.at(-1);
  const { phase, errors, warnings, progress, validationErrors } = statusOf(last as KubernetesObject);
  expect(ended.get(name)?.status).toMatchObject(JSON.parse(JSON.stringify({ phase, errors, warnings, progress, validationErrors })) as object);
  expect(Object.keys(ended.get(name)?.status ?? {}).toSorted()).toEqual(Object.keys(statusOf(last as KubernetesObject)).toSorted());
});

test.each(restores)("%s goes through the recorded phases, with the recorded fields", (name) => {
  const mine = seen.filter(({ metadata }) => metadata.name === name);
  const theirs = recorded.get(name) ?? [];
  expect(phasesOf(mine)).toEqual(phasesOf(theirs));
  // The command that made the recorded ones wrote an empty status; here there is none before the first phase.
  const begun = (objects: readonly KubernetesObject[]) => objects.filter((object) => statusOf(object)["phase"] !== undefined);
  expect(shapesOf(begun(mine))).toEqual(shapesOf(begun(theirs)));
});

test.each(restores)("%s completes the spec as Velero did", (name) => {
  expect(ended.get(name)?.spec).toEqual(recorded.get(name)?.at(-1)?.["spec"]);
});

test.each(restores)("%s leaves the recorded resource list and messages", async (name) => {
  const theirs = region.recording;
  const mine = region.replica.blobs;
  for (const file of [`restore-${name}-resource-list.json.gz`, `restore-${name}-itemoperations.json.gz`]) expect(await blob(mine, `restores/${name}/${file}`), file).toEqual(await blob(theirs, `restores/${name}/${file}`));
  const results = `restores/${name}/restore-${name}-results.gz`;
  expect(await blob(mine, results)).toEqual(await blob(theirs, results));
  const files = (container: ReadonlyMap<string, Uint8Array>) => [...container.keys()].filter((one) => one.startsWith(`restores/${name}/`)).toSorted();
  expect(files(mine)).toEqual(files(theirs));
});

test("the shop's volume comes back by one volume restore, in the recorded phases and with the recorded fields", async () => {
  const theirs = [...(await recordedEvents("secondary-podvolumerestores", () => "all")).values()].flat();
  expect(listVelero(region.cluster.store, "podvolumerestores")).toHaveLength(1);
  expect(phasesOf(volumesSeen)).toEqual(phasesOf(theirs));
  const shape = (object: KubernetesObject) => [object.metadata.labels ?? {}, object["spec"] as object, statusOf(object)].map((part) => Object.keys(part).toSorted());
  expect(shape(volumesSeen.at(-1) as KubernetesObject)).toEqual(shape(theirs.at(-1) as KubernetesObject));
  const [own] = volumeRestoresOf(region.cluster, "shop-r1");
  expect(own?.spec).toMatchObject({ snapshotID: "6ea1de86c211f5058010060bb1db3690", snapshotSize: 2_500_048, sourceNamespace: "shop", volume: "data", backupStorageLocation: "replica" });
  expect(own?.status).toMatchObject({ phase: "Completed", progress: { totalBytes: 2_500_048, bytesDone: 2_500_048 } });
  const infos = await Promise.all([region.replica.blobs, region.recording].map((container) => blob(container, "restores/shop-r1/shop-r1-volumeinfo.json.gz")));
  // The new volume has a name of its own.
  const [mine, recordedInfo] = infos.map((info) => (info as Record<string, unknown>[]).map((volume) => ({ ...volume, pvName: "" })));
  expect(mine).toEqual(recordedInfo);
  expect(region.cluster.volumeFiles("shop", "data-orders-0")).toMatchObject({ "orders.txt": "order 1001 paid\norder 1002 paid\norder 1003 paid\n" });
});

test("its repository is made at first use, in the recorded shape", async () => {
  const theirs = [...(await recordedEvents("secondary-backuprepositories", () => "all")).values()].flat().at(-1) as KubernetesObject;
  const mine = getVelero(region.cluster.store, "backuprepositories", "shop-replica-kopia");
  expect(Object.keys(mine?.spec ?? {}).toSorted()).toEqual(Object.keys(theirs["spec"] as object).toSorted());
  expect(mine?.spec.maintenanceFrequency).toBe("1h0m0s");
  expect(Object.keys(mine?.status ?? {}).toSorted()).toEqual(Object.keys(statusOf(theirs)).toSorted());
  expect(mine?.status?.phase).toBe("Ready");
});

test("imported backups and volume backups look as recorded", async () => {
  const theirs = await recordedEvents("secondary-backups", ({ metadata }) => metadata.name);
  for (const [name, events] of theirs) {
    const first = events[0] as Restore;
    const mine = getVelero(region.cluster.store, "backups", name);
    expect(mine?.status, name).toEqual(first.status);
    expect({ ...mine?.spec, storageLocation: "default" }, name).toEqual(first.spec);
    expect(mine?.metadata.annotations, name).toEqual(first.metadata.annotations);
  }
  expect(listVelero(region.cluster.store, "podvolumebackups").map(({ status }) => status?.snapshotID)).toEqual(["ff35baeaf82565738898d283c4b7f466", "eef698ec28cbbe74c2600713f6facc4d", "6ea1de86c211f5058010060bb1db3690"]);
});
