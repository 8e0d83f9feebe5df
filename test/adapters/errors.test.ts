import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dnsZone, primary, trafficManager, accounts } from "../../lab/world/pair.ts";
import { openAks } from "../../shared/azure/aks.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openHome } from "../../shared/azure/home-blob.ts";
import { openReplication } from "../../shared/azure/replication.ts";
import { openHealth } from "../../shared/azure/resource-health.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { openTraffic } from "../../shared/azure/traffic.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { plain, retryAfterSeconds } from "../../shared/foreign-words.ts";
import { openCluster } from "../../shared/kubernetes/cluster.ts";
import type { PlanTraffic, World } from "../../shared/ports.ts";
import { WorldError } from "../../shared/ports.ts";
import { listed } from "../contracts/backups.ts";
import { openScriptedServer, type ScriptedServer } from "./scripted-server.ts";

/** Shaped like a token, and none. */
const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWRlLXVwIn0.c2lnbmF0dXJl";

let server: ScriptedServer;
beforeAll(async () => {
  server = await openScriptedServer();
});
afterAll(() => server.close());

function openWorld(deadlineSeconds = 10): Pick<World, "aks" | "traffic" | "replication" | "health" | "backups" | "home"> & { readonly cluster: ReturnType<typeof openCluster> } {
  const hosts = Object.fromEntries(["management.azure.com", "stshopneu.blob.core.windows.net", "stlifeboat.blob.core.windows.net"].map((host) => [host, server.url]));
  const arm = { credential: { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }, transport: openTransport(hosts), deadlineSeconds };
  const blobService = openBlobService(arm.credential, arm.transport, deadlineSeconds);
  return {
    aks: openAks(arm),
    traffic: openTraffic(arm),
    replication: openReplication(arm, blobService),
    health: openHealth(arm),
    backups: openBackups(blobService),
    home: openHome(blobService, { url: "https://stlifeboat.blob.core.windows.net", container: "lifeboat" }),
    cluster: openCluster("aks-shop-weu", { server: "https://aks.example.com", ca: "", token: () => Promise.resolve(token), connectTo: server.url, deadlineSeconds }),
  };
}

const profile: PlanTraffic = { kind: "traffic-manager", profile: trafficManager.id, endpoints: trafficManager.endpoints, publicUrl: "https://shop.example.com/" };
const record: PlanTraffic = { kind: "dns", recordSet: `${dnsZone.id}/CNAME/demo`, targets: { primary: "a.example.com", secondary: "b.example.com", closed: "c.example.com" }, ttlSeconds: 15, publicUrl: "https://demo.example.com/" };
const place = { url: "https://stshopneu.blob.core.windows.net", container: "velero" };

const calls: readonly [string, (world: ReturnType<typeof openWorld>) => Promise<unknown>][] = [
  ["read cluster on aks-shop-weu", ({ aks }) => aks.read(primary.cluster.id)],
  ["read cluster on aks-shop-weu", ({ aks }) => aks.start(primary.cluster.id)],
  ["raise node pool on aks-shop-weu/user", ({ aks }) => aks.raisePool(primary.cluster.id, "user", 3)],
  ["read profile on tm-shop", ({ traffic }) => traffic.read(profile)],
  ["enable endpoint on tm-shop/northeurope", ({ traffic }) => traffic.openSecondary(profile)],
  ["disable endpoint on tm-shop/westeurope", ({ traffic }) => traffic.closePrimary(profile)],
  ["read record on demo.example.com", ({ traffic }) => traffic.openSecondary(record)],
  ["list replication policies on stshopneu", ({ replication }) => replication.policy(accounts.replica.id)],
  ["delete replication policy on stshopneu/p1", ({ replication }) => replication.deletePolicy(accounts.replica.id, "p1")],
  ["read last sync time on https://stshopneu.blob.core.windows.net", ({ replication }) => replication.lastSync(place.url)],
  ["read health on aks-shop-weu", ({ health }) => health.of(primary.cluster.id)],
  ["list blobs on https://stshopneu.blob.core.windows.net/velero/backups/", ({ backups }) => listed(backups.list(place, "backups/"))],
  ["list folders on https://stshopneu.blob.core.windows.net/velero/backups/", ({ backups }) => backups.folders(place, "backups/")],
  ["read blob on https://stshopneu.blob.core.windows.net/velero/x", ({ backups }) => backups.read(place, "x")],
  ["open blob on https://stshopneu.blob.core.windows.net/velero/x", ({ backups }) => backups.open(place, "x")],
  ["probe for writes on https://stshopneu.blob.core.windows.net/velero/x", ({ backups }) => backups.probeWrite(place, "x")],
  ["read blob on home/head.json", ({ home }) => home.read("head.json")],
  ["create blob on home/head.json", ({ home }) => home.create("head.json", "{}")],
  ["replace blob on home/head.json", ({ home }) => home.replace("head.json", "{}", '"1"')],
  ["put blob on home/head.json", ({ home }) => home.put("head.json", "{}")],
  ["list blobs on home/plans/", ({ home }) => home.list("plans/")],
  ["get on aks-shop-weu/shop/deployments/web", ({ cluster }) => cluster.get(kinds.deployments, "shop", "web")],
  ["list on aks-shop-weu/nodes", ({ cluster }) => cluster.list(kinds.nodes, null)],
  ["create on aks-shop-weu/velero/restores/r", ({ cluster }) => cluster.create(kinds.restores, { metadata: { name: "r", namespace: "velero" } })],
  ["patch on aks-shop-weu/shop/deployments/web", ({ cluster }) => cluster.patch(kinds.deployments, "shop", "web", {})],
  ["delete on aks-shop-weu/shop/deployments/web", ({ cluster }) => cluster.delete(kinds.deployments, "shop", "web")],
];

async function errorOf(call: Promise<unknown>): Promise<WorldError> {
  const error: unknown = await call.then(
    () => new Error("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorldError)) throw error;
  // Whatever way it is written down, the token is not in it.
  for (const text of [error.message, error.stack ?? "", inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error)]) expect(text).not.toContain(token.slice(0, 20));
  return error;
}

test("every call ends by its deadline when nothing answers", async () => {
  server.say("silence");
  const errors = await Promise.all(calls.map(([, call]) => errorOf(call(openWorld(0.3)))));
  expect(errors.map(({ message }) => message)).toEqual(calls.map(([operation]) => `${operation}: no answer within 0.3 s`));
});

describe.each(calls)("%s", (operation, call) => {
  test("tells of a connection that was closed", async () => {
    server.say("reset");
    expect((await errorOf(call(openWorld()))).message).toMatch(/: .*(ECONNRESET|socket hang up)/);
  });

  test("carries Retry-After of a refusal that may pass, and asks once", async () => {
    const code = "ServerBusy";
    server.say({ status: 503, headers: { "retry-after": "17", "x-ms-request-id": "req-1", "x-ms-error-code": code }, body: { error: { code, message: `busy; you sent Bearer ${token}` } } });
    const before = server.asked.length;
    const error = await errorOf(call(openWorld()));
    expect(error.retryAfterSeconds).toBe(17);
    expect(error.message).toContain(`${operation}: status 503`);
    expect(server.asked.length - before).toBe(1);
  });
});

test("an error names status, code and request", async () => {
  server.say({ status: 429, headers: { "x-ms-request-id": "req-2" }, body: { error: { code: "Throttled", message: "too many requests\nsecond line" } } });
  expect((await errorOf(openWorld().traffic.read(profile))).message).toBe("read profile on tm-shop: status 429 Throttled: too many requests (request req-2)");
});

test("how long to wait is read from any of the three headers, a date among them", () => {
  const from = (headers: Record<string, string>) => retryAfterSeconds((name) => headers[name]);
  expect(from({ "retry-after": "17" })).toBe(17);
  expect(from({ "retry-after-ms": "1500", "retry-after": "17" })).toBe(1.5);
  expect(from({ "x-ms-retry-after-ms": "250" })).toBe(0.25);
  expect(from({ "retry-after": new Date(Date.now() + 60_000).toUTCString() })).toBeGreaterThan(50);
  for (const nothing of [{}, { "retry-after": "0" }, { "retry-after": "soon" }, { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }]) expect(from(nothing as Record<string, string>)).toBeNull();
});

test("what may be a secret is left out of messages", () => {
  expect(plain(`refused Bearer ${token} for you`)).toBe("refused Bearer … for you");
  expect(plain(`the token ${token} is bad`)).toBe("the token … is bad");
  expect(plain("GET https://st.blob.core.windows.net/c/b?sv=2026&sig=abc%3D&se=1 failed")).toBe("GET https://st.blob.core.windows.net/c/b?sv=2026&sig=…&se=1 failed");
  expect(plain("AccountName=st;AccountKey=bWFkZSB1cA==;x")).toBe("AccountName=st;AccountKey=…;x");
  expect(plain("x".repeat(1_000))).toHaveLength(301);
});
