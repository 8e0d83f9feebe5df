import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { plantedBugs } from "../../bench/planted-bugs-list.ts";
import { playPatched } from "../../lab/simulator/batch.ts";

describe("planted bugs", () => {
  test("fit the sources as they are, each by a name of its own", () => {
    const misfits = plantedBugs.flatMap(({ bug, patches }) => patches.filter(({ file, find }) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").split(find).length !== 2).map(({ file }) => `${bug}: ${file}`));
    expect(misfits).toEqual([]);
    expect(new Set(plantedBugs.map(({ bug }) => bug)).size).toBe(plantedBugs.length);
    expect(plantedBugs.length).toBeGreaterThanOrEqual(30);
  });

  test("are found: users sent to the secondary without the traffic point of no return", async () => {
    const planted = plantedBugs.find(({ bug }) => bug === "opens-without-the-point");
    const { failing } = await playPatched({ from: 1, runs: 30, twiceEvery: 1_000, stopAtFirst: true }, planted?.patches ?? []);
    expect(failing).toContainEqual(expect.objectContaining({ invariant: "S8" }));
  });
});
