import { expect, test } from "vitest";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import { blobHost } from "../../lab/world/pair.ts";
import { openStorageLab, refusal } from "./storage-lab.ts";

type Lab = Awaited<ReturnType<typeof openStorageLab>>;
const storeOf = (lab: Lab, endpoint: string, timeoutSeconds = 5) => frontBlobStores(lab.front.url, timeoutSeconds)({ url: `https://${blobHost(endpoint)}`, container: "velero" });

test("a Velero writes, lists, reads and deletes as its plugin does", async () => {
  const lab = await openStorageLab();
  const store = storeOf(lab, "stshopweu");
  const content = Buffer.alloc(2_500_000, "velero");
  expect(await store.put("backups/b/b.tar.gz", content)).toBe("ok");
  expect(await store.put("backups/b/velero-backup.json", new Uint8Array())).toBe("ok");
  expect(await store.list("backups/b/")).toEqual(["backups/b/b.tar.gz", "backups/b/velero-backup.json"]);
  expect(content.equals((await store.get("backups/b/b.tar.gz")) ?? Buffer.alloc(0))).toBe(true);
  expect(await store.get("backups/b/velero-backup.json")).toHaveLength(0);
  expect(await store.get("backups/none")).toBeNull();
  const { contentMD5, contentType } = await lab.velero("stshopweu").getBlobClient("backups/b/b.tar.gz").getProperties();
  expect([contentMD5, contentType]).toEqual([undefined, "application/octet-stream"]);
  for (const time of ["first", "second"]) expect(await store.delete("backups/b/b.tar.gz"), time).toBe("ok");
  expect(await store.list("")).toEqual(["backups/b/velero-backup.json"]);
});

test("a store that refuses writes is an answer, with its code; reads go on", async () => {
  const lab = await openStorageLab();
  await storeOf(lab, "stshopgeo").put("backups/a", Buffer.from("a"));
  await lab.storage.settled();
  expect(await storeOf(lab, "stshopgeo-secondary").put("restores/r/restore-r-logs.gz", Buffer.from("log"))).toEqual({ refused: 403, code: "InsufficientAccountPermissions" });
  expect(await storeOf(lab, "stshopgeo-secondary").delete("backups/a")).toEqual({ refused: 403, code: "InsufficientAccountPermissions" });
  expect(await storeOf(lab, "stshopgeo-secondary").list("")).toEqual(["backups/a"]);
  expect(await storeOf(lab, "stshopneu").put("restores/r/restore-r-logs.gz", Buffer.from("log"))).toMatchObject({ refused: 409 });
});

test("a store that does not answer throws, silent or not", async () => {
  const lab = await openStorageLab();
  const store = storeOf(lab, "stshopweu", 0.2);
  for (const [reach, how] of [["reset", /^no answer ECONNRESET/], ["black-hole", /^no answer/], ["unavailable", /^503/]] as const) {
    lab.world.setReach("westeurope", reach);
    for (const call of [() => store.list(""), () => store.put("a", Buffer.from("a")), () => store.get("a"), () => store.delete("a")]) expect(await refusal(call())).toMatch(how);
  }
});

test("a container that is not there is no empty one, and is told of as Velero's plugin tells it", async () => {
  const lab = await openStorageLab({ empty: true });
  const store = storeOf(lab, "stshopweu");
  for (const call of [() => store.list(""), () => store.get("a"), () => store.put("a", Buffer.from("a"))]) expect(await refusal(call())).toBe("404 ContainerNotFound");
  await expect(store.list("")).rejects.toThrow(/^RESPONSE 404: 404 [^\n]+\nERROR CODE: ContainerNotFound$/);
});
