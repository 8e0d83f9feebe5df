/** Both regions from the world's own double of Kubernetes and Velero. */
import { frontBlobStores } from "../faces/front-blob-store.ts";
import { serveKubernetesApi } from "../faces/kubernetes-api.ts";
import { audiences } from "../world/identity.ts";
import { blobHost, primary, type RegionNames, secondary } from "../world/pair.ts";
import { recordedBlobs } from "../world/velero/blob-store.ts";
import { bringUpCluster } from "../world/velero/bring-up.ts";
import { openSnapshots } from "../world/velero/snapshots.ts";
import type { LabWorld } from "../world/world.ts";
import type { EngineParts, OpenEngines, RegionEngine } from "./engine.ts";
import { locationsOf, type Role, writtenTo } from "./locations.ts";

/** Velero knows the recorded backups that lie in its locations; the shop runs as it was at the newest of them. */
export const openDoubles: OpenEngines = async (parts) => {
  const { frontUrl, onStage } = parts;
  onStage("clusters");
  const velero = { openBlobStore: frontBlobStores(frontUrl), snapshots: openSnapshots(), recording: await recordedBlobs() };
  const west = await openDouble(parts, velero, primary, "primary");
  return { westeurope: west, northeurope: await openDouble(parts, velero, secondary, "secondary") };
};

/** What runs in a cluster reaches its API server whatever becomes of the ways out of the region. Who asks there is told apart from the app. */
const seenFromInside = (world: LabWorld): LabWorld => {
  const within = <T extends { readonly by: string }>(asked: T): T => ({ ...asked, by: `in-cluster ${asked.by}` });
  return { ...world, reach: () => "up", takeFault: (asked) => world.takeFault(within(asked)), noteRequest: (request) => world.noteRequest(within(request)) };
};

async function openDouble(
  { world, topology, aks, identity, authority, undo }: EngineParts,
  velero: Pick<Parameters<typeof bringUpCluster>[2], "openBlobStore" | "snapshots" | "recording">,
  { region, cluster: { fqdn } }: RegionNames,
  role: Role,
): Promise<RegionEngine> {
  const locations = locationsOf(role, topology).map(({ endpoint, ...place }) => ({ ...place, url: `https://${blobHost(endpoint)}` }));
  const brought = await bringUpCluster(world, region, { ...velero, role, locations, machines: () => aks.nodes(region), onMachines: (call) => aks.onNodes((changed) => void (changed === region && call())) });
  undo(() => brought.velero.close());
  const tls = await authority.issue([fqdn, "localhost"], ["127.0.0.1"]);
  const isServing = () => aks.cluster(region).power === "Running";
  const authenticate = async (token: string) => (await identity.check(`Bearer ${token}`, audiences.aks)).kind === "accepted";
  const api = await serveKubernetesApi(world, { cluster: brought.cluster, authenticate, isServing, place: { tls } });
  undo(() => api.close());
  const inside = await serveKubernetesApi(seenFromInside(world), { cluster: brought.cluster, authenticate, isServing, place: { tls } });
  undo(() => inside.close());
  return {
    region,
    apiUrl: api.url,
    insideUrl: inside.url,
    objects: brought.cluster,
    // The double asks who comes, not what they may do.
    operatorToken: async () => (await identity.mint(audiences.aks)).token,
    backupLocation: writtenTo(role),
    crashVelero: async () => brought.velero.crash(),
    volumes: null,
  };
}
