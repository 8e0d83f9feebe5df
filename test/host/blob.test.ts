import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { accountKey, startAzurite, type Azurite } from "../../lab/azurite.ts";
import { startClock } from "../../lab/clock.ts";
import { openBindings } from "../../lab/host/bindings.ts";
import { loadApp, type HostedApp } from "../../lab/host/core-api.ts";
import type { LogRecord } from "../../lab/host/log.ts";
import { blobPath } from "../../lab/host/triggers/blob-path.ts";
import { startBlobTrigger } from "../../lab/host/triggers/blob.ts";
import type { RunningTrigger } from "../../lab/host/triggers/trigger.ts";
import { appDirectory } from "./app-directory.ts";

const shared = globalThis as { blobRuns?: unknown[]; failTimes?: number };
const runs = (shared.blobRuns ??= []);
const log: LogRecord[] = [];
const clock = startClock();
let azurite: Azurite;
let connectionString: string;
let container: ContainerClient;
let app: HostedApp;
let stateDirectory: string;
let open: RunningTrigger[] = [];

beforeAll(async () => {
  azurite = await startAzurite({ accounts: ["stlake"] });
  connectionString = `DefaultEndpointsProtocol=http;AccountName=stlake;AccountKey=${accountKey("stlake")};BlobEndpoint=${azurite.url}/stlake;`;
  app = await loadApp({ appDirectory: appDirectory("blobs"), log: () => {} });
});
afterAll(() => azurite.close());
beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lifeboat-blob-"));
  container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("velero");
  await container.createIfNotExists();
  for await (const { name } of container.listBlobsFlat()) await container.deleteBlob(name);
  runs.length = 0;
  log.length = 0;
  shared.failTimes = 0;
});
afterEach(async () => {
  await Promise.all(open.map((trigger) => trigger.close()));
  open = [];
  await rm(stateDirectory, { recursive: true });
});

async function start(name: string, settings: Record<string, string> = { Lake: connectionString, CONTAINER: "velero" }, hosts: Record<string, string> = {}): Promise<RunningTrigger> {
  const registered = app.functions.get(name);
  if (!registered) throw new Error(`no ${name}`);
  const options = { registered, app, bindings: openBindings(null), clock, settings, stateDirectory, hosts, pollMs: 1, log: (record: LogRecord) => void log.push(record) };
  const trigger = await startBlobTrigger(options);
  open.push(trigger);
  return trigger;
}

const put = (name: string, body = "{}", metadata: Record<string, string> = {}) => container.getBlockBlobClient(name).upload(body, body.length, { metadata });
/** A few looks at the container. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 350));

describe("a blob trigger", () => {
  test("hands over the bytes, and the metadata of the real host with camel-cased keys and the pattern's variables", async () => {
    await put("backups/shop-1/velero-backup.json", '{"a":1}', { owner: "velero" });
    await put("backups/shop-1/velero-backup.tar", "no match");
    await start("backups");
    await expect.poll(() => runs).toEqual([
      {
        isBuffer: true,
        content: '{"a":1}',
        metadata: {
          blobTrigger: "velero/backups/shop-1/velero-backup.json",
          uri: `${azurite.url}/stlake/velero/backups/shop-1/velero-backup.json`,
          properties: expect.objectContaining({ contentLength: 7, blobType: "BlockBlob", eTag: expect.any(String), lastModified: expect.any(String) }),
          metadata: { owner: "velero" },
          backup: "shop-1",
          file: "velero-backup",
        },
      },
    ]);
    await looks();
    expect(runs).toHaveLength(1);
  });

  test("a path that is only a container takes every blob, and dataType string gives text", async () => {
    await put("any/where.txt", "hello");
    await start("text");
    await expect.poll(() => runs).toEqual([{ kind: "string", content: "hello" }]);
  });

  test("a new version of a blob is a new run", async () => {
    await put("one");
    await start("text");
    await expect.poll(() => runs.length).toBe(1);
    await put("one", "[2]");
    await expect.poll(() => runs.length).toBe(2);
  });

  test("receipts outlive the host, also with a line that a kill cut off", async () => {
    await put("one");
    const first = await start("text");
    await expect.poll(() => runs.length).toBe(1);
    await first.close();
    const file = join(stateDirectory, "blobs", "text.jsonl");
    const { appendFile } = await import("node:fs/promises");
    await appendFile(file, '{"container":"velero","blob":"tw');
    await put("two");
    await start("text");
    await expect.poll(() => runs.length).toBe(2);
    await looks();
    expect(runs).toHaveLength(2);
  });

  test("a blob that is gone leaves no receipt behind", async () => {
    await put("one");
    const trigger = await start("text");
    await expect.poll(() => runs.length).toBe(1);
    await container.deleteBlob("one");
    const file = join(stateDirectory, "blobs", "text.jsonl");
    await expect.poll(() => readFile(file, "utf8")).toMatch(/"gone"/);
    await trigger.close();
    await (await start("text")).close();
    expect(await readFile(file, "utf8")).toBe("");
  });

  test("a failing run is tried again", async () => {
    shared.failTimes = 2;
    await put("weak");
    await start("failing");
    await expect.poll(() => runs, { timeout: 5_000 }).toEqual(["weak", "weak", "weak"]);
    await looks();
    expect(runs).toHaveLength(3);
  });

  test("after five tries a version is put aside as poison, and others go on", async () => {
    shared.failTimes = 5;
    await put("bad");
    const { etag } = await container.getBlobClient("bad").getProperties();
    await start("failing");
    const poison = join(stateDirectory, "webjobs-blobtrigger-poison.jsonl");
    await expect.poll(() => readFile(poison, "utf8").catch(() => ""), { timeout: 5_000 }).not.toBe("");
    expect(runs).toHaveLength(5);
    expect(JSON.parse(await readFile(poison, "utf8"))).toEqual({ FunctionId: "Host.Functions.failing", BlobType: "BlockBlob", ContainerName: "velero", BlobName: "bad", ETag: expect.stringContaining((etag ?? "").replaceAll('"', "")) });
    await put("good");
    await expect.poll(() => runs.at(-1)).toBe("good");
    await looks();
    expect(runs).toHaveLength(6);
  });

  test("failures are counted across restarts of the host", async () => {
    shared.failTimes = 3;
    await put("bad");
    const first = await start("failing");
    await expect.poll(() => runs.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(3);
    await first.close();
    shared.failTimes = 100;
    await start("failing");
    await expect.poll(() => readFile(join(stateDirectory, "webjobs-blobtrigger-poison.jsonl"), "utf8").catch(() => ""), { timeout: 5_000 }).not.toBe("");
    expect(log.filter(({ level }) => level === "error").map(({ message }) => /try (\d)/.exec(message)?.[1])).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("a container that is missing is told once, and watched until it is there", async () => {
    await start("backups", { Lake: connectionString, CONTAINER: "later" });
    await looks();
    expect(log.filter(({ level }) => level === "warning")).toHaveLength(1);
    const later = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("later");
    await later.create();
    await later.getBlockBlobClient("backups/b/f.json").upload("1", 1);
    await expect.poll(() => runs.length).toBe(1);
    await later.delete();
  });

  test("fires by hand for the blob that the input names, and says what it does not watch", async () => {
    await put("backups/b/f.json");
    const trigger = await start("backups");
    await expect.poll(() => runs.length).toBe(1);
    await trigger.fire("velero/backups/b/f.json");
    expect(runs).toHaveLength(2);
    await expect(trigger.fire("velero/else")).rejects.toThrow(/not a path that this trigger watches/);
    await expect(trigger.fire("velero/backups/b/none.json")).rejects.toThrow(/there is no blob/);
  });
});

describe("a connection", () => {
  test("AzureWebJobsNAME is taken before NAME", async () => {
    await put("one");
    await start("text", { AzureWebJobsLake: connectionString, Lake: "AccountName=nobody;AccountKey=bm9uZQ==;BlobEndpoint=http://127.0.0.1:1/nobody;" });
    await expect.poll(() => runs.length).toBe(1);
  });

  test("that is not set is named, with what to set", async () => {
    await expect(start("text", {})).rejects.toThrow(/connection "Lake" is not set.*Lake__blobServiceUri/);
  });

  test("without an account key is refused", async () => {
    await expect(start("text", { Lake: "BlobEndpoint=http://127.0.0.1:1/x;SharedAccessSignature=sv=1" })).rejects.toThrow(/holds no account key/);
  });
});

describe("a connection by managed identity", () => {
  let server: Server;
  const asked: string[] = [];

  beforeAll(async () => {
    // Plays the identity endpoint, and a storage account that takes its token only.
    server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://x");
      if (url.pathname === "/token") {
        asked.push(`${url.searchParams.get("resource")} ${url.searchParams.get("client_id")} ${String(request.headers["x-identity-header"])}`);
        response.setHeader("content-type", "application/json").end(JSON.stringify({ access_token: "a-made-up-token", expires_on: String(Math.floor(Date.now() / 1_000) + 3_600), resource: "", token_type: "Bearer" }));
        return;
      }
      if (request.headers.authorization !== "Bearer a-made-up-token" || request.headers["x-forwarded-host"] !== "stshopweu.blob.core.windows.net") return void response.writeHead(403).end();
      if (url.searchParams.get("comp") !== "list") return void response.writeHead(200, { etag: '"0x1"', "content-type": "text/plain", "last-modified": new Date().toUTCString(), "content-length": "9" }).end("from afar");
      const blob = "<Blob><Name>far</Name><Properties><Etag>0x1</Etag><Last-Modified>Sat, 21 Nov 2026 06:05:00 GMT</Last-Modified><BlobType>BlockBlob</BlobType></Properties></Blob>";
      response.setHeader("content-type", "application/xml").end(`<?xml version="1.0"?><EnumerationResults ContainerName="velero"><Blobs>${blob}</Blobs><NextMarker/></EnumerationResults>`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each([
    ["Lake__blobServiceUri", "https://stshopweu.blob.core.windows.net", "client-1"],
    ["Lake__accountName", "stshopweu", "client-2"],
  ])("%s: a token of the identity endpoint opens the account at its other address", async (setting, value, clientId) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.IDENTITY_ENDPOINT = `${url}/token`;
    process.env.IDENTITY_HEADER = "a-made-up-header";
    asked.length = 0;
    await start("text", { [setting]: value, Lake__clientId: clientId }, { "stshopweu.blob.core.windows.net": url });
    await expect.poll(() => runs, { timeout: 5_000 }).toEqual([{ kind: "string", content: "from afar" }]);
    expect(asked).toEqual([`https://storage.azure.com ${clientId} a-made-up-header`]);
  });
});

describe("blob paths", () => {
  test.each<[string, string, object | null]>([
    ["velero/{name}", "a/b.txt", { name: "a/b.txt" }],
    ["velero/{name}.{ext}", "a.b.txt", { name: "a.b", ext: "txt" }],
    ["velero/backups/{backup}/{file}.json", "backups/x/y.json", { backup: "x", file: "y" }],
    ["velero/backups/{backup}.json", "backups/x/json", null],
    ["velero/fixed+name.json", "fixed+name.json", {}],
    ["velero", "anything", { name: "anything" }],
  ])("%s, %s", (path, blob, expected) => {
    expect(blobPath(path).match(blob)).toEqual(expected);
  });

  test("the fixed beginning of a pattern is what is listed", () => {
    expect([blobPath("velero/backups/{b}").prefix, blobPath("velero").prefix]).toEqual(["backups/", ""]);
  });

  test.each(["{container}/{name}", "/name", "velero/", ""])("refuses %j", (path) => {
    expect(() => blobPath(path)).toThrow(/no path of a blob trigger/);
  });
});
