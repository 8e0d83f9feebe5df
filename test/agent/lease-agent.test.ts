import { describe, expect, test } from "vitest";
import { LeaseAgent } from "../../agent/lease-agent.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { leaseName } from "../../shared/domain/lease.ts";
import { planName } from "../../shared/domain/plan-name.ts";
import { exampleText } from "../domain/example-plans.ts";
import { object } from "../activities/run.ts";
import { agentPlanText, agentStage, serving, stopped, untouched } from "./stage.ts";

describe("an agent that can renew", () => {
  test("says that it serves, touches nothing, keeps the plan, and comes again when the plan says", async () => {
    const stage = await agentStage();
    expect(await stage.settle()).toBe(10_000);
    expect(stage.lease()).toEqual({ format: 1, plan: "shop", agent: "agent-1", leaseSeconds: 60, clusterSilent: null, state: { kind: "serving" } });
    expect(stage.effects).toEqual([]);
    expect(stage.kept.text).toBe(agentPlanText());
  });

  test("closes when a run asks, says so at once, and stays closed", async () => {
    const stage = await agentStage();
    await stage.settle();
    await stage.asks("close", 7);
    await stage.settle();
    const { state } = stage.lease() ?? {};
    expect([stage.specs(), state]).toEqual([stopped, { kind: "closed", epoch: 7, at: stage.time.now }]);
    stage.advance(10);
    const at = stage.time.now - 10_000;
    await stage.settle();
    expect([stage.specs(), stage.lease()?.state]).toEqual([stopped, { kind: "closed", epoch: 7, at }]);
  });

  test("closes again what somebody has started meanwhile", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    stage.cluster.has(kinds.deployments, object("storefront", "shop", { spec: { replicas: 2 } }));
    await stage.settle();
    expect(stage.specs()).toEqual(stopped);
  });

  test("opens what it closed when the run takes it back, and what that run had stopped from outside", async () => {
    const stage = await agentStage();
    stage.cluster.has(kinds.deployments, object("order-mailer", "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": JSON.stringify({ run: "shop-7", undo: { spec: { replicas: 2 } } }) } }));
    stage.cluster.has(kinds.deployments, object("halted", "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": JSON.stringify({ run: "shop-3", undo: { spec: { replicas: 2 } } }) } }));
    await stage.asks("close", 7);
    await stage.settle();
    await stage.asks("taken-back", 7);
    await stage.settle();
    expect([stage.specs(), stage.lease()?.state]).toEqual([serving, { kind: "serving" }]);
    expect([stage.cluster.spec(kinds.deployments, "shop", "order-mailer"), stage.cluster.spec(kinds.deployments, "shop", "halted")]).toEqual([{ replicas: 2 }, { replicas: 0 }]);
  });

  test("opens once more what is closed by a change that was not answered, and only as long as one may come", async () => {
    const stage = await agentStage();
    stage.cluster.state.before = (verb, _kind, name) => {
      if (verb === "patch" && name === "storefront") throw new Error("no answer within 10 s");
    };
    await stage.asks("close", 7);
    await stage.settle();
    stage.cluster.state.before = () => undefined;
    await stage.asks("taken-back", 7);
    await stage.settle();
    const lands = () => stage.cluster.has(kinds.deployments, object("storefront", "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": JSON.stringify({ run: "shop--agent", undo: { spec: { replicas: 5 } } }) } }));
    for (const [seconds, replicas] of [[59, 5], [1, 5], [1, 0]] as const) {
      stage.advance(seconds);
      lands();
      await stage.settle();
      expect([stage.lease()?.state, stage.cluster.spec(kinds.deployments, "shop", "storefront")]).toEqual([{ kind: "serving" }, { replicas }]);
    }
  });

  test("obeys no wish of an older epoch than it has obeyed", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    await stage.asks("taken-back", 6, { epoch: 7 });
    await stage.settle();
    expect([stage.specs(), stage.lease()?.state.kind]).toEqual([stopped, "closed"]);
    expect(stage.said("agent.holds")).toEqual([{ why: "shop-6 asks, and a later run than that has asked before" }]);
  });

  test("names what it cannot stop, and does not say that it is closed", async () => {
    const stage = await agentStage();
    for (let n = 0; n < 25; n++) stage.cluster.has(kinds.pods, { ...object(`debug-${String(n).padStart(2, "0")}`, "shop"), status: { phase: "Running" } });
    await stage.asks("close", 7);
    await stage.settle();
    expect(stage.lease()?.state).toMatchObject({ kind: "partly", epoch: 7, left: expect.arrayContaining(["pod shop/debug-00 still runs (no controller to scale)"]) });
    stage.cluster.state.ready = { kind: "no-answer", why: "no route" };
    await stage.settle();
    expect(stage.lease()).toMatchObject({ clusterSilent: "no route" });
    await stage.settle();
    expect(stage.lease()?.state).toMatchObject({ kind: "partly", left: ["anything, because the cluster does not answer: no route"] });
  });
});

test("an agent that may not look at all that it would have to stop says so from its start, and goes on renewing", async () => {
  const stage = await agentStage();
  stage.cluster.state.before = (verb, kind) => {
    if (verb === "list" && kind === kinds.statefulSets) throw new Error("403");
  };
  await stage.settle();
  stage.advance(10);
  await stage.settle();
  expect(stage.lease()?.state).toMatchObject({ kind: "partly", left: ["what is suspended of statefulsets in shop (403)"] });
  stage.cluster.state.before = () => undefined;
  stage.advance(10);
  await stage.settle();
  expect(stage.lease()?.state).toEqual({ kind: "serving" });
});

describe("an agent that cannot renew", () => {
  test("closes when the lease is over, counted from the start of the last renewal that was answered", async () => {
    const stage = await agentStage();
    await stage.settle();
    // The next renewal takes nine seconds of its sixty.
    stage.home.put = async (name, body) => {
      await stage.put(name, body);
      if (name === leaseName("shop")) stage.time.now += 9_000;
    };
    await stage.agent.turn();
    stage.home.put = stage.put;
    stage.home.reachable = false;
    stage.advance(50);
    const waitMs = await stage.agent.turn();
    expect([stage.effects, waitMs]).toEqual([[], 1_000]);
    stage.advance(1);
    await stage.agent.turn();
    expect([stage.specs(), stage.agent.state]).toEqual([stopped, { kind: "closed", epoch: null, at: stage.time.now }]);
  });

  test("is not kept from it by a renewal that hangs", async () => {
    const stage = await agentStage();
    await stage.settle();
    stage.home.read = () => new Promise(() => undefined);
    stage.advance(55);
    const turn = stage.agent.turn();
    await new Promise(setImmediate);
    stage.advance(5);
    expect(await turn).toBe(10_000 - 5_000);
    const next = stage.agent.turn();
    while (stage.agent.state.kind === "serving") await new Promise(setImmediate);
    expect(stage.specs()).toEqual(stopped);
    await new Promise(setImmediate);
    stage.advance(10);
    await next;
    expect(stage.said("lease.not-renewed").at(-1)).toMatchObject({ why: "no answer from home in 10 s" });
  });

  test("opens again when it can, and no run holds the fence", async () => {
    const stage = await agentStage();
    await stage.settle();
    stage.home.reachable = false;
    stage.advance(60);
    await stage.agent.turn();
    expect(stage.specs()).toEqual(stopped);
    stage.home.reachable = true;
    await stage.settle();
    expect([stage.specs(), stage.lease()?.state]).toEqual([serving, { kind: "serving" }]);
  });

  test.each<[string, (stage: Awaited<ReturnType<typeof agentStage>>) => Promise<void>, unknown]>([
    ["a run asks for it", async (stage) => stage.asks("close", 7), { kind: "closed", epoch: 7 }],
    ["users were moved", async (stage) => stage.head({ epoch: 7, active: "secondary" }), { kind: "closed", epoch: null }],
    ["a run halted behind the data point", async (stage) => stage.head({ epoch: 7, promotedBy: "shop-7" }), { kind: "closed", epoch: null }],
  ])("stays closed then when %s", async (_, meanwhile, state) => {
    const stage = await agentStage();
    await stage.settle();
    stage.home.reachable = false;
    stage.advance(60);
    await stage.agent.turn();
    stage.home.reachable = true;
    await meanwhile(stage);
    await stage.settle();
    expect(stage.specs()).toEqual(stopped);
    expect(stage.lease()?.state).toMatchObject(state as object);
  });

  test("keeps the word that it gave a run", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    const at = stage.time.now;
    stage.home.reachable = false;
    stage.advance(600);
    await stage.agent.turn();
    expect(stage.agent.state).toEqual({ kind: "closed", epoch: 7, at });
  });
});

describe("an agent that stood still for longer than its lease", () => {
  test("closes before it asks for anything, and only then looks whether it may open", async () => {
    const stage = await agentStage();
    await stage.settle();
    const events: string[] = [];
    stage.home.put = async (name, body) => {
      events.push(`renewed over ${JSON.stringify(stage.specs()[0])}`);
      return stage.put(name, body);
    };
    stage.advance(7_200);
    expect(await stage.agent.turn()).toBe(0);
    expect(events).toEqual(['renewed over {"replicas":0}']);
    expect(stage.effects).toHaveLength(6);
    await stage.settle();
    expect(stage.specs()).toEqual(serving);
  });

  test("in the middle of a renewal closes, whatever that renewal brought", async () => {
    const stage = await agentStage();
    await stage.settle();
    stage.home.put = async (name, body) => {
      await stage.put(name, body);
      stage.time.now += 61_000;
    };
    expect(await stage.agent.turn()).toBe(0);
    stage.home.reachable = false;
    await stage.agent.turn();
    expect(stage.specs()).toEqual(stopped);
  });

  test("does nothing of what it read before it stood still", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    await stage.asks("taken-back", 7);
    stage.home.put = async (name, body) => {
      await stage.put(name, body);
      stage.time.now += 61_000;
    };
    expect(await stage.agent.turn()).toBe(0);
    expect([stage.specs(), stage.agent.state.kind]).toEqual([stopped, "closed"]);
  });

  test("in the middle of opening opens nothing more", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    await stage.asks("taken-back", 7);
    stage.cluster.state.before = (verb, kind) => {
      if (verb === "patch" && kind === kinds.statefulSets) stage.time.now += 61_000;
    };
    const before = stage.effects.length;
    await stage.agent.turn();
    // One change was on its way. What came after it was not begun.
    expect(stage.effects.slice(before)).toEqual(["patch statefulsets shop/orders"]);
    stage.cluster.state.before = () => undefined;
    stage.home.reachable = false;
    await stage.agent.turn();
    expect(stage.specs()).toEqual(stopped);
  });
});

describe("an agent that starts while home is silent", () => {
  test("closes by the plan that was kept, after the time that a start may take", async () => {
    const stage = await agentStage();
    stage.kept.text = agentPlanText();
    stage.home.reachable = false;
    await stage.agent.recall();
    expect(await stage.agent.turn()).toBe(10_000);
    stage.advance(44);
    expect(await stage.agent.turn()).toBe(1_000);
    expect(stage.specs()).toEqual(untouched);
    stage.advance(1);
    await stage.agent.turn();
    expect(stage.specs()).toEqual(stopped);
  });

  test("knows of nothing to close where nothing was kept", async () => {
    const stage = await agentStage();
    stage.home.reachable = false;
    await stage.agent.recall();
    stage.advance(9_999);
    expect(await stage.agent.turn()).toBe(5_000);
    expect(stage.effects).toEqual([]);
  });

  test("finds what an earlier start had closed, and opens it when it may", async () => {
    const stage = await agentStage();
    await stage.asks("close", 7);
    await stage.settle();
    const second = new LeaseAgent({ ...stage.parts, id: "agent-2" });
    await stage.asks("taken-back", 7);
    expect([await second.turn(), await second.turn()]).toEqual([0, 10_000]);
    expect([stage.specs(), stage.lease()]).toMatchObject([serving, { agent: "agent-2", state: { kind: "serving" } }]);
  });

  test("does not say that all is open before it has looked", async () => {
    const stage = await agentStage();
    await stage.agent.turn();
    expect(stage.lease()?.state).toMatchObject({ kind: "partly", left: ["it has just been started, and has not looked yet"] });
  });
});

describe("an agent has nothing to do, and renews nothing,", () => {
  const other = examplePlanWith("aks-shop-weu", "aks-other");
  test.each<[string, string | null, string]>([
    ["without a plan", null, "there is no plan shop at home"],
    ["where the plan declares none", exampleText("shop-replicated"), "the plan declares no agent (`fence.agent`)"],
    ["in a cluster that is not the plan's primary", other, "the primary of plan shop is"],
    ["where another plan lies in its place", agentPlanText().replace("plan: shop\n", "plan: pay\n"), "what lies in the place of plan shop is plan pay"],
    ["with a plan that it cannot read", "plan: [", "the plan cannot be read"],
  ])("%s", async (_, text, why) => {
    const stage = await agentStage();
    stage.home.blobs.delete(planName("shop"));
    if (text !== null) await stage.home.put(planName("shop"), text);
    expect(await stage.agent.turn()).toBe(5_000);
    stage.home.reachable = false;
    stage.advance(9_999);
    await stage.agent.turn();
    expect([stage.lease(), stage.effects]).toEqual([null, []]);
    expect(stage.said("agent.idle")).toEqual([{ why: expect.stringContaining(why) }]);
  });

  test("and closes nothing any more, when the plan has come to do without it", async () => {
    const stage = await agentStage();
    await stage.settle();
    await stage.home.put(planName("shop"), exampleText("shop-replicated"));
    stage.advance(10);
    await stage.agent.turn();
    stage.home.reachable = false;
    stage.advance(9_999);
    await stage.agent.turn();
    expect(stage.effects).toEqual([]);
  });

  test("and goes on by the plan that it knows where a newer one cannot be read", async () => {
    const stage = await agentStage();
    await stage.settle();
    await stage.home.put(planName("shop"), "plan: [");
    stage.advance(10);
    await stage.settle();
    stage.home.reachable = false;
    stage.advance(59);
    await stage.agent.turn();
    expect(stage.effects).toEqual([]);
    stage.advance(1);
    await stage.agent.turn();
    expect(stage.specs()).toEqual(stopped);
    expect(stage.said("plan.unreadable")).toHaveLength(1);
  });
});

function examplePlanWith(name: string, instead: string): string {
  return agentPlanText().replace(`managedClusters/${name}`, `managedClusters/${instead}`);
}
