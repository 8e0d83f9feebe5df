/** Both regions from real programs: Kubernetes, Velero, volumes with files in them. Azure around them stays the lab's own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { accountKey } from "../azurite.ts";
import { openKubernetesGateway } from "../faces/kubernetes-gateway.ts";
import { openApi } from "../real/api.ts";
import { RealClusterFailed, startRealCluster } from "../real/cluster.ts";
import type { RealPrograms } from "../real/programs.ts";
import type { RealCluster } from "../real/real-cluster.ts";
import { openTokenReviewer } from "../real/token-review.ts";
import { audiences, clientIds } from "../world/identity.ts";
import { primary, type RegionName, regions, secondary } from "../world/pair.ts";
import { applicationNamespaces, deployApplications, scheduleBackups } from "./applications.ts";
import type { EngineParts, OpenEngines, RegionEngine } from "./engine.ts";
import { keepObjects, type KeptObjects } from "./kept-objects.ts";
import { locationsOf, type Role, writtenTo } from "./locations.ts";
import { applyRights } from "./rights.ts";
import { seenEffects } from "./seen-effects.ts";

export interface RealEnginesOptions {
  readonly programs: RealPrograms;
  /** Aborted: whatever is being started is taken down. */
  readonly signal?: AbortSignal;
}

/** How often Velero looks; the shortest that it is known to keep. */
const veleroSeconds = { sync: 10, validation: 10 } as const;

/** Two clusters that have come up leave nothing. Of those that have not the logs stay: the `RealClusterFailed` says where. */
export function openReals(options: RealEnginesOptions): OpenEngines {
  return async (parts) => {
    const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-real-"));
    let hasLogs = false;
    parts.undo(() => (hasLogs ? removeAllButLogs(directory) : rmSync(directory, removal)));
    return openIn(directory, options)(parts).catch((error: unknown) => {
      hasLogs = error instanceof RealClusterFailed && options.signal?.aborted !== true;
      throw error;
    });
  };
}

const removal = { recursive: true, force: true, maxRetries: 5 } as const;

function removeAllButLogs(directory: string): void {
  for (const region of readdirSync(directory)) for (const name of readdirSync(path.join(directory, region))) if (name !== "log") rmSync(path.join(directory, region, name), removal);
}

function openIn(directory: string, options: RealEnginesOptions): OpenEngines {
  return async (parts) => {
    const { identity, undo, onStage } = parts;
    const reviewer = await openTokenReviewer(async (token) => {
      const verdict = await identity.check(`Bearer ${token}`, audiences.aks);
      return verdict.kind === "refused" ? { refused: verdict.why } : { user: clientIds[verdict.caller] };
    });
    undo(() => reviewer.close());

    onStage("two real clusters: starting etcd, API server, controllers, scheduler and nodes in each region");
    const start = async (region: RegionName) => {
      const cluster = await startRealCluster({ programs: options.programs, directory: path.join(directory, region), region, nodes: machines(parts, region), tokenReview: reviewer, ...(options.signal ? { signal: options.signal } : {}) });
      undo(() => cluster.close());
      followWorld(parts, cluster, region);
      return cluster;
    };
    const [west, north] = await bothOrThrow(start(primary.region), start(secondary.region));

    onStage("real Velero: installing its server, node agents and storage locations in both regions, deploying the applications");
    await bothOrThrow(prepare(parts, west, "primary", options.signal), prepare(parts, north, "secondary", options.signal));
    return { westeurope: await opened(parts, west, primary.region), northeurope: await opened(parts, north, secondary.region) };
  };
}

/** The first failure, once both have come to their end: what one has begun is known then, and can be taken down. */
async function bothOrThrow<A, B>(one: Promise<A>, other: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** Nodes of the system pool are left out: nothing of the lab is scheduled there, and each node costs an agent of its own. */
const machines = ({ aks }: EngineParts, region: RegionName) => aks.nodes(region).filter(({ pool }) => pool !== "system").map(({ name }) => name);

/** A lost region dies at once and comes back as it was; its pools grow as AKS says. */
function followWorld(parts: EngineParts, cluster: RealCluster, region: RegionName): void {
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (what: string, act: () => Promise<void>) => {
    turn = turn.then(act).catch((error: Error) => process.emitWarning(`the real cluster of ${region} could not ${what}: ${error.message}`, "LabMistake"));
  };
  parts.world.onReach((changed, reach) => {
    if (changed !== region) return;
    if (reach === "up") inTurn("come back", () => cluster.revive());
    else inTurn("be ended", () => cluster.kill());
  });
  parts.aks.onNodes((changed) => {
    if (changed === region) inTurn("change its nodes", () => cluster.setNodes(machines(parts, region)));
  });
}

async function prepare({ topology, frontUrl }: EngineParts, cluster: RealCluster, role: Role, signal?: AbortSignal): Promise<void> {
  const locations = locationsOf(role, topology).map(({ endpoint, ...place }) => ({ ...place, url: `${frontUrl}/${endpoint}` }));
  const accountKeys = Object.fromEntries(locations.map(({ account }) => [account, accountKey(account)]));
  const setup = { locations, accountKeys, syncPeriodSeconds: veleroSeconds.sync, validationSeconds: veleroSeconds.validation };
  await bothOrThrow(cluster.installVelero(setup), role === "primary" ? deployApplications(cluster, { signal }) : Promise.resolve());
  await applyRights(cluster.api, { role, namespaces: applicationNamespaces });
  if (role === "primary") await scheduleBackups(cluster.api, writtenTo(role));
}

async function opened({ world, aks, authority, undo }: EngineParts, cluster: RealCluster, region: RegionName): Promise<RegionEngine> {
  const api = openApi({ url: cluster.url, caPem: cluster.caPem, token: cluster.adminToken });
  const kept = keepObjects(api, seenEffects(world, region));
  undo(async () => {
    await kept.close();
    api.close();
  });
  await kept.listed;
  const gateway = await openKubernetesGateway(world, {
    region,
    server: cluster,
    place: { tls: await authority.issue([regions[region].cluster.fqdn, "localhost"], ["127.0.0.1"]) },
    isServing: () => aks.cluster(region).power === "Running",
  });
  undo(() => gateway.close());
  return {
    region,
    apiUrl: gateway.url,
    insideUrl: null,
    objects: { get: kept.get, list: kept.list, volumeFiles: (namespace, claim) => volumeFiles(cluster, kept, namespace, claim) },
    operatorToken: async () => cluster.adminToken,
    backupLocation: writtenTo(region === primary.region ? "primary" : "secondary"),
    crashVelero: () => cluster.crash("velero"),
    volumes: {
      write: (namespace, claim, file, bytes) => cluster.writeVolumeFile(namespace, claim, file, bytes),
      digest: async (namespace, claim, file) => (await cluster.volumeFiles(namespace, claim))?.find((found) => found.path === file)?.sha256 ?? null,
    },
  };
}

/** An application's own files are small; what is larger is nothing that a page is made of. */
const readBytesMax = 65_536;

/** The texts on a volume, as whoever has it mounted reads them. */
function volumeFiles({ directory }: RealCluster, kept: Pick<KeptObjects, "get">, namespace: string, claim: string): Readonly<Record<string, string>> | null {
  const { spec, status } = (kept.get("v1", "persistentvolumeclaims", namespace, claim) ?? {}) as { readonly spec?: { readonly volumeName?: string }; readonly status?: { readonly phase?: string } };
  if (spec?.volumeName === undefined || status?.phase !== "Bound") return null;
  const folder = path.join(directory, "disks", spec.volumeName);
  const small = (name: string) => {
    const found = statSync(path.join(folder, name), { throwIfNoEntry: false });
    return found?.isFile() === true && found.size <= readBytesMax;
  };
  return Object.fromEntries(namesIn(folder).filter(small).map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Bound, and nothing was ever written to it.
    return [];
  }
}
