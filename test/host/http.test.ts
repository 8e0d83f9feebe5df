import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labStart, startClock } from "../../lab/clock.ts";
import { openHost, type Host } from "../../lab/host/host.ts";
import { listenHttp } from "../../lab/host/http-server.ts";
import type { LogRecord } from "../../lab/host/log.ts";
import { appDirectory } from "./app-directory.ts";

const log: LogRecord[] = [];
const environment: Record<string, string | undefined> = { NO_PROXY: "internal.example" };
let stateDirectory: string;
let host: Host;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lifeboat-http-"));
  host = await openHost({
    appDirectory: appDirectory("web"),
    stateDirectory,
    clock: startClock(),
    port: 0,
    environment,
    openEngine: null,
    log: (record) => log.push(record),
  });
});
afterAll(async () => {
  await host.close();
  await rm(stateDirectory, { recursive: true });
});

const ask = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, { redirect: "manual", ...init });
const told = () => log.map(({ message }) => message).join("\n");

/** What no HTTP library would send. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe("a request", () => {
  test("arrives with absolute URL, method, query, lower-case headers and body", async () => {
    const answer = await ask("/api/mirror/a?x=1&y=two%20words", { method: "PUT", headers: { "X-Mixed": "Case" }, body: "the body" });
    expect(await answer.json()).toMatchObject({
      method: "PUT",
      url: `${host.url}/api/mirror/a?x=1&y=two%20words`,
      query: { x: "1", y: "two words" },
      headers: { "x-mixed": "Case" },
      body: "the body",
    });
  });

  test("carries decoded route values", async () => {
    expect(await (await ask("/api/mirror/a/b%20c")).json()).toMatchObject({ params: { rest: "a/b c" } });
    expect(await (await ask("/api/items/7/left%2Fright")).json()).toMatchObject({ params: { id: "7", part: "left/right" } });
    expect(await (await ask("/api/items/7")).json()).toMatchObject({ params: { id: "7" } });
  });

  test("values that occur twice are joined", async () => {
    expect(await (await ask("/api/mirror?x=1&x=2")).json()).toMatchObject({ query: { x: "1,2" } });
  });

  test("bodies are bytes, JSON among them", async () => {
    expect(await (await ask("/api/mirror", { method: "POST", body: '{"a":1}' })).json()).toMatchObject({ body: '{"a":1}' });
  });

  test("a body on GET is dropped, with a warning", async () => {
    const answer = await raw("GET /api/mirror/x HTTP/1.1\r\nhost: lab\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc");
    expect(answer).toContain('"body":""');
    expect(told()).toMatch(/Discarding the body of the incoming GET request/);
  });

  test("a chunked body arrives empty, with a warning, as on Azure", async () => {
    const answer = await raw("POST /api/mirror/x HTTP/1.1\r\nhost: lab\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    expect(answer).toContain('"body":""');
    expect(told()).toMatch(/chunked body was dropped/);
  });

  test("more than 100 MB is 413, before anything is read", async () => {
    expect(await raw("POST /api/mirror/x HTTP/1.1\r\nhost: lab\r\ncontent-length: 104857601\r\nconnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe("an answer", () => {
  test("carries status, headers and body", async () => {
    const answer = await ask("/api/answers/created");
    expect([answer.status, answer.headers.get("location"), answer.headers.get("content-type"), await answer.text()]).toEqual([201, "/api/items/7", "text/x-own", "made"]);
  });

  test("carries bytes", async () => {
    expect(new Uint8Array(await (await ask("/api/answers/bytes")).arrayBuffer())).toEqual(new Uint8Array([0, 255, 128]));
  });

  test("may be an HttpResponse", async () => {
    expect((await ask("/api/answers/response")).status).toBe(418);
  });

  test("may be 204 without a body", async () => {
    expect((await ask("/api/answers/no-content")).status).toBe(204);
  });

  test("cookies are written with each attribute", async () => {
    expect((await ask("/api/answers/cookies")).headers.getSetCookie()).toEqual([
      "plain=a%20b%3Bc; path=/",
      "full=1; expires=Fri, 02 Jan 2026 00:00:00 GMT; max-age=60; domain=lab.example; path=/here; secure; samesite=strict; httponly",
      "open=2; path=/; samesite=none",
      "lax=3; path=/; samesite=lax",
    ]);
  });

  test("of a handler that returns nothing is 204", async () => {
    const answer = await ask("/api/nothing");
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
  });

  test("of a handler that throws is 500, and the reason is only in the log", async () => {
    const answer = await ask("/api/throws");
    expect([answer.status, await answer.text()]).toEqual([500, ""]);
    expect(told()).toMatch(/a secret of the inside/);
  });

  test("of a handler that returns no HTTP answer is 500", async () => {
    expect((await ask("/api/answers/not-http")).status).toBe(500);
  });

  test("is dated by the lab's clock, and so is the app", async () => {
    const answer = await ask("/api/clock");
    expect(Math.abs(Date.parse(answer.headers.get("date") ?? "") - Date.parse(await answer.text()))).toBeLessThan(2_000);
    expect(Date.parse(answer.headers.get("date") ?? "")).toBeGreaterThanOrEqual(labStart - 1_000);
    expect(Date.parse(answer.headers.get("date") ?? "")).toBeLessThan(labStart + 3_600_000);
  });
});

describe("routes", () => {
  test("the default route is the function's name, the default methods GET and POST", async () => {
    expect([(await ask("/api/plain")).status, (await ask("/api/plain", { method: "POST" })).status]).toEqual([200, 200]);
  });

  test("a literal is better than a parameter", async () => {
    expect(await (await ask("/api/items/latest")).text()).toBe("the latest");
  });

  test.each([
    ["a path that no route has", "/api/unknown", "GET"],
    ["a path outside the prefix", "/plain", "GET"],
    ["a method that the route has not: never 405, as on Azure", "/api/items/latest", "DELETE"],
    ["HEAD where only GET is named, as on Azure", "/api/items/latest", "HEAD"],
    ["OPTIONS, which nobody handles", "/api/items/latest", "OPTIONS"],
    ["a value that its constraint refuses", "/api/items/seven", "GET"],
  ])("%s is 404", async (_, path, method) => {
    expect((await ask(path, { method })).status).toBe(404);
  });

  test("HEAD where it is named has headers and no body", async () => {
    const answer = await ask("/api/headed", { method: "HEAD" });
    expect([answer.status, answer.headers.get("x-own"), answer.headers.get("content-length"), await answer.text()]).toEqual([200, "1", "11", ""]);
  });
});

describe("function keys", () => {
  test.each<[string, string, () => RequestInit, string, number]>([
    ["none", "keyed", () => ({}), "", 401],
    ["a wrong one", "keyed", () => ({ headers: { "x-functions-key": "guess" } }), "", 401],
    ["a function key in the header", "keyed", () => ({ headers: { "x-functions-key": host.keys.functions.default ?? "" } }), "", 200],
    ["the master key in the header", "keyed", () => ({ headers: { "x-functions-key": host.keys.master } }), "", 200],
    ["a wrong one in the query", "keyed", () => ({}), "?code=guess", 401],
    ["a function key at level admin", "adminOnly", () => ({ headers: { "x-functions-key": host.keys.functions.default ?? "" } }), "", 401],
    ["the master key at level admin", "adminOnly", () => ({ headers: { "x-functions-key": host.keys.master } }), "", 200],
  ])("%s for %s", async (_, name, init, query, status) => {
    const answer = await ask(`/api/${name}${query}`, init());
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(status === 200 ? "let in" : "");
  });

  test("a function key in the query", async () => {
    expect((await ask(`/api/keyed?code=${host.keys.functions.default}`)).status).toBe(200);
  });

  test("were made up at the first start and are kept in the state directory", async () => {
    expect(JSON.parse(await readFile(join(stateDirectory, "keys.json"), "utf8"))).toEqual(host.keys);
    expect(host.keys.master).toMatch(/^lab-master-/);
  });
});

describe("administration", () => {
  const asMaster = () => ({ "x-functions-key": host.keys.master });
  const fire = (name: string, body?: string) => ask(`/admin/functions/${name}`, { method: "POST", headers: asMaster(), ...(body === undefined ? {} : { body }) });

  test("needs the master key", async () => {
    expect((await ask("/admin/host/status")).status).toBe(401);
    expect((await ask("/admin/functions/manual", { method: "POST", headers: { "x-functions-key": host.keys.functions.default ?? "" } })).status).toBe(401);
  });

  test("tells the host's status", async () => {
    expect(await (await ask("/admin/host/status", { headers: asMaster() })).json()).toMatchObject({ state: "Running", functionCount: host.app.functions.size });
  });

  test("fires a function by hand, with and without input", async () => {
    expect([(await fire("manual", '{"input":"now"}')).status, (await fire("manual", '{"input":{"a":1}}')).status, (await fire("manual")).status]).toEqual([202, 202, 202]);
    await expect.poll(() => (globalThis as { fired?: unknown[] }).fired).toEqual(["now", { a: 1 }, undefined]);
  });

  test("a run by hand that fails is in the log", async () => {
    expect((await fire("manual", '{"input":"fail"}')).status).toBe(202);
    await expect.poll(told).toMatch(/run by hand failed: Error: failed by hand/);
  });

  test.each([
    ["a function that is not there", "nobody", "{}", 404],
    ["a function that HTTP calls", "plain", "{}", 400],
    ["a body that is no JSON", "manual", "now", 400],
  ])("%s", async (_, name, body, status) => {
    const answer = await fire(name, body);
    expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([status, ["error"]]);
  });

  test("anything else there is 404", async () => {
    expect((await ask("/admin/host/keys", { headers: asMaster() })).status).toBe(404);
  });
});

test("a port in use is said plainly", async () => {
  const port = Number(new URL(host.url).port);
  await expect(listenHttp({ port, clock: startClock(), log: () => {} })).rejects.toThrow(`port ${port} is in use: stop who has it, or give the host another port`);
});

test("before it serves, a listener answers 503", async () => {
  const listener = await listenHttp({ port: 0, clock: startClock(), log: () => {} });
  expect((await fetch(listener.url)).status).toBe(503);
  await listener.close();
});

describe("what the platform sets for the app", () => {
  test("WEBSITE_HOSTNAME is the host's address, and the loopback needs no proxy", () => {
    expect(environment).toMatchObject({ WEBSITE_HOSTNAME: new URL(host.url).host, NO_PROXY: "internal.example,127.0.0.1,localhost" });
  });
});
