import { describe, expect, test } from "vitest";
import { closePrimary, quietPrimary, reopenPrimary, wakePrimary } from "../../functions/activities/fence-primary.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Suspended } from "../../shared/domain/fence.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { object, openedRun } from "./run.ts";

/** The shop as it runs in the primary, with what would start it again. */
async function primary() {
  const run = await openedRun({ phase: "fence" });
  const cluster = run.clusterOf(run.plan.primary.cluster);
  cluster.has(kinds.deployments, object("storefront", "shop", { spec: { replicas: 5 } }));
  cluster.has(kinds.deployments, object("order-mailer", "shop", { spec: {} }));
  cluster.has(kinds.deployments, object("asleep", "shop", { spec: { replicas: 0 } }));
  cluster.has(kinds.deployments, object("neighbour", "elsewhere", { spec: { replicas: 2 } }));
  cluster.has(kinds.statefulSets, object("orders", "shop", { spec: { replicas: 1 } }));
  cluster.has(kinds.cronJobs, object("invoice-run", "shop", { spec: {} }));
  cluster.has(kinds.schedules, object("shop-hourly", "velero", { spec: { schedule: "0 * * * *" } }));
  cluster.has(kinds.kustomizations, object("shop", "flux-system", { spec: {} }));
  return { ...run, cluster, specs: () => [cluster.spec(kinds.deployments, "shop", "storefront"), cluster.spec(kinds.deployments, "shop", "order-mailer"), cluster.spec(kinds.statefulSets, "shop", "orders"), cluster.spec(kinds.cronJobs, "shop", "invoice-run"), cluster.spec(kinds.schedules, "velero", "shop-hourly"), cluster.spec(kinds.kustomizations, "flux-system", "shop")] };
}

const stopped = [{ replicas: 0 }, { replicas: 0 }, { replicas: 0 }, { suspend: true }, { schedule: "0 * * * *", paused: true }, { suspend: true }];
const names = (suspended: readonly Suspended[]) => suspended.map(({ plural, namespace, name }) => `${plural} ${namespace}/${name}`);

describe("quieting the primary", () => {
  test("stops GitOps first, then schedules, then workloads, and leaves alone what is not the plan's or stands still", async () => {
    const run = await primary();
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toMatchObject({ kind: "quiet" });
    expect(run.specs()).toEqual(stopped);
    expect(run.effects.map((effect) => effect.replace("patch ", ""))).toEqual(["kustomizations flux-system/shop", "schedules velero/shop-hourly", "cronjobs shop/invoice-run", "deployments shop/storefront", "deployments shop/order-mailer", "statefulsets shop/orders"]);
    expect(run.cluster.spec(kinds.deployments, "elsewhere", "neighbour")).toEqual({ replicas: 2 });
  });

  test("writes the undo on the objects, and a second run whose first answer was lost finds it there", async () => {
    const run = await primary();
    const first = await run.take(steps.quietPrimary, quietPrimary, {}, { key: "first" });
    const effects = run.effects.length;
    // Under another key, as if the ledger had nothing of it.
    const second = await run.answer(steps.quietPrimary, quietPrimary, {}, { key: "second" });
    expect(run.effects).toHaveLength(effects);
    expect(second).toEqual(first.kind === "answer" ? first.value : null);
    const note = (await run.cluster.get(kinds.deployments, "shop", "storefront"))?.metadata.annotations?.["lifeboat.dev/undo"];
    expect(JSON.parse(note ?? "")).toEqual({ run: "shop-1", undo: { spec: { replicas: 5 } } });
  });

  test("says what it could not stop, and still knows what it did", async () => {
    const run = await primary();
    run.cluster.state.before = (verb, kind, name) => {
      if (verb === "patch" && kind === kinds.deployments && name === "order-mailer") throw new Error("403");
      if (verb === "list" && kind === kinds.statefulSets) throw new Error("timeout");
    };
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toMatchObject({ kind: "partly", left: ["deployments in shop (403)", "statefulsets in shop (timeout)"] });
    expect(quieted.kind === "partly" ? names(quieted.suspended) : []).toContain("deployments shop/storefront");
  });

  test.each([
    ["does not answer", { ready: { kind: "no-answer", why: "no route" } as const }],
    ["cannot be found", { of: true }],
  ])("a cluster that %s is unreachable, never fenced", async (_, { ready, of }: { ready?: { kind: "no-answer"; why: string }; of?: boolean }) => {
    const run = await primary();
    if (ready !== undefined) run.cluster.state.ready = ready;
    const clusters = { ...run.world.clusters, of: async () => Promise.reject(new Error("no route")) };
    expect(await run.answer(steps.quietPrimary, quietPrimary, {}, of ? { world: { ...run.world, clusters } } : {})).toEqual({ kind: "unreachable", why: "no route" });
    expect(run.effects).toEqual([]);
  });
});

describe("waking the primary", () => {
  test("gives everything back as it was, by looking at the objects", async () => {
    const run = await primary();
    const before = run.specs();
    await run.answer(steps.quietPrimary, quietPrimary, {});
    // The answer is not known: it was lost.
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted: null })).toEqual({ left: [] });
    const [storefront, mailer, orders, invoices, schedule, kustomization] = run.specs();
    expect([storefront, orders]).toEqual([before[0], before[2]]);
    // What said nothing before now says what the API took it for.
    expect([mailer, invoices, schedule, kustomization]).toEqual([{ replicas: 1 }, { suspend: false }, { schedule: "0 * * * *", paused: false }, { suspend: false }]);
    expect(run.cluster.spec(kinds.deployments, "shop", "asleep")).toEqual({ replicas: 0 });
    expect((await run.cluster.get(kinds.deployments, "shop", "storefront"))?.metadata.annotations).toEqual({});
  });

  test("gives back what a halted run of the same plan stopped, and leaves alone what is not ours", async () => {
    const run = await primary();
    const stopped = (name: string, by: string) => object(name, "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": JSON.stringify({ run: by, undo: { spec: { replicas: 3 } } }) } });
    run.cluster.has(kinds.deployments, stopped("halted-before", "shop-9"));
    run.cluster.has(kinds.deployments, stopped("other-plan", "billing-9"));
    run.cluster.has(kinds.deployments, object("scribbled", "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": "{not json" } }));
    await run.answer(steps.quietPrimary, quietPrimary, {});
    await run.answer(steps.wakePrimary, wakePrimary, { quieted: null });
    expect(run.cluster.spec(kinds.deployments, "shop", "halted-before")).toEqual({ replicas: 3 });
    expect(run.cluster.spec(kinds.deployments, "shop", "other-plan")).toEqual({ replicas: 0 });
    expect(run.cluster.spec(kinds.deployments, "shop", "scribbled")).toEqual({ replicas: 0 });
  });

  test("wakes last what would start the rest again", async () => {
    const run = await primary();
    await run.answer(steps.quietPrimary, quietPrimary, {});
    const quieted = run.effects.splice(0);
    await run.answer(steps.wakePrimary, wakePrimary, { quieted: null });
    const kindsOf = (effects: readonly string[]) => [...new Set(effects.map((effect) => effect.split(" ")[1]))];
    expect(kindsOf(run.effects)).toEqual(kindsOf(quieted).toReversed());
  });

  test("twice is once", async () => {
    const run = await primary();
    await run.answer(steps.quietPrimary, quietPrimary, {});
    await run.answer(steps.wakePrimary, wakePrimary, { quieted: null }, { key: "first" });
    const effects = run.effects.length;
    await run.answer(steps.wakePrimary, wakePrimary, { quieted: null }, { key: "second" });
    expect(run.effects).toHaveLength(effects);
  });

  test("says what is still suspended: one by one, or as a whole when the cluster is dark again", async () => {
    const run = await primary();
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    run.cluster.state.before = (verb, _kind, name) => {
      if (verb === "patch" && name === "storefront") throw new Error("403");
    };
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted }, { key: "first" })).toEqual({ left: ["deployments shop/storefront is still suspended (403)"] });
    run.cluster.state.ready = { kind: "no-answer", why: "no route" };
    expect((await run.answer(steps.wakePrimary, wakePrimary, { quieted }, { key: "dark" })).left).toHaveLength(6);
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted: null }, { key: "unknown" })).toEqual({ left: ["whatever is suspended in the primary's cluster, which does not answer: no route"] });
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted: { kind: "unreachable", why: "no route" } }, { key: "never" })).toEqual({ left: [] });
  });
});

describe("the public endpoint", () => {
  test("is closed once, read back, and opened again", async () => {
    const run = await openedRun({ phase: "fence" });
    expect(await run.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed" });
    expect(run.state.traffic.secondary.open).toBe(false);
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "reopened" });
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {}, { key: "again" })).toEqual({ kind: "reopened" });
    expect(run.effects).toEqual(["close-primary", "reopen-primary"]);
  });

  test("that reads back as open is no fence, and one that stays closed is not reopened", async () => {
    const run = await openedRun({ phase: "fence" });
    const deaf = { ...run.world, traffic: { ...run.world.traffic, closePrimary: async () => undefined, reopenPrimary: async () => undefined } };
    expect(await run.answer(steps.closePrimary, closePrimary, {}, { world: deaf })).toEqual({ kind: "open", why: "it reads back as open" });
    await run.world.traffic.closePrimary(run.plan.traffic);
    expect(await run.take(steps.reopenPrimary, reopenPrimary, {}, { world: deaf })).toMatchObject({ kind: "again", because: "the primary's endpoint reads back as closed" });
  });
});
