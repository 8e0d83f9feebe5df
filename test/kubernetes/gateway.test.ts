/** The gateway in front of a real API server, here with the double behind it: what passes, and what the world learns on the way. */
import https from "node:https";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Authority, openAuthority } from "../../lab/faces/certificates.ts";
import { serveKubernetesApi } from "../../lab/faces/kubernetes-api.ts";
import { openKubernetesGateway } from "../../lab/faces/kubernetes-gateway.ts";
import type { Listener } from "../../lab/faces/listen.ts";
import type { LabWorld } from "../../lab/world/world.ts";
import { goodToken, labWorld, runningCluster } from "./region.ts";

const region = "northeurope";
let authority: Authority;
let serving = true;
let world: LabWorld;
let server: Listener;
let gateway: Listener;

beforeAll(async () => {
  authority = await openAuthority();
  // Behind the gateway the double has a world of its own, as a real API server has: what is seen here, the gateway has seen.
  const inside = labWorld();
  const tls = await authority.issue(["localhost"], ["127.0.0.1"]);
  server = await serveKubernetesApi(inside, { cluster: runningCluster(inside), authenticate: (token) => token === goodToken, place: { tls } });
});
beforeEach(async () => {
  serving = true;
  await gateway?.close();
  world = labWorld();
  gateway = await openKubernetesGateway(world, { region, server: { url: server.url, caPem: authority.caPem }, place: { tls: await authority.issue(["localhost"], ["127.0.0.1"]) }, isServing: () => serving });
});
afterAll(async () => {
  await gateway.close();
  await server.close();
});

const maps = "/api/v1/namespaces/default/configmaps";
const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: { of: "the test" } });
const effects = () => world.effects.map(({ act, key }) => `${act} ${key}`);

test("answers pass as they are, whoever asks", async () => {
  expect(await ask("GET", "/version")).toMatchObject({ status: 200, body: { gitVersion: "v1.34.4" } });
  expect(await ask("GET", "/version", undefined, "a-strangers")).toMatchObject({ status: 401 });
  expect(await ask("GET", `${maps}/nothing`)).toMatchObject({ status: 404, body: { reason: "NotFound" } });
  expect(world.requests.map(({ call, thing }) => `${call} ${thing}`)).toEqual(["GET version northeurope", "GET version northeurope", "GET v1/configmaps northeurope/default/nothing"]);
});

test("what became true is in the log of effects, and what was refused is not", async () => {
  expect(await ask("POST", maps, map("one"))).toMatchObject({ status: 201 });
  expect(await ask("POST", maps, map("one"))).toMatchObject({ status: 409 });
  expect(await ask("PATCH", `${maps}/one`, { data: { of: "another" } })).toMatchObject({ status: 200, body: { data: { of: "another" } } });
  expect(await ask("DELETE", `${maps}/one`)).toMatchObject({ status: 200 });
  expect(await ask("DELETE", `${maps}/one`)).toMatchObject({ status: 404 });
  expect(await ask("GET", "/api/v1/namespaces/default")).toMatchObject({ body: { kind: "Namespace" } });
  expect(effects()).toEqual(["kubernetes.created northeurope/configmaps/default/one", "kubernetes.patched northeurope/configmaps/default/one", "kubernetes.deleted northeurope/configmaps/default/one"]);
  expect(world.requests.at(-1)).toMatchObject({ call: "GET v1/namespaces", thing: "northeurope//default" });
});

test("a lost answer is an effect all the same, once", async () => {
  world.inject({ call: "POST v1/configmaps", kind: "effect-without-answer" });
  await expect(ask("POST", maps, map("lost"))).rejects.toThrow(/socket hang up|ECONNRESET/);
  expect(await ask("POST", maps, map("lost"))).toMatchObject({ status: 409 });
  expect(effects()).toEqual(["kubernetes.created northeurope/configmaps/default/lost"]);
});

test("a lost region does not answer, and neither does a stopped cluster; nothing comes to the server behind", async () => {
  world.setReach(region, "reset");
  await expect(ask("POST", maps, map("unseen"))).rejects.toThrow(/socket hang up|ECONNRESET/);
  world.setReach(region, "up");
  serving = false;
  await expect(ask("POST", maps, map("unseen"))).rejects.toThrow(/socket hang up|ECONNRESET/);
  serving = true;
  expect(await ask("GET", `${maps}/unseen`)).toMatchObject({ status: 404 });
});

test("an API server that is not there is a connection that breaks, as without a gateway", async () => {
  const alone = await openKubernetesGateway(world, { region, server: { url: "https://127.0.0.1:1", caPem: authority.caPem }, place: { tls: await authority.issue(["localhost"], ["127.0.0.1"]) }, isServing: () => true });
  await expect(ask("GET", "/version", undefined, goodToken, alone.url)).rejects.toThrow(/socket hang up|ECONNRESET/);
  await alone.close();
});

test("a watch goes on while it has nothing to say, and ends with the region", async () => {
  const lines: string[] = [];
  const ended = new Promise<void>((resolve) => {
    const request = https.get(`${gateway.url}${maps}?watch=1`, { ca: authority.caPem, headers: { authorization: `Bearer ${goodToken}` } }, (response) => {
      response.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
      response.once("close", () => resolve());
      response.on("error", () => resolve());
      void ask("POST", maps, map("watched"));
    });
    request.on("error", () => resolve());
  });
  await expect.poll(() => lines.join("")).toContain('"watched"');
  world.setReach(region, "reset");
  await ended;
});

interface Asked {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function ask(method: string, path: string, body?: unknown, token = goodToken, url = gateway.url): Promise<Asked> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return new Promise((resolve, reject) => {
    const request = https.request(`${url}${path}`, { method, ca: authority.caPem, agent: false, headers: { authorization: `Bearer ${token}`, "content-type": type } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Asked["body"] }));
    });
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
