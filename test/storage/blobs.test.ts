import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import v8 from "node:v8";
import vm from "node:vm";
import { expect, test } from "vitest";
import { labStart } from "../../lab/clock.ts";
import { all, openStorageLab, refusal } from "./storage-lab.ts";

const second = 1000;
const floored = (at: number) => Math.floor(at / second) * second;

test("a blob's times are lab time, in its headers and in lists, and an overwrite keeps the time of creation", async () => {
  const lab = await openStorageLab({ rate: 100 });
  const container = lab.velero("stshopweu");
  const blob = container.getBlockBlobClient("a & <b>");
  const before = floored(lab.world.clock.now());
  const { lastModified: created, date } = await blob.upload("one", 3);
  expect(created?.getTime()).toBeGreaterThanOrEqual(before);
  expect(created?.getTime()).toBeLessThanOrEqual(lab.world.clock.now());
  expect(date?.getTime()).toBeGreaterThanOrEqual(before);

  for (const content of ["two", "six"]) {
    await lab.world.clock.sleep(5 * second);
    await blob.upload(content, 3);
  }
  const { createdOn, lastModified } = await blob.getProperties();
  expect(createdOn).toEqual(created);
  expect((lastModified?.getTime() ?? 0) - (created?.getTime() ?? 0)).toBeGreaterThanOrEqual(10 * second);
  const [item] = await all(container.listBlobsFlat());
  expect(item).toMatchObject({ name: "a & <b>", properties: { createdOn, lastModified } });
  const [listed] = await all(lab.endpoint("stshopweu").listContainers());
  expect(Math.abs((listed?.properties.lastModified.getTime() ?? 0) - labStart)).toBeLessThan(24 * 3600 * second);
});

test("64 MiB stream through in both directions without being held", async () => {
  const lab = await openStorageLab();
  const mebibyte = randomBytes(1024 * 1024);
  const blob = lab.velero("stshopweu").getBlockBlobClient("kopia/shop/p-large");
  const before = held();
  const more: number[] = [];
  function* chunks() {
    for (let sent = 1; sent <= 64; sent += 1) {
      yield mebibyte;
      if (sent % 16 === 0) more.push(held() - before);
    }
  }
  await blob.upload(() => Readable.from(chunks(), { objectMode: false }), 64 * mebibyte.length);
  const { readableStreamBody } = await blob.download();
  let received = 0;
  for await (const chunk of readableStreamBody as AsyncIterable<Buffer>) {
    if (Math.floor(received / (16 * mebibyte.length)) < Math.floor((received + chunk.length) / (16 * mebibyte.length))) more.push(held() - before);
    received += chunk.length;
  }
  expect(received).toBe(64 * mebibyte.length);
  expect(more).toHaveLength(8);
  expect(Math.max(...more)).toBeLessThan(8 * mebibyte.length);
});

v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc") as () => void;
/** Bytes in buffers that someone still holds. */
function held(): number {
  collectGarbage();
  // Buffers are freed beside the first collection; the second waits for that.
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test("a slow reader makes Azurite wait, not the lab hold", async () => {
  const lab = await openStorageLab();
  const size = 32 * 1024 * 1024;
  await lab.velero("stshopweu").getBlockBlobClient("large").upload(Buffer.alloc(size), size);
  const before = held();
  const { token } = await lab.identity.mint("https://storage.azure.com");
  const request = http.get(`${lab.front.url}/stshopweu/velero/large`, { headers: { authorization: `Bearer ${token}`, "x-ms-version": "2025-11-05" } });
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(answer.statusCode).toBe(200);
  expect(held() - before).toBeLessThan(size / 8);
  answer.destroy();
});

test("conditions on ETags pass: one of two concurrent replacements wins, nothing is created twice", async () => {
  const lab = await openStorageLab();
  const head = lab.endpoint("stlifeboat").getContainerClient("lifeboat").getBlockBlobClient("plans/shop/head.json");
  const { etag = "" } = await head.upload("0", 1, { conditions: { ifNoneMatch: "*" } });
  expect(await refusal(head.upload("0", 1, { conditions: { ifNoneMatch: "*" } }))).toBe("409 BlobAlreadyExists");
  const outcomes = await Promise.all(["1", "2", "3"].map((body) => refusal(head.upload(body, 1, { conditions: { ifMatch: etag } }))));
  expect(outcomes.toSorted()).toEqual(["412 ConditionNotMet", "412 ConditionNotMet", "not refused"]);
  const writes = lab.world.effects.filter(({ act }) => act === "blob.written").map(({ key }) => key);
  expect(writes).toEqual(Array(2).fill("stlifeboat/lifeboat/plans/shop/head.json"));
  expect(await refusal(head.getProperties({ conditions: { ifModifiedSince: new Date(0) } }))).toBe("400 ConditionHeadersNotSupported");
});

test("an effect without an answer is done once, and the repeat of a create finds it", async () => {
  const lab = await openStorageLab();
  const entry = lab.endpoint("stlifeboat").getContainerClient("lifeboat").getBlockBlobClient("ledger/1/fence.intent");
  lab.world.inject({ call: "stlifeboat PUT blob", kind: "effect-without-answer" });
  expect(await refusal(entry.upload("{}", 2, { conditions: { ifNoneMatch: "*" } }))).toMatch(/^no answer/);
  expect(await refusal(entry.upload("{}", 2, { conditions: { ifNoneMatch: "*" } }))).toBe("409 BlobAlreadyExists");
  lab.world.inject({ call: "stlifeboat DELETE blob", kind: "effect-without-answer" });
  expect(await refusal(entry.delete())).toMatch(/^no answer/);
  expect(await entry.exists()).toBe(false);
  expect(lab.world.effects.map(({ act, key }) => `${act} ${key}`)).toEqual(["blob.written stlifeboat/lifeboat/ledger/1/fence.intent", "blob.deleted stlifeboat/lifeboat/ledger/1/fence.intent"]);
});

test("a refused write does nothing, a blinded read learns nothing", async () => {
  const lab = await openStorageLab();
  const blob = lab.velero("stshopweu").getBlockBlobClient("a");
  lab.world.inject({ call: "stshopweu PUT blob", kind: "refused-503" });
  expect(await refusal(blob.upload("one", 3))).toMatch(/^503/);
  expect(await blob.exists()).toBe(false);
  lab.world.inject({ call: "stshopweu GET container", kind: "blind" });
  expect(await refusal(all(lab.velero("stshopweu").listBlobsFlat()))).toBe("403 AuthorizationFailure");
  lab.world.inject({ call: "stshopgeo-secondary GET service", kind: "blind" });
  expect((await lab.endpoint("stshopgeo-secondary").getStatistics()).geoReplication?.status).toBe("unavailable");
});

test("the accounts of a lost region are gone, the others and home answer", async () => {
  const lab = await openStorageLab();
  await lab.velero("stshopweu").getBlockBlobClient("a").upload("one", 3);
  await lab.velero("stshopneu").getBlockBlobClient("restores/x").upload("one", 3).catch(() => null);
  lab.world.setReach("westeurope", "reset");
  for (const account of ["stshopweu", "stshopgeo"]) expect(await refusal(lab.velero(account).getProperties())).toMatch(/^no answer ECONNRESET/);
  for (const account of ["stshopneu", "stshopgeo-secondary"]) expect(await refusal(lab.velero(account).getProperties())).toBe("not refused");
  expect(await refusal(lab.endpoint("stlifeboat").getContainerClient("lifeboat").getProperties())).toBe("not refused");
  lab.world.setReach("westeurope", "unavailable");
  expect(await refusal(lab.velero("stshopweu").getProperties())).toMatch(/^503/);
  lab.world.setReach("westeurope", "black-hole");
  const silent = lab.velero("stshopweu").getProperties({ abortSignal: AbortSignal.timeout(100) });
  await expect(silent).rejects.toThrow(/abort/i);
  lab.world.setReach("westeurope", "up");
  expect((await lab.velero("stshopweu").getBlobClient("a").getProperties()).contentLength).toBe(3);
});

test("a download that is under way breaks off when its region is lost", async () => {
  const lab = await openStorageLab();
  const size = 32 * 1024 * 1024;
  const blob = lab.velero("stshopweu").getBlockBlobClient("large");
  await blob.upload(Buffer.alloc(size), size);
  const { readableStreamBody } = await blob.download(0, undefined, { maxRetryRequests: 0 });
  const stream = readableStreamBody as Readable;
  const broken = once(stream, "end").then(
    () => "whole",
    () => "broken off",
  );
  await once(stream, "readable");
  lab.world.setReach("westeurope", "reset");
  stream.resume();
  expect(await broken).toBe("broken off");
});

test("a client that leaves in the middle of an upload leaves nothing behind, and no complaint", async () => {
  const lab = await openStorageLab();
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(warning.message);
  process.on("warning", listen);
  const { token } = await lab.identity.mint("https://storage.azure.com");
  const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2025-11-05", "x-ms-blob-type": "BlockBlob", "content-length": "1000000" };
  const request = http.request(`${lab.front.url}/stshopweu/velero/half`, { method: "PUT", headers });
  request.on("error", () => {});
  request.write(Buffer.alloc(500_000));
  await new Promise((resolve) => setTimeout(resolve, 100));
  request.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.off("warning", listen);
  expect(await lab.velero("stshopweu").getBlobClient("half").exists()).toBe(false);
  expect(lab.world.effects).toEqual([]);
  expect(warnings).toEqual([]);
});
