import { gzipSync } from "node:zlib";
import { describe, test } from "vitest";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import type { Backups } from "../../shared/ports.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { openAzuriteAccount } from "../adapters/azurite-account.ts";
import { openStage, type Stage } from "./store.ts";

const newest = "shop-hourly-20261121055825";
const older = ["shop-hourly-20261121055818", "shop-hourly-20261121055809"];
const resourceList = `backups/${newest}/${newest}-resource-list.json.gz`;

const look = (stage: Stage, world = stage.world) => verifyBackups(world, stage.plan, emptyRegister, { proof: { records: openRecords(memoryHome(), "shop", null), planHash: "plan-1" } });
const withBackups = (stage: Stage, change: (real: Backups) => Partial<Backups>) => ({ ...stage.world, backups: { ...stage.world.backups, ...change(stage.world.backups) } });
const both = (stage: Stage, name: string, bytes: Uint8Array): void => {
  for (const side of [stage.source, stage.replica]) side.set(name, { bytes, lastModifiedAt: stage.nowAt - 60_000, replication: "complete" });
};
/** At the replica: it stays in the list as it was. */
function archive({ replica }: Stage, name: string): void {
  const blob = replica.get(name);
  if (!blob) throw new Error(`there is no ${name}`);
  replica.set(name, { ...blob, archived: true });
}
/** What was found of the newest point; the older ones must be whole beside it. */
async function spoiled(stage: Stage, world = stage.world) {
  const { points, choice } = await look(stage, world);
  return { reason: points.flatMap(({ name, usable }) => (name === newest && usable.kind === "unusable" ? [usable.reason] : []))[0], whole: points.filter(({ reached, usable }) => reached === "readable" && usable.kind === "usable").map(({ name }) => name), chosen: choice.kind === "chosen" ? choice.point.name : null };
}

describe("one bad backup", () => {
  test("whose list of objects has five gigabytes is refused by its length, unread", async ({ expect }) => {
    const stage = openStage();
    const world = withBackups(stage, (real) => ({
      async *list(place, prefix) {
        for await (const item of real.list(place, prefix)) yield item.name === resourceList ? { ...item, bytes: 5e9 } : item;
      },
    }));
    const { reason, whole, chosen } = await spoiled(stage, world);
    expect(reason).toContain("the resource list cannot be read: it has 5000000000 bytes, more than any such file");
    expect([whole, chosen]).toEqual([older, older[0]]);
    expect(stage.asked.filter((question) => question === `read stshopneu.blob.core.windows.net ${resourceList}`)).toEqual([]);
  });

  test("whose list of objects unpacks into a thousand times its length is refused when the bound is reached", async ({ expect }) => {
    const stage = openStage();
    both(stage, resourceList, gzipSync(Buffer.alloc(160 * 1024 * 1024)));
    const before = process.memoryUsage.rss();
    const { reason, whole } = await spoiled(stage);
    expect(reason).toMatch(/^the resource list cannot be read: it cannot be unpacked: /);
    expect(whole).toEqual(older);
    expect(process.memoryUsage.rss() - before).toBeLessThan(500e6);
  });

  test("whose folder has more blobs than Velero writes is no backup", async ({ expect }) => {
    const stage = openStage();
    for (let at = 0; at <= 10_000; at++) both(stage, `backups/${newest}/${String(at)}`, new Uint8Array());
    const { reason, whole, chosen } = await spoiled(stage);
    expect(reason).toBe(`velero-backup.json cannot be read: backups/${newest}/ has more than 10000 blobs`);
    expect([whole, chosen]).toEqual([older, older[0]]);
  });

  test("with names of 250 characters in other alphabets beside it is whole", async ({ expect }) => {
    const stage = openStage();
    for (const name of ["漢".repeat(80), "🛶".repeat(60), "x".repeat(250), "a & b <c> %20 'd'"]) both(stage, `backups/${name}/velero-backup.json`, Buffer.from("{}"));
    expect((await spoiled(stage)).whole).toEqual([newest, ...older]);
  });
});

test("metadata larger than any backup's, in another's folder, keeps no plan from its own backups, at neither end", async ({ expect }) => {
  const stage = openStage();
  both(stage, "backups/monster/velero-backup.json", Buffer.alloc(17 * 1024 * 1024));
  stage.source.set("backups/monster-at-source/velero-backup.json", { bytes: Buffer.alloc(17 * 1024 * 1024), lastModifiedAt: stage.nowAt, replication: "complete" });
  const { whole, chosen } = await spoiled(stage);
  expect([whole, chosen]).toEqual([[newest, ...older], newest]);
  expect((await look(stage)).sourceSilent).toBe(null);
});

test.for([`${newest}.tar.gz`, `${newest}-resource-list.json.gz`, "velero-backup.json"])("%s in the archive tier spoils its own backup and no other", async (file, { expect }) => {
  const stage = openStage();
  archive(stage, `backups/${newest}/${file}`);
  const { reason, whole, chosen } = await spoiled(stage);
  expect(reason).toContain("cannot be read: the account does not give it: BlobArchived");
  expect([whole, chosen]).toEqual([older, older[0]]);
});

test("metadata nested a hundred thousand levels deep spoils its own backup and no other", async ({ expect }) => {
  const stage = openStage();
  const name = `backups/${newest}/velero-backup.json`;
  const text = Buffer.from(stage.replica.get(name)?.bytes ?? []).toString();
  both(stage, name, Buffer.from(text.replace('"spec": {', `"spec": {"deep":${"[".repeat(100_000)}${"]".repeat(100_000)},`)));
  const { reason, whole } = await spoiled(stage);
  expect([reason, whole]).toEqual(["velero-backup.json cannot be read: it is nested deeper than 200 levels", older]);
});

test("a pack in the archive tier spoils the backups that need it, although it is there", async ({ expect }) => {
  const stage = openStage();
  archive(stage, "kopia/shop/p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147");
  const { reason, whole } = await spoiled(stage);
  expect([reason, whole]).toEqual([expect.stringContaining("1 blobs of kopia/shop/ lie in the archive tier at the replica, where no restore can read them: p5fde7e5") as string, []]);
});

test("a folder of whatever name is looked at by its name alone", async ({ expect }) => {
  const stage = openStage();
  // Each is a property of every object in JavaScript; the first is a name that Velero allows.
  for (const name of ["constructor", "__proto__", "toString"]) both(stage, `backups/${name}/velero-backup.json`, Buffer.from("{}"));
  both(stage, "backups/valueOf/debris", new Uint8Array(1));
  both(stage, "kopia/shop/constructor", new Uint8Array(1));
  expect((await spoiled(stage)).whole).toEqual([newest, ...older]);
});

test("ten thousand folders that are no backups cost a list, and the backups among them are found", { timeout: 30_000 }, async ({ expect }) => {
  const stage = openStage();
  for (let at = 0; at < 10_000; at++) both(stage, `backups/debris-${at}/debris-${at}-logs.gz`, new Uint8Array(1));
  expect((await spoiled(stage)).whole).toEqual([newest, ...older]);
  expect(stage.asked.filter((question) => /^(read|open) .*debris/.test(question))).toEqual([]);
});

test.for(["timer", "run"] as const)("what hundreds of backups that failed left behind under the schedule's name hides no backup from a %s", async (by, { expect }) => {
  const stage = openStage();
  // The log alone is left; their names say that they are newer than any other.
  for (let at = 0; at < 600; at++) both(stage, `backups/shop-hourly-20261121060${String(at).padStart(3, "0")}/shop-hourly-logs.gz`, new Uint8Array(1));
  const { choice, points } = await verifyBackups(stage.world, stage.plan, emptyRegister, { proof: { records: openRecords(memoryHome(), "shop", null), planHash: "plan-1" }, by });
  expect(choice).toMatchObject({ kind: "chosen", point: { name: newest } });
  expect(points.filter(({ usable }) => usable.kind === "unusable").length).toBe(20);
});

test("of two thousand backups of others a recovery in place reads a part, the newest", { timeout: 30_000 }, async ({ expect }) => {
  const stage = openStage();
  for (let at = 0; at < 2_000; at++) both(stage, `backups/other-${at}/velero-backup.json`, Buffer.from("{}"));
  const { choice } = await verifyBackups(stage.world, stage.plan, emptyRegister, { by: "run", untilChosen: true, places: { ...placesOf(stage.plan), source: "itself" } });
  expect(choice).toMatchObject({ kind: "chosen", point: { name: newest } });
  expect(stage.asked.filter((question) => /^read .*\/other-/.test(question))).toHaveLength(500);
});

test("a container without backups is an answer: there is nothing to choose from", async ({ expect }) => {
  const stage = openStage();
  stage.source.clear();
  stage.replica.clear();
  const { points, choice } = await look(stage);
  expect([points, choice.kind]).toEqual([[], "nothing-restorable"]);
});

test("a container that does not exist is an error that names it, and not one without backups", async ({ expect }) => {
  const account = await openAzuriteAccount();
  try {
    const stage = openStage();
    const real = openBackups(account.blobService);
    const there = { url: account.url, container: "nowhere" };
    const world = withBackups(stage, () => ({ list: (_, prefix) => real.list(there, prefix), folders: (_, prefix) => real.folders(there, prefix) }));
    await expect(look(stage, world)).rejects.toThrow(/list blobs on http.*\/nowhere\/backups\/.*404 ContainerNotFound/);
  } finally {
    await account.close();
  }
});
