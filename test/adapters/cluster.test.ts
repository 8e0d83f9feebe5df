import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Authority, openAuthority } from "../../lab/faces/certificates.ts";
import { listen, type Listener } from "../../lab/faces/listen.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { openCluster } from "../../shared/kubernetes/cluster.ts";
import { openScriptedServer, type Said, type ScriptedServer } from "./scripted-server.ts";

const name = "aks.westeurope.example.com";
let server: ScriptedServer;
let authority: Authority;
let secure: Listener;
const sockets = new Set<Socket>();
const tokensSeen: (string | undefined)[] = [];

beforeAll(async () => {
  server = await openScriptedServer();
  authority = await openAuthority();
  secure = await listen({ tls: await authority.issue([name]) }, (request, response) => {
    sockets.add(request.socket);
    tokensSeen.push(request.headers.authorization);
    response.end("ok");
  });
});
afterAll(() => Promise.all([server.close(), secure.close()]));

const open = (token: () => Promise<string> = () => Promise.resolve("made-up")) => openCluster("aks-shop-weu", { server: `https://${name}`, ca: "", token, connectTo: server.url, deadlineSeconds: 10 });
const status = (code: number, reason: string, message: string, details = {}): Said => ({ status: code, body: { kind: "Status", apiVersion: "v1", status: "Failure", reason, message, details, code } });

test("the certificate is checked against the cluster's own authority and name, wherever it is reached", async () => {
  const options = { server: `https://${name}`, ca: authority.caPem, token: () => Promise.resolve("made-up"), connectTo: secure.url, deadlineSeconds: 10 };
  expect(await openCluster("own", options).ready(5)).toEqual({ kind: "ready" });
  const stranger = await openAuthority();
  expect(await openCluster("stranger", { ...options, ca: stranger.caPem }).ready(5)).toMatchObject({ kind: "no-answer", why: expect.stringContaining("certificate") as string });
  expect(await openCluster("misnamed", { ...options, server: "https://other.example.com" }).ready(5)).toMatchObject({ kind: "no-answer", why: expect.stringContaining("altnames") as string });
});

test("calls share a connection, and each brings the token of its moment", async () => {
  sockets.clear();
  tokensSeen.length = 0;
  let calls = 0;
  const cluster = openCluster("own", { server: `https://${name}`, ca: authority.caPem, token: () => Promise.resolve(`token-${(calls += 1)}`), connectTo: secure.url, deadlineSeconds: 10 });
  for (let at = 0; at < 4; at += 1) await cluster.ready(5);
  expect(sockets.size).toBe(1);
  expect(tokensSeen).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-4"]);
});

test("whatever answers is alive; only silence and closed doors are no answer", async () => {
  const ready = (said: Said) => {
    server.say(said);
    return open().ready(0.5);
  };
  expect(await ready({ status: 200, body: "ok" })).toEqual({ kind: "ready" });
  expect(await ready(status(401, "Unauthorized", "Unauthorized"))).toMatchObject({ kind: "not-ready", why: expect.stringContaining("status 401") as string });
  expect(await ready(status(403, "Forbidden", "forbidden"))).toMatchObject({ kind: "not-ready" });
  expect(await ready({ status: 500, body: "[-]etcd failed: reason withheld" })).toEqual({ kind: "not-ready", why: "status 500: [-]etcd failed: reason withheld" });
  expect(await ready("reset")).toMatchObject({ kind: "no-answer" });
  expect(await ready("silence")).toEqual({ kind: "no-answer", why: "no answer within 0.5 s" });
});

test("without a token it is still asked whether anything answers, and nothing else", async () => {
  const cluster = open(() => Promise.reject(new Error("the identity endpoint is gone")));
  server.say(status(401, "Unauthorized", "Unauthorized"));
  expect(await cluster.ready(5)).toMatchObject({ kind: "not-ready" });
  expect(server.asked.at(-1)?.headers.authorization).toBeUndefined();
  await expect(cluster.list(kinds.nodes, null)).rejects.toThrow("list on aks-shop-weu/nodes: no token for the API server: the identity endpoint is gone");
});

test("a list is read page by page", async () => {
  const page = (names: readonly string[], next: string): Said => ({ status: 200, body: { kind: "PodList", apiVersion: "v1", metadata: { continue: next }, items: names.map((name) => ({ metadata: { name } })) } });
  server.say(({ url }) => (url.includes("continue=next") ? page(["c"], "") : page(["a", "b"], "next")));
  const before = server.asked.length;
  expect(await open().list(kinds.pods, "shop", "app=web")).toEqual(["a", "b", "c"].map((name) => ({ apiVersion: "v1", kind: "Pod", metadata: { name } })));
  expect(server.asked.slice(before).map(({ url }) => url)).toEqual(["/api/v1/namespaces/shop/pods?limit=500&labelSelector=app%3Dweb", "/api/v1/namespaces/shop/pods?limit=500&labelSelector=app%3Dweb&continue=next"]);
});

test("a list without end is an error", async () => {
  server.say({ status: 200, body: { kind: "PodList", apiVersion: "v1", metadata: { continue: "again" }, items: [] } });
  await expect(open().list(kinds.pods, null)).rejects.toThrow("more than 100000");
});

test("a 404 counts only when the API server says it", async () => {
  const cluster = open();
  server.say(status(404, "NotFound", 'pods "web" not found', { name: "web", kind: "pods" }));
  expect(await cluster.get(kinds.pods, "shop", "web")).toBeNull();
  server.say({ status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found\n" });
  expect(await cluster.list(kinds.backups, null)).toBeNull();
  server.say({ status: 404, headers: { "content-type": "text/html" }, body: "<html>no such site</html>" });
  await expect(cluster.get(kinds.pods, "shop", "web")).rejects.toThrow("status 404");
  await expect(cluster.delete(kinds.pods, "shop", "web")).rejects.toThrow("status 404");
});

test("something else than a Kubernetes API is an error, however friendly", async () => {
  server.say({ status: 200, headers: { "content-type": "text/html" }, body: "<html>welcome</html>" });
  await expect(open().get(kinds.pods, "shop", "web")).rejects.toMatchObject({ name: "WorldError" });
  await expect(open().list(kinds.pods, "shop")).rejects.toMatchObject({ name: "WorldError" });
});

test("a conflict that is not about the name is an error that may pass", async () => {
  server.say(status(409, "Conflict", "the object has been modified"));
  await expect(open().create(kinds.pods, { metadata: { name: "web", namespace: "shop" } })).rejects.toThrow("status 409 Conflict: the object has been modified");
});

test("an object without a name of its own is not created: repeated, it would be two", async () => {
  await expect(open().create(kinds.pods, { metadata: { generateName: "web-", namespace: "shop" } })).rejects.toThrow(TypeError);
});
