import { describe, expect, test } from "vitest";
import { closePrimary, quietPrimary, quietWithin, reopenPrimary, wakePrimary, wakeWithin } from "../../functions/activities/fence-primary.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Quieted, Suspended } from "../../shared/domain/fence.ts";
import { type Kind, kinds } from "../../shared/domain/kinds.ts";
import { turnPhase } from "../../shared/domain/ledger.ts";
import { losing } from "./memory-world.ts";
import { object, openedRun } from "./run.ts";

const inventory = (...ids: string[]) => ({ inventory: { entries: ids.map((id) => ({ id, v: "v1" })) } });

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
  cluster.has(kinds.schedules, object("payroll-hourly", "velero", { spec: { schedule: "0 * * * *" } }));
  cluster.has(kinds.kustomizations, object("shop", "flux-system", { spec: {}, status: inventory("shop_storefront_apps_Deployment") }));
  return { ...run, cluster, specs: () => [cluster.spec(kinds.deployments, "shop", "storefront"), cluster.spec(kinds.deployments, "shop", "order-mailer"), cluster.spec(kinds.statefulSets, "shop", "orders"), cluster.spec(kinds.cronJobs, "shop", "invoice-run"), cluster.spec(kinds.schedules, "velero", "shop-hourly"), cluster.spec(kinds.kustomizations, "flux-system", "shop")] };
}

const stopped = [{ replicas: 0 }, { replicas: 0 }, { replicas: 0 }, { suspend: true }, { schedule: "0 * * * *", paused: true }, { suspend: true }];
const suspendedOf = (quieted: Quieted): readonly Suspended[] => (quieted.kind === "unreachable" ? [] : quieted.suspended);
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

  test("suspends running Jobs, and leaves alone those that have ended", async () => {
    const run = await primary();
    run.cluster.has(kinds.jobs, object("import", "shop", { spec: {} }));
    run.cluster.has(kinds.jobs, object("imported", "shop", { spec: {}, status: { conditions: [{ type: "Complete", status: "True" }] } }));
    expect(names(suspendedOf(await run.answer(steps.quietPrimary, quietPrimary, {})))).toContain("jobs shop/import");
    expect([run.cluster.spec(kinds.jobs, "shop", "import"), run.cluster.spec(kinds.jobs, "shop", "imported")]).toEqual([{ suspend: true }, {}]);
    await run.answer(steps.wakePrimary, wakePrimary, { quieted: null });
    expect(run.cluster.spec(kinds.jobs, "shop", "import")).toEqual({ suspend: false });
  });

  test("reaches only what deploys into the plan's namespaces, and only the plan's schedule", async () => {
    const run = await primary();
    const reached: [Kind, string, string, object][] = [
      [kinds.kustomizations, "shop-apps", "flux-system", { spec: { targetNamespace: "shop" } }],
      [kinds.kustomizations, "not-applied-yet", "shop", { spec: {} }],
      [kinds.helmReleases, "in-shop", "shop", { spec: {} }],
      [kinds.helmReleases, "into-shop", "flux-system", { spec: { targetNamespace: "shop" } }],
    ];
    const beyond: [Kind, string, string, object][] = [
      [kinds.kustomizations, "billing", "flux-system", { spec: {}, status: inventory("billing_api_apps_Deployment", "_shop__Namespace") }],
      [kinds.kustomizations, "billing-apps", "flux-system", { spec: { targetNamespace: "billing" }, status: inventory("shop_x__Secret") }],
      [kinds.kustomizations, "unknown", "flux-system", { spec: {} }],
      [kinds.helmReleases, "in-billing", "billing", { spec: {} }],
      [kinds.schedules, "billing-hourly", "velero", { spec: {} }],
    ];
    for (const [kind, name, namespace, more] of [...reached, ...beyond]) run.cluster.has(kind, object(name, namespace, more));
    const touched = names(suspendedOf(await run.answer(steps.quietPrimary, quietPrimary, {})));
    for (const [{ plural }, name, namespace] of reached) expect(touched).toContain(`${plural} ${namespace}/${name}`);
    for (const [{ plural }, name, namespace] of beyond) expect(touched).not.toContain(`${plural} ${namespace}/${name}`);
    expect(run.cluster.spec(kinds.schedules, "velero", "payroll-hourly")).toEqual({ schedule: "0 * * * *" });
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

describe("pods that are left", () => {
  const owned = (name: string, kind: string, more: object = {}) => ({ metadata: { name, namespace: "shop", ownerReferences: [{ kind, name: `${name}-owner`, uid: "u" }], ...more }, status: { phase: "Running" } });

  test("are waited for, and a primary without any is quiet", async () => {
    const run = await primary();
    run.cluster.has(kinds.pods, owned("storefront-1", "ReplicaSet"));
    run.cluster.has(kinds.pods, { ...owned("import-1", "Job"), status: { phase: "Succeeded" } });
    run.cluster.has(kinds.pods, { ...object("elsewhere-1", "elsewhere"), status: { phase: "Running" } });
    let looks = 0;
    run.cluster.state.before = (verb, kind) => {
      if (verb === "list" && kind === kinds.pods && ++looks === 2) run.cluster.has(kinds.pods, { ...owned("storefront-1", "ReplicaSet"), status: { phase: "Failed" } });
    };
    expect(await run.answer(steps.quietPrimary, quietPrimary, {})).toMatchObject({ kind: "quiet" });
    expect(looks).toBe(2);
  });

  test("make the fence partial and are named; what nobody can scale is not waited for", async () => {
    const run = await primary();
    run.cluster.has(kinds.pods, owned("agent", "DaemonSet"));
    run.cluster.has(kinds.pods, { ...object("debug", "shop"), status: { phase: "Running" } });
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {}, { key: "at once" });
    expect(quieted).toMatchObject({ kind: "partly", left: ["pod shop/agent still runs (DaemonSet agent-owner cannot be scaled)", "pod shop/debug still runs (no controller to scale)"] });
    expect(suspendedOf(quieted)).toHaveLength(6);
    run.cluster.has(kinds.pods, owned("orders-0", "StatefulSet", { deletionTimestamp: "2026-11-21T06:00:00Z" }));
    run.cluster.has(kinds.pods, owned("operated-0", "Database"));
    const later = await run.answer(steps.quietPrimary, quietWithin({ seconds: 5, podPausesMs: [1, 1] }), {}, { key: "later" });
    expect(later).toMatchObject({ left: expect.arrayContaining(["pod shop/orders-0 is still being ended", "pod shop/operated-0 still runs"]) });
  });

  test("are not taken for gone where nobody may look", async () => {
    const run = await primary();
    run.cluster.state.before = (verb, kind) => {
      if (verb === "list" && kind === kinds.pods) throw new Error("403");
    };
    expect(await run.answer(steps.quietPrimary, quietPrimary, {})).toMatchObject({ kind: "partly", left: ["pods in shop (403)"] });
  });

  test("are named up to ten; the rest are counted", async () => {
    const run = await primary();
    for (let n = 0; n < 12; n++) run.cluster.has(kinds.pods, { ...object(`debug-${n}`, "shop"), status: { phase: "Running" } });
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted.kind === "partly" ? [quieted.left.length, quieted.left.at(-1)] : null).toEqual([11, "2 more pods in shop"]);
  });
});

describe("a primary that falls silent", () => {
  /** The cluster is gone from the moment this call is made. */
  const goesDarkAt = (run: Awaited<ReturnType<typeof primary>>, at: (verb: string, kind: Kind) => boolean) => {
    const calls: string[] = [];
    run.cluster.state.before = (verb, kind) => {
      if (at(verb, kind)) run.cluster.state.ready = { kind: "no-answer", why: "no route" };
      if (run.cluster.state.ready.kind !== "no-answer") return;
      calls.push(`${verb} ${kind.plural}`);
      throw new Error("no answer within 10 s");
    };
    return calls;
  };

  test("halfway is asked once more and then left: what was stopped is known, the rest is one phrase", async () => {
    const run = await primary();
    const calls = goesDarkAt(run, (verb, kind) => verb === "list" && kind === kinds.deployments);
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toMatchObject({ kind: "partly", left: ["deployments in shop, statefulsets in shop, pods in shop (it stopped answering: no route)"] });
    expect(names(suspendedOf(quieted))).toEqual(["kustomizations flux-system/shop", "schedules velero/shop-hourly", "cronjobs shop/invoice-run"]);
    expect(calls).toEqual(["list deployments"]);
    expect((await run.answer(steps.wakePrimary, wakePrimary, { quieted })).left.at(-1)).toContain("what else was being suspended");
  });

  test("before anything was asked of it has nothing to give back", async () => {
    const run = await primary();
    goesDarkAt(run, () => true);
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toEqual({ kind: "unreachable", why: "it stopped answering: no route" });
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted })).toEqual({ left: [] });
  });

  test("while its first change is under way may have made it", async () => {
    const run = await primary();
    goesDarkAt(run, (verb) => verb === "patch");
    expect(await run.answer(steps.quietPrimary, quietPrimary, {})).toEqual({ kind: "unreachable", why: "it stopped answering: no route", maybeSuspended: true, unanswered: true });
  });

  test("after a try whose outcome was lost is not forgotten", async () => {
    const run = await primary();
    const create: typeof run.home.create = async (name, body) => (name.endsWith(".outcome.json") ? Promise.reject(new Error("no answer")) : run.home.create(name, body));
    expect((await run.take(steps.quietPrimary, quietPrimary, {}, { world: { ...run.world, home: { ...run.home, create } } })).kind).toBe("again");
    run.cluster.state.ready = { kind: "no-answer", why: "no route" };
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toEqual({ kind: "unreachable", why: "no route", maybeSuspended: true });
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted })).toEqual({ left: ["whatever is suspended in the primary's cluster, which does not answer: no route"] });
  });

  test("holds up neither step longer than its own deadline, and nothing is begun after it", async () => {
    const run = await primary();
    const cluster = await run.world.clusters.of(run.plan.primary.cluster);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const hanging = { ...cluster, list: async (kind: Kind, namespace: string | null) => (kind === kinds.deployments ? held : Promise.resolve()).then(async () => cluster.list(kind, namespace)) };
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => hanging } };
    const quieted = await run.answer(steps.quietPrimary, quietWithin({ seconds: 0.05, podPausesMs: [] }), {}, { world });
    expect(quieted).toMatchObject({ kind: "partly", left: ["deployments in shop, statefulsets in shop, pods in shop (no answer within 0.05 s)"] });
    const woken = await run.answer(steps.wakePrimary, wakeWithin({ seconds: 0.05 }), { quieted }, { world });
    expect(woken.left).toEqual([expect.stringMatching(/^what is suspended of .*deployments in shop.* \(no answer within 0.05 s\)$/)]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(run.cluster.spec(kinds.deployments, "shop", "storefront")).toEqual({ replicas: 5 });
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

  test("once more, when what was asked for and not answered has had its time: it may be stopped after it was woken", async () => {
    const run = await primary();
    run.cluster.state.before = (verb, _kind, name) => {
      if (verb === "patch" && name === "storefront") throw new Error("no answer within 30 s");
    };
    const quieted = await run.answer(steps.quietPrimary, quietPrimary, {});
    expect(quieted).toMatchObject({ kind: "partly", unanswered: true, left: [expect.stringContaining("no answer within 30 s")] });
    run.cluster.state.before = () => undefined;
    run.time.now += 1_000;
    expect(await run.take(steps.wakePrimary, wakePrimary, { quieted })).toMatchObject({ kind: "again", because: expect.stringContaining("may still be stopped"), retryAfterSeconds: 59 });
    run.cluster.has(kinds.deployments, object("storefront", "shop", { spec: { replicas: 0 }, annotations: { "lifeboat.dev/undo": JSON.stringify({ run: run.ref.runId, undo: { spec: { replicas: 5 } } }) } }));
    run.time.now += 59_000;
    expect(await run.answer(steps.wakePrimary, wakePrimary, { quieted })).toEqual({ left: [] });
    expect(run.cluster.spec(kinds.deployments, "shop", "storefront")).toEqual({ replicas: 5 });
  });

  test("waits as long where nobody knows what was answered", async () => {
    const run = await primary();
    const create: typeof run.home.create = async (name, body) => (name.endsWith(".outcome.json") ? Promise.reject(new Error("no answer")) : run.home.create(name, body));
    await run.take(steps.quietPrimary, quietPrimary, {}, { world: { ...run.world, home: { ...run.home, create } } });
    expect(await run.take(steps.wakePrimary, wakePrimary, { quieted: null })).toMatchObject({ kind: "again", retryAfterSeconds: 60 });
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
    expect(await run.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed", backAgain: true });
    expect(run.state.traffic.secondary.open).toBe(false);
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "reopened" });
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {}, { key: "again" })).toEqual({ kind: "reopened" });
    expect(run.effects).toEqual(["close-primary", "reopen-primary"]);
  });

  test("of a primary that serves nobody is closed, and nothing more is said; one that serves when it is closed is back", async () => {
    const dark = await openedRun({ phase: "fence" });
    dark.state.probe = () => ({ kind: "no-answer", why: "connection refused", durationMs: 5 });
    expect(await dark.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed" });
    const ailing = await openedRun({ phase: "fence" });
    ailing.state.probe = (url) => (url.endsWith("/healthz") ? { kind: "answered", status: 503, body: "", durationMs: 5 } : { kind: "answered", status: 200, body: "", durationMs: 5 });
    expect(await ailing.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed", backAgain: true });
  });

  test("that reads back as open is no fence, and one that does not open again is tried again", async () => {
    const run = await openedRun({ phase: "fence" });
    const deaf = { ...run.world, traffic: { ...run.world.traffic, closePrimary: async () => undefined, reopenPrimary: async () => undefined } };
    expect(await run.answer(steps.closePrimary, closePrimary, {}, { world: deaf })).toEqual({ kind: "open", why: "it reads back as open" });
    // It took effect late.
    await run.world.traffic.closePrimary(run.plan.traffic);
    expect(await run.take(steps.reopenPrimary, reopenPrimary, {}, { world: deaf })).toMatchObject({ kind: "again", because: "the primary's endpoint reads back as closed" });
  });

  test("that a person had closed before the run stays closed", async () => {
    const run = await openedRun({ phase: "fence" });
    await run.world.traffic.closePrimary(run.plan.traffic);
    expect(await run.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed", backAgain: true });
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "left-closed", why: "it was closed before this run" });
    expect(run.state.traffic.primary.open).toBe(false);
  });

  test("is opened again when the answer of the act that closed it was lost, and is open for good when that can take place no more", async () => {
    const run = await openedRun({ phase: "fence" });
    const world = { ...run.world, traffic: losing(run.world.traffic, "closePrimary") };
    expect((await run.take(steps.closePrimary, closePrimary, {}, { world })).kind).toBe("again");
    await run.ledger.change(run.plan.plan, (head) => turnPhase(head, { epoch: run.ref.epoch, end: null, begin: "stand-down" }, run.time.now, null));
    const late = { kind: "again", because: expect.stringContaining("a closing that was not answered may still be on its way"), retryAfterSeconds: 10 };
    expect(await run.take(steps.reopenPrimary, reopenPrimary, {})).toMatchObject(late);
    expect(run.state.traffic.primary.open).toBe(true);
    await run.world.traffic.closePrimary(run.plan.traffic);
    run.time.now += 55_000;
    expect(await run.take(steps.reopenPrimary, reopenPrimary, {})).toMatchObject({ ...late, retryAfterSeconds: 5 });
    expect(run.state.traffic.primary.open).toBe(true);
    run.time.now += 5_000;
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "reopened" });
  });

  test("is open for good when the first try can take place no more, though a second one was answered", async () => {
    const run = await openedRun({ phase: "fence" });
    const world = { ...run.world, traffic: losing(run.world.traffic, "closePrimary") };
    expect((await run.take(steps.closePrimary, closePrimary, {}, { world })).kind).toBe("again");
    run.time.now += 31_000;
    expect(await run.answer(steps.closePrimary, closePrimary, {})).toMatchObject({ kind: "closed" });
    run.time.now += 57_000;
    expect(await run.take(steps.reopenPrimary, reopenPrimary, {})).toMatchObject({ kind: "again", retryAfterSeconds: 3 });
    expect(run.state.traffic.primary.open).toBe(true);
    run.time.now += 3_000;
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "reopened" });
  });

  test("that a repeat finds closed was closed by this run all the same", async () => {
    const run = await openedRun({ phase: "fence" });
    const world = { ...run.world, traffic: losing(run.world.traffic, "closePrimary") };
    expect((await run.take(steps.closePrimary, closePrimary, {}, { world })).kind).toBe("again");
    expect(await run.answer(steps.closePrimary, closePrimary, {})).toEqual({ kind: "closed", backAgain: true });
    expect(await run.answer(steps.reopenPrimary, reopenPrimary, {})).toEqual({ kind: "reopened" });
    expect(run.state.traffic.primary.open).toBe(true);
  });
});
