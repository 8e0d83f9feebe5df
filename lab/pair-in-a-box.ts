/** The region pair in a box: one world, its faces on loopback, two clusters with their Veleros, Azurite behind the storage front. */
import { randomBytes } from "node:crypto";
import { type LabClock, startClock } from "./clock.ts";
import { openClosing } from "./closing.ts";
import { openArm } from "./faces/arm.ts";
import { openDoubles } from "./engine/double.ts";
import type { OpenEngines } from "./engine/engine.ts";
import { openAuthority } from "./faces/certificates.ts";
import { openDns } from "./faces/dns.ts";
import { openIdentityFace } from "./faces/identity.ts";
import { openIngresses } from "./faces/ingress.ts";
import { listen } from "./faces/listen.ts";
import { httpsProbe } from "./faces/monitor.ts";
import { seed, type Seeding } from "./seed.ts";
import { startStorage } from "./storage.ts";
import { openAccounts } from "./world/accounts.ts";
import { type AksOptions, openAks } from "./world/aks.ts";
import { openHealth } from "./world/health.ts";
import { openIdentity } from "./world/identity.ts";
import { kubeconfigYaml } from "./world/kubeconfig.ts";
import { type Latencies, typicalLatencies } from "./world/latencies.ts";
import { controlAddress, controlName, regions, type RegionName, trafficManager } from "./world/pair.ts";
import { openTraffic, type TrafficSettings } from "./world/traffic.ts";
import { openWorld } from "./world/world.ts";
import { openZones } from "./world/zones.ts";

export interface PairOptions {
  readonly topology: "shared" | "replicated";
  readonly rate?: number;
  /** The clock to run by, instead of one at `rate` that starts now. */
  readonly clock?: LabClock;
  /** Port of both ingresses; without it any free one. */
  readonly port?: number;
  readonly latencies?: Latencies;
  readonly aks?: AksOptions;
  readonly seeding?: Omit<Seeding, "topology">;
  /** What makes the clusters run; default: the world's double. */
  readonly openEngines?: OpenEngines;
  readonly traffic?: TrafficSettings;
  readonly onStage?: (stage: string) => void;
}

export type LabPair = Awaited<ReturnType<typeof openPair>>;

/** Opens everything or nothing. Throws a `CannotListen` or an `AzuriteFailed` in plain words. */
export async function openPair({ topology, rate = 20, latencies = typicalLatencies, aks: aksOptions = {}, seeding = {}, clock = startClock({ rate }), port = 0, openEngines = openDoubles, traffic: trafficSettings = trafficManager, onStage = () => undefined }: PairOptions) {
  const closing = openClosing();
  try {
    const world = openWorld(clock, latencies);
    const identity = openIdentity(world);
    const identityHeader = randomBytes(12).toString("hex");
    const authority = await openAuthority();

    onStage("storage");
    // The storage's own Last Sync Time and the accounts' policies know each other; one of them has to come first.
    let lastSyncAt: (account: string) => number | null = () => null;
    const accountRules = openAccounts(world, { replicated: topology === "replicated", lastSyncAt: (account) => lastSyncAt(account) });
    const started = await startStorage(world, { accounts: accountRules, identity });
    closing.add(() => started.close());
    lastSyncAt = (account) => started.storage.lastSyncAt(account);
    await seed(started, { topology, ...seeding });

    const aks = openAks(world, aksOptions);
    const engines = await openEngines({ world, topology, aks, identity, authority, frontUrl: started.front.url, onStage, undo: (step) => closing.add(step) });
    const clusters = { westeurope: engines.westeurope.objects, northeurope: engines.northeurope.objects };

    onStage("faces");
    const ingresses = await openIngresses(world, { authority, objects: (region) => clusters[region], port, chooseWith: "--port" });
    closing.add(() => ingresses.close());
    const control = await listen({ address: controlAddress, port: ingresses.port, chooseWith: "--port", tls: await authority.issue([controlName], [controlAddress]) }, (_request, response) => response.end("here\n"));
    closing.add(() => control.close());
    const traffic = openTraffic(world, httpsProbe(() => ingresses.port), trafficSettings);
    closing.add(() => traffic.close());
    const zones = openZones(world);
    const health = openHealth(world);
    const kubeconfig = (region: RegionName) => kubeconfigYaml(engines[region].apiUrl, authority.caPem, regions[region].cluster.name);
    const arm = await openArm(world, { aks, accounts: accountRules, traffic, zones, health, identity, kubeconfig });
    closing.add(() => arm.close());
    const identityFace = await openIdentityFace(world, identity, identityHeader);
    closing.add(() => identityFace.close());
    const dns = await openDns(world, { traffic, zones });
    closing.add(() => dns.close());

    return {
      world,
      topology,
      aks,
      accounts: accountRules,
      traffic,
      zones,
      health,
      people: identity,
      clusters,
      storage: started.storage,
      bytes: started.bytes,
      frontUrl: started.front.url,
      arm,
      engines,
      apiUrl: (region: RegionName) => engines[region].apiUrl,
      identity: identityFace,
      identityHeader,
      dns,
      port: ingresses.port,
      caPem: authority.caPem,
      /** Host name → address: what the app is told. */
      hosts: { ...started.hosts, "management.azure.com": arm.url } as Readonly<Record<string, string>>,
      /** Everything in the region stops answering, from this instant. */
      lose: (region: RegionName) => world.setReach(region, "reset"),
      giveBack: (region: RegionName) => world.setReach(region, "up"),
      close: () => closing.close(),
    };
  } catch (error) {
    // Why it did not open is the news, not what then did not close.
    await closing.close().catch(() => undefined);
    throw error;
  }
}
