import { once } from "node:events";
import http from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { type Answer, json, text } from "../../lab/faces/answer.ts";
import { bodyOf, handle } from "../../lab/faces/handle.ts";
import { listen, type Listener } from "../../lab/faces/listen.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { type Fault, openWorld } from "../../lab/world/world.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
});

/** A face with one call, `POST things`, in westeurope, and how often its work was done. */
async function face(work: () => Answer = () => json(200, { done: true })) {
  const world = openWorld(startClock({ rate: 1000 }), noLatencies);
  const seen: boolean[] = [];
  const listener = await listen({}, (request, response) => {
    void handle(world, { call: "POST things", region: "westeurope", mutating: true }, request, response, ({ blind }) => {
      seen.push(blind);
      return work();
    });
  });
  open.push(listener);
  const ask = (timeoutMs = 5_000) => fetch(`${listener.url}/things`, { method: "POST", body: "{}", signal: AbortSignal.timeout(timeoutMs) });
  return { world, seen, listener, ask, inject: (kind: Fault["kind"], more: Partial<Fault> = {}) => world.inject({ call: "POST things", kind, ...more }) };
}

test("a region that is up answers with what the work says", async () => {
  const { ask, seen } = await face();
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-length")).toBe("13");
  expect(await answer.json()).toEqual({ done: true });
  expect(seen).toEqual([false]);
});

test("an effect without an answer is done, and its connection closed", async () => {
  const { ask, seen, inject } = await face();
  inject("effect-without-answer");
  await expect(ask()).rejects.toThrow("fetch failed");
  expect(seen).toHaveLength(1);
  expect((await ask()).status, "a fault for one request is used up").toBe(200);
});

test("a refused request does nothing, a blinded one is told so, a slow one takes its lab time", async () => {
  const { ask, seen, inject, world } = await face();
  inject("refused-503");
  expect((await ask()).status).toBe(503);
  inject("refused-403");
  const forbidden = await ask();
  expect(forbidden.status).toBe(403);
  expect(await forbidden.json()).toMatchObject({ error: { code: "AuthorizationFailed" } });
  expect(seen).toEqual([]);
  inject("blind");
  await ask();
  expect(seen).toEqual([true]);
  inject("slow", { delayMs: 60_000 });
  const before = world.clock.now();
  await ask();
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(60_000);
});

test("a lost region resets, is silent or says 503, and does none of the work", async () => {
  const { ask, seen, world } = await face();
  world.setReach("westeurope", "reset");
  await expect(ask()).rejects.toThrow("fetch failed");
  world.setReach("westeurope", "black-hole");
  await expect(ask(100)).rejects.toMatchObject({ name: "TimeoutError" });
  world.setReach("westeurope", "unavailable");
  expect((await ask()).status).toBe(503);
  expect(seen).toEqual([]);
  world.setReach("westeurope", "up");
  expect((await ask()).status).toBe(200);
});

test("a region lost while a slow request waits does not do it afterwards", async () => {
  const { ask, seen, world, inject } = await face();
  inject("slow", { delayMs: 60_000 });
  const asked = ask();
  await world.clock.sleep(20_000);
  world.setReach("westeurope", "reset");
  await expect(asked).rejects.toThrow("fetch failed");
  expect(seen).toEqual([]);
});

test.each(["reset", "black-hole"] as const)("a stream ends with its region: %s", async (reach) => {
  const source = new PassThrough();
  source.write("first\n");
  const { ask, world } = await face(() => ({ status: 200, body: source }));
  const reader = (await ask(300)).body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first\n");
  world.setReach("westeurope", reach);
  await expect(reader?.read()).rejects.toThrow(reach === "reset" ? "terminated" : "timeout");
  expect(source.destroyed).toBe(true);
});

test("a client that leaves ends its stream", async () => {
  const source = new PassThrough();
  source.write("first\n");
  const { ask } = await face(() => ({ status: 200, body: source }));
  await (await ask()).body?.cancel();
  if (!source.destroyed) await once(source, "close");
  expect(source.destroyed).toBe(true);
});

test("a fixed port in use is said plainly, with what to do", async () => {
  const { listener } = await face();
  await expect(listen({ port: listener.port, chooseWith: "--port" }, () => {})).rejects.toThrow(
    `port ${listener.port} on 127.0.0.1 is in use by another program: free it or choose another with --port`,
  );
});

test("closing ends requests that were never answered", async () => {
  const listener = await listen({}, () => {});
  const asked = fetch(listener.url);
  asked.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  await listener.close();
  await listener.close();
  await expect(asked).rejects.toThrow("fetch failed");
});

test("a body over the bound is refused", async () => {
  const listener = await listen({}, (request, response) => {
    bodyOf(request, 10).then(
      (body) => response.end(body),
      (error: Error) => response.writeHead(413).end(error.message),
    );
  });
  open.push(listener);
  const post = async (body: string) => (await fetch(listener.url, { method: "POST", body })).text();
  expect(await post("0123456789")).toBe("0123456789");
  expect(await post("0123456789+")).toBe("the body has more than 10 bytes");
});

test("text is text and a mistake in the work is a 500 that names the call", async () => {
  expect(text(200, "hello").headers).toEqual({ "content-type": "text/plain; charset=utf-8" });
  const { listener } = await face(() => {
    throw new Error("no such shelf");
  });
  const warned = once(process, "warning");
  const answer = await new Promise<http.IncomingMessage>((resolve) => http.request(`${listener.url}/things`, { method: "POST" }, resolve).end());
  expect(answer.statusCode).toBe(500);
  answer.resume();
  expect(((await warned) as [Error])[0].message).toContain("POST things: Error: no such shelf");
});
