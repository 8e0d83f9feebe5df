/** The simulator's ports keep the contracts that the adapters keep: that is what makes them stand for the real thing. */
import { afterEach } from "vitest";
import { accounts, primary, secondary, trafficManager, dnsZone, regions } from "../../lab/world/pair.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { Network } from "../../lab/simulator/network.ts";
import { openAks } from "../../lab/simulator/ports/aks.ts";
import { openBackups } from "../../lab/simulator/ports/backups.ts";
import { openClusters } from "../../lab/simulator/ports/clusters.ts";
import { openHealth } from "../../lab/simulator/ports/health.ts";
import { openHome } from "../../lab/simulator/ports/home.ts";
import { openReplication } from "../../lab/simulator/ports/replication.ts";
import { openTraffic } from "../../lab/simulator/ports/traffic.ts";
import { noLies } from "../../lab/simulator/ports/world.ts";
import { randomOf } from "../../lab/simulator/time/random.ts";
import { nature, Scheduler } from "../../lab/simulator/time/scheduler.ts";
import { openPair } from "../../lab/simulator/world/pair.ts";
import type { PlanTraffic } from "../../shared/ports.ts";
import { labStart } from "../../lab/clock.ts";
import { aksContract } from "../contracts/aks.ts";
import { backupsContract } from "../contracts/backups.ts";
import { clusterContract, clustersContract } from "../contracts/clusters.ts";
import { healthContract } from "../contracts/health.ts";
import { homeContract } from "../contracts/home.ts";
import { lastSyncContract, policyContract } from "../contracts/replication.ts";
import { trafficContract } from "../contracts/traffic.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A pair whose virtual time goes on by itself as long as the test lasts. */
async function openStage() {
  const scheduler = new Scheduler(labStart);
  const pair = await openPair(scheduler, {
    topology: "replicated",
    shelf: [],
    archive: new Uint8Array(),
    latencies: noLatencies,
    aks: { power: { northeurope: "Stopped" }, pools: { westeurope: [{ name: "system", mode: "System", count: 1 }, { name: "user", mode: "User", count: 2 }, { name: "auto", mode: "User", count: 1, autoscale: { min: 1, max: 3 } }] } },
    seed: 1,
    restoreTrouble: () => null,
  });
  const state = { armIsLost: false };
  const options = { scheduler, random: randomOf(1), world: pair.world, faultFor: (_host: string, { port }: { readonly port: string }) => (port === "arm" && state.armIsLost ? ({ kind: "cut-off" } as const) : null), told: () => undefined, strike: () => null, die: () => undefined };
  const network = new Network(nature, options, () => undefined, () => undefined);
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void scheduler.run(() => false, Number.POSITIVE_INFINITY).then(() => (running = false));
  }, 1);
  stops.push(() => clearInterval(timer));
  return { scheduler, pair, network, loseArm: () => void (state.armIsLost = true) };
}

homeContract("the simulated home", async () => {
  const { pair, network } = await openStage();
  return openHome(pair, network);
});

aksContract("the simulated AKS", async () => {
  const { pair, network } = await openStage();
  return { aks: openAks(pair, network), running: primary.cluster.id, stopped: secondary.cluster.id };
});

backupsContract("the simulated blob store", async () => {
  const { pair, network } = await openStage();
  const place = { url: "https://stshopneu.blob.core.windows.net", container: "velero-neu" };
  const put = async (name: string, body: string | Uint8Array) => {
    const key = { store: accounts.replica.name, container: place.container, name };
    await pair.bytes.put(key, Buffer.from(body));
    pair.storage.times.touch(key, labStart);
  };
  return { backups: openBackups(pair, network), place, put };
});

const openSimulatedClusters = async () => {
  const { scheduler, pair, network, loseArm } = await openStage();
  return { clusters: openClusters(pair, network, scheduler, openHome(pair, network), noLies), loseArm, cluster: primary.cluster.id };
};
clusterContract("the simulated Kubernetes API", async () => {
  const { clusters, cluster } = await openSimulatedClusters();
  return { cluster: await clusters.of(cluster), namespace: "default" };
});
clustersContract("the simulated clusters", openSimulatedClusters);

healthContract("the simulated Resource Health", async () => {
  const { pair, network } = await openStage();
  return { health: openHealth(pair, network, noLies), resource: primary.cluster.id, lose: () => pair.world.setReach("westeurope", "reset") };
});

const openSimulatedReplication = async () => {
  const { pair, network } = await openStage();
  return { replication: openReplication(pair, network), destination: accounts.replica.id, other: accounts.shared.id };
};
policyContract("simulated Object Replication", openSimulatedReplication);
lastSyncContract("simulated geo-redundancy", async () => ({ ...(await openSimulatedReplication()), secondaryUrl: "https://stshopgeo-secondary.blob.core.windows.net/", at: labStart }));

const plans: Readonly<Record<string, PlanTraffic>> = {
  "a simulated Traffic Manager": { kind: "traffic-manager", profile: trafficManager.id, endpoints: trafficManager.endpoints, publicUrl: "https://shop.example.com/" },
  "a simulated DNS record": { kind: "dns", recordSet: `${dnsZone.id}/CNAME/demo`, targets: { primary: regions.westeurope.ingressHost, secondary: regions.northeurope.ingressHost, closed: "closed.example.com" }, ttlSeconds: 15, publicUrl: "https://demo.example.com/" },
};
for (const [name, plan] of Object.entries(plans))
  trafficContract(name, async () => {
    const { pair, network } = await openStage();
    return { traffic: openTraffic(pair, network, noLies), plan };
  });
