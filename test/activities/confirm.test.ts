import { describe, expect, test } from "vitest";
import { confirmGone } from "../../functions/activities/confirm-gone.ts";
import { confirmLoss } from "../../functions/activities/confirm-loss.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Reading } from "../../shared/domain/health.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { Plan, Signal } from "../../shared/domain/plan.ts";
import type { ProbeAnswer } from "../../shared/ports.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { object, openedRun } from "./run.ts";

const noAnswer: ProbeAnswer = { kind: "no-answer", why: "timed out", durationMs: 3_000 };
const answered = (status: number): ProbeAnswer => ({ kind: "answered", status, body: "", durationMs: 12.4 });
const node = (ready: boolean) => object(`node-${ready}`, null, { status: { conditions: [{ type: "Ready", status: ready ? "True" : "Unknown" }] } });

/** The region is gone, by every witness; the control targets answer. */
async function lost(plan?: Plan) {
  const run = await openedRun(plan === undefined ? {} : { plan });
  const cluster = run.clusterOf(run.plan.primary.cluster);
  cluster.state.ready = { kind: "no-answer", why: "no route" };
  run.state.probe = (_url, connectTo) => (connectTo === undefined ? answered(200) : noAnswer);
  run.state.health = { state: "unavailable", since: null, summary: "platform event" };
  run.state.traffic = { ...run.state.traffic, primary: { open: true, monitor: "degraded" } };
  /** Rounds ten seconds apart, until there is a verdict. */
  const verdict = async () => {
    let state: unknown;
    for (let round = 0; round < 200; round++) {
      const look = await run.answer(steps.confirmLoss, confirmLoss, {}, { state });
      if (look.kind === "done") return look.value;
      state = JSON.parse(JSON.stringify(look.state)) as unknown;
      run.time.now += 10_000;
    }
    throw new Error("no verdict");
  };
  return { ...run, cluster, verdict, saying: (readings: readonly Reading[], kind: Signal["kind"]) => readings.find(({ signal }) => signal === kind) };
}

describe("the confirmation", () => {
  test("believes a loss that every witness sees", async () => {
    const run = await lost();
    const startedAt = run.time.now;
    expect(await run.verdict()).toMatchObject({ kind: "lost", scope: "region", since: startedAt });
    expect(run.time.now - startedAt).toBe(60_000);
    expect(run.effects).toEqual([]);
  });

  const blinded: [Signal["kind"], (run: Awaited<ReturnType<typeof lost>>) => void][] = [
    ["public-probe", (run) => (run.state.probe = (url, connectTo) => (connectTo === undefined ? answered(200) : url.endsWith("/healthz") ? answered(511) : noAnswer))],
    ["backend-probe", (run) => (run.state.probe = (url, connectTo) => (connectTo === undefined ? answered(200) : url.endsWith("/orders") ? answered(407) : noAnswer))],
    ["kubernetes-api", (run) => (run.cluster.state.ready = { kind: "not-ready", why: "401" })],
    ["resource-health", (run) => (run.state.health = { state: "unknown", since: null, summary: "no data" })],
    ["traffic-manager", (run) => (run.state.traffic = { ...run.state.traffic, primary: { open: true, monitor: "unknown" } })],
  ];
  test.each(blinded)("does not believe it when %s is blinded: unknown is not down", async (kind, blind) => {
    const run = await lost();
    blind(run);
    const verdict = await run.verdict();
    expect(verdict.kind).toBe("not-lost");
    expect(run.saying(verdict.readings, kind)?.says).toBe("unknown");
    expect(verdict.readings.filter(({ says }) => says === "down")).toHaveLength(4);
  });

  test("takes an adapter that throws for a witness that cannot see, and says why", async () => {
    const run = await lost();
    const health = { of: async () => Promise.reject(new Error("403 from ARM")) };
    const look = await run.answer(steps.confirmLoss, confirmLoss, {}, { world: { ...run.world, health } });
    expect(look).toMatchObject({ kind: "not-yet", about: expect.stringContaining("unknown: resource-health") });
  });

  test("takes a certificate that cannot be trusted for a witness that cannot see: somebody is there", async () => {
    const run = await lost();
    run.state.probe = (_url, connectTo) => (connectTo === undefined ? answered(200) : { kind: "no-answer", why: "CERT_HAS_EXPIRED: certificate has expired", durationMs: 5, untrusted: true });
    const verdict = await run.verdict();
    expect(verdict.kind).toBe("not-lost");
    expect(verdict.readings.filter(({ says }) => says === "unknown").map(({ signal }) => signal)).toEqual(["public-probe", "backend-probe"]);
  });

  test("does not wait for a witness longer than the plan says", async () => {
    const plan = examplePlan("shop-replicated");
    const run = await lost({ ...plan, confirmation: { ...plan.confirmation, timeoutSeconds: 0.02 } });
    const never = async (): Promise<never> => new Promise(() => undefined);
    run.cluster.state.ready = { kind: "ready" };
    const world = { ...run.world, health: { of: never }, traffic: { ...run.world.traffic, read: never }, clusters: { ...run.world.clusters, of: async (id: string) => ({ ...(await run.world.clusters.of(id)), list: never }) } };
    const look = await run.answer(steps.confirmLoss, confirmLoss, {}, { world });
    expect(look).toMatchObject({ kind: "not-yet", about: "down: public-probe, backend-probe; unknown: kubernetes-api, resource-health, traffic-manager" });
  });

  test("says that we are cut off when no control target answers", async () => {
    const run = await lost();
    run.state.probe = () => noAnswer;
    const verdict = await run.verdict();
    expect(verdict.kind).toBe("not-lost");
    expect(new Set(verdict.readings.map(({ says }) => says))).toEqual(new Set(["unknown"]));
  });

  test("takes one control target that answers for enough: the others may be down by themselves", async () => {
    const run = await lost();
    const [, second] = run.plan.confirmation.controls;
    run.state.probe = (url) => (url === second ? answered(403) : noAnswer);
    expect((await run.verdict()).kind).toBe("lost");
  });

  test.each([
    [200, "up"],
    [404, "up"],
    [401, "up"],
    [500, "down"],
    [503, "down"],
    [407, "unknown"],
    [511, "unknown"],
  ] as const)("reads status %i of the ingress as %s", async (status, says) => {
    const run = await lost();
    run.state.probe = (_url, connectTo) => answered(connectTo === undefined ? 200 : status);
    const verdict = await run.verdict();
    expect(run.saying(verdict.readings, "public-probe")?.says).toBe(says);
  });

  test.each([
    [[true, false], "up"],
    [[false], "down"],
    [[], "down"],
  ] as const)("reads an API server over nodes %j as %s", async (nodes, says) => {
    const run = await lost();
    run.cluster.state.ready = { kind: "ready" };
    for (const ready of nodes) run.cluster.has(kinds.nodes, node(ready));
    const verdict = await run.verdict();
    expect(run.saying(verdict.readings, "kubernetes-api")?.says).toBe(says);
  });

  test("tells a zone's failure, and a node's, from the cluster's loss, by name", async () => {
    const run = await lost();
    run.cluster.state.ready = { kind: "ready" };
    run.cluster.has(kinds.nodes, object("user-1", null, { labels: { "topology.kubernetes.io/zone": "westeurope-1" }, status: { conditions: [{ type: "Ready", status: "False" }] } }));
    run.cluster.has(kinds.nodes, object("user-2", null, { labels: { "topology.kubernetes.io/zone": "westeurope-2" }, status: { conditions: [{ type: "Ready", status: "True" }] } }));
    expect(await run.verdict()).toMatchObject({ kind: "not-lost", why: expect.stringMatching(/a zone failed, which is no loss of the cluster: no node of westeurope-1 is Ready; 1 of 2 nodes are$/) as string });
  });

  test("asks the primary's own ingress under the public name", async () => {
    const run = await lost();
    const asked: string[] = [];
    run.state.probe = (url, connectTo) => {
      if (connectTo !== undefined) asked.push(`${url} at ${connectTo}`);
      return answered(200);
    };
    await run.answer(steps.confirmLoss, confirmLoss, {});
    expect(asked).toEqual(["https://shop.example.com/healthz at weu.shop.example.com", "https://shop.example.com/orders at weu.shop.example.com"]);
  });
});

describe("a recovery in place", () => {
  test("takes what has lost all its workloads, and nothing that still has one", async () => {
    const run = await openedRun({ kind: "recovery" });
    expect(await run.answer(steps.confirmGone, confirmGone, { applications: [] })).toEqual({ kind: "gone", applications: ["shop"] });
    run.clusterOf(run.plan.primary.cluster).has(kinds.deployments, object("storefront", "shop"));
    expect(await run.answer(steps.confirmGone, confirmGone, { applications: ["shop"] }, { key: "again" })).toEqual({ kind: "there", why: "nothing is lost: shop still has shop/storefront" });
  });

  test.each(["deployments", "statefulSets", "daemonSets", "cronJobs", "jobs", "persistentVolumeClaims"] as const)("leaves alone an application that still has one of its %s", async (kind) => {
    const run = await openedRun({ kind: "recovery" });
    run.clusterOf(run.plan.primary.cluster).has(kinds[kind], object("left", "shop"));
    expect(await run.answer(steps.confirmGone, confirmGone, { applications: ["shop"] })).toMatchObject({ kind: "there", why: expect.stringContaining("shop/left") });
  });

  test("knows an application that the plan does not have", async () => {
    const run = await openedRun({ kind: "recovery" });
    expect(await run.answer(steps.confirmGone, confirmGone, { applications: ["other"] })).toEqual({ kind: "there", why: "nothing is lost: the plan has no such application" });
  });
});
