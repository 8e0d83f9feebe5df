import { test } from "vitest";
import { killRuns } from "../../bench/kill.ts";

/** The long form is `npm run bench -- kill`: a hundred of them. */
const kills = 4;

test("a host that is killed at any moment of a failover goes on where it was, and nothing takes effect twice", { timeout: 120_000 }, async ({ expect }) => {
  // Another seed each day: over time the short form sees many moments, and a day's failure is repeated by its seed.
  const seed = Math.floor(Date.now() / 86_400_000);
  const { wrong, twice, kills: made, histogram } = await killRuns({ kills, seed, topology: "replicated", tell: () => undefined });
  expect({ seed, wrong, twice }).toEqual({ seed, wrong: [], twice: [] });
  expect(made).toBe(kills);
  expect(Object.values(histogram).reduce((sum, times) => sum + times, 0)).toBe(kills);
});
