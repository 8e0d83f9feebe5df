/** What a verification does beyond the store: the secondary's cluster is held against the points, and the last proven one is kept from expiring. */
import { describe, expect, test } from "vitest";
import { checkAllBackups } from "../../functions/activities/check-backups.ts";
import { guardRetention } from "../../functions/activities/guard-retention.ts";
import { holdAgainstSecondary } from "../../functions/activities/hold-against-secondary.ts";
import type { Duty } from "../../functions/activities/perform.ts";
import { readRegister } from "../../functions/activities/register.ts";
import { openLedger } from "../../functions/ledger.ts";
import { noRun } from "../../functions/runs.ts";
import { openFindings } from "../../shared/domain/findings.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { openRun } from "../../shared/domain/ledger.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { BlobUnreadable, WorldError } from "../../shared/ports.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { recordedBlob, recordedContainer } from "../restore-points/store.ts";
import { memoryWorld } from "./memory-world.ts";

const newest = "shop-hourly-20261121055825";
const served = { v1: ["Pod", "Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Endpoints", "Namespace", "ResourceQuota"], "apps/v1": ["Deployment", "StatefulSet", "ReplicaSet", "ControllerRevision"], "batch/v1": ["CronJob", "Job"], "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"], "autoscaling/v2": ["HorizontalPodAutoscaler"], "policy/v1": ["PodDisruptionBudget"], "discovery.k8s.io/v1": ["EndpointSlice"] };
const expiry = Date.parse("2026-11-24T05:58:25Z");

/** The shop's recorded backups at both ends, verified once; a secondary that has all that they need. */
async function stage(change: (plan: Plan) => Plan = (plan) => plan) {
  const memory = memoryWorld();
  const plan = change(examplePlan("shop-replicated"));
  const places = placesOf(plan);
  for (const place of [places.replica, places.source]) for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) memory.put(place, name, bytes, lastModifiedAt);
  const logged: string[] = [];
  const duty: Duty = { world: memory.world, ledger: openLedger(memory.home), plan, target: targetOf(plan, "failover"), call: { ref: noRun(plan.plan), phase: null, step: "", key: "", input: {} }, startedAt: 0, triedBefore: false, log: (event, { kind }) => void logged.push(`${event} ${String(kind)}`) };
  const secondary = memory.clusterOf(plan.secondary.cluster);
  secondary.state.served = served;
  secondary.has(kinds.storageClasses, { metadata: { name: "managed-csi" } });
  secondary.has(kinds.ingressClasses, { metadata: { name: "nginx" } });
  await checkAllBackups({}, duty);
  const open = async () => openFindings((await readRegister(memory.home, plan.plan)).findings).map(({ kind, point, fact }) => ({ kind, point, fact }));
  return { ...memory, plan, duty, secondary, primary: memory.clusterOf(plan.primary.cluster), open, logged, hold: async () => holdAgainstSecondary({}, duty), guard: async () => guardRetention({}, duty) };
}
/** A Backup and its copies as Velero's sync would have made them. */
function imported(run: Awaited<ReturnType<typeof stage>>, change: (object: Record<string, unknown>) => Record<string, unknown> = (object) => object): void {
  const object = JSON.parse(Buffer.from(recordedBlob(`backups/${newest}/velero-backup.json`)).toString()) as Record<string, unknown> & { metadata: { name: string } };
  run.secondary.has(kinds.backups, { ...change(object), metadata: { ...object.metadata, namespace: "velero" } });
}

describe("the secondary's cluster", () => {
  test("that has all that the newest proven point needs is said to, question by question", async () => {
    const { hold, home, open, world } = await stage();
    const reads: string[] = [];
    world.backups.read = async (_place, name) => Promise.reject(new Error(`${reads.push(name)}`));
    expect(await hold()).toEqual({ point: newest, findings: 0, imported: [] });
    const { secondary } = await readRegister(home, "shop");
    expect(secondary?.evidence.map(({ level, ok }) => [level, ok])).toEqual([["parity", "unknown"], ["api", true], ["classes", true], ["images", "unknown"], ["quota", true], ["quota", true], ["hosts", true], ["admission", true], ["network", "unknown"], ["identity", "unknown"], ["vaults", "unknown"], ["certificates", true], ["actors", true]]);
    expect([await open(), reads]).toEqual([[], []]);
  });

  test("that lacks an API, a class, a registry, room in a quota or nodes is told of, each by its name", async () => {
    const run = await stage((plan) => ({ ...plan, secondary: { ...plan.secondary, registries: ["shop.azurecr.io"], storageClasses: ["managed-csi", "fast"], pools: [{ name: "user", nodes: 9 }] } }));
    run.secondary.state.served = { ...served, "apps/v1": ["Deployment"] };
    run.secondary.has(kinds.resourceQuotas, { metadata: { name: "small", namespace: "shop" }, status: { hard: { pods: "2", "requests.cpu": "4" }, used: { pods: "1" } } });
    run.state.aks = { ...run.state.aks, pools: run.state.aks.pools.map((pool) => ({ ...pool, autoscaled: true, maxCount: 3 })) };
    await run.hold();
    const open = await run.open();
    expect(open.map(({ kind, point }) => `${kind} ${point}`).toSorted()).toEqual([`images ${newest}`, `missing-api ${newest}`, `missing-class ${newest}`, `quota ${newest}`]);
    const facts = open.map(({ fact }) => fact).join("\n");
    for (const named of ["StatefulSet in apps/v1", "storage class fast", "pods in shop (small) has room for 1 and it brings"]) expect(facts).toContain(named);
    run.secondary.state.served = served;
    run.time.now += 60_000;
    await run.hold();
    expect((await run.open()).map(({ kind }) => kind)).not.toContain("missing-api");
    expect(run.logged).toEqual(expect.arrayContaining(["finding.opened missing-api", "finding.closed missing-api"]));
  });

  test("that refuses what nobody judges, has no addresses left, issues no tokens, or whose store needs a vault of the primary is told of", async () => {
    const run = await stage((plan) => ({ ...plan, secondary: { ...plan.secondary, keyVaults: ["kv-shop-neu"] } }));
    run.secondary.has(kinds.mutatingWebhooks, { metadata: { name: "mesh" }, webhooks: [{ name: "inject.example.com", failurePolicy: "Fail", clientConfig: { service: { namespace: "mesh", name: "inject" } }, rules: [{ operations: ["CREATE"], apiGroups: ["", "apps"], resources: ["pods", "deployments"] }] }] });
    const own = (name: string, minutesOld: number, status: object) => run.secondary.has(kinds.pods, { metadata: { name, namespace: "kube-system", creationTimestamp: new Date(run.time.now - minutesOld * 60_000).toISOString() }, status });
    const waiting = { phase: "Pending", conditions: [{ type: "PodScheduled", status: "True" }], containerStatuses: [{ state: { waiting: { reason: "ContainerCreating" } } }] };
    own("coredns-1", 30, waiting);
    own("coredns-2", 2, waiting);
    own("konnectivity-1", 60, { phase: "Running" });
    run.state.aks = { ...run.state.aks, identity: { oidcIssuer: true, workloadIdentity: false } };
    run.world.replication.encryptionKey = async () => ({ vault: "kv-cmk-weu" });
    await run.hold();
    const facts = new Map((await run.open()).map(({ kind, fact }) => [kind, fact]));
    expect(facts.get("admission-blocked")).toContain("nobody answers for MutatingWebhookConfiguration mesh: inject.example.com");
    expect(facts.get("network")).toBe("1 of 3 pods in kube-system do not come up: coredns-1 (ContainerCreating)");
    expect(facts.get("identity")).toContain("the secondary cluster has no workload identity");
    expect(facts.get("key-vault")).toContain("kv-cmk-weu in the encryption of the replica's storage account");
    expect(run.effects).toEqual([]);
    run.secondary.has(kinds.endpointSlices, { metadata: { name: "inject-1", namespace: "mesh", labels: { "kubernetes.io/service-name": "inject" } }, endpoints: [{ addresses: ["10.0.0.9"], conditions: {} }] });
    own("coredns-1", 31, { phase: "Running" });
    run.state.aks = { ...run.state.aks, identity: { oidcIssuer: true, workloadIdentity: true } };
    run.world.replication.encryptionKey = async () => "none";
    run.time.now += 60_000;
    await run.hold();
    expect(await run.open()).toEqual([]);
  });

  test("has room for the claims' storage or has not; what the pods do not say is unknown", async () => {
    const run = await stage();
    const look = async (hard: Record<string, string>) => {
      run.secondary.has(kinds.resourceQuotas, { metadata: { name: "compute", namespace: "shop" }, status: { hard, used: {} } });
      run.time.now += 60_000;
      await run.hold();
      return (await readRegister(run.home, "shop")).secondary?.evidence.find(({ level }) => level === "quota");
    };
    expect(await look({ "requests.storage": "1Ti" })).toMatchObject({ ok: true });
    expect(await look({ "requests.storage": "1Mi" })).toMatchObject({ ok: false, about: expect.stringMatching(/requests.storage in shop \(compute\) has room for 1 MiB and it brings \d+ MiB/) as string });
    // One of the shop's pods asks for nothing: what it takes is the cluster's to say.
    expect(await look({ "requests.cpu": "64" })).toMatchObject({ ok: "unknown", about: expect.stringContaining("requests.cpu in shop (compute)") as string });
    expect(await look({ "count/widgets.example.com": "1" })).toMatchObject({ ok: "unknown" });
  });

  test("that does not answer is unknown, and never said to fit", async () => {
    const run = await stage();
    run.secondary.state.before = () => {
      throw new WorldError("list", "storageclasses", "connection refused");
    };
    await run.hold();
    expect(await run.open()).toEqual([{ kind: "unknown", point: newest, fact: expect.stringContaining("connection refused") as string }]);
    expect((await readRegister(run.home, "shop")).secondary?.evidence.map(({ ok }) => ok)).toEqual(["unknown"]);
  });
});

describe("the public name", () => {
  const drift = async (run: Awaited<ReturnType<typeof stage>>) => {
    run.time.now += 60_000;
    await run.hold();
    return (await run.open()).flatMap(({ kind, point, fact }) => (kind === "traffic-drift" ? [`${point}: ${fact}`] : []));
  };
  const ends = (primary: boolean, secondary: boolean) => ({ primary: { open: primary, monitor: "online" }, secondary: { open: secondary, monitor: "online" } }) as const;

  test("that somebody led elsewhere by hand is found by the next verification, and closed when it leads back", async () => {
    const run = await stage();
    expect(await drift(run)).toEqual([]);
    run.state.traffic = ends(true, true);
    expect(await drift(run)).toEqual(["null: users are at the primary by the ledger, and the secondary's endpoint is open"]);
    run.state.traffic = ends(false, true);
    expect(await drift(run)).toEqual(["null: users are at the primary by the ledger, and the primary's endpoint is closed and the secondary's endpoint is open"]);
    run.state.traffic = ends(true, false);
    expect(await drift(run)).toEqual([]);
    expect(run.effects).toEqual([]);
  });

  test("is left out of it while a run moves it, and follows the ledger once users were moved", async () => {
    const run = await stage();
    await run.duty.ledger.change("shop", (head) => openRun(head, { kind: "failover", door: "http", by: "Ada", reason: "dark", alertId: null, applications: [] }, "hash", 0));
    run.state.traffic = ends(false, false);
    expect(await drift(run)).toEqual([]);
    const { ledger } = run.duty;
    const moved: Duty = { ...run.duty, ledger: { ...ledger, head: async (plan) => ({ ...(await ledger.head(plan)), run: null, active: "secondary" }) } };
    run.time.now += 60_000;
    await holdAgainstSecondary({}, moved);
    expect((await run.open()).map(({ kind, fact }) => [kind, fact])).toEqual([["traffic-drift", "users are at the secondary by the ledger, and the secondary's endpoint is closed"]]);
  });

  test("that cannot be read is unknown, and what was found of the cluster stands", async () => {
    const run = await stage();
    run.world.traffic.read = async () => Promise.reject(new WorldError("read profile", "tm-shop", "status 429"));
    run.secondary.state.served = {};
    await run.hold();
    expect((await run.open()).map(({ kind }) => kind).toSorted()).toEqual(["missing-api", "unknown"]);
  });
});

describe("what the secondary's Velero has imported", () => {
  test("half-copied is dropped and imported anew, its copies with it, and is no finding the next time", async () => {
    const run = await stage();
    imported(run, (object) => ({ ...object, status: { ...(object["status"] as object), phase: "Finalizing" } }));
    expect(await run.hold()).toMatchObject({ imported: [newest] });
    expect(await run.open()).toMatchObject([{ kind: "view-differs", point: newest, fact: expect.stringMatching(/phase.*dropped and imported anew/) as string }]);
    expect((await readRegister(run.home, "shop")).secondary?.evidence[0]).toMatchObject({ level: "parity", ok: true, about: expect.stringContaining("since it was dropped and imported anew") as string });
    expect(run.effects).toEqual([`delete backups velero/${newest}`, `create backups velero/${newest}`, expect.stringContaining("create podvolumebackups velero/") as string]);
    run.time.now += 60_000;
    await run.hold();
    expect(await run.open()).toEqual([]);
  });

  test("before its PodVolumeBackups arrived gets those that are missing", async () => {
    const run = await stage();
    imported(run);
    expect(await run.hold()).toMatchObject({ imported: [newest] });
    expect(run.effects).toEqual([expect.stringContaining("create podvolumebackups velero/") as string]);
    expect(await run.open()).toMatchObject([{ kind: "view-differs", fact: expect.stringContaining("would come back empty; the imported object was completed") as string }]);
  });

  test("is left alone while a run or a restore goes by it, and the finding says so", async () => {
    const run = await stage();
    imported(run, (object) => ({ ...object, spec: {} }));
    run.secondary.has(kinds.restores, { metadata: { name: "by-hand", namespace: "velero" }, status: { phase: "InProgress" } });
    expect(await run.hold()).toMatchObject({ imported: [] });
    expect(await run.open()).toMatchObject([{ kind: "view-differs", fact: expect.stringContaining("left as it is") as string }]);
    expect((await readRegister(run.home, "shop")).secondary?.evidence[0]).toMatchObject({ level: "parity", ok: false });
    await run.secondary.delete(kinds.restores, "velero", "by-hand");
    await run.duty.ledger.change("shop", (head) => openRun(head, { kind: "failover", door: "http", by: "Ada", reason: "dark", alertId: null, applications: [] }, "hash", 0));
    expect(await run.hold()).toMatchObject({ imported: [] });
    expect(run.effects).toEqual([`delete restores velero/by-hand`]);
  });

  test("and will not have otherwise is told of, and the point is not said to be the same there", async () => {
    const run = await stage();
    await run.hold();
    imported(run, (object) => ({ ...object, spec: {} }));
    // As one that somebody makes anew at once, or that a webhook strips.
    run.secondary.delete = async () => undefined;
    expect(await run.hold()).toMatchObject({ imported: [] });
    expect(await run.open()).toMatchObject([{ kind: "view-differs", point: newest, fact: expect.stringContaining("it could not be imported anew: the cluster's view of") as string }]);
    expect((await readRegister(run.home, "shop")).secondary?.evidence[0]).toMatchObject({ level: "parity", ok: false });
  });

  test("is not known of a point whose files cannot be had; the others are held all the same", async () => {
    const run = await stage();
    imported(run, (object) => ({ ...object, spec: {} }));
    const [second] = Object.keys((await readRegister(run.home, "shop")).points).toSorted().slice(-2);
    run.home.blobs.delete(`registers/shop/points/${second}/found.json`);
    run.world.backups.read = async (_, name) => Promise.reject(new BlobUnreadable("read blob", name, "BlobArchived"));
    expect(await run.hold()).toMatchObject({ imported: [newest] });
    expect(await run.open()).toMatchObject([{ kind: "unknown", point: second, fact: expect.stringContaining("BlobArchived") as string }, { kind: "view-differs", point: newest }]);
  });

  test("nothing of, long after the backup was there, is a finding", async () => {
    const run = await stage();
    await run.hold();
    expect(await run.open()).toEqual([]);
    run.time.now += 3_700_000;
    await run.hold();
    expect((await run.open()).filter(({ kind }) => kind === "view-differs")).toHaveLength(3);
  });
});

describe("the last proven point that is about to expire", () => {
  const nearly = async (change?: (plan: Plan) => Plan) => {
    const run = await stage((plan) => ({ ...(change?.(plan) ?? plan), backups: { ...(change?.(plan) ?? plan).backups, maxAgeSeconds: 30 * 86_400 } }));
    const { restorePoint } = (await readRegister(run.home, "shop")).points[newest] ?? {};
    run.time.now = (restorePoint?.expiresAt ?? expiry) - run.plan.backups.expiryMarginSeconds * 1_000 - 60_000;
    run.primary.has(kinds.backups, { metadata: { name: newest, namespace: "velero" }, status: { expiration: new Date(restorePoint?.expiresAt ?? expiry).toISOString() } });
    return { ...run, expiresAt: restorePoint?.expiresAt ?? expiry };
  };
  const extending = (plan: Plan): Plan => ({ ...plan, backups: { ...plan.backups, extendExpirySeconds: 86_400 } });

  test("is a finding, and is left as it is where the plan does not say otherwise", async () => {
    const run = await nearly();
    await checkAllBackups({}, run.duty);
    expect((await run.open()).map(({ kind, point }) => [kind, point])).toContainEqual(["expiring", newest]);
    expect(await run.guard()).toEqual({ kind: "left", point: newest, why: expect.stringContaining("extendExpirySeconds") as string });
    expect(run.effects).toEqual([]);
  });

  test("lives longer where the plan says so: the expiration of its own Backup is moved once, and the register knows", async () => {
    const run = await nearly(extending);
    await checkAllBackups({}, run.duty);
    expect(await run.guard()).toEqual({ kind: "extended", point: newest, untilAt: run.expiresAt + 86_400_000 });
    expect((await run.primary.get(kinds.backups, "velero", newest))?.["status"]).toEqual({ expiration: new Date(run.expiresAt + 86_400_000).toISOString().replace(".000", "") });
    expect((await run.open()).map(({ kind }) => kind)).not.toContain("expiring");
    expect(await run.guard()).toEqual({ kind: "nothing-due" });
    expect(run.effects).toHaveLength(1);
    run.time.now = run.expiresAt - 60_000;
    await checkAllBackups({}, run.duty);
    const { restorePoint } = (await readRegister(run.home, "shop")).points[newest] ?? {};
    expect(restorePoint?.usable).toEqual({ kind: "usable" });
  });

  test("says why, where the primary has no such Backup or does not answer", async () => {
    const run = await nearly(extending);
    await checkAllBackups({}, run.duty);
    await run.primary.delete(kinds.backups, "velero", newest);
    expect(await run.guard()).toMatchObject({ kind: "left", why: expect.stringContaining(`has no Backup ${newest}`) as string });
    run.primary.state.before = () => {
      throw new WorldError("get", "backups", "no route");
    };
    expect(await run.guard()).toMatchObject({ kind: "left", why: expect.stringContaining("no route") as string });
  });

  test("is nothing to guard while it is far from its end", async () => {
    const run = await stage(extending);
    expect(await run.guard()).toEqual({ kind: "nothing-due" });
  });
});

test("what another host has verified since the same tick is not verified again; the next tick's is", async () => {
  const run = await stage();
  const lists = { count: 0 };
  const list = run.world.backups.list.bind(run.world.backups);
  run.world.backups.list = (place, prefix) => {
    lists.count += 1;
    return list(place, prefix);
  };
  const dueAt = run.time.now;
  // That one may have ended before it looked at the secondary: then what follows from its look is still to be done.
  expect([await checkAllBackups({ dueAt }, run.duty), lists.count]).toEqual([{ checked: 0, usable: 0 }, 0]);
  await holdAgainstSecondary({}, run.duty);
  lists.count = 0;
  expect([await checkAllBackups({ dueAt }, run.duty), lists.count]).toEqual([{ checked: 0, usable: 0, already: true }, 0]);
  const next = dueAt + run.plan.backups.verifyEverySeconds * 1_000;
  expect(await checkAllBackups({ dueAt: next }, run.duty)).toEqual({ checked: 3, usable: 3 });
  expect(lists.count).toBeGreaterThan(0);
});

test("a register that cannot be made out is left as it is, with words that say what to do; without it everything is read anew", async () => {
  const run = await stage();
  const name = "registers/shop/restore-points.json";
  await run.home.put(name, "{");
  await expect(checkAllBackups({}, run.duty)).rejects.toThrow(`${name} at home cannot be read`);
  await expect(checkAllBackups({}, run.duty)).rejects.toThrow("put an earlier version of it back, or delete it");
  expect((await run.home.read(name))?.body).toBe("{");
  run.home.blobs.delete(name);
  expect(await checkAllBackups({}, run.duty)).toEqual({ checked: 3, usable: 3 });
});

test("a store that cannot be looked at is a finding with its words, and the step is tried again", async () => {
  const run = await stage();
  run.time.now += 60_000;
  run.world.backups.list = () => {
    throw new WorldError("list blobs", "https://stshopneu/velero/backups/", "status 404 ContainerNotFound");
  };
  await expect(checkAllBackups({}, run.duty)).rejects.toThrow("ContainerNotFound");
  expect(await run.open()).toMatchObject([{ kind: "store-unreadable", point: null, fact: expect.stringContaining("ContainerNotFound") as string }]);
});
