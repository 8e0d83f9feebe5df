import { describe, expect, test } from "vitest";
import { agentClosed, agentOpened, askAgent, releaseAgent } from "../../functions/activities/lease-agent.ts";
import { steps } from "../../orchestrations/steps.ts";
import { type AgentState, type Lease, leaseName, type Wish, wishName } from "../../shared/domain/lease.ts";
import { headName } from "../../shared/domain/ledger.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { testStart } from "./memory-world.ts";
import { openedRun } from "./run.ts";

const example = examplePlan("shop-replicated");
const plan = planSchema.parse({ ...example, fence: { ...example.fence, enough: ["self-fenced"], agent: {} } });
const wish = (kind: Wish["kind"], epoch: number): Wish => ({ format: 1, plan: "shop", epoch, runId: `shop-${epoch}`, kind, at: testStart });
const lease = (state: AgentState): Lease => ({ format: 1, plan: "shop", agent: "a", leaseSeconds: 60, clusterSilent: null, state });

async function fencing(phase: "fence" | "stand-down" = "fence") {
  const run = await openedRun({ plan, phase, epoch: 7 });
  return {
    ...run,
    wish: () => JSON.parse(run.home.blobs.get(wishName("shop"))?.body ?? "null") as Wish | null,
    put: async (found: Wish) => run.home.put(wishName("shop"), JSON.stringify(found)),
    renews: async (state: AgentState) => run.home.put(leaseName("shop"), JSON.stringify(lease(state))),
  };
}

describe("asking the agent", () => {
  test("writes the wish under the run's own epoch, and again changes nothing", async () => {
    const run = await fencing();
    expect(await run.answer(steps.askAgent, askAgent, {})).toEqual({ kind: "asked" });
    expect(run.wish()).toEqual(wish("close", 7));
    expect(await run.answer(steps.askAgent, askAgent, {}, { key: "again" })).toEqual({ kind: "asked" });
    expect(run.wish()).toEqual(wish("close", 7));
  });

  test("takes the place of an earlier run's, and of what is no wish", async () => {
    const run = await fencing();
    await run.put(wish("taken-back", 6));
    await run.answer(steps.askAgent, askAgent, {});
    await run.home.put(wishName("shop"), "{");
    await run.answer(steps.askAgent, askAgent, {}, { key: "again" });
    expect(run.wish()).toEqual(wish("close", 7));
  });

  test("is refused to a run whose place was taken, also when it stood still in the middle of it", async () => {
    const run = await fencing();
    const read = run.home.read.bind(run.home);
    run.home.read = async (name) => {
      const found = await read(name);
      if (name === wishName("shop")) await run.supersede();
      return found;
    };
    expect(await run.take(steps.askAgent, askAgent, {})).toMatchObject({ kind: "superseded" });
    expect(run.wish()).toBeNull();
  });

  test("does not write over what a later run or a faster one has written", async () => {
    const run = await fencing();
    await run.put(wish("taken-back", 8));
    expect(await run.answer(steps.askAgent, askAgent, {})).toEqual({ kind: "not-asked", why: "shop-8 has taken it back" });
    expect(run.wish()).toEqual(wish("taken-back", 8));
    await run.home.put(wishName("shop"), JSON.stringify(wish("close", 6)));
    const read = run.home.read.bind(run.home);
    let raced = false;
    run.home.read = async (name) => {
      const found = await read(name);
      if (name === headName("shop") && !raced) {
        raced = true;
        await run.put(wish("close", 8));
      }
      return found;
    };
    expect(await run.answer(steps.askAgent, askAgent, {}, { key: "raced" })).toEqual({ kind: "not-asked", why: "shop-8 has asked since" });
    expect(run.wish()).toEqual(wish("close", 8));
  });
});

describe("taking it back", () => {
  test("is done for what this run asked and for what it inherited, once", async () => {
    const run = await fencing("stand-down");
    expect(await run.answer(steps.releaseAgent, releaseAgent, {})).toEqual({ kind: "nothing-asked" });
    await run.put(wish("close", 6));
    expect(await run.answer(steps.releaseAgent, releaseAgent, {}, { key: "inherited" })).toEqual({ kind: "taken-back" });
    expect(run.wish()).toEqual(wish("taken-back", 7));
    expect(await run.answer(steps.releaseAgent, releaseAgent, {}, { key: "again" })).toEqual({ kind: "taken-back" });
    expect(await run.answer(steps.askAgent, askAgent, {}, { key: "late" })).toEqual({ kind: "not-asked", why: "shop-7 has taken it back" });
  });

  test("leaves a later run's wish alone", async () => {
    const run = await fencing("stand-down");
    await run.put(wish("close", 8));
    expect(await run.answer(steps.releaseAgent, releaseAgent, {})).toEqual({ kind: "nothing-asked" });
    expect(run.wish()).toEqual(wish("close", 8));
  });
});

describe("what the agent proves", () => {
  test("is its word for this run, or its silence by the store's clock, from when the loss was noticed", async () => {
    const run = await fencing();
    await run.renews({ kind: "serving" });
    expect(await run.answer(steps.agentClosed, agentClosed, {}, { key: "0" })).toMatchObject({ kind: "not-yet" });
    run.time.now += 210_000;
    expect(await run.answer(steps.agentClosed, agentClosed, {}, { key: "1" })).toMatchObject({ kind: "not-yet" });
    run.time.now += 1_000;
    expect(await run.answer(steps.agentClosed, agentClosed, {}, { key: "2" })).toMatchObject({ kind: "done", value: { kind: "expired" } });
    await run.renews({ kind: "closed", epoch: 7, at: run.time.now });
    expect(await run.answer(steps.agentClosed, agentClosed, {}, { key: "3" })).toMatchObject({ kind: "done", value: { kind: "closed" } });
  });

  test("is nothing where it was silent before the loss", async () => {
    const run = await fencing();
    await run.renews({ kind: "serving" });
    await run.home.put(headName("shop"), JSON.stringify({ ...(await run.ledger.head("shop")), run: { ...(await run.ledger.head("shop")).run, openedAt: run.time.now + 900_001 } }));
    run.time.now += 3_600_000;
    expect(await run.answer(steps.agentClosed, agentClosed, {})).toMatchObject({ kind: "done", value: { kind: "no", about: expect.stringContaining("silent before the loss was noticed") } });
  });

  test("counts for a run that took another's place from when that one began", async () => {
    const run = await fencing();
    await run.renews({ kind: "serving" });
    run.time.now += 3_600_000;
    await run.ledger.write({ plan: "shop", epoch: 6, phase: "confirm", step: "confirm-loss", key: "" }, { runId: "shop-6", epoch: 6, planHash: run.ref.planHash, phase: "confirm", step: "confirm-loss", key: "", kind: "outcome", startedAt: testStart + 60_000, at: testStart + 60_000, value: null });
    const head = await run.ledger.head("shop");
    await run.home.put(headName("shop"), JSON.stringify({ ...head, run: { ...head.run, openedAt: run.time.now, takenOver: { runId: "shop-6", epoch: 6, at: run.time.now, fenced: true } } }));
    expect(await run.answer(steps.agentClosed, agentClosed, {})).toMatchObject({ value: { kind: "expired" } });
  });

  test("is nothing without an agent", async () => {
    const run = await fencing();
    expect(await run.answer(steps.agentClosed, agentClosed, {})).toMatchObject({ value: { kind: "no", about: "no agent has ever renewed a lease for this plan" } });
    const without = await openedRun({ phase: "fence" });
    expect(await without.answer(steps.agentClosed, agentClosed, {})).toMatchObject({ value: { kind: "no", about: "the plan declares no agent" } });
  });
});

describe("the agent has opened", () => {
  test("when it says so after it was told to, and not when it has said so before", async () => {
    const run = await fencing("stand-down");
    await run.renews({ kind: "serving" });
    run.time.now += 5_000;
    await run.put(wish("taken-back", 7));
    expect(await run.answer(steps.agentOpened, agentOpened, {}, { key: "0" })).toEqual({ kind: "not-yet", about: "it renewed its lease last at 2026-11-21 06:05:00 UTC" });
    run.time.now += 5_000;
    await run.renews({ kind: "partly", epoch: null, at: run.time.now, left: ["deployments shop/storefront is still suspended (403)"] });
    expect(await run.answer(steps.agentOpened, agentOpened, {}, { key: "1" })).toEqual({ kind: "not-yet", about: "it renewed its lease last at 2026-11-21 06:05:10 UTC and says: deployments shop/storefront is still suspended (403)" });
    await run.renews({ kind: "serving" });
    expect(await run.answer(steps.agentOpened, agentOpened, {}, { key: "2" })).toEqual({ kind: "done", value: { kind: "open" } });
  });

  test("nothing where there never was one", async () => {
    const run = await fencing("stand-down");
    expect(await run.answer(steps.agentOpened, agentOpened, {})).toEqual({ kind: "done", value: { kind: "no-agent" } });
  });
});
