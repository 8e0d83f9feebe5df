/** One container kept as another one is: how blobs come and go between somebody's storage account and the lab's. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { BlobServiceClient, ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { accountKey, type Azurite, startAzurite } from "../../lab/azurite.ts";
import { type Mirror, startMirror } from "../../lab/given/mirror.ts";

let azurite: Azurite;
let from: ContainerClient;
let to: ContainerClient;
let tests = 0;

beforeAll(async () => {
  azurite = await startAzurite({ accounts: ["stone"] });
});
beforeEach(async () => {
  const service = new BlobServiceClient(`${azurite.url}/stone`, new StorageSharedKeyCredential("stone", accountKey("stone")), { retryOptions: { maxTries: 1 } });
  tests += 1;
  [from, to] = [service.getContainerClient(`from-${tests}`), service.getContainerClient(`to-${tests}`)];
  await from.create();
});
afterAll(async () => {
  await azurite?.close();
});

const put = async (name: string, text: string) => void (await from.getBlockBlobClient(name).upload(text, Buffer.byteLength(text)));
async function held(container: ContainerClient): Promise<Readonly<Record<string, string>>> {
  const blobs: Record<string, string> = {};
  for await (const { name } of container.listBlobsFlat()) blobs[name] = (await container.getBlobClient(name).downloadToBuffer()).toString("utf8");
  return blobs;
}
async function mirrored(options: Partial<Parameters<typeof startMirror>[0]>, act: (mirror: Mirror) => Promise<void>): Promise<void> {
  const mirror = startMirror({ from, to, onTrouble: (why) => expect.unreachable(why), ...options });
  try {
    await act(mirror);
  } finally {
    await mirror.close();
  }
}
const within = { timeout: 4_000, interval: 50 };

test("what is new, changed or gone is so on the other side soon; what is only there stays", async () => {
  await to.create();
  await to.getBlockBlobClient("theirs").upload("x", 1);
  for (const name of ["a", "b", "c", "d", "e", "f"]) await put(name, "1");
  await mirrored({}, async () => {
    await expect.poll(() => held(to), within).toEqual({ a: "1", b: "1", c: "1", d: "1", e: "1", f: "1", theirs: "x" });
    await put("a", "2");
    for (const name of ["b", "c", "d", "e", "f"]) await from.deleteBlob(name);
    await expect.poll(() => held(to), within).toEqual({ a: "2", theirs: "x" });
    expect((await to.getBlobClient("a").getProperties()).contentMD5).toBeUndefined();
  });
  await put("late", "1");
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(Object.keys(await held(to))).not.toContain("late");
});

test("what it does not take stays where it is", async () => {
  await to.create();
  await put("restores/one", "1");
  await put("backups/one", "1");
  await mirrored({ takes: (name) => !name.startsWith("restores/") }, async () => {
    await expect.poll(() => held(to), within).toEqual({ "backups/one": "1" });
  });
});

test("a side that refuses is told of once and tried again", async () => {
  await put("a", "1");
  const told: string[] = [];
  await mirrored({ onTrouble: (why) => void told.push(why) }, async () => {
    await expect.poll(() => told, within).toEqual(["ContainerNotFound"]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await to.create();
    await expect.poll(() => held(to), within).toEqual({ a: "1" });
  });
  expect(told).toEqual(["ContainerNotFound"]);
});

test("a blob that stands still is given up after its time, told of, and tried again", async () => {
  const etag = '"0x1"';
  let asked = 0;
  const stuck = http.createServer((request, response) => {
    if (request.url?.includes("comp=list") === true) {
      response.writeHead(200, { "content-type": "application/xml" });
      return void response.end(`<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Etag>${etag}</Etag><Last-Modified>Sat, 21 Nov 2026 06:05:00 GMT</Last-Modified></Properties></Blob></Blobs><NextMarker/></EnumerationResults>`);
    }
    asked += 1;
    response.writeHead(200, { etag, "content-length": "4" });
    // The rest comes only to who asks again.
    response.write(asked === 1 ? "1" : "1234");
  });
  await new Promise<void>((resolve) => void stuck.listen(0, "127.0.0.1", resolve));
  await to.create();
  const told: string[] = [];
  try {
    await mirrored({ from: new ContainerClient(`http://127.0.0.1:${(stuck.address() as AddressInfo).port}/stuck`), onTrouble: (why) => void told.push(why), blobMsMax: 500 }, async () => {
      await expect.poll(() => held(to), within).toEqual({ a: "1234" });
    });
  } finally {
    stuck.closeAllConnections();
    stuck.close();
  }
  expect(told).toEqual(["a was not over within 0.5 s"]);
});
