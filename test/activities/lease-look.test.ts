import { expect, test } from "vitest";
import { leaseLook } from "../../functions/activities/lease-look.ts";
import type { Duty } from "../../functions/activities/perform.ts";
import { openLedger } from "../../functions/ledger.ts";
import { noRun } from "../../functions/runs.ts";
import { headName, newHead, type OpenRun } from "../../shared/domain/ledger.ts";
import { type Lease, leaseName } from "../../shared/domain/lease.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { memoryWorld } from "./memory-world.ts";

const example = examplePlan("shop-replicated");
const withAgent = planSchema.parse({ ...example, fence: { ...example.fence, agent: {} } });

function stage(plan = withAgent) {
  const memory = memoryWorld();
  const duty: Duty = { world: memory.world, ledger: openLedger(memory.home), plan, target: targetOf(plan, "failover"), call: { ref: noRun(plan.plan), phase: null, step: "", key: "", input: {} }, startedAt: 0, triedBefore: false, log: () => undefined };
  const facts = async () => (await leaseLook(duty)).map(({ kind, fact }) => `${kind}: ${fact}`);
  const renews = async (more: Partial<Lease> = {}) => memory.home.put(leaseName("shop"), JSON.stringify({ format: 1, plan: "shop", agent: "a", leaseSeconds: 60, clusterSilent: null, state: { kind: "serving" }, ...more } satisfies Lease));
  return { ...memory, facts, renews };
}

test("an agent that renews is no finding; one that never did, has stopped, or cannot reach its own cluster is", async () => {
  const run = stage();
  expect(await run.facts()).toEqual(["agent-silent: the plan declares a lease agent, and none has ever renewed a lease"]);
  await run.renews();
  expect(await run.facts()).toEqual([]);
  run.time.now += 60_000;
  expect(await run.facts()).toEqual([]);
  run.time.now += 1_000;
  expect(await run.facts()).toEqual(["agent-silent: the agent in the primary renewed its lease last at 2026-11-21 06:05:00 UTC, and it lasts 60 s"]);
  await run.renews({ clusterSilent: "no route" });
  expect(await run.facts()).toEqual(["agent-silent: the agent in the primary renewed its lease last at 2026-11-21 06:06:01 UTC, and its own cluster did not answer it: no route"]);
  await run.home.put(leaseName("shop"), "{}");
  expect(await run.facts()).toEqual(["agent-silent: what lies in the place of the agent's lease is no lease of this plan"]);
});

test("nothing is said while a run looks for itself, when users were moved, or where the plan has no agent", async () => {
  const run = stage();
  await run.home.put(headName("shop"), JSON.stringify({ ...newHead("shop"), epoch: 1, active: "secondary" }));
  expect(await run.facts()).toEqual([]);
  const open: Partial<OpenRun> = { id: "shop-1", kind: "failover", door: "http", by: "Ada", reason: "", alertId: null, applications: [], epoch: 1, openedAt: 0, planHash: "", phases: [], question: null, decisions: [], abort: null, pointsOfNoReturn: { data: null, traffic: null } };
  await run.home.put(headName("shop"), JSON.stringify({ ...newHead("shop"), epoch: 1, run: open }));
  expect(await run.facts()).toEqual([]);
  expect(await stage(example).facts()).toEqual([]);
});

test("a home account that does not answer makes it unknown", async () => {
  const run = stage();
  run.home.dated = async () => {
    run.home.reachable = false;
    return run.home.read("x").then(() => null);
  };
  expect(await run.facts()).toEqual([expect.stringMatching(/^unknown: the lease of the agent in the primary could not be read: .*no answer/)]);
});
