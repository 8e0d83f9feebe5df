import { describe, expect, test } from "vitest";
import { seenFromOutside } from "../../functions/activities/open-secondary.ts";
import { firstBackupCompleted, startBackups } from "../../functions/activities/own-backups.ts";
import { steps } from "../../orchestrations/steps.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { Resolved } from "../../shared/ports.ts";
import { losing } from "./memory-world.ts";
import { object, openedRun, point } from "./run.ts";

async function secondary() {
  const run = await openedRun({ phase: "release" });
  await run.keep({ spec: { includedNamespaces: ["shop"], ttl: "720h0m0s", storageLocation: "default", volumeSnapshotLocations: ["x"] } });
  return { ...run, cluster: run.clusterOf(run.plan.secondary.cluster) };
}
const input = { point: point.name };

describe("backups of the new active region", () => {
  test("go where the plan says, as the lost region made them: a location, a schedule, a first one at once", async () => {
    const run = await secondary();
    expect(await run.answer(steps.startBackups, startBackups, input)).toEqual({ backup: "lifeboat-shop-1-first" });
    expect(run.cluster.spec(kinds.backupStorageLocations, "velero", "own")).toMatchObject({ accessMode: "ReadWrite", objectStorage: { bucket: "velero-neu" }, config: { storageAccount: "stshopneu" } });
    const template = { includedNamespaces: ["shop"], ttl: "720h0m0s", storageLocation: "own" };
    expect(run.cluster.spec(kinds.schedules, "velero", "shop-hourly")).toEqual({ schedule: "0 * * * *", template, paused: false });
    expect(run.cluster.spec(kinds.backups, "velero", "lifeboat-shop-1-first")).toEqual(template);
  });

  test("are begun once, however often they are asked for", async () => {
    const run = await secondary();
    const cluster = losing(run.cluster, "create");
    const world = { ...run.world, clusters: { ...run.world.clusters, of: async () => cluster } };
    expect((await run.take(steps.startBackups, startBackups, input, { world })).kind).toBe("again");
    await run.answer(steps.startBackups, startBackups, input, { world });
    await run.answer(steps.startBackups, startBackups, input, { key: "again" });
    expect(run.effects).toEqual(["create backupstoragelocations velero/own", "create schedules velero/shop-hourly", "create backups velero/lifeboat-shop-1-first"]);
  });

  test("take over a schedule that stood by", async () => {
    const run = await secondary();
    run.cluster.has(kinds.schedules, object("shop-hourly", "velero", { spec: { schedule: "0 3 * * *", paused: true } }));
    await run.answer(steps.startBackups, startBackups, input);
    expect(run.cluster.spec(kinds.schedules, "velero", "shop-hourly")).toMatchObject({ schedule: "0 * * * *", paused: false });
  });

  test.each([
    ["that is ReadOnly", { accessMode: "ReadOnly", objectStorage: { bucket: "velero-neu" } }, "is ReadOnly"],
    ["that leads to the replica", { accessMode: "ReadWrite", objectStorage: { bucket: "velero" } }, "leads to container velero, not to velero-neu"],
  ])("do not go to a location of that name %s", async (_, spec, said) => {
    const run = await secondary();
    run.cluster.has(kinds.backupStorageLocations, object("own", "velero", { spec }));
    expect(await run.take(steps.startBackups, startBackups, input)).toMatchObject({ kind: "again", because: expect.stringContaining(said) });
    expect(run.effects).toEqual([]);
  });

  test.each([
    [{}, "not-yet"],
    [{ phase: "Queued" }, "not-yet"],
    [{ phase: "InProgress" }, "not-yet"],
    [{ phase: "SomethingNew" }, "not-yet"],
    [{ phase: "Completed" }, "not-yet"],
    [{ phase: "Completed", completionTimestamp: "2026-11-21T06:20:00Z" }, "completed"],
    [{ phase: "PartiallyFailed", failureReason: "hooks" }, "failed"],
    [{ phase: "Failed" }, "failed"],
    [{ phase: "FailedValidation", validationErrors: ["no location"] }, "failed"],
  ])("with status %j are %s", async (status, kind) => {
    const run = await secondary();
    const look = async () => run.answer(steps.firstBackupCompleted, firstBackupCompleted, { backup: "first" });
    expect(await look()).toMatchObject({ kind: "not-yet" });
    run.cluster.has(kinds.backups, object("first", "velero", { status }));
    const seen = await look();
    expect(seen.kind === "done" ? seen.value.kind : seen.kind).toBe(kind);
  });
});

describe("seen from outside", () => {
  const leads = (address: string): Resolved => ({ kind: "resolved", chain: ["shop.trafficmanager.net"], addresses: [address], ttlSeconds: 30 });
  const nothing: Resolved = { kind: "nothing", why: "NXDOMAIN" };
  const neu = "neu.shop.example.com";
  const look = async (name: Resolved, ingress: Resolved, status = 200) => {
    const run = await openedRun({ phase: "open" });
    run.state.resolve = (asked) => (asked === neu ? ingress : name);
    run.state.probe = (url, connectTo) => (connectTo === undefined && new URL(url).hostname === "shop.example.com" && status > 0 ? { kind: "answered", status, body: "EUR", durationMs: 1 } : { kind: "no-answer", why: "reset", durationMs: 1 });
    return run.answer(steps.seenFromOutside, seenFromOutside, {});
  };

  test("is a public name that leads to the secondary's own address and answers through it", async () => {
    expect(await look(leads("198.51.100.7"), leads("198.51.100.7"))).toMatchObject({ kind: "done", value: { saw: expect.stringContaining("198.51.100.7 by shop.trafficmanager.net") } });
  });

  test("asks every page that the plan asserts, as users ask: one that fails is enough to wait", async () => {
    const run = await openedRun({ phase: "open" });
    const asked: string[] = [];
    run.state.resolve = () => leads("198.51.100.7");
    run.state.probe = (url) => {
      asked.push(url);
      return { kind: "answered", status: url.endsWith("/orders") ? 500 : 200, body: "EUR", durationMs: 1 };
    };
    expect(await run.answer(steps.seenFromOutside, seenFromOutside, {})).toMatchObject({ kind: "not-yet", about: "https://shop.example.com/orders answers 500, not 200" });
    expect(asked).toEqual(["https://shop.example.com/", "https://shop.example.com/orders"]);
  });

  test("is not a page of somebody else's, whatever its status", async () => {
    const run = await openedRun({ phase: "open" });
    run.state.resolve = () => leads("198.51.100.7");
    run.state.probe = () => ({ kind: "answered", status: 200, body: "default backend", durationMs: 1 });
    expect(await run.answer(steps.seenFromOutside, seenFromOutside, {})).toMatchObject({ kind: "not-yet", about: 'https://shop.example.com/ does not hold "EUR"' });
  });

  test.each([
    ["leads nowhere", nothing, leads("198.51.100.7"), 200, "NXDOMAIN"],
    ["leads elsewhere", leads("192.0.2.1"), leads("198.51.100.7"), 200, "leads to 192.0.2.1, not to the secondary's 198.51.100.7"],
    ["leads to an ingress that nobody knows", leads("198.51.100.7"), nothing, 200, "has no address"],
    ["does not answer", leads("198.51.100.7"), leads("198.51.100.7"), 0, "does not answer: reset"],
    ["answers in another way", leads("198.51.100.7"), leads("198.51.100.7"), 503, "answers 503"],
  ])("is not a name that %s", async (_, name, ingress, status, said) => {
    expect(await look(name, ingress, status)).toMatchObject({ kind: "not-yet", about: expect.stringContaining(said) });
  });
});
