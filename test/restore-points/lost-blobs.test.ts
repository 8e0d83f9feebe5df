import { describe, test } from "vitest";
import { checkBackup } from "../../functions/activities/restore-points/check-backup.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { emptyRegister, type Register } from "../../shared/domain/register.ts";
import type { RestorePoint } from "../../shared/domain/restore-point.ts";
import { openStage, recordedContainer, type Stage } from "./store.ts";

const newest = "shop-hourly-20261121055825";
const older = "shop-hourly-20261121055818";
const reasonOf = ({ usable }: RestorePoint) => (usable.kind === "unusable" ? usable.reason : null);
const blobsOf = (prefix: string) => [...recordedContainer().keys()].filter((name) => name.startsWith(prefix));
/** Blobs that the newest point needs: its own, and all of the repository. */
const needed = [...blobsOf(`backups/${newest}/`), ...blobsOf("kopia/shop/")];
/** The log is best effort; Velero itself may leave it out. */
const bestEffort = `backups/${newest}/${newest}-logs.gz`;

const check = (stage: Stage, register: Register = emptyRegister) => checkBackup(stage.world, stage.plan, newest, register);

describe("while the source answers", () => {
  test("a backup that has arrived is complete, and the register says so", async ({ expect }) => {
    const { verdict, point, register } = await check(openStage());
    expect(verdict).toEqual({ kind: "complete", blobs: needed.length });
    expect(point.reached).toBe("readable");
    expect(register.points[newest]).toMatchObject({ by: "blob", restorePoint: { reached: "readable", usable: { kind: "usable" }, open: [], volumeBytes: 2_500_048 } });
    expect(register.watermark).toMatchObject({ how: "source-listing" });
  });

  test.for(needed)("without %s at the replica it is not usable", async (blob, { expect }) => {
    const stage = openStage();
    stage.replica.delete(blob);
    const { verdict, point, register } = await check(stage);
    expect(verdict).toEqual({ kind: "missing", blobs: [blob] });
    expect(register.points[newest]?.restorePoint.usable).toMatchObject({ kind: "unusable" });
    expect(point.usable).not.toEqual({ kind: "usable" });
    expect(point.reached === "complete" || point.reached === "readable").toBe(false);
  });

  test("the next older whole point is taken when the newest has not arrived whole, and the reason names what lacks", async ({ expect }) => {
    const stage = openStage();
    for (const blob of blobsOf(`backups/${newest}/`).slice(3, 6)) {
      stage.replica.delete(blob);
      pending(stage, blob);
    }
    // Its packs are on their way too: they are no part of the older point.
    const pack = "kopia/shop/p207c4b7192bb78f39fac0a6dd1917ebe-s314916cc9f4fdc7d147";
    stage.replica.delete(pack);
    pending(stage, pack);
    const { choice } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: older }, lossUpperBoundSeconds: 402 });
    expect(choice.passedOver).toEqual([{ name: newest, reason: expect.stringMatching(/^3 of 9 blobs have not arrived at the replica: /) as string }]);
  });

  test("a backup of which nothing has arrived is passed over by name", async ({ expect }) => {
    const stage = openStage();
    for (const blob of blobsOf(`backups/${newest}/`)) stage.replica.delete(blob);
    const { choice } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: older }, passedOver: [{ name: newest, reason: expect.stringContaining("no velero-backup.json at the replica") as string }] });
  });

  test("blobs on their way are pending, with how many and which", async ({ expect }) => {
    const stage = openStage();
    const [blob = ""] = blobsOf(`backups/${newest}/`);
    pending(stage, blob);
    const { verdict, point } = await check(stage);
    expect(verdict).toEqual({ kind: "pending", arrived: needed.length - 1, of: needed.length, waitingFor: [blob] });
    expect(point.reached).toBe("seen");
  });

  test("what the source calls failed is failed, and another length differs", async ({ expect }) => {
    const stage = openStage();
    const [one = "", two = ""] = blobsOf(`backups/${newest}/`);
    const stale = stage.replica.get(two);
    if (stale) stage.replica.set(two, { ...stale, bytes: stale.bytes.subarray(1) });
    expect((await check(stage)).verdict).toEqual({ kind: "differs", blobs: [two] });
    const failed = stage.source.get(one);
    if (failed) stage.source.set(one, { ...failed, replication: "failed" });
    stage.replica.delete(one);
    const { verdict, point } = await check(stage);
    expect(verdict).toEqual({ kind: "failed", blobs: [one] });
    expect(reasonOf(point)).toMatch(/^1 of 9 blobs could not be replicated, the source says so: /);
  });

  test("a blob that arrives between the two looks is not called missing", async ({ expect }) => {
    const stage = openStage();
    const [late = ""] = blobsOf(`backups/${newest}/`);
    const blob = stage.replica.get(late);
    stage.replica.delete(late);
    const { backups } = stage.world;
    const arriving: typeof backups.list = async function* (place, prefix) {
      yield* backups.list(place, prefix);
      if (place.url.includes("stshopneu") && blob) stage.replica.set(late, blob);
    };
    const { verdict } = await checkBackup({ ...stage.world, backups: { ...backups, list: arriving } }, stage.plan, newest, emptyRegister);
    expect(verdict).toEqual({ kind: "complete", blobs: needed.length });
  });

  test("the best-effort log may be missing at both ends", async ({ expect }) => {
    const stage = openStage();
    stage.replica.delete(bestEffort);
    stage.source.delete(bestEffort);
    expect((await check(stage)).point).toMatchObject({ reached: "readable", usable: { kind: "usable" } });
  });
});

describe("while the source is dark", () => {
  /** What was recorded while both regions lived. */
  async function recordedBefore(stage: Stage): Promise<Register> {
    const { register } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    stage.dark = true;
    return register;
  }

  test("what was recorded before the loss proves the point, and the source is asked once", async ({ expect }) => {
    const stage = openStage();
    const register = await recordedBefore(stage);
    stage.asked.length = 0;
    const { choice, sourceSilent } = await verifyBackups(stage.world, stage.plan, register);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest, reached: "readable" } });
    expect(sourceSilent).toContain("connection reset");
    expect(stage.asked.filter((question) => question.includes("stshopweu"))).toHaveLength(1);
  });

  test("a run does not ask it at all when told so", async ({ expect }) => {
    const stage = openStage();
    const register = await recordedBefore(stage);
    stage.asked.length = 0;
    await verifyBackups(stage.world, stage.plan, register, { askSource: false, untilChosen: true, by: "run" });
    expect(stage.asked.filter((question) => question.includes("stshopweu"))).toEqual([]);
  });

  test("with nothing recorded nothing is proven, and unknown is not green", async ({ expect }) => {
    const stage = openStage();
    stage.dark = true;
    const { choice, points } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    expect(points.map(({ reached, usable }) => [reached, usable.kind])).toEqual([["seen", "usable"], ["seen", "usable"], ["seen", "usable"]]);
    expect(choice).toMatchObject({ kind: "nothing-restorable", passedOver: [{ name: newest, reason: expect.stringMatching(/^it is proven as far as "seen" and the plan asks for "readable": no watermark is known/) as string }, {}, {}] });
  });

  test("the recorded watermark alone proves what was written before it", async ({ expect }) => {
    const stage = openStage();
    const { watermark } = await recordedBefore(stage);
    const { points } = await verifyBackups(stage.world, stage.plan, { ...emptyRegister, watermark });
    expect(points.map(({ reached }) => reached)).toEqual(["readable", "readable", "readable"]);
    const early = { at: Date.parse("2026-11-21T05:58:28Z"), recordedAt: stage.nowAt, how: "source-listing" as const };
    const split = await verifyBackups(stage.world, stage.plan, { ...emptyRegister, watermark: early });
    expect(split.points.map(({ reached }) => reached)).toEqual(["seen", "readable", "readable"]);
    expect(split.choice).toMatchObject({ kind: "chosen", point: { name: older } });
  });

  test.for(needed)("the loss of %s after it was recorded is seen", async (blob, { expect }) => {
    const stage = openStage();
    const register = await recordedBefore(stage);
    stage.replica.delete(blob);
    const { points } = await verifyBackups(stage.world, stage.plan, register, { untilChosen: false });
    expect(points[0]).toMatchObject({ name: newest, usable: { kind: "unusable" } });
  });

  test("what the repository's own maintenance removed after that is no loss: something newer lies beside it", async ({ expect }) => {
    const stage = openStage();
    const register = await recordedBefore(stage);
    stage.replica.delete("kopia/shop/xn0_d29aae41eaba6675bcd19c2f9cfdb138-s5ba75dce8cebb510147-c1");
    stage.replica.set("kopia/shop/xn1_compacted", { bytes: new Uint8Array(9), lastModifiedAt: stage.nowAt + 60_000, replication: "pending" });
    const { choice } = await verifyBackups(stage.world, stage.plan, register);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest, reached: "readable" } });
  });

  test("a backup that has left the store leaves its place in the register as unusable", async ({ expect }) => {
    const stage = openStage();
    const register = await recordedBefore(stage);
    stage.nowAt += 60_000;
    for (const blob of blobsOf(`backups/${older}/`)) stage.replica.delete(blob);
    const after = await verifyBackups(stage.world, stage.plan, register);
    expect(after.points.map(({ name }) => name)).not.toContain(older);
    expect(after.register.points[older]).toMatchObject({ restorePoint: { takenAt: Date.parse("2026-11-21T05:58:18Z"), reached: null, usable: { kind: "unusable" } } });
  });

  test("a replica that cannot be read is thrown, not judged", async ({ expect }) => {
    const stage = openStage();
    const broken = {
      ...stage.world.backups,
      list: () => {
        throw new Error("no way to the replica");
      },
    };
    await expect(verifyBackups({ ...stage.world, backups: broken }, stage.plan, emptyRegister, { askSource: false })).rejects.toThrow("no way to the replica");
  });
});

describe("on shared storage", () => {
  test("with the primary gone, Last Sync Time says which points are whole", async ({ expect }) => {
    const stage = openStage(undefined, "shared");
    stage.dark = true;
    stage.lastSyncAt = Date.parse("2026-11-21T05:58:25Z");
    const { points, choice } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    expect(points.map(({ name, reached }) => [name, reached])).toEqual([[newest, "seen"], [older, "readable"], ["shop-hourly-20261121055809", "readable"]]);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: older }, passedOver: [{ name: newest, reason: expect.stringContaining("the replica is known whole up to 2026-11-21 05:58:25 UTC only") as string }] });
  });

  test("a Last Sync Time that is not known any more leaves the recorded one standing", async ({ expect }) => {
    const stage = openStage(undefined, "shared");
    const { register } = await verifyBackups(stage.world, stage.plan, emptyRegister);
    stage.dark = true;
    stage.lastSyncAt = null;
    const { choice, watermark } = await verifyBackups(stage.world, stage.plan, { ...emptyRegister, watermark: register.watermark });
    expect(watermark).toEqual({ at: stage.nowAt - 30_000, recordedAt: stage.nowAt, how: "last-sync-time" });
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest } });
  });
});

function pending(stage: Stage, name: string): void {
  const blob = stage.source.get(name);
  if (blob) stage.source.set(name, { ...blob, replication: "pending" });
}
