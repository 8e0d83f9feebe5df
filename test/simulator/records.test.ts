import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Seeds {
  readonly runs: number;
  readonly violations: number;
  readonly seeds: { readonly from: number; readonly to: number };
  readonly commit: string;
}
interface Pairs {
  readonly played: number;
  readonly wrong: number;
  readonly every: number;
  readonly nth: number;
  readonly commit: string;
}
const records = JSON.parse(readFileSync(new URL("../../docs/simulator-records.json", import.meta.url), "utf8")) as { readonly bare: readonly Seeds[]; readonly sdk: readonly Seeds[]; readonly pairs: readonly Pairs[] };

test.each(["bare", "sdk"] as const)("of the seeds on record for the driver %s each was played once, by what was committed, and none violates anything", (driver) => {
  const parts = records[driver].toSorted((a, b) => a.seeds.from - b.seeds.from);
  expect(parts.length).toBeGreaterThan(0);
  for (const [at, { runs, violations, seeds, commit }] of parts.entries()) {
    expect({ violations, runs }).toEqual({ violations: 0, runs: seeds.to - seeds.from + 1 });
    expect(commit).toMatch(/^[0-9a-f]{7,}$/); // no `+`: nothing was changed that is not in it
    expect(seeds.from).toBeGreaterThan(parts[at - 1]?.seeds.to ?? 0);
  }
});

test("of the pairs of crashes on record each part was played once, and none ends wrong", () => {
  expect(records.pairs.length).toBeGreaterThan(0);
  expect(records.pairs.map(({ wrong }) => wrong)).toEqual(records.pairs.map(() => 0));
  expect(new Set(records.pairs.map(({ every, nth }) => `${nth} of ${every}`)).size).toBe(records.pairs.length);
  for (const { commit, played } of records.pairs) {
    expect(commit).toMatch(/^[0-9a-f]{7,}$/);
    expect(played).toBeGreaterThan(0);
  }
});
