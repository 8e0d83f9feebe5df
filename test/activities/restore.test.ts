import { describe, expect, test } from "vitest";
import { releaseConsumers, restoreEnded, startRestore } from "../../functions/activities/restore.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Consumer } from "../../shared/domain/contents.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { RestorePart } from "../../shared/domain/restore-run.ts";
import { losing } from "./memory-world.ts";
import { contents, object, openedRun, type OpenedRun, point } from "./run.ts";

const consumer = (kind: string, name: string, more: Partial<Consumer> = {}): Consumer => ({ apiVersion: kind === "CronJob" ? "batch/v1" : "apps/v1", kind, namespace: "shop", name, replicas: null, suspended: null, podLabels: {}, owned: false, selectedBy: ["lifeboat.dev/consumer=true"], claims: [], ...more });
const held = [consumer("Deployment", "order-mailer", { replicas: 2 }), consumer("CronJob", "invoice-run", { suspended: false }), consumer("CronJob", "old-run", { suspended: true })];
const volume = (claim: string, restorable = true) => ({ namespace: "shop", claim, method: "file-system-backup" as const, snapshot: "abc", bytes: 7, restorable, why: "" });

async function secondary(record: Parameters<OpenedRun["keep"]>[0] = {}) {
  const run = await openedRun({ phase: "restore" });
  await run.keep(record);
  const cluster = run.clusterOf(run.plan.secondary.cluster);
  return { ...run, cluster, start: async (part: RestorePart["part"], key: string = part) => run.answer(steps.startRestore, startRestore, { application: "shop", part, point }, { key }) };
}

describe("starting a restore", () => {
  test("asks Velero by the run's own name, and expects the volumes that the backup has", async () => {
    const run = await secondary({ volumes: [volume("a"), volume("b"), volume("c", false), { ...volume("d"), namespace: "other" }] });
    expect(await run.start("main")).toEqual({ application: "shop", part: "main", name: "lifeboat-shop-1-shop", volumes: 2, turns: 2 });
    expect(run.cluster.spec(kinds.restores, "velero", "lifeboat-shop-1-shop")).toMatchObject({ backupName: point.name, includedNamespaces: ["shop"] });
  });

  test("brings consumers held, with the modifier there before the restore that reads it", async () => {
    const run = await secondary({ contents: contents({ consumers: held }), volumes: [volume("a")] });
    expect(await run.start("consumers")).toEqual({ application: "shop", part: "consumers", name: "lifeboat-shop-1-shop-held", volumes: 0, turns: 2 });
    expect(run.effects).toEqual(["create configmaps velero/lifeboat-shop-1-shop-held", "create restores velero/lifeboat-shop-1-shop-held"]);
  });

  test("without consumers in the backup, brings what their pods' labels left out, and holds nothing", async () => {
    const run = await secondary();
    expect(await run.start("consumers")).toMatchObject({ name: "lifeboat-shop-1-shop-held" });
    expect(run.effects).toEqual(["create restores velero/lifeboat-shop-1-shop-held"]);
    expect(run.cluster.spec(kinds.restores, "velero", "lifeboat-shop-1-shop-held")).not.toHaveProperty("resourceModifier");
  });

  test("asks for nothing where nothing was left out", async () => {
    const run = await secondary();
    const foundation = { application: "shop-foundation", part: "consumers", point } as const;
    expect(await run.answer(steps.startRestore, startRestore, foundation, { key: "first" })).toBeNull();
    expect(run.effects).toEqual([]);
  });

  test("asked twice, or with the answer lost, makes one Restore", async () => {
    const run = await secondary();
    const cluster = losing(run.cluster, "create");
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => cluster } };
    const input = { application: "shop", part: "main", point } as const;
    expect((await run.take(steps.startRestore, startRestore, input, { world })).kind).toBe("again");
    const second = await run.answer(steps.startRestore, startRestore, input, { world });
    expect(await run.start("main", "another")).toEqual(second);
    expect(run.effects).toEqual(["create restores velero/lifeboat-shop-1-shop"]);
  });

  test("does not take for its own one that restores something else", async () => {
    const run = await secondary();
    run.cluster.has(kinds.restores, object("lifeboat-shop-1-shop", "velero", { spec: { backupName: "an-older-one" } }));
    expect(await run.take(steps.startRestore, startRestore, { application: "shop", part: "main", point })).toMatchObject({ kind: "again", because: expect.stringContaining("restores an-older-one: delete it") });
  });
});

describe("watching a restore", () => {
  const part: RestorePart = { application: "shop", part: "main", name: "lifeboat-shop-1-shop", volumes: 1, turns: 2 };
  const look = async (run: OpenedRun, state?: unknown) => run.answer(steps.restoreEnded, restoreEnded, { part, storeTakesWrites: true }, { state });
  const restore = (phase: string, itemsRestored = 0, more: object = {}) => object(part.name, "velero", { spec: { backupName: point.name }, status: { phase, progress: { itemsRestored, totalItems: 52 }, ...more } });
  const mover = (phase: string, bytesDone = 0, name = "mover-1", of = part.name) => object(name, "velero", { labels: { "velero.io/restore-name": of }, status: { phase, progress: { bytesDone } } });

  test("goes on until Velero and every mover have ended", async () => {
    const run = await secondary();
    run.cluster.has(kinds.restores, restore("InProgress", 7));
    expect(await look(run)).toMatchObject({ kind: "not-yet", about: "InProgress, 7 of 52 objects, 0 of 1 volumes, 0 bytes" });
    run.cluster.has(kinds.restores, restore("Completed", 52));
    run.cluster.has(kinds.podVolumeRestores, mover("InProgress", 5));
    run.cluster.has(kinds.podVolumeRestores, mover("Completed", 9, "foreign", "another-restore"));
    expect(await look(run)).toMatchObject({ kind: "not-yet" });
    run.cluster.has(kinds.podVolumeRestores, mover("Completed", 16));
    expect(await look(run)).toMatchObject({ kind: "done", value: { kind: "whole", items: 52 } });
  });

  test("counts data movers of both kinds", async () => {
    const run = await secondary();
    run.cluster.has(kinds.restores, restore("Completed", 52));
    run.cluster.has(kinds.dataDownloads, mover("Completed", 16));
    expect(await look(run)).toMatchObject({ kind: "done", value: { kind: "whole" } });
  });

  test("misses no mover of one that comes to its end while its answer is on its way", async () => {
    const run = await secondary();
    const cluster = await run.world.clusters.of(run.plan.secondary.cluster);
    const slow: typeof cluster = {
      ...cluster,
      async get(kind, namespace, name) {
        await new Promise((passed) => setImmediate(passed));
        run.cluster.has(kinds.restores, restore("Completed", 52));
        run.cluster.has(kinds.podVolumeRestores, mover("Completed", 16));
        return cluster.get(kind, namespace, name);
      },
    };
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => slow } };
    expect(await run.answer(steps.restoreEnded, restoreEnded, { part, storeTakesWrites: true }, { world })).toMatchObject({ kind: "done", value: { kind: "whole" } });
  });

  test("calls a restore broken that somebody deleted", async () => {
    const run = await secondary();
    expect(await look(run)).toEqual({ kind: "done", value: { kind: "broken", why: "somebody deleted the Restore" } });
  });

  test("calls one broken that stands still for too long, and none that moves", async () => {
    const run = await secondary();
    const stallMs = run.plan.restore.stallSeconds * 1_000;
    run.cluster.has(kinds.restores, restore("InProgress", 7));
    let seen = await look(run);
    const state = () => (seen.kind === "not-yet" ? seen.state : undefined);
    run.time.now += stallMs;
    seen = await look(run, state());
    expect(seen.kind).toBe("not-yet");
    run.cluster.has(kinds.restores, restore("InProgress", 8));
    run.time.now += 1_000;
    seen = await look(run, state());
    run.time.now += stallMs;
    seen = await look(run, state());
    expect(seen.kind).toBe("not-yet");
    run.time.now += 1_000;
    expect(await look(run, state())).toMatchObject({ kind: "done", value: { kind: "broken", why: expect.stringContaining("no progress for 600 s") } });
  });

  test("calls one that waits for its turn neither still nor late, and counts its time from its turn on", async () => {
    const run = await secondary();
    const other = (phase: string) => run.cluster.has(kinds.restores, object("somebody-elses", "velero", { spec: {}, status: { phase } }));
    run.cluster.has(kinds.restores, restore("New"));
    other("InProgress");
    let seen = await look(run);
    const state = () => (seen.kind === "not-yet" ? seen.state : undefined);
    for (let waited = 0; waited < 2 * run.plan.restore.deadlineSeconds; waited += 900) {
      run.time.now += 900_000;
      seen = await look(run, state());
      expect(seen.kind).toBe("not-yet");
    }
    run.cluster.has(kinds.restores, restore("InProgress", 1));
    for (let items = 2, took = 0; took < run.plan.restore.deadlineSeconds; items++, took += 300) {
      seen = await look(run, state());
      expect(seen.kind).toBe("not-yet");
      run.time.now += 300_000;
      run.cluster.has(kinds.restores, restore("InProgress", items));
    }
    run.time.now += 1_000;
    expect(await look(run, state())).toMatchObject({ kind: "done", value: { kind: "broken", why: expect.stringContaining("not at its end 3600 s after Velero took it") } });
  });

  test("calls one broken that Velero does not take although nobody is before it", async () => {
    const run = await secondary();
    run.cluster.has(kinds.restores, restore(""));
    run.cluster.has(kinds.restores, object("somebody-elses", "velero", { spec: {}, status: { phase: "Completed" } }));
    const seen = await look(run);
    run.time.now += run.plan.restore.stallSeconds * 1_000 + 1_000;
    expect(await look(run, seen.kind === "not-yet" ? seen.state : undefined)).toMatchObject({ kind: "done", value: { kind: "broken", why: expect.stringContaining("no progress") } });
  });

  test("leaves a mover that prepares as long as Velero does: half an hour", async () => {
    const run = await secondary();
    run.cluster.has(kinds.restores, restore("InProgress", 52));
    run.cluster.has(kinds.podVolumeRestores, mover("Accepted"));
    const seen = await look(run);
    const state = seen.kind === "not-yet" ? seen.state : undefined;
    run.time.now += 1_800_000;
    expect((await look(run, state)).kind).toBe("not-yet");
    run.time.now += 1_000;
    expect(await look(run, state)).toMatchObject({ kind: "done", value: { kind: "broken", why: expect.stringContaining("no progress for 1800 s") } });
  });
});

describe("restoring again what Velero's server left", () => {
  const first = "lifeboat-shop-1-shop";
  const again = `${first}-again2`;
  const copy = (pod: string, more: object = {}, namespace = "shop") =>
    object(`copy-of-${pod}`, "velero", {
      labels: { "velero.io/backup-name": point.name },
      spec: { node: "n", pod: { kind: "Pod", name: pod, namespace }, volume: "data", backupStorageLocation: "replica", uploaderType: "kopia", repoIdentifier: "", tags: { "pvc-uid": "p" } },
      status: { phase: "Completed", snapshotID: `snapshot-of-${pod}`, progress: { totalBytes: 7, bytesDone: 7 }, ...more },
    });
  const pod = (name: string, waitsFor: string) => object(name, "shop", { spec: { initContainers: [{ name: "restore-wait", args: [waitsFor] }], containers: [] } });
  const mover = (name: string, of: string, ofPod: string, phase: string) => object(name, "velero", { labels: { "velero.io/restore-name": of }, spec: { pod: { namespace: "shop", name: ofPod }, volume: "data" }, status: { phase } });

  async function interrupted() {
    const run = await secondary({ volumes: [volume("a"), volume("b")] });
    const created = await run.cluster.create(kinds.restores, object(first, "velero", { spec: { backupName: point.name }, status: { phase: "Failed", failureReason: 'found a restore with status "InProgress" during the server starting, mark it as "Failed"' } }));
    run.effects.length = 0;
    const start = (key: string) => run.answer(steps.startRestore, startRestore, { application: "shop", part: "main", point, earlier: [first] }, { key });
    return { ...run, uid: created.object.metadata.uid ?? "", start };
  }

  test("asks by another name, and fills the volume whose pod waits for the first", async () => {
    const run = await interrupted();
    run.cluster.has(kinds.podVolumeBackups, copy("db"));
    run.cluster.has(kinds.pods, pod("db", run.uid));
    run.cluster.has(kinds.podVolumeRestores, mover("cancelled", first, "db", "Canceled"));
    expect(await run.start("one")).toMatchObject({ name: again, volumes: 2, earlier: [first] });
    expect(run.effects).toEqual([expect.stringMatching(/^create podvolumerestores velero\//), `create restores velero/${again}`]);
    const [made] = (await run.cluster.list(kinds.podVolumeRestores, "velero", `velero.io/restore-name=${again}`)) ?? [];
    expect(made).toMatchObject({
      metadata: { labels: { "velero.io/restore-uid": run.uid }, ownerReferences: [{ kind: "Restore", name: first, uid: run.uid, controller: true }] },
      spec: { pod: { kind: "Pod", namespace: "shop", name: "db" }, volume: "data", snapshotID: "snapshot-of-db", snapshotSize: 7, backupStorageLocation: "replica", uploaderType: "kopia", sourceNamespace: "shop" },
    });
    await run.start("two");
    expect(run.effects).toHaveLength(2);
  });

  test.each<[string, (run: Awaited<ReturnType<typeof interrupted>>) => void]>([
    ["that is filled", (run) => run.cluster.has(kinds.podVolumeRestores, mover("done", first, "db", "Completed"))],
    ["whose pod comes with the next restore", (run) => void run.cluster.delete(kinds.pods, "shop", "db")],
    ["whose pod waits for somebody else's restore", (run) => run.cluster.has(kinds.pods, pod("db", "another-uid"))],
    ["of which the backup has no snapshot", (run) => run.cluster.has(kinds.podVolumeBackups, copy("db", { snapshotID: "" }))],
    ["of another application", (run) => run.cluster.has(kinds.podVolumeBackups, copy("db", {}, "another"))],
  ])("leaves a volume %s", async (_, so) => {
    const run = await interrupted();
    run.cluster.has(kinds.podVolumeBackups, copy("db"));
    run.cluster.has(kinds.pods, pod("db", run.uid));
    so(run);
    await run.start("one");
    expect(run.effects.filter((effect) => effect.startsWith("create"))).toEqual([`create restores velero/${again}`]);
  });

  test("counts what the first one filled, forgets what was cancelled, and names what fails now", async () => {
    const run = await interrupted();
    const part: RestorePart = { application: "shop", part: "main", name: again, volumes: 2, turns: 2, earlier: [first] };
    let looks = 0;
    // An end, once seen, is the run's.
    const look = () => run.answer(steps.restoreEnded, restoreEnded, { part, storeTakesWrites: true }, { key: String((looks += 1)) });
    run.cluster.has(kinds.restores, object(again, "velero", { spec: {}, status: { phase: "Completed" } }));
    run.cluster.has(kinds.podVolumeRestores, mover("cancelled", first, "db", "Canceled"));
    run.cluster.has(kinds.podVolumeRestores, mover("done", first, "web", "Completed"));
    expect(await look()).toMatchObject({ value: { kind: "broken", why: expect.stringContaining("1 of 2 volumes came back") } });
    run.cluster.has(kinds.podVolumeRestores, mover("anew", again, "db", "InProgress"));
    expect(await look()).toMatchObject({ kind: "not-yet" });
    run.cluster.has(kinds.podVolumeRestores, mover("anew", again, "db", "Failed"));
    expect(await look()).toMatchObject({ value: { kind: "broken", why: expect.stringContaining("anew Failed") } });
    run.cluster.has(kinds.podVolumeRestores, mover("anew", again, "db", "Completed"));
    expect(await look()).toMatchObject({ value: { kind: "whole" } });
  });
});

describe("releasing consumers", () => {
  const ours = { "velero.io/restore-name": "lifeboat-shop-1-shop-held" };
  const input = { applications: ["shop"], point: point.name };

  test("gives them back what the backup says they had, and wakes none that was at rest", async () => {
    const run = await secondary({ contents: contents({ consumers: held }) });
    run.cluster.has(kinds.deployments, object("order-mailer", "shop", { labels: ours, spec: { replicas: 0 } }));
    run.cluster.has(kinds.cronJobs, object("invoice-run", "shop", { labels: ours, spec: { suspend: true } }));
    run.cluster.has(kinds.cronJobs, object("old-run", "shop", { labels: ours, spec: { suspend: true } }));
    expect(await run.answer(steps.releaseConsumers, releaseConsumers, input)).toEqual({ released: ["Deployment shop/order-mailer", "CronJob shop/invoice-run"] });
    expect(run.cluster.spec(kinds.deployments, "shop", "order-mailer")).toEqual({ replicas: 2 });
    expect(run.cluster.spec(kinds.cronJobs, "shop", "old-run")).toEqual({ suspend: true });
    const effects = run.effects.length;
    await run.answer(steps.releaseConsumers, releaseConsumers, input, { key: "again" });
    expect(run.effects).toHaveLength(effects);
  });

  test("says which one is missing", async () => {
    const run = await secondary({ contents: contents({ consumers: held }) });
    expect(await run.take(steps.releaseConsumers, releaseConsumers, input)).toMatchObject({ kind: "again", because: expect.stringContaining("Deployment shop/order-mailer is in the backup and not in the cluster; CronJob shop/invoice-run is") });
  });

  test("touches none that another brought, and says so after it released its own", async () => {
    const run = await secondary({ contents: contents({ consumers: held }) });
    run.cluster.has(kinds.deployments, object("order-mailer", "shop", { labels: { "velero.io/restore-name": "lifeboat-shop-12-shop-held" }, spec: { replicas: 0 } }));
    run.cluster.has(kinds.cronJobs, object("invoice-run", "shop", { labels: ours, spec: { suspend: true } }));
    expect(await run.take(steps.releaseConsumers, releaseConsumers, input)).toMatchObject({ kind: "again", because: expect.stringContaining("was not brought by lifeboat-shop-1-shop-held") });
    expect(run.effects).toEqual(["patch cronjobs shop/invoice-run"]);
  });

  test("leaves what an autoscaler has made of one since", async () => {
    const run = await secondary({ contents: contents({ consumers: held.slice(0, 1) }) });
    run.cluster.has(kinds.deployments, object("order-mailer", "shop", { labels: ours, spec: { replicas: 9 } }));
    expect(await run.answer(steps.releaseConsumers, releaseConsumers, input)).toEqual({ released: ["Deployment shop/order-mailer"] });
    expect(run.effects).toEqual([]);
  });

  test("reads back, and does not believe a patch that changed nothing", async () => {
    const run = await secondary({ contents: contents({ consumers: held.slice(0, 1) }) });
    run.cluster.has(kinds.deployments, object("order-mailer", "shop", { labels: ours, spec: { replicas: 0 } }));
    const cluster = { ...run.cluster, patch: async () => object("order-mailer", "shop") as never };
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => cluster } };
    expect(await run.take(steps.releaseConsumers, releaseConsumers, input, { world })).toMatchObject({ kind: "again", because: expect.stringContaining("reads back as held") });
  });
});
