import { ContainerServiceClient } from "@azure/arm-containerservice";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { audiences } from "../../lab/world/identity.ts";
import { aksServerApp, primary, secondary, subscription } from "../../lab/world/pair.ts";
import { type Options, openControlPlane } from "./control-plane.ts";

const { resourceGroup: group, cluster } = secondary;
const quick = { updateIntervalInMs: 10 };

async function open(options: Options = {}) {
  const plane = await openControlPlane(options);
  const aks = new ContainerServiceClient(plane.credential, subscription, plane.client);
  const pool = () => aks.agentPools.get(group, cluster.name, "user");
  return { ...plane, aks, pool, put: async (count: number) => aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...(await pool()), count }, { ...quick }).pollUntilDone() };
}

test("a cluster reads as AKS gives it", async () => {
  const { aks } = await open();
  const found = await aks.managedClusters.get(group, cluster.name);
  expect(found).toMatchObject({ id: cluster.id, location: "northeurope", provisioningState: "Succeeded", powerState: { code: "Running" }, currentKubernetesVersion: "1.34.4", fqdn: cluster.fqdn, disableLocalAccounts: true });
  expect(found.agentPoolProfiles?.map(({ name, mode, count, enableAutoScaling }) => ({ name, mode, count, enableAutoScaling }))).toEqual([
    { name: "system", mode: "System", count: 1, enableAutoScaling: false },
    { name: "user", mode: "User", count: 1, enableAutoScaling: false },
  ]);
  expect(found.eTag).toBeTruthy();
  const pools = [];
  for await (const { name } of aks.agentPools.list(group, cluster.name)) pools.push(name);
  expect(pools).toEqual(["system", "user"]);
  await expect(aks.managedClusters.get(group, "aks-other")).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
});

test("a raised pool says its new count at once and has the nodes when its time has passed", async () => {
  const { aks, pool, parts, effects, clock } = await open({ latencies: { poolScale: 90_000 } });
  const changes: number[] = [];
  parts.aks.onNodes((region, nodes) => changes.push(region === "northeurope" ? nodes.length : -1));
  const before = await pool();
  const poller = aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...before, count: 2 }, { ...quick, ifMatch: before.eTag ?? "" });
  await poller.submitted();
  expect(await pool()).toMatchObject({ count: 2, provisioningState: "Scaling" });
  await clock.advance(89_999);
  expect(parts.aks.nodes("northeurope")).toHaveLength(2);
  await clock.advance(1);
  expect(await poller.pollUntilDone()).toMatchObject({ count: 2, provisioningState: "Succeeded" });
  expect(parts.aks.nodes("northeurope").map(({ pool, ready }) => ({ pool, ready }))).toEqual([
    { pool: "system", ready: true },
    { pool: "user", ready: true },
    { pool: "user", ready: true },
  ]);
  expect(changes).toEqual([3]);
  expect(effects("aks.pool-raised")).toMatchObject([{ key: "aks-shop-neu/user", detail: { from: 1, to: 2 } }]);
});

test("a stale eTag is refused, and so is a second change while one is under way", async () => {
  const { aks, pool, clock } = await open({ latencies: { poolScale: 60_000 } });
  const before = await pool();
  await expect(aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...before, count: 2 }, { ifMatch: "stale" })).rejects.toMatchObject({ statusCode: 412, code: "PreconditionFailed" });
  const poller = aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...before, count: 2 }, quick);
  await poller.submitted();
  await expect(aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...before, count: 3 })).rejects.toMatchObject({ statusCode: 409, code: "OperationNotAllowed" });
  await expect(aks.managedClusters.stop(group, cluster.name)).rejects.toMatchObject({ statusCode: 409 });
  await clock.advance(60_000);
  await poller.pollUntilDone();
});

test("a wrong pool is refused with the reason", async () => {
  const { aks, pool } = await open();
  const wrong = (change: object) => pool().then((found) => aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...found, ...change }));
  await expect(wrong({ count: -1 })).rejects.toMatchObject({ statusCode: 400, code: "InvalidParameter" });
  await expect(wrong({ enableAutoScaling: true, minCount: 3, maxCount: 2 })).rejects.toThrow("the first not above the second");
  await expect(aks.agentPools.createOrUpdate(group, cluster.name, "system", { ...(await aks.agentPools.get(group, cluster.name, "system")), count: 0 })).rejects.toThrow("at least one node");
});

test("an autoscaled pool grows to its raised minimum", async () => {
  const { aks, pool, parts } = await open({ pools: { northeurope: [{ name: "user", mode: "User", count: 1, autoscale: { min: 1, max: 5 } }] } });
  await aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...(await pool()), minCount: 3 }, quick).pollUntilDone();
  expect(await pool()).toMatchObject({ count: 3, minCount: 3, maxCount: 5, enableAutoScaling: true });
  expect(parts.aks.nodes("northeurope")).toHaveLength(3);
});

test("a stopped cluster takes a start alone, and is started once", async () => {
  const { aks, effects, parts, put, clock } = await open({ power: { northeurope: "Stopped" }, latencies: { clusterStart: 180_000 } });
  expect(parts.aks.nodes("northeurope")).toEqual([]);
  await expect(put(2)).rejects.toMatchObject({ statusCode: 409, code: "OperationNotAllowed" });
  const poller = aks.managedClusters.start(group, cluster.name, quick);
  await poller.submitted();
  expect(await aks.managedClusters.get(group, cluster.name)).toMatchObject({ provisioningState: "Starting", powerState: { code: "Stopped" } });
  await clock.advance(180_000);
  await poller.pollUntilDone();
  expect(await aks.managedClusters.get(group, cluster.name)).toMatchObject({ provisioningState: "Succeeded", powerState: { code: "Running" } });
  await aks.managedClusters.start(group, cluster.name, quick).pollUntilDone();
  expect(effects("aks.started")).toHaveLength(1);
  await aks.managedClusters.stop(group, cluster.name, quick).submitted();
  await clock.advance(180_000);
  expect(parts.aks.nodes("northeurope")).toEqual([]);
});

test("a region without capacity ends operations as Azure does, and may give a part", async () => {
  const { aks, parts, put, pool } = await open({ power: { westeurope: "Stopped" } });
  parts.aks.setCapacity("westeurope", { kind: "none", code: "SkuNotAvailable" });
  await expect(aks.managedClusters.start(primary.resourceGroup, primary.cluster.name, quick).pollUntilDone()).rejects.toThrow("SkuNotAvailable");
  expect(parts.aks.cluster("westeurope")).toMatchObject({ power: "Stopped", provisioning: "Failed" });
  parts.aks.setCapacity("northeurope", { kind: "partial", nodes: 1, code: "AllocationFailed" });
  await expect(put(4)).rejects.toThrow("AllocationFailed");
  expect(await pool()).toMatchObject({ count: 2, provisioningState: "Failed" });
  parts.aks.setCapacity("northeurope", { kind: "enough" });
  expect(await put(4)).toMatchObject({ count: 4, provisioningState: "Succeeded" });
});

test("user credentials are a kubeconfig for kubelogin, static ones are refused", async () => {
  const { aks } = await open();
  const { kubeconfigs } = await aks.managedClusters.listClusterUserCredentials(group, cluster.name, { format: "exec" });
  const config = parse(Buffer.from(kubeconfigs?.[0]?.value ?? []).toString("utf8")) as { clusters: object[]; users: { user: { exec: { command: string; args: string[] } } }[] };
  expect(config.clusters[0]).toMatchObject({ cluster: { server: "https://127.0.0.1:6443" } });
  expect(config.users[0]?.user.exec).toMatchObject({ command: "kubelogin", args: expect.arrayContaining([aksServerApp]) as string[] });
  await expect(aks.managedClusters.listClusterAdminCredentials(group, cluster.name)).rejects.toThrow("Getting static credential is not allowed");
});

test("only a token for ARM is let in, and an observer changes nothing", async () => {
  const { client, credentialOf, arm, effects } = await open();
  const as = (credential: ReturnType<typeof credentialOf>) => new ContainerServiceClient(credential, subscription, client);
  await expect(as(credentialOf("actuator", audiences.storage)).managedClusters.get(group, cluster.name)).rejects.toMatchObject({ statusCode: 401, code: "InvalidAuthenticationToken" });
  const observer = as(credentialOf("observer"));
  expect((await observer.managedClusters.get(group, cluster.name)).name).toBe(cluster.name);
  await expect(observer.managedClusters.stop(group, cluster.name)).rejects.toMatchObject({ statusCode: 403, code: "AuthorizationFailed" });
  expect(effects("aks.stopped")).toEqual([]);
  expect((await fetch(`${arm.url}${cluster.id}?api-version=2026-04-01`)).status).toBe(401);
  expect((await fetch(`${arm.url}/%E0%A4%A?api-version=2026-04-01`)).status, "a path that is no UTF-8 breaks nothing").toBe(401);
});

test("a call without api-version, of an unknown thing or with a broken body is refused", async () => {
  const { arm, credential } = await open();
  const token = (await credential.getToken(""))?.token;
  const ask = async (path: string, method = "GET", body: string | null = null) => {
    const answer = await fetch(`${arm.url}${path}`, { method, headers: { authorization: `Bearer ${token}` }, ...(body === null ? {} : { body }) });
    return { status: answer.status, code: ((await answer.json()) as { error: { code: string } }).error.code, id: answer.headers.get("x-ms-request-id") };
  };
  expect(await ask(cluster.id)).toMatchObject({ status: 400, code: "MissingApiVersionParameter", id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
  expect(await ask("/nowhere?api-version=1")).toMatchObject({ status: 404, code: "InvalidResourceType" });
  expect(await ask(`${cluster.id}/agentPools/user?api-version=1`, "PUT", "{")).toMatchObject({ status: 400, code: "InvalidRequestContent" });
  expect(await ask(`${cluster.id}/agentPools/user?api-version=1`, "PUT", '{"properties":{}}')).toMatchObject({ status: 400, code: "InvalidRequestContent" });
});

test("the audit holds every call with who asked and what came of it", async () => {
  const { aks, arm, world } = await open();
  await aks.managedClusters.get(group, cluster.name);
  world.setReach("westeurope", "reset");
  await expect(aks.managedClusters.stop(primary.resourceGroup, primary.cluster.name)).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(arm.audit.map(({ call, region, caller, status, mutating }) => ({ call, region, caller, status, mutating }))).toEqual([
    { call: "GET managedClusters", region: "northeurope", caller: "actuator", status: 200, mutating: false },
    { call: "POST managedClusters/stop", region: "westeurope", caller: null, status: null, mutating: true },
    { call: "POST managedClusters/stop", region: "westeurope", caller: null, status: null, mutating: true },
  ]);
});

test.each([
  ["reset", /ECONNRESET|socket hang up/],
  ["unavailable", /ServiceUnavailable|does not serve/],
  ["black-hole", /abort/i],
] as const)("a lost region's clusters cannot be asked (%s), the other's can", async (reach, said) => {
  const { aks, world } = await open();
  world.setReach("westeurope", reach);
  const asked = aks.managedClusters.get(primary.resourceGroup, primary.cluster.name, { abortSignal: AbortSignal.timeout(300) });
  await expect(asked).rejects.toThrow(said);
  expect((await aks.managedClusters.get(group, cluster.name)).name).toBe(cluster.name);
  world.setReach("westeurope", "up");
  expect((await aks.managedClusters.get(primary.resourceGroup, primary.cluster.name)).powerState?.code, "ARM kept what it knew").toBe("Running");
});

test.each(["PUT agentPools", "POST managedClusters/stop", "POST managedClusters/start"] as const)("%s done without an answer and sent again has one effect", async (call) => {
  const { aks, world, pool, effects, clock } = await open({ power: { northeurope: call.endsWith("start") ? "Stopped" : "Running" }, latencies: { poolScale: 20_000, clusterStart: 20_000 } });
  world.inject({ call, kind: "effect-without-answer" });
  const found = call.startsWith("PUT") ? await pool() : {};
  const twice = {
    "PUT agentPools": () => aks.agentPools.createOrUpdate(group, cluster.name, "user", { ...found, count: 2 }, quick),
    "POST managedClusters/stop": () => aks.managedClusters.stop(group, cluster.name, quick),
    "POST managedClusters/start": () => aks.managedClusters.start(group, cluster.name, quick),
  }[call];
  // The first answer never came; the second says that something is under way.
  await expect(twice()).rejects.toMatchObject({ statusCode: 409 });
  const act = { "PUT agentPools": "aks.pool-raised", "POST managedClusters/stop": "aks.stopped", "POST managedClusters/start": "aks.started" }[call];
  await clock.advance(20_000);
  expect(effects(act)).toHaveLength(1);
  await twice().pollUntilDone();
  expect(effects(act)).toHaveLength(1);
});
