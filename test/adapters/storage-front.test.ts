import { afterAll, beforeAll, expect, test } from "vitest";
import { seed } from "../../lab/seed.ts";
import { accounts } from "../../lab/world/pair.ts";
import { openHome } from "../../shared/azure/home-blob.ts";
import { openReplication } from "../../shared/azure/replication.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { backupsContract, listed } from "../contracts/backups.ts";
import { homeContract } from "../contracts/home.ts";
import { lastSyncContract } from "../contracts/replication.ts";
import { blobUrl, openStorageStage, type StorageStage } from "./storage-stage.ts";

let stage: StorageStage;
beforeAll(async () => {
  stage = await openStorageStage();
  await seed(stage, { topology: "replicated" });
});
afterAll(() => stage.close());

const source = { url: blobUrl(accounts.source.name), container: "velero" };
const replica = { url: blobUrl(accounts.replica.name), container: "velero" };
const secondaryUrl = blobUrl(`${accounts.shared.name}-secondary`);
const backups = () => openBackups(stage.blobService);
const put = (account: string, container: string, name: string, body: string | Uint8Array) =>
  stage.blobService.at(blobUrl(account)).getContainerClient(container).getBlockBlobClient(name).upload(body, Buffer.byteLength(body));

homeContract("the home account as the lab shows it", async () => openHome(stage.blobService, { url: blobUrl(accounts.home.name), container: await stage.container(accounts.home.name) }));

backupsContract("blob storage as the lab shows it", async () => {
  const container = await stage.container(accounts.replica.name);
  return { backups: backups(), place: { url: replica.url, container }, put: async (name, body) => void (await put(accounts.replica.name, container, name, body)) };
});

lastSyncContract("a geo-redundant account as the lab shows it", () =>
  Promise.resolve({ replication: openReplication(stage.arm, stage.blobService), secondaryUrl, at: stage.world.clock.now() }),
);

test("a list of the source says of each blob how its copy stands", async () => {
  const prefix = "backups/shop-new/";
  const release = stage.storage.holdBack(`${prefix}late`);
  const heal = stage.storage.failReplication(`${prefix}broken`);
  for (const name of ["whole", "late", "broken"]) await put(accounts.source.name, "velero", `${prefix}${name}`, name);
  const statuses = async () => Object.fromEntries((await listed(backups().list(source, prefix))).map(({ name, replication }) => [name.slice(prefix.length), replication]));
  await expect.poll(statuses).toEqual({ whole: "complete", late: "pending", broken: "failed" });
  heal();
  release();
  await expect.poll(async () => (await statuses())["late"]).toBe("complete");
});

test("a replica is locked until its policy is deleted, and its blobs are read all the same", async () => {
  const name = "restores/probe";
  const replication = openReplication(stage.arm, stage.blobService);
  expect(await backups().folders(replica, "")).toContain("backups");
  expect(await backups().probeWrite(replica, name)).toEqual({ kind: "locked" });
  await replication.deletePolicy(accounts.replica.id, (await replication.policy(accounts.replica.id))?.policyId ?? "");
  await expect.poll(() => backups().probeWrite(replica, name)).toEqual({ kind: "accepted" });
  expect(await listed(backups().list(replica, "restores/probe"))).toEqual([]);
});

test("the secondary endpoint of a shared account reads only", async () => {
  expect(await backups().probeWrite({ url: secondaryUrl, container: "velero" }, "restores/probe")).toEqual({ kind: "read-only" });
  expect(await listed(backups().list({ url: secondaryUrl, container: "velero" }, ""))).toEqual([]);
});

test("statistics are served by the secondary alone", async () => {
  const replication = openReplication(stage.arm, stage.blobService);
  await expect(replication.lastSync(blobUrl(accounts.shared.name))).rejects.toThrow("status 400 InvalidQueryParameterValue");
});

test("an account that may not be seen is an error for readers, never an absence", async () => {
  stage.world.inject({ call: `${accounts.source.name} GET*`, kind: "blind", times: 2 });
  await expect(backups().read(source, "backups/everything/velero-backup.json")).rejects.toThrow("status 403 AuthorizationFailure");
  await expect(listed(backups().list(source, ""))).rejects.toThrow("status 403 AuthorizationFailure");
});

test("a lost region ends a call with an error that may pass, and its probe with one too", async () => {
  stage.world.setReach("westeurope", "reset");
  await expect(backups().read(source, "x")).rejects.toMatchObject({ name: "WorldError", message: expect.stringMatching(/ECONNRESET|socket hang up/) as string });
  await expect(backups().probeWrite(source, "restores/probe")).rejects.toMatchObject({ name: "WorldError" });
  stage.world.setReach("westeurope", "unavailable");
  await expect(backups().folders(source, "")).rejects.toThrow("status 503");
  stage.world.setReach("westeurope", "up");
});

test("an entry whose create was not answered is found by the next one, and written once", async () => {
  const home = openHome(stage.blobService, { url: blobUrl(accounts.home.name), container: await stage.container(accounts.home.name) });
  stage.world.inject({ call: `${accounts.home.name} PUT blob`, kind: "effect-without-answer" });
  await expect(home.create("7/fence/pools.intent", "ours")).rejects.toMatchObject({ name: "WorldError" });
  expect(await home.create("7/fence/pools.intent", "ours again")).toBe(false);
  expect((await home.read("7/fence/pools.intent"))?.body).toBe("ours");
});
