/** Sixty backups of one schedule, a quarter of an hour apart: more than one look reads through, and all young enough to be taken. */
import { describe, test } from "vitest";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { emptyRegister, type Register } from "../../shared/domain/register.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { openStage, type Stage } from "./store.ts";

const model = "shop-hourly-20261121055825";
const newestAt = Date.parse("2026-11-21T05:58:25Z");
const many = 60;

/** The name of the backup that was taken so many quarters of an hour before the newest. */
const named = (back: number): string => `shop-hourly-${new Date(newestAt - back * 900_000).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}`;

/** The recorded backup again and again, each under its own name and time. */
function filled(): Stage {
  const stage = openStage();
  for (const container of [stage.source, stage.replica]) {
    for (const name of container.keys()) if (name.startsWith("backups/") && !name.startsWith(`backups/${model}/`)) container.delete(name);
    const copied = [...container].filter(([name]) => name.startsWith(`backups/${model}/`));
    for (const [name, blob] of copied)
      for (let back = 1; back < many; back++) container.set(name.replaceAll(model, named(back)), { ...blob, bytes: name.endsWith("velero-backup.json") ? takenAt(blob.bytes, back) : blob.bytes });
  }
  return stage;
}

function takenAt(bytes: Uint8Array, back: number): Uint8Array {
  const backup = JSON.parse(Buffer.from(bytes).toString("utf8")) as { metadata: { name: string; uid: string }; status: { startTimestamp: string } };
  backup.metadata.name = named(back);
  backup.metadata.uid = `uid-${back}`;
  backup.status.startTimestamp = new Date(newestAt - back * 900_000).toISOString().replace(".000Z", "Z");
  return Buffer.from(JSON.stringify(backup));
}

/** Looks again and again, each time with what the last look has found. */
function looking(stage: Stage) {
  const proof = { records: openRecords(memoryHome(), "shop", null), planHash: "plan-1" };
  let register: Register = emptyRegister;
  return async (more: Partial<Parameters<typeof verifyBackups>[3]> = {}) => {
    stage.nowAt += 60_000;
    stage.asked.length = 0;
    const found = await verifyBackups(stage.world, stage.plan, register, { proof, ...more });
    register = found.register;
    return { ...found, reads: stage.asked.filter((question) => /^(read|open) .*backups\//.test(question)) };
  };
}

describe("more backups than one look reads through", () => {
  test("are all known after some looks, the newest first; and then a look at all of them costs no download", { timeout: 30_000 }, async ({ expect }) => {
    const look = looking(filled());
    const counts: number[] = [];
    for (let round = 0; round < 3; round++) counts.push(Object.keys((await look()).register.points).length);
    expect(counts).toEqual([20, 40, 60]);
    const { carried, reads, points, choice } = await look();
    expect([carried.size, reads]).toEqual([many, []]);
    expect(points.map(({ name }) => name)).toEqual(Array.from({ length: many }, (_, back) => named(back)));
    expect(choice).toMatchObject({ kind: "chosen", point: { name: model } });
  });

  test("lose their proof however old they are, when something leaves the replica", { timeout: 30_000 }, async ({ expect }) => {
    const stage = filled();
    const look = looking(stage);
    for (let round = 0; round < 3; round++) await look();
    stage.replica.delete(`backups/${named(50)}/${named(50)}.tar.gz`);
    const { register } = await look();
    expect(register.points[named(50)]?.restorePoint).toMatchObject({ usable: { kind: "unusable" } });
    expect(register.points[named(49)]?.restorePoint).toMatchObject({ usable: { kind: "usable" }, reached: "readable" });
  });

  test("are gone through by a run until one can be taken, though the newest thirty are all spoilt", { timeout: 30_000 }, async ({ expect }) => {
    const stage = filled();
    const look = looking(stage);
    await look();
    await look();
    for (let back = 0; back < 30; back++) stage.replica.delete(`backups/${named(back)}/${named(back)}.tar.gz`);
    stage.dark = true;
    const { choice } = await look({ by: "run", untilChosen: true, askSource: false });
    expect(choice).toMatchObject({ kind: "chosen", point: { name: named(30) } });
    expect(choice.passedOver).toHaveLength(30);
  });

  test("beyond the age that the plan allows are left alone, but for the newest", async ({ expect }) => {
    const stage = filled();
    const look = looking(stage);
    await look();
    stage.nowAt += 3 * 86_400_000;
    const { register, reads } = await look();
    expect(Object.keys(register.points)).toHaveLength(20);
    expect(reads).toEqual([]);
  });
});
