import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { faults } from "../../lab/simulator/fault-catalogue.ts";
import { loadSimulator } from "../../lab/simulator/load.ts";
import { against, byTier, faultsPage, playFaults } from "../../lab/simulator/play-faults.ts";
import { type Check, checksOf, isNamed, type Said, saidOf } from "../../lab/simulator/play-tests.ts";

const root = new URL("../../", import.meta.url);
const holds = ({ title }: Check): Said => ({ said: "holds", full: title, recordedAt: null });

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What a test file, and the files of tests that it takes from, write as text: a title stands there, or its pattern, or what is put into one. */
function textsIn(file: string): readonly RegExp[] {
  const own = readFileSync(new URL(file, root), "utf8");
  const taken = [...own.matchAll(/from "(\.[^"]+\.ts)"/g)].map(([, path = ""]) => new URL(path, new URL(file, root))).filter((path) => path.pathname.includes("/test/") && existsSync(path));
  return [own, ...taken.map((path) => readFileSync(path, "utf8"))].flatMap((text) =>
    [...text.matchAll(/"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g)].flatMap(([, plain, template = ""]) => {
      const parts = (plain ?? template).replaceAll('\\"', '"').split(/%[sdijfo]|\$\{[^}]*\}|\$[\w.]+/);
      return parts.every((part) => part.trim() === "") ? [] : [new RegExp(`^${parts.map(escaped).join(".*")}$`)];
    }),
  );
}

/** A title may be named with its groups before it; one that ends in `…` by its beginning. */
const stands = ({ file, title }: Check): boolean => {
  const own = title.split(" > ").at(-1) ?? title;
  return textsIn(file).some((pattern) => (own.endsWith("…") ? pattern.source.startsWith(`^${escaped(own.slice(0, -1))}`) : pattern.test(own)));
};

describe("the catalogue of faults", () => {
  test("has all 114, each once", () => {
    expect(faults.map(({ id }) => id)).toEqual(Array.from({ length: 114 }, (_, at) => `F${at + 1}`));
  });

  test("names tests that there are, by titles that they have", () => {
    const checks = checksOf(faults);
    expect(checks.filter(({ file }) => !existsSync(new URL(file, root)))).toEqual([]);
    expect(checks.filter((check) => !stands(check)).map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
    expect(stands({ kind: "check", file: "test/doors/alerts.test.ts", title: "that is malformed is 400, with every other reason" })).toBe(false);
  });

  test("says why of arguments, and of nothing else", () => {
    expect(faults.filter(({ tier, why }) => (tier === "argument") !== (why !== null))).toEqual([]);
  });

  test("is what docs/faults.md says of each, with no cell empty and nothing wrong", () => {
    const rows = readFileSync(new URL("docs/faults.md", root), "utf8").split("\n").filter((line) => /^\| F\d/.test(line));
    expect(rows.map((row) => row.split(/(?<!\\)\|/).slice(1, 4).map((cell) => cell.trim()))).toEqual(faults.map(({ id, fault, tier }) => [id, fault, tier]));
    expect(rows.filter((row) => row.split(/(?<!\\)\|/).slice(1, -1).some((cell) => cell.trim() === ""))).toEqual([]);
    expect(rows.filter((row) => /VIOLATED|FAILS|SKIPPED|MISSING/.test(row))).toEqual([]);
    const unsaid = faults.filter(({ transient, permanent }, at) => checksOf([{ transient, permanent } as (typeof faults)[number]]).some(({ title }) => !rows[at]?.includes(title.replaceAll("|", "\\|"))));
    expect(unsaid.map(({ id }) => id)).toEqual([]);
  });

  test("is played: what strikes where, and how it ends", async () => {
    const some = faults.filter(({ id }) => ["F1", "F26", "F80", "F104"].includes(id));
    const rows = await playFaults(some, await loadSimulator(), holds);
    expect(rows.map(({ transient, permanent }) => [transient, permanent].map((played) => (played.kind === "scenario" ? played.ends : played.kind)))).toEqual([[["recovered"], ["recovered"]], [["recovered"], ["halted"]], [["halted"], ["halted"]], [["recovered"], ["recovered"]]]);
    expect(faultsPage(rows, "abc")).toContain("| F104 | bells that are lost or ring twice | simulator | recovered | recovered | put-question");
    expect(byTier(rows)).toEqual({ simulator: 4, lab: 0, real: 0, test: 0, argument: 0 });
  });

  test("shows what is violated", async () => {
    const careless = await loadSimulator([{ file: "functions/activities/open-secondary.ts", find: "  if (before.primary.open) await world.traffic.closePrimary(plan.traffic);\n", put: "  await world.traffic.reopenPrimary(plan.traffic);\n" }]);
    const rows = await playFaults(faults.filter(({ id }) => id === "F73"), careless, holds);
    expect(faultsPage(rows, "abc")).toContain("VIOLATED: S1");
    expect(rows.flatMap(({ transient }) => against(transient))).not.toEqual([]);
  });

  test("shows which test fails, was left out, or is not there any more", async () => {
    const results = { "a group > holds": "passed", "a group > each of one": "passed", "a group > each of two": "failed", "left out": "skipped" };
    const said = (title: string) => saidOf({ title }, results).said;
    expect(["holds", "a group > holds", "each of one", "each of …", "left out", "hold", "gone"].map(said)).toEqual(["holds", "holds", "holds", "FAILS", "SKIPPED", "MISSING", "MISSING"]);
    expect([saidOf({ title: "holds" }, results).full, saidOf({ title: "each of …" }, results).full]).toEqual(["a group > holds", "each of …"]);
    expect([isNamed("a > b", "b"), isNamed("a > ab", "b"), isNamed("a > bc", "b…")]).toEqual([true, false, true]);
    const rows = await playFaults(faults.filter(({ id }) => id === "F5"), await loadSimulator(), ({ title }) => ({ said: "FAILS", full: title, recordedAt: "abc" }));
    expect(rows.flatMap(({ transient }) => against(transient))).toEqual(["FAILS: test/doors/alerts.test.ts: that is malformed is 400, with every reason"]);
    expect(faultsPage(rows, "abc")).toContain("| FAILS (at abc): “that is malformed is 400, with every reason” |");
  });
});
