import { expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { labPolicy, openAccounts } from "../../lab/world/accounts.ts";
import { type Latencies, noLatencies } from "../../lab/world/latencies.ts";
import { type Endpoint, LabStorage } from "../../lab/world/storage.ts";
import type { BlobBytes } from "../../lab/world/storage/blob-bytes.ts";
import { openWorld } from "../../lab/world/world.ts";
import { all, openStorageLab, refusal } from "./storage-lab.ts";
import { until } from "./until.ts";

const minute = 60_000;
type Lab = Awaited<ReturnType<typeof openStorageLab>>;
const write = (lab: Lab, name: string, content = name) => lab.velero("stshopweu").getBlockBlobClient(name).upload(content, Buffer.byteLength(content));
const contentAt = async (lab: Lab, account: string, name: string) => (await lab.velero(account).getBlobClient(name).downloadToBuffer()).toString();
const namesAt = async (lab: Lab, account: string) => (await all(lab.velero(account).listBlobsFlat())).map(({ name }) => name);

async function statusAt(lab: Lab, name: string): Promise<string> {
  const { objectReplicationSourceProperties } = await lab.velero("stshopweu").getBlobClient(name).getProperties();
  return objectReplicationSourceProperties?.[0]?.rules[0]?.replicationStatus ?? "none";
}

test("a written blob has no status until its copy is there, then complete, in HEAD and in lists", async () => {
  const lab = await openStorageLab({ latencies: { objectReplication: minute } });
  const release = lab.storage.holdBack("*");
  await lab.velero("stshopweu").getBlockBlobClient("backups/a").upload("one", 3, { metadata: { by: "velero" }, blobHTTPHeaders: { blobContentType: "text/x-one" } });
  expect(await statusAt(lab, "backups/a")).toBe("none");
  expect((await all(lab.velero("stshopweu").listBlobsFlat()))[0]?.objectReplicationSourceProperties).toBeUndefined();
  expect(lab.storage.pending("stshopweu")).toMatchObject({ count: 1 });
  expect(await namesAt(lab, "stshopneu")).toEqual([]);

  release();
  await lab.storage.settled();
  const rules = [{ policyId: labPolicy.policyId, rules: [{ ruleId: labPolicy.ruleId, replicationStatus: "complete" }] }];
  expect((await lab.velero("stshopweu").getBlobClient("backups/a").getProperties()).objectReplicationSourceProperties).toEqual(rules);
  expect((await all(lab.velero("stshopweu").listBlobsFlat()))[0]?.objectReplicationSourceProperties).toEqual(rules);
  const copy = await lab.velero("stshopneu").getBlobClient("backups/a").getProperties();
  expect(copy).toMatchObject({ objectReplicationDestinationPolicyId: labPolicy.policyId, metadata: { by: "velero" }, contentType: "text/x-one", contentLength: 3 });
  expect(copy.lastModified?.getTime()).toBeGreaterThan((await lab.velero("stshopweu").getBlobClient("backups/a").getProperties()).lastModified?.getTime() ?? Infinity);
  expect(lab.storage.pending("stshopweu")).toEqual({ count: 0, oldestAt: null });
});

test("a copy has a Content-MD5 only where its source has one", async () => {
  const lab = await openStorageLab();
  const id = Buffer.from("1").toString("base64");
  const staged = lab.velero("stshopweu").getBlockBlobClient("staged");
  await staged.stageBlock(id, "block", 5);
  await staged.commitBlockList([id]);
  await write(lab, "whole");
  await write(lab, "empty", "");
  await lab.storage.settled();
  const md5 = async (account: string, name: string) => (await lab.velero(account).getBlobClient(name).getProperties()).contentMD5;
  expect(await md5("stshopneu", "staged")).toBeUndefined();
  expect((await lab.velero("stshopneu").getBlobClient("staged").download()).contentMD5).toBeUndefined();
  expect(await md5("stshopneu", "whole")).toEqual(await md5("stshopweu", "whole"));
  expect(await contentAt(lab, "stshopneu", "empty")).toBe("");
});

test("the newest content wins, and a delete follows", async () => {
  const lab = await openStorageLab({ latencies: { objectReplication: 10_000 } });
  for (const content of ["one", "two", "three"]) await write(lab, "backups/a", content);
  await write(lab, "backups/b");
  await lab.storage.settled();
  expect(await contentAt(lab, "stshopneu", "backups/a")).toBe("three");
  const release = lab.storage.holdBack("*");
  await write(lab, "backups/a", "four");
  expect(await statusAt(lab, "backups/a"), "the status is that of the content that is there now").toBe("none");
  release();
  await lab.velero("stshopweu").getBlobClient("backups/b").delete();
  await lab.storage.settled();
  expect(await contentAt(lab, "stshopneu", "backups/a")).toBe("four");
  expect(await namesAt(lab, "stshopneu")).toEqual(["backups/a"]);
});

test("the replica refuses writes and takes deletes until its policy is deleted; its other container is free", async () => {
  const lab = await openStorageLab({ latencies: { policyDelete: 20_000 } });
  for (const name of ["backups/a", "backups/b"]) await write(lab, name);
  await lab.storage.settled();
  const replica = lab.velero("stshopneu");
  const probe = () => refusal(replica.getBlockBlobClient("restores/probe").upload("x", 1));
  expect(await probe()).toMatch(/^409/);
  expect(await refusal(replica.getBlockBlobClient("restores/probe").stageBlock("MQ==", "x", 1))).toMatch(/^409/);
  expect(await refusal(replica.getBlobClient("backups/a").setMetadata({ a: "1" }))).toMatch(/^409/);
  expect(await refusal(lab.endpoint("stshopneu").getContainerClient("velero-neu").getBlockBlobClient("backups/x").upload("x", 1))).toBe("not refused");
  expect(await refusal(replica.getBlobClient("backups/a").delete())).toBe("not refused");

  lab.accounts.deletePolicy("stshopneu", labPolicy.policyId);
  expect(await probe(), "the lock is released some time later").toMatch(/^409/);
  await until("the lock is gone", async () => (await probe()) === "not refused");
  expect(lab.world.effects.map(({ act, key }) => `${act} ${key}`)).toContain("blob.written stshopneu/velero/restores/probe");
  const originOf = async (name: string) => (await replica.getBlobClient(name).getProperties()).objectReplicationDestinationPolicyId;
  expect(await originOf("backups/b")).toBe(labPolicy.policyId);
  await replica.getBlockBlobClient("backups/b").upload("own", 3);
  expect(await originOf("backups/b"), "what was overwritten here is a copy no longer").toBeUndefined();
});

test("without its policy on the destination nothing is copied any more, and the source says failed", async () => {
  const lab = await openStorageLab();
  await write(lab, "backups/a");
  await lab.storage.settled();
  lab.accounts.deletePolicy("stshopneu", labPolicy.policyId);
  await write(lab, "backups/b");
  await lab.storage.settled();
  expect([await statusAt(lab, "backups/a"), await statusAt(lab, "backups/b")]).toEqual(["complete", "failed"]);
  expect(await namesAt(lab, "stshopneu")).toEqual(["backups/a"]);
});

test("nothing is copied while the source is lost; when the region returns it is", async () => {
  const lab = await openStorageLab();
  const release = lab.storage.holdBack("*");
  const before = lab.world.clock.now();
  await write(lab, "backups/a");
  const after = lab.world.clock.now();
  lab.world.setReach("westeurope", "reset");
  release();
  await lab.world.clock.sleep(5 * minute);
  expect(await namesAt(lab, "stshopneu")).toEqual([]);
  const { count, oldestAt } = lab.storage.pending("stshopweu");
  expect(count).toBe(1);
  expect(oldestAt).toBeGreaterThanOrEqual(before);
  expect(oldestAt).toBeLessThanOrEqual(after);
  lab.world.setReach("westeurope", "up");
  await lab.storage.settled();
  expect(await namesAt(lab, "stshopneu")).toEqual(["backups/a"]);
});

/** The rules alone, over bytes whose copying ends when the test says so. */
function copyByHand({ seed = 1, latencies = noLatencies }: { readonly seed?: number; readonly latencies?: Latencies } = {}) {
  const world = openWorld(startClock({ rate: 1000 }), latencies);
  const started: { readonly name: string; readonly signal: AbortSignal | undefined; readonly finish: () => void }[] = [];
  const copy: BlobBytes["copy"] = ({ name }, _to, signal) =>
    new Promise((resolve, reject) => {
      started.push({ name, signal, finish: () => resolve(true) });
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });
  const nothing = () => Promise.resolve();
  const bytes = { copy, put: nothing, delete: nothing, createContainer: nothing, deleteContainer: nothing };
  const storage = new LabStorage(world, { accounts: openAccounts(world, { lastSyncAt: () => null }), bytes, seed });
  const source: Endpoint = { account: "stshopweu", store: "stshopweu", region: "westeurope", secondary: false };
  return {
    world,
    storage,
    started,
    write: (name = "a") => storage.changed(source, { kind: "written", container: "velero", name }),
    statuses: () => storage.replication(source, "velero", "a").statuses.map(({ status }) => status),
  };
}

test("blobs are copied in another order than they were written: the seed decides in which", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `backups/b/${String(index).padStart(2, "0")}`);
  const order = async (seed: number) => {
    const { storage, started, write } = copyByHand({ seed, latencies: { ...noLatencies, objectReplication: 10 * minute } });
    for (const name of names) await write(name);
    await until("all are being copied", () => started.length === names.length);
    storage.close();
    return started.map(({ name }) => name);
  };
  const [first, again, other] = await Promise.all([order(1), order(1), order(2)]);
  expect(first).toEqual(again);
  for (const another of [names, other]) expect(first).not.toEqual(another);
});

test.each(["westeurope", "northeurope"] as const)("a copy under way when %s is lost is broken off, and made anew when it returns", async (region) => {
  const { world, storage, started, write, statuses } = copyByHand();
  await write();
  await until("the copy has begun", () => started.length === 1);
  world.setReach(region, "reset");
  expect(started[0]?.signal?.aborted).toBe(true);
  expect(storage.pending("stshopweu").count).toBe(1);
  world.setReach(region, "up");
  await until("the copy has begun again", () => started.length === 2);
  started[1]?.finish();
  await storage.settled();
  expect(statuses()).toEqual(["complete"]);
});

test("a blob written while it is being copied is copied once more, afterwards, and is complete only then", async () => {
  const { world, storage, started, write, statuses } = copyByHand();
  await write();
  await until("the copy has begun", () => started.length === 1);
  await write();
  await world.clock.sleep(minute);
  expect(started).toHaveLength(1);
  started[0]?.finish();
  await until("the second copy has begun", () => started.length === 2);
  expect(statuses()).toEqual([]);
  expect(storage.pending("stshopweu").count).toBe(1);
  started[1]?.finish();
  await storage.settled();
  expect(statuses()).toEqual(["complete"]);
});

test("blobs that are held back wait, the others do not", async () => {
  const lab = await openStorageLab();
  const release = lab.storage.holdBack("backups/new/*.tar.gz");
  for (const name of ["backups/new/new.tar.gz", "backups/new/velero-backup.json"]) await write(lab, name);
  await lab.storage.settled();
  expect(await namesAt(lab, "stshopneu")).toEqual(["backups/new/velero-backup.json"]);
  expect(await statusAt(lab, "backups/new/new.tar.gz")).toBe("none");
  release();
  await lab.storage.settled();
  expect(await namesAt(lab, "stshopneu")).toEqual(["backups/new/new.tar.gz", "backups/new/velero-backup.json"]);
});

test("blobs whose replication fails say so, and arrive when they are written again later", async () => {
  const lab = await openStorageLab();
  const stop = lab.storage.failReplication("*.tar.gz");
  await write(lab, "backups/new/new.tar.gz");
  await lab.storage.settled();
  expect(await statusAt(lab, "backups/new/new.tar.gz")).toBe("failed");
  expect(await namesAt(lab, "stshopneu")).toEqual([]);
  stop();
  await write(lab, "backups/new/new.tar.gz");
  await lab.storage.settled();
  expect(await statusAt(lab, "backups/new/new.tar.gz")).toBe("complete");
});
