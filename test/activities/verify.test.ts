import { describe, expect, test } from "vitest";
import { kinds } from "../../shared/domain/kinds.ts";
import { verifyApplications } from "../../functions/activities/verify.ts";
import { steps } from "../../orchestrations/steps.ts";
import { ours, record, restored, snapshot } from "./restored-shop.ts";
import { object, openedRun, point } from "./run.ts";

test("what users will see, what runs, what was moved and what came: all of it is said", async () => {
  const run = await restored();
  const seen = await run.verify();
  expect(seen).toEqual({
    kind: "done",
    value: {
      checks: [
        { check: "GET https://shop.example.com/ at neu.shop.example.com", saw: 'status 200, holds "EUR"' },
        { check: "GET https://shop.example.com/orders at neu.shop.example.com", saw: "status 200" },
        { check: "Deployment shop/storefront", saw: "5 of 5 replicas ready" },
        { check: "StatefulSet shop/orders", saw: "1 of 1 replicas ready" },
        { check: "volume shop/data-orders-0", saw: `bound; snapshot ${snapshot} of ${point.name} restored: Completed` },
        { check: "workloads in shop", saw: "all 2 restored are ready" },
        { check: "objects in shop", saw: `1 of 1 Deployment, 1 of 1 StatefulSet, 1 of 1 PersistentVolumeClaim came from ${point.name}` },
      ],
    },
  });
  expect(run.effects).toEqual([]);
});

describe("it is not verified while", () => {
  type Spoil = (run: Awaited<ReturnType<typeof restored>>) => unknown;
  const spoils: [string, Spoil, string][] = [
    ["the ingress does not answer", (run) => (run.state.probe = () => ({ kind: "no-answer", why: "reset", durationMs: 1 })), "reset"],
    ["something is not up that no assertion names", (run) => run.cluster.has(kinds.daemonSets, object("agent", "shop", { labels: ours, status: { numberReady: 1, desiredNumberScheduled: 3 } })), "workloads in shop: DaemonSet agent has 1 of 3 ready"],
    ["the page has another status", (run) => (run.state.probe = () => ({ kind: "answered", status: 503, body: "EUR", durationMs: 1 })), "status 503, not 200"],
    ["the page does not hold the application's own text", (run) => (run.state.probe = () => ({ kind: "answered", status: 200, body: "default backend", durationMs: 1 })), 'does not hold "EUR"'],
    ["replicas are missing", (run) => run.storefront(ours, 4), "4 of 5 replicas ready"],
    ["a workload is missing", async (run) => run.cluster.delete(kinds.statefulSets, "shop", "orders"), "StatefulSet shop/orders: it is not there"],
    ["a claim is missing", async (run) => run.cluster.delete(kinds.persistentVolumeClaims, "shop", "data-orders-0"), "there is no such claim"],
    ["a claim is not bound", (run) => run.claim("Pending"), "it is not bound"],
    ["a claim is bound and nothing filled it", async (run) => run.cluster.delete(kinds.podVolumeRestores, "velero", "mover-1"), `nothing restored snapshot ${snapshot}`],
    ["a claim was filled from another snapshot", (run) => run.mover("another"), `nothing restored snapshot ${snapshot}`],
    ["a claim was filled by another run", (run) => run.mover(snapshot, "Completed", "lifeboat-shop-12-shop"), `nothing restored snapshot ${snapshot}`],
    ["the mover has not ended well", (run) => run.mover(snapshot, "Failed"), "restored: Failed"],
    // A real Velero said `Completed` over objects that existed, and had changed nothing (again-r1).
    ["objects are there that no restore of this run brought", (run) => run.storefront({}), "only 0 of 1 Deployment"],
    ["an earlier restore of the same point left them", (run) => run.storefront({ ...ours, "velero.io/restore-name": "drill-r1" }), "only 0 of 1 Deployment"],
  ];
  test.each(spoils)("%s", async (_, spoil, said) => {
    const run = await restored();
    await spoil(run);
    expect(await run.verify()).toMatchObject({ kind: "not-yet", about: expect.stringContaining(said) });
  });

  test("the point holds no data of the volume", async () => {
    const run = await openedRun({ phase: "verify" });
    await run.keep({ ...record, volumes: [] });
    const cluster = run.clusterOf(run.plan.secondary.cluster);
    cluster.has(kinds.persistentVolumeClaims, object("data-orders-0", "shop", { labels: ours, status: { phase: "Bound" } }));
    expect(await run.answer(steps.verifyApplications, verifyApplications, { applications: ["shop"], point })).toMatchObject({ kind: "not-yet", about: expect.stringContaining("holds no data of it") });
  });
});

test("what was there before, and what is held, need not be up", async () => {
  const run = await restored();
  const down = { spec: { replicas: 1 }, status: { readyReplicas: 0 } };
  run.cluster.has(kinds.deployments, object("foreign", "shop", down));
  run.cluster.has(kinds.deployments, object("held", "shop", { ...down, labels: { ...ours, "velero.io/restore-name": "lifeboat-shop-1-shop-held" } }));
  expect((await run.verify()).kind).toBe("done");
});

test("consumers that came in held count as brought", async () => {
  const run = await restored();
  run.storefront({ ...ours, "velero.io/restore-name": "lifeboat-shop-1-shop-held" });
  expect((await run.verify()).kind).toBe("done");
});
