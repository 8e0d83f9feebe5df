import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterClient } from "../../lab/run/cluster-client.ts";
import { alertOf } from "../../lab/run/azure-monitor.ts";
import { accounts, primary, secondary, trafficManager } from "../../lab/world/pair.ts";
import type { Report } from "../../shared/domain/report.ts";
import { changed, openStage, patience, type Stage, until } from "./stage.ts";

/** The shop's points in the recorded container, oldest first. */
const points = ["shop-hourly-20261121055809", "shop-hourly-20261121055818", "shop-hourly-20261121055825"] as const;
const tarballOf = (point: string) => `backups/${point}/${point}.tar.gz`;

/** One after the other in one lost region: none of them moves anything, so the next one finds the plan as it was. */
describe("a failover that cannot go on", () => {
  let stage: Stage;
  beforeAll(async () => {
    // Ten minutes are waited for a Velero that does not come. At this rate a soak must be longer to outlast a round of looks, and the point
    // soon is older than an hour: a loss above the objective would wait for a person.
    stage = await openStage({ topology: "shared", rate: 200, changePlan: (plan) => changed(plan, { soakSeconds: 120, giveUpSeconds: 3_600, rpoSeconds: 43_200 }) });
    stage.pair.lose(primary.region);
  }, patience.up);
  afterAll(() => stage.close(), patience.down);

  test("without capacity in the target it ends target-not-ready before anything is fenced", { timeout: patience.test }, async () => {
    const { aks } = stage.pair;
    aks.setCapacity(secondary.region, { kind: "none", code: "SkuNotAvailable" });
    const { report, effects } = await play("no-capacity");
    aks.setCapacity(secondary.region, { kind: "enough" });
    expect(report.outcome).toBe("target-not-ready");
    expect(report.summary).toContain("node pool user could not be raised to 2 nodes");
    expect(report.steps.map(({ name }) => name)).toEqual(["accept", "confirm", "decide", "report"]);
    await expectTrafficUntouched(report, effects);
  });

  test("over a namespace that is not empty it ends target-not-ready and names what is there, before anything is fenced", { timeout: patience.test }, async () => {
    await occupy();
    const { report, effects } = await play("occupied");
    await vacate();
    expect(report.outcome).toBe("target-not-ready");
    expect(report.summary).toContain("namespace shop is not empty (left-behind)");
    await expectTrafficUntouched(report, effects);
  });

  test("over a namespace that fills while the primary is being fenced it ends target-not-ready, and undoes the fence", { timeout: patience.test }, async () => {
    const { world } = stage.pair;
    const fencing = { call: "PATCH trafficManagerProfiles/externalEndpoints", kind: "slow", delayMs: 200_000 } as const;
    world.inject(fencing);
    const running = play("occupied-late");
    await until("the fence to be asked for", () => Promise.resolve(world.requests.some(({ call }) => call === fencing.call)));
    await occupy();
    const { report, effects } = await running;
    await vacate();
    expect(report.outcome).toBe("target-not-ready");
    expect(report.summary).toContain("namespace shop is not empty (left-behind)");
    await expectFenceUndone(report, effects);
  });

  test("over a webhook that must answer and has nobody who does it ends target-not-ready and names it, before anything is fenced, and leaves it alone", { timeout: patience.test }, async () => {
    const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    const rules = [{ operations: ["CREATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] }];
    await there().request("POST", configurations, { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", metadata: { name: "policies" }, webhooks: [{ name: "deployments.policies.example.com", clientConfig: { service: { namespace: "policies", name: "judge" } }, rules, sideEffects: "None", admissionReviewVersions: ["v1"] }] });
    const { report, effects } = await play("unjudged");
    expect((await there().request("DELETE", `${configurations}/policies`)).status).toBe(200);
    expect(report.outcome).toBe("target-not-ready");
    expect(report.summary).toContain("nobody answers for the ValidatingWebhookConfiguration policies: deployments.policies.example.com");
    await expectTrafficUntouched(report, effects);
  });

  test("without a Velero in the secondary it ends target-not-ready and says what to install, before anything is fenced", { timeout: patience.test }, async () => {
    const velero = "/apis/apps/v1/namespaces/velero/deployments/velero";
    expect((await there().request("DELETE", velero)).status).toBe(200);
    const { report, effects } = await play("no-velero");
    expect(report.outcome).toBe("target-not-ready");
    expect(report.summary).toContain("there is no Deployment velero/velero: install Velero in northeurope");
    await expectTrafficUntouched(report, effects);
  });

  test("with every restore point unusable it ends nothing-restorable, with the reason of each, and touches nothing", { timeout: patience.test }, async () => {
    const replica = stage.pair.storage.endpoint(accounts.shared.name, true);
    // Past the front: no client can delete at a secondary endpoint.
    for (const point of points) await stage.pair.bytes.delete({ store: replica?.store ?? "", container: "velero", name: tarballOf(point) });
    const { report, effects } = await play("no-point");
    expect(report.outcome).toBe("nothing-restorable");
    expect(report.passedOver.map(({ name }) => name)).toEqual(points.toReversed());
    for (const { name, reason } of report.passedOver) expect(reason).toContain(`${name}.tar.gz`);
    expect(report.restorePoint).toBeNull();
    expect(report.steps.map(({ name }) => name)).toEqual(["accept", "confirm", "decide", "report"]);
    await expectTrafficUntouched(report, effects);
  });

  const there = () => clusterClient(stage.pair, secondary.region);
  /** Somebody's claim is in the target's namespace. */
  async function occupy() {
    await there().request("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "left-behind", namespace: "shop" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };
    expect((await there().request("POST", "/api/v1/namespaces/shop/persistentvolumeclaims", claim)).status).toBe(201);
  }
  async function vacate() {
    await there().request("DELETE", "/api/v1/namespaces/shop");
    await until("the namespace to be gone", async () => (await there().request("GET", "/api/v1/namespaces/shop")).status === 404);
  }

  /** One run from its alert to its report, and what became true in the world meanwhile. */
  async function play(alertId: string) {
    const before = stage.pair.world.effects.length;
    const report = await stage.ended(await stage.fire(alertId));
    return { report, effects: stage.pair.world.effects.slice(before) };
  }

  async function expectTrafficUntouched(report: Report, effects: readonly { readonly act: string }[]) {
    expect(effects.filter(({ act }) => /^(traffic\.endpoint-updated|traffic\.profile-updated|dns\.)/.test(act))).toEqual([]);
    expect(report.fence).toBeNull();
    await expectAsBefore(report);
  }

  async function expectFenceUndone(report: Report, effects: readonly { readonly act: string; readonly key: string; readonly detail?: unknown }[]) {
    const switched = effects.filter(({ act }) => act === "traffic.endpoint-updated").map(({ key, detail }) => ({ key, detail }));
    expect(switched).toEqual([
      { key: trafficManager.endpoints.primary, detail: { status: "Disabled" } },
      { key: trafficManager.endpoints.primary, detail: { status: "Enabled" } },
    ]);
    expect(effects.filter(({ act }) => act.startsWith("velero.restore"))).toEqual([]);
    expect(report.steps.map(({ name }) => name)).toContain("stand-down");
    await expectAsBefore(report);
  }

  async function expectAsBefore(report: Report) {
    expect(report.traffic).toEqual({ before: primary.region, after: primary.region });
    expect(report.pointsOfNoReturn).toEqual({ data: null, traffic: null });
    expect(stage.pair.traffic.profile().endpoints.map(({ status }) => status)).toEqual(["Enabled", "Disabled"]);
    expect(await stage.publicAddresses()).toEqual([primary.ingressAddress]);
    expect((await stage.app.plan("shop")).head).toMatchObject({ active: "primary", run: null });
  }
});

/** One failover against all odds at once: each of them has its own trace. */
describe("a failover with everything against it", () => {
  let stage: Stage;
  let report: Report;
  beforeAll(async () => {
    stage = await openStage({ topology: "replicated" });
    const { pair } = stage;
    // One byte of the newest archive is another at the replica, where nobody notices before it is read.
    const [, , newest] = points;
    const archive = Buffer.from((await stage.container(accounts.replica.name, "velero").get(tarballOf(newest))) ?? []);
    const middle = Math.floor(archive.length / 2);
    archive[middle] = (archive[middle] ?? 0) ^ 0xff;
    await pair.bytes.put({ store: accounts.replica.name, container: "velero", name: tarballOf(newest) }, archive);
    // The secondary sleeps to save money.
    pair.aks.stop(secondary.region);
    await until("the secondary to have stopped", () => Promise.resolve(pair.aks.cluster(secondary.region).power === "Stopped"));
    // The app may not delete the policy that locks the replica.
    pair.world.inject({ call: "DELETE objectReplicationPolicies", kind: "refused-403", times: Infinity });
    pair.lose(primary.region);
    report = await stage.ended(await stage.fire("against-all-odds"));
  }, patience.up);
  afterAll(() => stage.close(), patience.down);

  test("recovers, in the other region", { timeout: patience.test }, async () => {
    expect(report.outcome).toBe("recovered");
    expect(await stage.publicAddresses()).toEqual([secondary.ingressAddress]);
  });

  test("passes over the corrupt archive, says why, and restores the next older point", () => {
    const [, older, newest] = points;
    expect(report.restorePoint?.name).toBe(older);
    expect(report.passedOver).toEqual([{ name: newest, reason: expect.stringContaining("damaged") as string }]);
  });

  test("starts the stopped cluster, once, and raises its pool", () => {
    const acts = stage.pair.world.effects.filter(({ act }) => act === "aks.started" || act === "aks.pool-raised").map(({ act, key }) => `${act} ${key}`);
    expect(acts).toEqual([`aks.started ${secondary.cluster.name}`, `aks.pool-raised ${secondary.cluster.name}/user`]);
  });

  test("restores from the locked container: Velero's log is missing there, and the report says so", { timeout: patience.test }, async () => {
    expect(stage.pair.accounts.policyOn(accounts.replica.name)).not.toBeNull();
    const restores = await clusterClient(stage.pair, secondary.region).request("GET", "/apis/velero.io/v1/namespaces/velero/restores");
    const phases = (restores.object["items"] as readonly { readonly status?: { readonly phase?: string } }[]).map(({ status }) => status?.phase);
    expect(phases.length).toBeGreaterThan(0);
    expect(new Set(phases)).toEqual(new Set(["PartiallyFailed"]));
    expect(report.checks.filter(({ check }) => check.startsWith("restore "))).toHaveLength(phases.length);
    expect(report.checks.map(({ saw }) => saw)).toContainEqual(expect.stringContaining("could not upload the restore's log"));
  });

  test("answers a second alert, and the copy of the first, with no second run", { timeout: patience.test }, async () => {
    const { pair, app } = stage;
    const second = await stage.post(alertOf("Fired", { id: "the-day-after", at: pair.world.clock.now() }));
    expect(second.status).toBe(202);
    expect(second.body.runs).toMatchObject([{ plan: "shop", kind: "refused", why: "already-moved" }]);
    const copy = await stage.post(alertOf("Fired", { id: "against-all-odds", at: pair.world.clock.now() }));
    expect(copy.body.runs).toMatchObject([{ plan: "shop", kind: "joined", runId: report.runId }]);
    expect((await app.plan("shop")).head).toMatchObject({ epoch: 1, run: null, active: "secondary" });
    expect((await stage.instances("shop-2")).map(({ instanceId }) => instanceId)).toEqual([]);
  });
});
