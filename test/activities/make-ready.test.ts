import { describe, expect, test } from "vitest";
import { alignView, checkTarget, repositoriesReady, storageLocationReady, veleroAlive } from "../../functions/activities/make-ready.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Consumer } from "../../shared/domain/contents.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { restoreName } from "../../shared/domain/restore-run.ts";
import { targetOf } from "../../shared/domain/target.ts";
import type { KubeObject } from "../../shared/ports.ts";
import { recordedBlob } from "../restore-points/store.ts";
import { losing } from "./memory-world.ts";
import { contents, object, openedRun, point } from "./run.ts";

const velero = "velero";
const copies = "velero.io/backup-name";

async function secondary(kind: "failover" | "recovery" = "failover") {
  const run = await openedRun({ phase: "make-ready", kind });
  const target = targetOf(run.plan, kind);
  const cluster = run.clusterOf(target.cluster);
  for (const file of ["velero-backup.json", `${point.name}-podvolumebackups.json.gz`]) run.put(target.backups, `backups/${point.name}/${file}`, recordedBlob(`backups/${point.name}/${file}`));
  return { ...run, target, cluster };
}

describe("Velero is alive", () => {
  test("with its server and every node agent", async () => {
    const run = await secondary();
    const look = async () => run.answer(steps.veleroAlive, veleroAlive, {});
    expect(await look()).toMatchObject({ kind: "not-yet", about: expect.stringContaining("no Deployment velero/velero") });
    run.cluster.has(kinds.deployments, object("velero", velero, { spec: { replicas: 1, template: { spec: { containers: [{ image: "velero/velero:v1.18.3" }] } } }, status: { readyReplicas: 0 } }));
    expect(await look()).toMatchObject({ kind: "not-yet", about: expect.stringContaining("no DaemonSet velero/node-agent") });
    run.cluster.has(kinds.daemonSets, object("node-agent", velero, { status: { numberReady: 1, desiredNumberScheduled: 2 } }));
    expect(await look()).toMatchObject({ kind: "not-yet", about: "Velero's server has 0 of 1 replicas ready" });
    run.cluster.has(kinds.deployments, object("velero", velero, { spec: { replicas: 1, template: { spec: { containers: [{ image: "velero/velero:v1.18.3" }] } } }, status: { readyReplicas: 1 } }));
    expect(await look()).toMatchObject({ kind: "not-yet", about: "1 of 2 node agents are ready" });
    run.cluster.has(kinds.daemonSets, object("node-agent", velero, { status: { numberReady: 2, desiredNumberScheduled: 2 } }));
    expect(await look()).toEqual({ kind: "done", value: { version: "velero/velero:v1.18.3" } });
  });

  test("not without any node agent: volumes would wait for ever", async () => {
    const run = await secondary();
    run.cluster.has(kinds.deployments, object("velero", velero, { status: { readyReplicas: 1 } }));
    run.cluster.has(kinds.daemonSets, object("node-agent", velero, { status: {} }));
    expect(await run.answer(steps.veleroAlive, veleroAlive, {})).toMatchObject({ kind: "not-yet" });
  });
});

describe("the storage location", () => {
  const location = (spec: object, status: object) => object("replica", velero, { spec, status });

  test("is ready when it is Available and ReadOnly", async () => {
    const run = await secondary();
    const look = async () => run.answer(steps.storageLocationReady, storageLocationReady, {});
    expect(await look()).toMatchObject({ kind: "not-yet", about: expect.stringContaining("no storage location replica") });
    run.cluster.has(kinds.backupStorageLocations, location({ accessMode: "ReadOnly" }, { phase: "Unavailable", message: "403" }));
    expect(await look()).toMatchObject({ kind: "not-yet", about: expect.stringContaining("403") });
    run.cluster.has(kinds.backupStorageLocations, location({}, { phase: "Available" }));
    expect(await look()).toMatchObject({ kind: "not-yet", about: expect.stringContaining("could delete the replica") });
    run.cluster.has(kinds.backupStorageLocations, location({ accessMode: "ReadOnly" }, { phase: "Available" }));
    expect(await look()).toEqual({ kind: "done", value: { storageLocation: "replica" } });
  });

  test("of a recovery in place may take writes: it is the primary's own", async () => {
    const run = await secondary("recovery");
    run.cluster.has(kinds.backupStorageLocations, object(run.target.storageLocation, velero, { spec: {}, status: { phase: "Available" } }));
    expect(await run.answer(steps.storageLocationReady, storageLocationReady, {})).toMatchObject({ kind: "done" });
  });
});

describe("the repositories", () => {
  const repository = (name: string, namespace: string, location: string, phase: string, message = "") => object(name, velero, { spec: { volumeNamespace: namespace, backupStorageLocation: location }, status: { phase, message } });

  test("of this location and these namespaces must be Ready; others do not matter", async () => {
    const run = await secondary();
    run.cluster.has(kinds.backupRepositories, repository("a", "shop", "replica", "NotReady", "re-establish on BSL change"));
    run.cluster.has(kinds.backupRepositories, repository("b", "shop", "own", "NotReady"));
    run.cluster.has(kinds.backupRepositories, repository("c", "other", "replica", "NotReady"));
    expect(await run.answer(steps.repositoriesReady, repositoriesReady, {})).toMatchObject({ kind: "not-yet", about: "shop is not Ready: re-establish on BSL change" });
    run.cluster.has(kinds.backupRepositories, repository("a", "shop", "replica", "Ready"));
    expect(await run.answer(steps.repositoriesReady, repositoriesReady, {})).toEqual({ kind: "done", value: { repositories: 1 } });
  });

  test("that are not there yet are made at their first use", async () => {
    const run = await secondary();
    expect(await run.answer(steps.repositoriesReady, repositoriesReady, {})).toEqual({ kind: "done", value: { repositories: 0 } });
  });
});

describe("the cluster's view of a point", () => {
  const align = async (run: Awaited<ReturnType<typeof secondary>>, key = "") => run.answer(steps.alignView, alignView, { point: point.name }, { key });
  const copiesThere = async (run: Awaited<ReturnType<typeof secondary>>) => (await run.cluster.list(kinds.podVolumeBackups, velero, `${copies}=${point.name}`)) ?? [];

  test("that is missing is imported at once, with its volume's record, owned by the new Backup", async () => {
    const run = await secondary();
    expect(await align(run)).toEqual({ imported: 2, replaced: 0 });
    const backup = await run.cluster.get(kinds.backups, velero, point.name);
    expect(backup).toMatchObject({ metadata: { labels: { "velero.io/storage-location": "replica" } }, spec: { storageLocation: "replica" }, status: { phase: "Completed" } });
    expect(await copiesThere(run)).toEqual([expect.objectContaining({ status: expect.objectContaining({ snapshotID: "6ea1de86c211f5058010060bb1db3690" }) })]);
    expect((await copiesThere(run))[0]?.metadata.ownerReferences?.[0]?.uid).toBe(backup?.metadata.uid);
  });

  test("that equals the blobs is left alone", async () => {
    const run = await secondary();
    await align(run, "first");
    const effects = run.effects.length;
    expect(await align(run, "second")).toEqual({ imported: 0, replaced: 0 });
    expect(run.effects).toHaveLength(effects);
  });

  test("that lacks a copy beside the right backup is given it, and nothing is deleted", async () => {
    const run = await secondary();
    await align(run, "first");
    const [copy] = await copiesThere(run);
    await run.cluster.delete(kinds.podVolumeBackups, velero, copy?.metadata.name ?? "");
    expect(await align(run, "second")).toEqual({ imported: 1, replaced: 0 });
    expect(await copiesThere(run)).toHaveLength(1);
  });

  test("whose volume names another snapshot is replaced", async () => {
    const run = await secondary();
    await align(run, "first");
    const [copy] = (await copiesThere(run)) as [KubeObject];
    run.cluster.has(kinds.podVolumeBackups, { ...copy, status: { ...(copy["status"] as object), snapshotID: "" } });
    expect(await align(run, "second")).toEqual({ imported: 2, replaced: 1 });
    expect((await copiesThere(run))[0]?.["status"]).toMatchObject({ snapshotID: "6ea1de86c211f5058010060bb1db3690" });
  });

  test("is brought in line once, though an answer got lost on the way", async () => {
    const run = await secondary();
    const cluster = losing(run.cluster, "create");
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => cluster } };
    expect((await run.take(steps.alignView, alignView, { point: point.name }, { world })).kind).toBe("again");
    expect((await run.take(steps.alignView, alignView, { point: point.name }, { world })).kind).toBe("answer");
    expect(await copiesThere(run)).toHaveLength(1);
  });

  test("that cannot be brought in line is said, not believed", async () => {
    const run = await secondary();
    const cluster = { ...run.cluster, create: async (kind: typeof kinds.backups, given: unknown) => (kind.plural === "podvolumebackups" ? { kind: "created" as const, object: given as KubeObject } : run.cluster.create(kind, given)) };
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => cluster } };
    expect(await run.take(steps.alignView, alignView, { point: point.name }, { world })).toMatchObject({ kind: "again", because: expect.stringContaining("still is not what the blobs say") });
  });

  test("of a point that lost a file meanwhile is said too", async () => {
    const run = await secondary();
    run.state.blobs.clear();
    expect(await run.take(steps.alignView, alignView, { point: point.name })).toMatchObject({ kind: "again", because: expect.stringContaining("lost a file since it was chosen") });
  });
});

describe("the target", () => {
  const consumer = (kind: string): Consumer => ({ apiVersion: "apps/v1", kind, namespace: "shop", name: "agent", replicas: null, suspended: null, podLabels: { app: "agent" }, owned: false, selectedBy: ["lifeboat.dev/consumer=true"], claims: [] });
  const needs = contents({ namespaces: { shop: { objects: 1, kinds: {}, images: [], storageClasses: ["managed-csi-premium"] } }, consumers: [consumer("DaemonSet")] });
  const check = async (run: Awaited<ReturnType<typeof secondary>>, key = "") => run.answer(steps.checkTarget, checkTarget, { point: point.name }, { key });

  test("that has what the point needs, and nothing else in its namespaces, is able", async () => {
    const run = await secondary();
    await run.keep();
    run.cluster.has(kinds.storageClasses, object("managed-csi", null));
    expect(await check(run)).toEqual({ kind: "able" });
    expect(run.effects).toEqual([]);
  });

  test("says of a namespace that does not end what holds it, and of one that cannot be looked at nothing", async () => {
    const run = await secondary();
    await run.keep();
    run.cluster.has(kinds.storageClasses, object("managed-csi", null));
    run.cluster.has(kinds.namespaces, object("shop", null));
    expect(await check(run, "there")).toEqual({ kind: "able" });
    const status = { conditions: [{ type: "NamespaceDeletionContentFailure", status: "False", message: "all content deleted" }, { type: "NamespaceFinalizersRemaining", status: "True", message: "some content has finalizers remaining: kept.example.com in 1 resource instances" }] };
    run.cluster.has(kinds.namespaces, { ...object("shop", null, { status }), metadata: { name: "shop", deletionTimestamp: "2026-11-21T05:00:00Z" } });
    const unseen = { ...run.cluster, get: async (kind: typeof kinds.namespaces, namespace: string | null, name: string) => (kind.plural === "namespaces" ? Promise.reject(new Error("403")) : run.cluster.get(kind, namespace, name)) };
    expect(await run.answer(steps.checkTarget, checkTarget, { point: point.name }, { key: "unseen", world: { ...run.world, clusters: { ...run.world.clusters, of: async () => unseen } } })).toEqual({ kind: "able" });
    expect(await check(run)).toEqual({
      kind: "unable",
      reasons: ["namespace shop is being deleted since 2026-11-21T05:00:00Z and has not come to its end (some content has finalizers remaining: kept.example.com in 1 resource instances): see what holds it with `kubectl get namespace shop -o yaml`, let that finish, and start again"],
    });
  });

  test("that refuses what is to be restored, because nobody answers for a webhook of its, says which, and deletes none", async () => {
    const run = await secondary();
    await run.keep({ contents: contents({ namespaces: { shop: { objects: 1, kinds: { "v1/Pod": 1 }, images: [], storageClasses: [] } } }) });
    run.cluster.has(kinds.storageClasses, object("managed-csi", null));
    run.cluster.has(kinds.validatingWebhooks, { ...object("policies", null), webhooks: [{ name: "pods.policies.example.com", clientConfig: { service: { namespace: "policies", name: "judge" } }, rules: [{ operations: ["CREATE"], apiGroups: [""], resources: ["pods"] }] }] });
    const slice = (ready: boolean) => run.cluster.has(kinds.endpointSlices, { ...object("judge-1", "policies", { labels: { "kubernetes.io/service-name": "judge" } }), endpoints: [{ addresses: ["10.0.0.7"], conditions: { ready } }] });
    slice(false);
    expect(await check(run, "nobody")).toEqual({ kind: "unable", reasons: [expect.stringMatching(/^nobody answers for the ValidatingWebhookConfiguration policies: pods\.policies\.example\.com, .* take the webhook away by hand/)] });
    slice(true);
    expect(await check(run, "somebody")).toEqual({ kind: "able" });
    slice(false);
    const unseen = { ...run.cluster, list: async (kind: typeof kinds.validatingWebhooks, ...rest: [string | null, string?]) => (kind.plural === "validatingwebhookconfigurations" ? Promise.reject(new Error("403")) : run.cluster.list(kind, ...rest)) };
    expect(await run.answer(steps.checkTarget, checkTarget, { point: point.name }, { key: "unseen", world: { ...run.world, clusters: { ...run.world.clusters, of: async () => unseen } } })).toEqual({ kind: "able" });
    expect(run.effects).toEqual([]);
  });

  test("says everything that is missing or in the way", async () => {
    const run = await secondary();
    await run.keep({ contents: needs });
    for (const name of ["a", "b", "c", "d"]) run.cluster.has(kinds.deployments, object(name, "shop"));
    run.cluster.has(kinds.persistentVolumeClaims, object("data-orders-0", "shop"));
    const checked = await check(run);
    expect(checked).toEqual({
      kind: "unable",
      reasons: [
        "there is no storage class managed-csi: volumes would come back empty",
        "there is no storage class managed-csi-premium: volumes would come back empty",
        expect.stringContaining("DaemonSet shop/agent carries the label of a consumer and cannot be held back"),
        "namespace shop is not empty (a, b, c and 2 more): a restore would skip what is there; move it away first",
      ],
    });
  });

  test("is asked only about the applications that are to come back", async () => {
    const run = await secondary();
    await run.keep({ contents: contents({ consumers: [consumer("DaemonSet")] }) });
    run.cluster.has(kinds.storageClasses, object("managed-csi", null));
    run.cluster.has(kinds.jobs, object("left", "shop"));
    expect(await run.answer(steps.checkTarget, checkTarget, { point: point.name, applications: ["shop-foundation"] })).toEqual({ kind: "able" });
    expect(await run.answer(steps.checkTarget, checkTarget, { point: point.name, applications: ["shop"] }, { key: "shop" })).toMatchObject({ kind: "unable", reasons: [expect.stringContaining("cannot be held back"), expect.stringContaining("not empty (left)")] });
  });

  test("takes what this run's own restores brought for its own, and nothing of another run", async () => {
    const run = await secondary();
    await run.keep();
    run.cluster.has(kinds.storageClasses, object("managed-csi", null));
    run.cluster.has(kinds.deployments, object("storefront", "shop", { labels: { "velero.io/restore-name": restoreName("shop-1", "shop", "main") } }));
    expect(await check(run, "ours")).toEqual({ kind: "able" });
    run.cluster.has(kinds.deployments, object("storefront", "shop", { labels: { "velero.io/restore-name": restoreName("shop-12", "shop", "main") } }));
    expect(await check(run, "of run 12")).toMatchObject({ kind: "unable" });
  });
});
