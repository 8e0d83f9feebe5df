import { describe, expect, test } from "vitest";
import { openSecondary } from "../../functions/activities/open-secondary.ts";
import { passDataPoint } from "../../functions/activities/promote.ts";
import { steps } from "../../orchestrations/steps.ts";
import { looksCountSeconds } from "../../shared/domain/gate.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { testStart } from "./memory-world.ts";
import { restored } from "./restored-shop.ts";
import { fencedAndChosen, object, point } from "./run.ts";

const shop = examplePlan("shop-replicated");
/** Only a primary that was seen quiet is enough. */
const strict: Plan = { ...shop, fence: { enough: ["fenced"], suspend: ["workloads"] } };

/** A run at its gate, its evidence older than looks count; the primary's cluster answers again. */
async function late(plan = strict) {
  const run = await restored("open", plan);
  await run.onRecord({ ...fencedAndChosen, verified: { kind: "done", value: { checks: [] } } });
  run.state.traffic = { ...run.state.traffic, primary: { open: false, monitor: "stopped" } };
  const primary = run.clusterOf(run.plan.primary.cluster);
  const { backups: replica } = targetOf(run.plan, "failover");
  return {
    ...run,
    primary,
    later: (seconds: number) => void (run.time.now += seconds * 1_000),
    writes: () => primary.has(kinds.pods, object("storefront-1", "shop", { status: { phase: "Running" } })),
    data: async () => run.take(steps.passDataPoint, passDataPoint, {}),
    traffic: async () => run.take(steps.openSecondary, openSecondary, {}),
    pointIsThere: () => run.state.blobs.set(`${replica.url}/${replica.container}/backups/${point.name}/velero-backup.json`, { bytes: new Uint8Array(), lastModifiedAt: testStart }),
  };
}

describe("what was seen longer ago than looks count is looked at anew at the gate:", () => {
  test("pods that run again where the primary was quiet keep it shut, and are named", async () => {
    for (const gate of ["data", "traffic"] as const) {
      const run = await late();
      run.pointIsThere();
      run.later(looksCountSeconds + 1);
      run.writes();
      expect(await run[gate]()).toMatchObject({ kind: "again", because: expect.stringContaining("not everything in its cluster could be stopped: pod shop/storefront-1 still runs") as string });
      expect(run.effects).toEqual([]);
    }
  });

  test("a primary that is still quiet, that does not answer, or that the plan does not ask about opens it", async () => {
    const quiet = await late();
    const dark = await late();
    dark.primary.state.ready = { kind: "no-answer", why: "no route" };
    const trusting = await late(shop);
    for (const run of [quiet, dark, trusting]) {
      run.pointIsThere();
      run.later(looksCountSeconds + 1);
      if (run !== quiet) run.writes();
      expect(await run.data()).toMatchObject({ kind: "answer" });
      expect(await run.traffic()).toMatchObject({ kind: "answer" });
    }
  });

  test("a look that still counts is not taken again", async () => {
    const run = await late();
    run.later(looksCountSeconds);
    run.writes();
    expect(await run.data()).toMatchObject({ kind: "answer" });
  });

  test("a point that is gone from the replica is not given up the replication for", async () => {
    const run = await late();
    run.later(looksCountSeconds + 1);
    expect(await run.data()).toMatchObject({ kind: "again", because: expect.stringContaining("the restore point that was chosen is not at the replica any more") as string });
    run.pointIsThere();
    expect(await run.data()).toMatchObject({ kind: "answer" });
  });
});
