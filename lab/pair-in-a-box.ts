/** The region pair in a box: one world, its faces on loopback, two clusters with their Veleros, Azurite behind the storage front. */
import { randomBytes } from "node:crypto";
import { type LabClock, startClock } from "./clock.ts";
import { openArm } from "./faces/arm.ts";
import { openAuthority } from "./faces/certificates.ts";
import { openDns } from "./faces/dns.ts";
import { openIdentityFace } from "./faces/identity.ts";
import { openIngresses } from "./faces/ingress.ts";
import { serveKubernetesApi } from "./faces/kubernetes-api.ts";
import { listen } from "./faces/listen.ts";
import { frontBlobStores } from "./faces/front-blob-store.ts";
import { httpsProbe } from "./faces/monitor.ts";
import { seed, type Seeding } from "./seed.ts";
import { startStorage } from "./storage.ts";
import { openAccounts } from "./world/accounts.ts";
import { type AksOptions, openAks } from "./world/aks.ts";
import { openHealth } from "./world/health.ts";
import { audiences, openIdentity } from "./world/identity.ts";
import { kubeconfigYaml } from "./world/kubeconfig.ts";
import { type Latencies, typicalLatencies } from "./world/latencies.ts";
import { accounts, blobHost, controlAddress, controlName, primary, regions, type RegionName, secondary } from "./world/pair.ts";
import { openTraffic } from "./world/traffic.ts";
import { recordedBlobs } from "./world/velero/blob-store.ts";
import { bringUpCluster, type LocationSetup } from "./world/velero/bring-up.ts";
import { openSnapshots } from "./world/velero/snapshots.ts";
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
  readonly onStage?: (stage: string) => void;
}

export type LabPair = Awaited<ReturnType<typeof openPair>>;

/** Opens everything or nothing. Throws a `CannotListen` or an `AzuriteFailed` in plain words. */
export async function openPair({ topology, rate = 20, latencies = typicalLatencies, aks: aksOptions = {}, seeding = {}, clock = startClock({ rate }), port = 0, onStage = () => undefined }: PairOptions) {
  const undo: (() => unknown)[] = [];
  const close = async () => {
    for (const step of undo.reverse()) await step();
    undo.length = 0;
  };
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
    undo.push(() => started.close());
    lastSyncAt = (account) => started.storage.lastSyncAt(account);
    await seed(started, { topology, ...seeding });

    onStage("clusters");
    const aks = openAks(world, aksOptions);
    const velero = { openBlobStore: frontBlobStores(started.front.url), snapshots: openSnapshots(), recording: await recordedBlobs() };
    const bringUp = ({ region }: { readonly region: RegionName }, role: "primary" | "secondary") =>
      bringUpCluster(world, region, { ...velero, role, locations: locationsOf(role, topology), machines: () => aks.nodes(region), onMachines: (call) => aks.onNodes((changed) => void (changed === region && call())) });
    const [west, north] = [await bringUp(primary, "primary"), await bringUp(secondary, "secondary")];
    undo.push(() => [west, north].forEach((region) => region.velero.close()));
    const clusters = { westeurope: west.cluster, northeurope: north.cluster } satisfies Record<RegionName, unknown>;
    const apis = new Map<RegionName, string>();
    for (const { region, cluster } of Object.values(regions)) {
      const tls = await authority.issue([cluster.fqdn, "localhost"], ["127.0.0.1"]);
      const isServing = () => aks.cluster(region).power === "Running";
      const authenticate = async (token: string) => (await identity.check(`Bearer ${token}`, audiences.aks)).kind === "accepted";
      const api = await serveKubernetesApi(world, { cluster: clusters[region], authenticate, isServing, place: { tls } });
      undo.push(() => api.close());
      apis.set(region, api.url);
    }

    onStage("faces");
    const ingresses = await openIngresses(world, { authority, objects: (region) => clusters[region], port, chooseWith: "--port" });
    undo.push(() => ingresses.close());
    const control = await listen({ address: controlAddress, port: ingresses.port, chooseWith: "--port", tls: await authority.issue([controlName], [controlAddress]) }, (_request, response) => response.end("here\n"));
    undo.push(() => control.close());
    const traffic = openTraffic(world, httpsProbe(() => ingresses.port));
    undo.push(() => traffic.close());
    const zones = openZones(world);
    const health = openHealth(world);
    const kubeconfig = (region: RegionName) => kubeconfigYaml(apis.get(region) ?? "", authority.caPem, regions[region].cluster.name);
    const arm = await openArm(world, { aks, accounts: accountRules, traffic, zones, health, identity, kubeconfig });
    undo.push(() => arm.close());
    const identityFace = await openIdentityFace(world, identity, identityHeader);
    undo.push(() => identityFace.close());
    const dns = await openDns(world, { traffic, zones });
    undo.push(() => dns.close());

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
      apiUrl: (region: RegionName) => apis.get(region) ?? "",
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
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where each region's Velero reads and writes. The secondary has a location for the replica from the first day, and one of its own. */
function locationsOf(role: "primary" | "secondary", topology: "shared" | "replicated"): readonly LocationSetup[] {
  const at = (name: string, account: string, container: string, accessMode: LocationSetup["accessMode"], host = account): LocationSetup => ({
    name,
    account,
    url: `https://${blobHost(host)}`,
    container,
    accessMode,
    isDefault: accessMode === "ReadWrite",
  });
  const source = topology === "shared" ? accounts.shared.name : accounts.source.name;
  if (role === "primary") return [at("default", source, "velero", "ReadWrite")];
  const replica = topology === "shared" ? at("replica", source, "velero", "ReadOnly", `${source}-secondary`) : at("replica", accounts.replica.name, "velero", "ReadOnly");
  return [replica, at("own", accounts.replica.name, "velero-neu", "ReadWrite")];
}
