import { test } from "vitest";
import { appliedTwice } from "../../lab/checks.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab } from "../../lab/run/run-lab.ts";
import type { Effect } from "../../lab/world/world.ts";
import { changes, halfCopy, hitEach } from "./changes.ts";

const always = changes.filter(({ primaryAlive, sometimes }) => primaryAlive === undefined && sometimes === undefined).map(({ name }) => name).toSorted();
const sometimes = changes.filter((change) => change.sometimes).map(({ name }) => name);

for (const [kind, about] of [
  ["effect-without-answer", "is done and its answer lost"],
  ["refused-503", "is refused"],
] as const)
  test(`a failover recovers when the first of every call that changes something ${about}, and nothing takes effect twice`, { timeout: 120_000 }, async ({ expect }) => {
    let asked: () => ReadonlySet<string> = () => new Set();
    let effects: readonly Effect[] = [];
    const { report, failures } = await runLab({
      ...quickRun,
      topology: "replicated",
      // Velero's own sync would now and then be faster than the app's import, and then there is nothing to hit.
      latencies: { ...quickRun.latencies, veleroSyncPeriod: 3_600_000 },
      startFault: { orchestrator: "failover", kind },
      onUp: async (lab) => {
        await halfCopy(lab);
        asked = hitEach(lab, kind, ({ primaryAlive }) => primaryAlive === undefined);
      },
      beforeClose: ({ pair }) => void (effects = pair.world.effects),
    });
    expect(failures).toEqual([]);
    expect(report.outcome).toBe("recovered");
    expect(appliedTwice(effects)).toEqual([]);
    // Neither more nor less than what was hit: a new call that changes something is added to the list.
    expect([...asked()].filter((name) => !sometimes.includes(name)).toSorted()).toEqual(always);
  });
