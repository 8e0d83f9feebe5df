import { beforeAll, describe, expect, test } from "vitest";
import { explore } from "../../lab/simulator/explore.ts";
import { loadSimulator, type Simulator } from "../../lab/simulator/load.ts";
import { crashModes } from "../../lab/simulator/strikes.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await loadSimulator();
});

const some = { share: 0, shares: 1 } as const;

describe("crashes in named steps", () => {
  test("end as the run must end, in each mode, and happen where they are asked for", async () => {
    // A prime number of places further each time, and one step whole, so that all modes come.
    const [anywhere, closing] = [await explore({ exploration: "crashes", every: 241, nth: 1, ...some }, simulator), await explore({ exploration: "crashes", every: 1, nth: 1, row: "close-primary", ...some }, simulator)];
    const found = [...anywhere, ...closing];
    expect(found.filter(({ wrong, missed }) => wrong !== null || missed)).toEqual([]);
    expect(new Set(found.map(({ column }) => column))).toEqual(new Set(Object.keys(crashModes)));
    expect(new Set(found.map(({ of }) => of)).size).toBe(4);
  });

  test("find a name that a repeat does not find again", async () => {
    const careless = await loadSimulator([{ file: "shared/domain/restore-run.ts", find: "  const whole = `lifeboat-${runId}-${application}", put: "  const whole = `lifeboat-${runId}-${Math.floor(Math.random() * 1_000)}-${application}" }]);
    const found = await explore({ exploration: "crashes", every: 1, nth: 1, row: "start-restore shop-main", ...some }, careless);
    expect(found.filter(({ wrong }) => wrong?.startsWith("S5:"))).not.toEqual([]);
  });
});

test("whoever asks a run to stop is told the truth, after whatever event", async () => {
  const found = await explore({ exploration: "aborts", every: 89, nth: 1, ...some }, simulator);
  expect(found.filter(({ wrong }) => wrong !== null)).toEqual([]);
  expect(new Set(found.map(({ column }) => column.split(": ")[1]))).toEqual(new Set(["202", "409", "not asked"]));
});
