import { describe, expect, test } from "vitest";
import { fuzzed, shares } from "../../bench/fuzz.ts";
import { targets } from "../../bench/fuzz/targets.ts";

describe("garbage is refused by name, in no time, and never believed:", () => {
  test.each([
    ["alerts", 5_000],
    ["approvals", 5_000],
    ["ledgers", 3_000],
    ["plans", 60],
  ])("%s", (what, cases) => {
    const { wrong, accepted, refused, cases: done } = fuzzed(what, (targets[what] as NonNullable<(typeof targets)[string]>)(), { cases, seed: 20_261_121 });
    expect(wrong).toEqual([]);
    // Garbage that is always refused, or never, shows nothing.
    expect(refused).toBeGreaterThan(cases / 20);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted + refused).toBe(done);
  });
});

describe("a reader with a mistake is found:", () => {
  test.each([
    ["that throws", () => JSON.parse("{") as never, /^case 0: threw SyntaxError: /],
    ["that believes", () => ({ kind: "fooled" as const, by: "a no counted as yes" }), /^case 0: a no counted as yes$/],
    ["that takes long", () => (wait(150), { kind: "refused" as const }), /took \d+ ms/],
  ])("one %s", (_, target, said) => {
    const { wrong } = fuzzed("planted", target, { cases: 2, seed: 1 });
    expect(wrong[0]).toMatch(said);
  });
});

test("the same case is the same garbage, whatever came before it", () => {
  const drawn: number[] = [];
  for (const from of [0, 3]) fuzzed("planted", (draw) => (drawn.push(draw()), { kind: "refused" }), { cases: 4 - from, seed: 7, from });
  expect(drawn.at(-1)).toBe(drawn[3]);
});

test("several processes take the same cases as one, each once", () => {
  const all = shares({ cases: 10, seed: 7, from: 5 }, 3).flatMap(({ cases, from = 0 }) => Array.from({ length: cases }, (_, nth) => from + nth));
  expect(all).toEqual(Array.from({ length: 10 }, (_, nth) => 5 + nth));
});

/** Busy by the processor's own count, as a reader that loops is. */
function wait(ms: number): void {
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < ms * 1_000);
}
