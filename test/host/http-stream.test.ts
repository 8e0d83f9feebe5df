import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openHost, type Host } from "../../lab/host/host.ts";
import { appDirectory } from "./app-directory.ts";

let stateDirectory: string;
let host: Host;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lifeboat-stream-"));
  host = await openHost({ appDirectory: appDirectory("streaming"), stateDirectory, clock: startClock(), port: 0, environment: {}, openEngine: null, log: () => {} });
});
afterAll(async () => {
  await host.close();
  await rm(stateDirectory, { recursive: true });
});

test("an app that asks for streaming names the address where its requests go", () => {
  expect(host.app.httpUri).toMatch(/^http:\/\/localhost:\d+\/$/);
});

test("an answer streams, with status, headers, cookies, query and route values", async () => {
  const answer = await fetch(`${host.url}/api/parts/3?q=yes`, { headers: { "x-ask": "me" } });
  expect([answer.status, answer.headers.get("x-asked"), answer.headers.get("x-query"), answer.headers.get("set-cookie")]).toEqual([206, "me", "yes", "a=1"]);
  const parts: string[] = [];
  for await (const part of answer.body ?? []) parts.push(Buffer.from(part as Uint8Array).toString("utf8"));
  expect(parts.join("")).toBe("part 1\npart 2\npart 3\n");
  expect(parts.length).toBeGreaterThan(1);
});

test("a chunked upload arrives whole, and the URL is the caller's", async () => {
  const upload = request(`${host.url}/api/upper`, { method: "POST" });
  const answered = new Promise<string>((resolve, reject) => upload.once("response", (answer) => resolve(text(answer))).once("error", reject));
  upload.write("one ");
  upload.end("two");
  expect(await answered).toBe(`${host.url}/api/upper ONE TWO`);
});

test("a handler that returns nothing is 204, one that throws 500", async () => {
  expect((await fetch(`${host.url}/api/nothing`)).status).toBe(204);
  expect((await fetch(`${host.url}/api/throws`)).status).toBe(500);
});
