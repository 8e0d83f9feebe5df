import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openAuthority } from "../../lab/faces/certificates.ts";
import { serveKubernetesApi } from "../../lab/faces/kubernetes-api.ts";
import type { Listener } from "../../lab/faces/listen.ts";
import { audiences } from "../../lab/world/identity.ts";
import { kubeconfigYaml } from "../../lab/world/kubeconfig.ts";
import { openCluster as openLabCluster } from "../../lab/world/kubernetes/cluster.ts";
import { accounts, primary, secondary } from "../../lab/world/pair.ts";
import { type AzureOptions, azureWorld } from "../../shared/azure/world.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { World } from "../../shared/ports.ts";
import { clusterContract, clustersContract } from "../contracts/clusters.ts";
import { blobUrl, openStorageStage, type StorageStage } from "./storage-stage.ts";

/** Does not compile when a port is missing or promises less. */
export const isWorld: (options: AzureOptions) => World = azureWorld;

let stage: StorageStage;
let api: Listener;
let ca = "";
beforeAll(async () => {
  stage = await openStorageStage({ kubeconfig: (region) => kubeconfigYaml(`https://aks.${region}.example.com:443`, ca) });
  const authority = await openAuthority();
  ca = authority.caPem;
  const cluster = openLabCluster(stage.world, "northeurope", { machines: () => [], onMachines: () => {} });
  const authenticate = async (token: string) => (await stage.identity.check(`Bearer ${token}`, audiences.aks)).kind === "accepted";
  api = await serveKubernetesApi(stage.world, { cluster, authenticate, place: { tls: await authority.issue(["aks.northeurope.example.com"]) } });
});
afterAll(async () => {
  await api.close();
  await stage.close();
});

/** The world as the app opens it, with a home of its own. */
async function openWorld(): Promise<World> {
  return azureWorld({
    identity: { kind: "managed", clientId: null },
    homeUrl: blobUrl(accounts.home.name),
    homeContainer: await stage.container(accounts.home.name),
    hosts: { ...stage.hosts, "aks.northeurope.example.com": api.url },
    dnsServers: [],
  });
}

let armReturns = () => {};
afterEach(() => armReturns());
clustersContract("clusters learnt from ARM and kept at home", async () => {
  const { clusters } = await openWorld();
  return {
    clusters,
    cluster: secondary.cluster.id,
    loseArm: () => void (armReturns = stage.world.inject({ call: "POST managedClusters*", kind: "refused-503", times: Infinity })),
  };
});

let namespaces = 0;
clusterContract("the API server of an AKS cluster", async () => {
  const cluster = await (await openWorld()).clusters.of(secondary.cluster.id);
  const namespace = `contract-${(namespaces += 1)}`;
  await cluster.create(kinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return { cluster, namespace };
});

test("what is kept at home says server, authority and when it was learnt, under a name that no other cluster has", async () => {
  const { clusters, home } = await openWorld();
  await clusters.of(secondary.cluster.id);
  const kept = await home.read("clusters/rg-shop-neu/aks-shop-neu.json");
  expect(JSON.parse(kept?.body ?? "")).toEqual({ server: "https://aks.northeurope.example.com:443", ca, learntAt: expect.any(Number) as number });
  expect(await home.list("clusters/")).toEqual(["clusters/rg-shop-neu/aks-shop-neu.json"]);
});

test("a refresh learns anew, and the next call uses it", async () => {
  const { clusters, home } = await openWorld();
  const name = "clusters/rg-shop-neu/aks-shop-neu.json";
  await home.put(name, JSON.stringify({ server: "https://aks.old.example.com:1", ca, learntAt: 0 }));
  expect(await (await clusters.of(secondary.cluster.id)).ready(5)).toMatchObject({ kind: "no-answer" });
  await clusters.refresh(secondary.cluster.id);
  expect(await (await clusters.of(secondary.cluster.id)).ready(5)).toEqual({ kind: "ready" });
});

test("what is kept and cannot be read is learnt again", async () => {
  const { clusters, home } = await openWorld();
  await home.put("clusters/rg-shop-neu/aks-shop-neu.json", "not JSON");
  expect(await (await clusters.of(secondary.cluster.id)).ready(5)).toEqual({ kind: "ready" });
});

test("an object whose create was not answered is there once when it is created again", async () => {
  const cluster = await (await openWorld()).clusters.of(secondary.cluster.id);
  stage.world.inject({ call: "POST v1/configmaps", kind: "effect-without-answer" });
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "once", namespace: "default" }, data: { written: "first" } };
  await expect(cluster.create(kinds.configMaps, object)).rejects.toMatchObject({ name: "WorldError" });
  expect(await cluster.create(kinds.configMaps, { ...object, data: { written: "second" } })).toMatchObject({ kind: "exists", object: { data: { written: "first" } } });
});

test("a cluster whose region is lost is silent, whatever ARM says of it", async () => {
  const { clusters, aks } = await openWorld();
  const cluster = await clusters.of(secondary.cluster.id);
  stage.world.setReach("northeurope", "reset");
  expect(await cluster.ready(5)).toMatchObject({ kind: "no-answer" });
  await expect(aks.read(secondary.cluster.id)).rejects.toMatchObject({ name: "WorldError" });
  expect(await aks.read(primary.cluster.id)).toMatchObject({ power: "running" });
  stage.world.setReach("northeurope", "up");
  expect(await cluster.ready(5)).toEqual({ kind: "ready" });
});
