import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { faults } from "../../lab/simulator/fault-catalogue.ts";
import { loadSimulator } from "../../lab/simulator/load.ts";
import { faultsPage, playFaults } from "../../lab/simulator/play-faults.ts";

const root = new URL("../../", import.meta.url);

describe("the catalogue of faults", () => {
  test("has all 114, each once", () => {
    expect(faults.map(({ id }) => id)).toEqual(Array.from({ length: 114 }, (_, at) => `F${at + 1}`));
  });

  test("names tests that there are", () => {
    const missing = faults.flatMap((fault) => ("check" in fault && !existsSync(new URL(fault.check, root)) ? [`${fault.id}: ${fault.check}`] : []));
    expect(missing).toEqual([]);
  });

  test("is what docs/faults.md says of each", () => {
    const page = readFileSync(new URL("docs/faults.md", root), "utf8");
    const rowless = faults.filter(({ id, fault, tier }) => !page.includes(`| ${id} | ${fault} | ${tier} |`)).map(({ id }) => id);
    expect(rowless).toEqual([]);
    expect(page).not.toContain("VIOLATED");
  });

  test("is played: what strikes where, and how it ends", async () => {
    const some = faults.filter(({ id }) => ["F1", "F26", "F80", "F104"].includes(id));
    const rows = await playFaults(some, await loadSimulator());
    expect(rows.map(({ transient, permanent }) => [transient?.ends, permanent?.ends])).toEqual([[["recovered"], undefined], [["recovered"], ["halted"]], [["halted"], ["halted"]], [["recovered"], ["recovered"]]]);
    expect(faultsPage(rows, "abc")).toContain("| F104 | bells that are lost or ring twice | simulator | recovered | recovered | put-question");
  });

  test("shows what is violated", async () => {
    const careless = await loadSimulator([{ file: "functions/activities/open-secondary.ts", find: "  if (before.primary.open) await world.traffic.closePrimary(plan.traffic);\n", put: "  await world.traffic.reopenPrimary(plan.traffic);\n" }]);
    const rows = await playFaults(faults.filter(({ id }) => id === "F73"), careless);
    expect(faultsPage(rows, "abc")).toContain("VIOLATED: S1");
  });
});
