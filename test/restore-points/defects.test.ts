import { describe, test } from "vitest";
import { mergeIntoRegister, readRegister } from "../../functions/activities/register.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import type { RestorePointSummary } from "../../shared/domain/register.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { defects, newest, older } from "./defects.ts";
import { openStage, protects, recordedBackups, type Stage } from "./store.ts";

const points = [newest, ...older];

/** Looks as the timer does: with a register and manifests that are kept. */
function looking(stage: Stage) {
  const home = memoryHome();
  const proof = { records: openRecords(home, "shop", null), planHash: "plan-1" };
  return async (): Promise<Readonly<Record<string, RestorePointSummary>>> => {
    const { register } = await verifyBackups(stage.world, stage.plan, await readRegister(home, "shop"), { proof });
    const merged = await mergeIntoRegister(home, stage.plan, { ...register, look: { at: stage.nowAt, why: null } }, stage.nowAt);
    return Object.fromEntries(Object.entries(merged.register.points).map(([name, { restorePoint }]) => [name, restorePoint]));
  };
}

const proven = (point: RestorePointSummary | undefined): boolean => point !== undefined && point.usable.kind === "usable" && point.reached === "readable";
const reasonsOf = (point: RestorePointSummary | undefined): string => (point === undefined ? "it is not in the register" : [point.usable.kind === "unusable" ? point.usable.reason : "", ...point.open.map(({ about }) => about)].join("\n"));

describe("planted into the recorded backups", () => {
  test.for(defects.map((defect) => [`${defect.what}${defect.when === "after" ? " (found by the manifest)" : ""}`, defect] as const))("%s: found and named, and no other point is blamed", async ([, { when, plant, says, hits = [newest] }], { expect }) => {
    const stage = openStage();
    const look = looking(stage);
    if (when === "after") {
      const first = await look();
      expect(points.map((name) => proven(first[name]))).toEqual([true, true, true]);
      stage.nowAt += 900_000;
      stage.lastSyncAt = stage.nowAt - 30_000;
    }
    plant(stage);
    const found = await look();
    for (const name of hits) expect(reasonsOf(found[name])).toMatch(says);
    expect(points.filter((name) => !proven(found[name]))).toEqual(hits);
  });

  test("there are enough of them to mean something", ({ expect }) => {
    expect(new Set(defects.map(({ what, when }) => `${what} ${when}`)).size).toBe(defects.length);
    expect(defects.length).toBeGreaterThan(100);
  });
});

describe("untouched", () => {
  test.for(["replicated", "shared"] as const)("every recorded backup is what it is, at the first look and at every later one, on %s storage", async (topology, { expect }) => {
    const stage = openStage(undefined, topology);
    const look = looking(stage);
    for (let round = 0; round < 3; round++) {
      const found = await look();
      expect(points.map((name) => [name, proven(found[name]), reasonsOf(found[name])])).toEqual(points.map((name) => [name, true, ""]));
      stage.nowAt += 900_000;
      stage.lastSyncAt = stage.nowAt - 30_000;
    }
  });

  test.for([
    ["disaster-demo", ["demo-backup", "everything"]],
    ["catalog", ["catalog-1000", "everything"]],
  ] as const)("the backups of namespace %s are whole for a plan that restores it", async ([namespace, names], { expect }) => {
    const found = await looking(openStage(protects([namespace], names)))();
    expect(names.map((name) => [name, proven(found[name])])).toEqual(names.map((name) => [name, true]));
  });

  test("what no plan can take is refused for its own reason and for no other", async ({ expect }) => {
    const found = await looking(openStage(protects(["shop"], ["*"])))();
    expect(recordedBackups.filter((name) => proven(found[name]))).toEqual([...points].toSorted());
  });
});
