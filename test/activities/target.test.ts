import { describe, expect, test } from "vitest";
import { assessTarget, targetWarm, warmTarget } from "../../functions/activities/target.ts";
import { steps } from "../../orchestrations/steps.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { object, openedRun } from "./run.ts";

const node = (name: string, ready = true) => object(name, null, { labels: { agentpool: "user" }, status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] } });
const pool = { name: "user", count: 1, minCount: null, maxCount: null, autoscaled: false, provisioning: "Succeeded" };

async function secondary({ power = "running", pools = [pool] }: { power?: "running" | "stopped" | "unknown"; pools?: readonly (typeof pool)[] } = {}) {
  const run = await openedRun({ phase: "decide" });
  run.state.aks = { ...run.state.aks, power, pools };
  const cluster = run.clusterOf(run.plan.secondary.cluster);
  return { ...run, cluster, warm: async (key = "") => run.answer(steps.targetWarm, targetWarm, {}, { key }) };
}

describe("the secondary, by what ARM says of it,", () => {
  test("is able with the pools of the plan, whatever its last update came to", async () => {
    const run = await secondary();
    run.state.aks = { ...run.state.aks, provisioning: "Failed" };
    expect(await run.answer(steps.assessTarget, assessTarget, {})).toEqual({ kind: "able" });
    expect(run.effects).toEqual([]);
  });

  test("is not when it is being deleted, or has no such pool: both are said", async () => {
    const run = await secondary({ pools: [] });
    run.state.aks = { ...run.state.aks, provisioning: "Deleting" };
    expect(await run.answer(steps.assessTarget, assessTarget, {})).toEqual({ kind: "unable", reasons: ["the secondary cluster is being deleted", expect.stringContaining("no node pool user")] });
  });
});

describe("warming it", () => {
  test("starts a stopped cluster and nothing else: it accepts nothing but start", async () => {
    const run = await secondary({ power: "stopped" });
    expect(await run.answer(steps.warmTarget, warmTarget, {})).toEqual({ kind: "able" });
    expect(run.effects).toEqual(["start cluster"]);
  });

  test("raises the pools of a running one; what is asked for already is not asked for again", async () => {
    const run = await secondary();
    expect(await run.answer(steps.warmTarget, warmTarget, {})).toEqual({ kind: "able" });
    expect(await run.answer(steps.warmTarget, warmTarget, {}, { key: "again" })).toEqual({ kind: "able" });
    expect(run.effects).toEqual(["raise user to 2"]);
  });

  test("a pool that cannot be raised is a reason not to jump", async () => {
    const run = await secondary();
    run.state.poolRefused = "quota of 10 cores";
    expect(await run.answer(steps.warmTarget, warmTarget, {})).toEqual({ kind: "unable", reasons: ["node pool user cannot be raised: quota of 10 cores"] });
  });
});

describe("it is warm", () => {
  test("when the nodes are Ready in the cluster itself", async () => {
    const run = await secondary({ pools: [{ ...pool, count: 2 }] });
    run.cluster.has(kinds.nodes, node("a"));
    run.cluster.has(kinds.nodes, node("b", false));
    expect(await run.warm()).toMatchObject({ kind: "not-yet", about: "node pool user has 1 of 2 nodes Ready" });
    run.cluster.has(kinds.nodes, node("b"));
    expect(await run.warm()).toEqual({ kind: "done", value: { kind: "able" } });
  });

  test("not while it is not running", async () => {
    const run = await secondary({ power: "unknown" });
    expect(await run.warm()).toMatchObject({ kind: "not-yet", about: "the secondary cluster is unknown" });
  });

  test("after its pools were raised, which a stopped cluster could not be asked before", async () => {
    const run = await secondary();
    expect(await run.warm()).toMatchObject({ kind: "not-yet" });
    expect(run.effects).toEqual(["raise user to 2"]);
  });

  test.each(["Failed", "Canceled"])("never, when the pool ended %s with too few nodes", async (provisioning) => {
    const run = await secondary({ pools: [{ ...pool, provisioning }] });
    expect(await run.warm()).toMatchObject({ kind: "done", value: { kind: "unable", reasons: [expect.stringContaining(provisioning)] } });
  });

  test("never, when the pool refuses to grow", async () => {
    const run = await secondary();
    run.state.poolRefused = "quota of 10 cores";
    expect(await run.warm()).toEqual({ kind: "done", value: { kind: "unable", reasons: ["node pool user cannot be raised: quota of 10 cores"] } });
  });
});
