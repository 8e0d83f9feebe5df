import { expect, test } from "vitest";
import { openStorageLab, refusal } from "./storage-lab.ts";
import { until } from "./until.ts";

const minute = 60_000;
type Lab = Awaited<ReturnType<typeof openStorageLab>>;
const write = (lab: Lab, name: string, content = name) => lab.velero("stshopgeo").getBlockBlobClient(name).upload(content, Buffer.byteLength(content));
const seenAt = async (lab: Lab, account: string) => {
  const blobs: Record<string, string> = {};
  for await (const { name } of lab.velero(account).listBlobsFlat()) blobs[name] = (await lab.velero(account).getBlobClient(name).downloadToBuffer()).toString();
  return blobs;
};
const lastSync = async (lab: Lab) => (await lab.endpoint("stshopgeo-secondary").getStatistics()).geoReplication;

test("the secondary endpoint refuses every write, and its own words say why", async () => {
  const lab = await openStorageLab();
  await write(lab, "a");
  await lab.storage.settled();
  const secondary = lab.velero("stshopgeo-secondary");
  const writes = [
    () => secondary.getBlockBlobClient("restores/probe").upload("x", 1),
    () => secondary.getBlockBlobClient("a").stageBlock("MQ==", "x", 1),
    () => secondary.getBlobClient("a").setMetadata({ a: "1" }),
    () => secondary.getBlobClient("a").delete(),
    () => secondary.getBlobClient("a").getBlobLeaseClient().acquireLease(15),
    () => secondary.delete(),
  ];
  for (const write of writes) expect(await refusal(write())).toBe("403 InsufficientAccountPermissions");
  await expect(secondary.getBlobClient("a").delete()).rejects.toThrow("Write operations to the secondary location are not allowed.");
  expect(await seenAt(lab, "stshopgeo-secondary")).toEqual({ a: "a" });
});

test("the second copy is behind by the lag, with the times of the first", async () => {
  const lab = await openStorageLab({ latencies: { geoLag: 10 * minute } });
  const before = lab.world.clock.now();
  await write(lab, "a");
  await until("it is there", async () => (await seenAt(lab, "stshopgeo-secondary"))["a"] === "a");
  expect(lab.world.clock.now() - before).toBeGreaterThanOrEqual(10 * minute);
  await lab.velero("stshopgeo").getBlobClient("a").setMetadata({ of: "velero" });
  await lab.storage.settled();
  const [first, copy] = await Promise.all(["stshopgeo", "stshopgeo-secondary"].map((account) => lab.velero(account).getBlobClient("a").getProperties()));
  expect(copy).toMatchObject({ lastModified: first?.lastModified, createdOn: first?.createdOn, metadata: { of: "velero" } });
});

test("Last Sync Time is the lag behind now, never past a write that is missing; the primary endpoint does not know it", async () => {
  const lab = await openStorageLab({ latencies: { geoLag: 2 * minute } });
  const before = await lastSync(lab);
  expect(before?.status).toBe("live");
  expect(lab.world.clock.now() - (before?.lastSyncOn?.getTime() ?? 0)).toBeGreaterThanOrEqual(2 * minute);
  const release = lab.storage.holdBack("backups/held");
  await write(lab, "backups/held");
  const { oldestAt } = lab.storage.pending("stshopgeo");
  await write(lab, "backups/later");
  await lab.world.clock.sleep(10 * minute);
  expect((await lastSync(lab))?.lastSyncOn?.getTime()).toBe(Math.floor((oldestAt ?? 0) / 1000) * 1000);
  expect(lab.accounts.geoReplication("stshopgeo")?.lastSyncAt).toBe(oldestAt);
  expect(await seenAt(lab, "stshopgeo-secondary"), "what was written later waits behind it").toEqual({});
  release();
  await lab.storage.settled();
  expect(Object.keys(await seenAt(lab, "stshopgeo-secondary"))).toEqual(["backups/held", "backups/later"]);
  expect(await refusal(lab.endpoint("stshopgeo").getStatistics())).toBe("400 InvalidQueryParameterValue");
});

test("a loss leaves the second copy as it was at one instant, never newer in one blob than in another", async () => {
  const lab = await openStorageLab({ latencies: { geoLag: minute } });
  await write(lab, "velero-backup.json", "Finalizing");
  await lab.storage.settled();
  const release = lab.storage.holdBack("backup.tar.gz");
  await write(lab, "velero-backup.json", "Finalizing, again");
  const between = lab.world.clock.now();
  await write(lab, "backup.tar.gz", "whole");
  await write(lab, "velero-backup.json", "Completed");
  await lab.velero("stshopgeo").getBlobClient("backup.tar.gz").delete();
  await lab.storage.settled();
  lab.world.setReach("westeurope", "reset");
  const frozen = lab.storage.lastSyncAt("stshopgeo") ?? 0;
  release();
  await lab.world.clock.sleep(10 * minute);
  expect(await seenAt(lab, "stshopgeo-secondary")).toEqual({ "velero-backup.json": "Finalizing, again" });
  expect(lab.storage.lastSyncAt("stshopgeo")).toBe(frozen);
  expect((await lastSync(lab))?.lastSyncOn?.getTime()).toBe(Math.floor(frozen / 1000) * 1000);
  expect(frozen).toBeLessThanOrEqual(lab.storage.pending("stshopgeo").oldestAt ?? 0);
  expect(lab.storage.pending("stshopgeo").oldestAt).toBeGreaterThanOrEqual(between);

  lab.world.setReach("westeurope", "up");
  await lab.storage.settled();
  expect(await seenAt(lab, "stshopgeo-secondary")).toEqual({ "velero-backup.json": "Completed" });
});

test("containers come and go in the second copy too", async () => {
  const lab = await openStorageLab({ empty: true });
  const container = lab.velero("stshopgeo");
  await container.create();
  await write(lab, "a");
  await lab.storage.settled();
  expect(await seenAt(lab, "stshopgeo-secondary")).toEqual({ a: "a" });
  await container.delete();
  await lab.storage.settled();
  expect(await lab.velero("stshopgeo-secondary").exists()).toBe(false);
});

test("after an account failover the copy answers at the normal name and takes writes; what had not arrived is lost; there is no secondary", async () => {
  const lab = await openStorageLab({ latencies: { accountFailover: 10 * minute } });
  const release = lab.storage.holdBack("b");
  await write(lab, "a");
  await write(lab, "b");
  await lab.storage.settled();
  lab.world.setReach("westeurope", "reset");
  expect(lab.accounts.failover("stshopgeo", false).kind).toBe("begun");
  expect(await refusal(write(lab, "c"))).toMatch(/^no answer/);
  await until("the failover has ended", () => lab.accounts.account("stshopgeo")?.sku === "Standard_LRS");
  expect(await seenAt(lab, "stshopgeo")).toEqual({ a: "a" });
  await write(lab, "c");
  expect(await refusal(lab.velero("stshopgeo-secondary").getProperties())).toMatch(/^404/);
  expect(lab.storage.lastSyncAt("stshopgeo")).toBeNull();
  lab.world.setReach("westeurope", "up");
  release();
  await lab.storage.settled();
  expect(await seenAt(lab, "stshopgeo"), "the old region's return brings nothing back").toEqual({ a: "a", c: "c" });
  lab.world.setReach("northeurope", "reset");
  expect(await refusal(write(lab, "d")), "it lives in the other region now").toMatch(/^no answer/);
});
