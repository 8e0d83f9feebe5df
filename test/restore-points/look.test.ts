import { describe, test } from "vitest";
import { readInventory } from "../../functions/activities/restore-points/read-inventory.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { WorldError } from "../../shared/ports.ts";
import { openStage, protects, recordedBlob, type Stage } from "./store.ts";

const newest = "shop-hourly-20261121055825";
const metadata = `backups/${newest}/velero-backup.json`;
const look = (stage: Stage, depth: "names" | "complete" | "readable") => readInventory(stage.world, newest, { places: placesOf(stage.plan), plan: stage.plan, depth, register: emptyRegister });
const asked = (stage: Stage, what: string) => stage.asked.filter((question) => question.includes(what)).length;
type BackupObject = { readonly metadata: object; readonly status: object };
/** Puts a changed `velero-backup.json` at both ends. */
function rewrite(stage: Stage, name: string, change: (backup: BackupObject) => unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(change(JSON.parse(new TextDecoder().decode(recordedBlob(metadata))) as BackupObject)));
  for (const side of [stage.source, stage.replica]) side.set(name, { bytes, lastModifiedAt: stage.nowAt - 60_000, replication: "complete" });
}

describe("a look costs what its depth needs", () => {
  test("names read one small file and no repository", async ({ expect }) => {
    const stage = openStage();
    expect(await look(stage, "names")).toMatchObject({ tarball: { kind: "not-read" }, repositories: {}, files: { volumeInfo: { kind: "not-asked" }, metadata: { kind: "read" } } });
    expect([asked(stage, "read "), asked(stage, "open "), asked(stage, "kopia")]).toEqual([1, 0, 0]);
  });

  test("complete lists the repositories and leaves the archive alone", async ({ expect }) => {
    const stage = openStage();
    const { repositories } = await look(stage, "complete");
    expect(repositories["shop"]?.replica.blobs.size).toBe(24);
    expect([asked(stage, "open "), asked(stage, "kopia/shop/")]).toEqual([0, 2]);
  });

  test("complete reads the archive where data was moved: only it can tell whether it is the last one", async ({ expect }) => {
    const stage = openStage();
    rewrite(stage, metadata, (backup) => ({ ...backup, status: { ...backup.status, backupItemOperationsAttempted: 1 } }));
    expect((await look(stage, "complete")).tarball.kind).toBe("read");
  });

  test("a repository that three backups share is listed once at each end", async ({ expect }) => {
    const stage = openStage();
    await verifyBackups(stage.world, stage.plan, emptyRegister);
    // And once more at the source, for the watermark.
    expect([asked(stage, "list stshopneu.blob.core.windows.net kopia/shop/"), asked(stage, "list stshopweu.blob.core.windows.net kopia/shop/")]).toEqual([1, 1]);
  });

  test("a run stops looking once it has a point that it can take", async ({ expect }) => {
    const stage = openStage(protects(["shop"], ["*"]));
    const all = await verifyBackups(stage.world, stage.plan, emptyRegister);
    const some = await verifyBackups(stage.world, stage.plan, emptyRegister, { untilChosen: true });
    expect(some.choice).toEqual(all.choice);
    expect([all.chosen?.name, all.chosen?.tarball.kind]).toEqual([newest, "read"]);
    expect(all.points).toHaveLength(9);
    const first = openStage();
    const { points, choice } = await verifyBackups(first.world, first.plan, emptyRegister, { untilChosen: true });
    expect([points.map(({ name }) => name), choice.kind]).toEqual([[newest], "chosen"]);
    expect((await verifyBackups(stage.world, stage.plan, emptyRegister, { newest: 2 })).points).toHaveLength(2);
  });

  test("what the register dates is not read to be dated", async ({ expect }) => {
    const stage = openStage();
    const { register } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    stage.asked.length = 0;
    await verifyBackups(stage.world, stage.plan, register);
    expect(asked(stage, `read stshopneu.blob.core.windows.net ${metadata}`)).toBe(1);
  });
});

test("a backup that somebody made from the schedule by hand belongs to the plan by its label", async ({ expect }) => {
  const stage = openStage();
  rewrite(stage, "backups/before-the-release/velero-backup.json", (backup) => ({ ...backup, metadata: { ...backup.metadata, name: "before-the-release" } }));
  const { points } = await verifyBackups(stage.world, stage.plan, emptyRegister);
  expect(points.map(({ name }) => name)).toEqual([newest, "before-the-release", "shop-hourly-20261121055818", "shop-hourly-20261121055809"]);
});

test("small files that are damaged make a point unusable, with the file's name and what is wrong", async ({ expect }) => {
  const stage = openStage();
  const name = `backups/${newest}/${newest}-volumeinfo.json.gz`;
  const whole = recordedBlob(name);
  const broken = Uint8Array.from(whole);
  broken[40] = (broken[40] ?? 0) ^ 0xff;
  stage.replica.set(name, { bytes: broken, lastModifiedAt: stage.nowAt, replication: "pending" });
  rewrite(stage, "backups/shop-hourly-20261121055818/velero-backup.json", () => ({ kind: "Backup" }));
  const { choice } = await verifyBackups(stage.world, stage.plan, emptyRegister);
  expect(choice).toMatchObject({
    kind: "chosen",
    point: { name: "shop-hourly-20261121055809" },
    passedOver: [
      { name: newest, reason: expect.stringMatching(/^the list of volumes cannot be read: it cannot be unpacked: /) as string },
      { name: "shop-hourly-20261121055818", reason: expect.stringMatching(/^velero-backup.json cannot be read: apiVersion: /) as string },
    ],
  });
});

test("a secondary endpoint that does not say its Last Sync Time leaves the watermark unknown, and the look goes on", async ({ expect }) => {
  const stage = openStage(undefined, "shared");
  const world = { ...stage.world, replication: { ...stage.world.replication, lastSync: () => Promise.reject(new WorldError("read statistics", "stshopgeo-secondary", "503")) } };
  const { watermark, choice } = await verifyBackups(world, stage.plan, emptyRegister);
  expect([watermark, choice.kind]).toEqual([null, "chosen"]);
});

test("in place, the backups' own container is read and nothing else", async ({ expect }) => {
  const stage = openStage();
  const { source } = placesOf(stage.plan);
  const { choice } = await verifyBackups(stage.world, stage.plan, emptyRegister, { places: { replica: source, source: "itself", statusPerBlob: false } });
  expect(choice).toMatchObject({ kind: "chosen", point: { name: newest, reached: "readable" } });
  expect(stage.asked.some((question) => question.includes("stshopneu"))).toBe(false);
});
