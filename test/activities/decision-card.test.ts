import { describe, expect, test } from "vitest";
import { weighPointsAndTarget } from "../../functions/activities/decision-card.ts";
import { steps } from "../../orchestrations/steps.ts";
import { agentWaitSeconds } from "../../shared/domain/decision.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { recordedContainer } from "../restore-points/store.ts";
import { openedRun } from "./run.ts";

const pool = { name: "user", count: 2, minCount: null, maxCount: null, autoscaled: false, provisioning: "Succeeded" };

/** The card of a run that was opened some seconds ago, with a replica that holds what a real Velero wrote. */
async function card(aks: { readonly power?: "running" | "stopped"; readonly pools?: readonly (typeof pool)[] } = {}, spentSeconds = 0, lastReport: unknown = null, plan = examplePlan("shop-shared")) {
  const run = await openedRun({ phase: "decide", plan, epoch: 2 });
  if (lastReport !== null) await run.world.home.put("reports/shop-1/report.json", typeof lastReport === "string" ? lastReport : JSON.stringify(lastReport));
  const { backups } = targetOf(run.plan, "failover");
  for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) run.put(backups, name, bytes, lastModifiedAt);
  run.state.aks = { ...run.state.aks, ...aks };
  run.time.now += spentSeconds * 1_000;
  const weighed = await run.answer(steps.weighRestorePoints, weighPointsAndTarget, {});
  if (weighed.kind !== "weighed") throw new Error("there is a point");
  return { ...weighed.card, text: weighed.text };
}

describe("the predicted recovery time counts what the secondary still needs:", () => {
  test.each([
    ["nothing, where its pools are large enough", {}, 0],
    ["nothing for a pool that the plan does not name", { pools: [pool, { ...pool, name: "system", count: 1 }] }, 0],
    ["a pool that must grow", { pools: [{ ...pool, count: 1 }] }, 90],
    ["a pool that is growing", { pools: [{ ...pool, provisioning: "Scaling" }] }, 90],
    ["a cluster that is stopped", { power: "stopped" }, 180],
    ["a stopped cluster whose pool must grow then", { power: "stopped", pools: [{ ...pool, count: 1 }] }, 270],
  ] as const)("%s", async (_, aks, seconds) => {
    const ready = await card();
    expect((await card(aks)).predictedRtoSeconds - ready.predictedRtoSeconds).toBe(seconds);
  });

  test("and holds the sum against the objective, in figures and in words", async () => {
    const late = await card({ pools: [{ ...pool, count: 1 }] }, 730);
    expect(late).toMatchObject({ predictedRtoSeconds: 912, withinRto: false, text: expect.stringContaining("Back in about 15 min 12 s after the loss") as string });
    expect((await card({}, 730)).withinRto).toBe(true);
  });

  test("and the wait for the agent in the primary, as far as it is still to come, where nothing less is enough", () => {
    const agent = { renewSeconds: 10, leaseSeconds: 60, closingSeconds: 90, marginSeconds: 60, noticeSeconds: 900, silenceCounts: true };
    expect([0, 100.5, 500].map((spentSeconds) => agentWaitSeconds({ enough: ["fenced", "self-fenced"], agent }, spentSeconds))).toEqual([210, 110, 0]);
    expect(agentWaitSeconds({ enough: ["fenced", "traffic-only"], agent }, 0)).toBe(0);
    expect(agentWaitSeconds({ enough: ["fenced"] }, 0)).toBe(0);
  });

  test("and counts that wait from when the run was opened", async () => {
    const example = examplePlan("shop-shared");
    const plan = planSchema.parse({ ...example, fence: { ...example.fence, enough: ["self-fenced"], agent: {} } });
    const usual = (await card({}, 60)).predictedRtoSeconds;
    expect((await card({}, 60, null, plan)).predictedRtoSeconds - usual).toBe(150);
  });

  test("and what the plan's last failover needed, where that was slower than the figures", async () => {
    const usual = await card();
    const slow = { outcome: "recovered", kind: "failover", restorePoint: { items: 3_000, volumeBytes: 0 }, steps: [{ name: "restore", seconds: 600 }] };
    expect((await card({}, 0, slow)).predictedRtoSeconds).toBeGreaterThan(usual.predictedRtoSeconds);
    for (const silent of [{ ...slow, outcome: "halted" }, { ...slow, steps: [] }, "[", { ...slow, restorePoint: null }]) expect((await card({}, 0, silent)).predictedRtoSeconds).toBe(usual.predictedRtoSeconds);
  });

  // `npm run lab` as it is, once with each topology (the sum is the same for both): how long after its opening the points were weighed, and
  // the recovery time that was seen from outside.
  test.each([
    ["replicated", 123.1, 339.8],
    ["shared", 149.1, 370.9],
  ] as const)("on %s storage within a quarter of what a lab run took", async (_, spentSeconds, measuredSeconds) => {
    const { predictedRtoSeconds } = await card({ pools: [{ ...pool, count: 1 }] }, spentSeconds);
    expect(Math.abs(predictedRtoSeconds / measuredSeconds - 1)).toBeLessThan(0.25);
  });
});
