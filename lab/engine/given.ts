/** Both regions from clusters and a storage account that somebody has: the lab brings its application and its Azure, and takes away what it brought. */
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey } from "../azurite.ts";
import { openKubernetesGateway } from "../faces/kubernetes-gateway.ts";
import { withImages } from "../given/images.ts";
import { ownLogin } from "../given/login.ts";
import { serverIn } from "../given/kubeconfig.ts";
import type { GivenCluster, Looked } from "../given/look.ts";
import { startMirror } from "../given/mirror.ts";
import { openOrders, ordersVolume, readOrders } from "../given/orders-volume.ts";
import { labelling, removeOwnObjects } from "../given/own-objects.ts";
import { type GivenAccount, openContainers, removeContainers } from "../given/storage-account.ts";
import { applyLocations, givenLocation, ownLocations } from "../given/velero.ts";
import { ownLabel, ownName, ownRole, veleroNamespace } from "../given/given.ts";
import { type Api, ApiRefused, openApi } from "../real/api.ts";
import { audiences, clientIds } from "../world/identity.ts";
import { primary, type RegionName, regions, secondary } from "../world/pair.ts";
import { applicationNamespaces, deployApplications, scheduleBackups } from "./applications.ts";
import type { EngineParts, OpenEngines, RegionEngine, VolumeHands } from "./engine.ts";
import { keepObjects } from "./kept-objects.ts";
import { locationsOf, type Role } from "./locations.ts";
import { applyRights } from "./rights.ts";
import { seenEffects } from "./seen-effects.ts";

export interface GivenEnginesOptions {
  readonly looked: Looked;
  /** Aborted: whatever is being made ready is given up and taken away. */
  readonly signal?: AbortSignal;
  /** Told of what the lab made there and could not take away, with the remedy. */
  readonly onLeft: (what: string) => void;
}

export function openGivens({ looked, signal, onLeft }: GivenEnginesOptions): OpenEngines {
  return async (parts) => {
    const { account, clusters } = looked;
    parts.onStage("the storage account that was given: making the lab's containers");
    parts.undo(() => takeAway(looked, onLeft));
    await openContainers(account, signal);
    const open = (region: RegionName, role: Role) => openGiven(parts, { looked, cluster: clusters[region], region, role, ...(signal ? { signal } : {}) });
    parts.onStage("the clusters that were given: storage locations and rights in both, the applications in the primary");
    const opening = [open(primary.region, "primary"), open(secondary.region, "secondary")] as const;
    // Both have come to their end before either is undone.
    await Promise.allSettled(opening);
    const [west, north] = await Promise.all(opening);
    return { westeurope: west, northeurope: north };
  };
}

/** One that cannot be cleared keeps nothing of the others from being cleared. */
async function takeAway({ account, clusters }: Looked, onLeft: GivenEnginesOptions["onLeft"]): Promise<void> {
  const told = (what: string) => (error: unknown) => onLeft(`${what} could not be removed: ${error instanceof Error ? error.message : String(error)}; the next run there removes it`);
  await Promise.all(Object.values(clusters).map((cluster) => cleared(cluster).catch(told(`what the lab made in ${cluster.server.url} (label ${ownLabel})`))));
  await removeContainers(account).catch(told(`the lab's containers at ${account.url}`));
}

/** Signs in anew: the first login may have run out while the lab was kept up. */
async function cleared({ file }: GivenCluster): Promise<void> {
  const api = openApi(await serverIn(file));
  try {
    await removeOwnObjects(api, ownLocations, { untilGone: false });
  } finally {
    api.close();
  }
}

interface Place {
  readonly looked: Looked;
  readonly cluster: GivenCluster;
  readonly region: RegionName;
  readonly role: Role;
  readonly signal?: AbortSignal;
}

async function openGiven(parts: EngineParts, { looked: { account }, cluster, region, role, signal }: Place): Promise<RegionEngine> {
  const { world, topology, aks, identity, authority, undo } = parts;
  const first = openApi(cluster.server);
  undo(() => first.close());
  await removeOwnObjects(first, ownLocations, { untilGone: true, signal });
  signal?.throwIfAborted();
  const server = await ownLogin(labelling(first), cluster.server);
  const connection = openApi(server);
  const api = labelling(connection);
  signal?.throwIfAborted();
  await applyLocations(api, { role, topology, account, signal });
  await mirrorLocations(parts, role, account);

  const orders = openOrders({ read: () => readOrders(server), onTrouble: (why) => process.emitWarning(`the orders of ${region} could not be read: ${why}; tried again`, "LabMistake") });
  const effects = seenEffects(world, region);
  const kept = keepObjects(connection, (plural, now) => {
    effects(plural, now);
    if (plural === "pods") orders.seen(now);
  });
  undo(async () => {
    await kept.close();
    orders.close();
    connection.close();
  });
  await kept.listed;
  const volumes = ordersVolume(server);
  const write: VolumeHands["write"] = async (...given) => {
    await volumes.write(...given);
    orders.written();
  };
  if (role === "primary") {
    await deployApplications({ api, writeVolumeFile: write }, { change: withImages, signal });
    await scheduleBackups(api, ownName);
  }
  await applyRights(api, { role, namespaces: applicationNamespaces, named: ownRole });
  const gateway = await openKubernetesGateway(world, {
    region,
    server: connection.server,
    place: { tls: await authority.issue([regions[region].cluster.fqdn, "localhost"], ["127.0.0.1"]) },
    isServing: () => aks.cluster(region).power === "Running",
    // These clusters know nothing of the lab's identities: the lab's own account speaks for the app, with the app's rights.
    speaksFor: async (authorization) => {
      if (authorization === `Bearer ${server.token}`) return null;
      const verdict = await identity.check(authorization, audiences.aks);
      return verdict.kind === "refused" ? null : { user: clientIds[verdict.caller], authorization: `Bearer ${server.token}` };
    },
  });
  undo(() => gateway.close());
  return {
    region,
    apiUrl: gateway.url,
    insideUrl: null,
    objects: { get: kept.get, list: kept.list, volumeFiles: (_namespace, claim) => orders.files(claim) },
    operatorToken: async () => server.token,
    backupLocation: role === "primary" ? ownName : "own",
    crashVelero: () => deleteVeleroPods(connection),
    volumes: { ...volumes, write },
  };
}

/** What each Velero writes goes to the lab's storage, and what is replicated there comes back. */
async function mirrorLocations({ world, topology, frontUrl, undo }: EngineParts, role: Role, account: GivenAccount): Promise<void> {
  for (const place of locationsOf(role, topology)) {
    const service = new BlobServiceClient(`${frontUrl}/${place.endpoint}`, new StorageSharedKeyCredential(place.account, accountKey(place.account)), { retryOptions: { maxTries: 1 } });
    const there = account.container(givenLocation(place).container);
    // The app holds the container of a location that it writes to against its plan: both sides have one of that name.
    const here = service.getContainerClient(place.name === "own" ? there.containerName : place.container);
    if (place.name === "own") await here.create();
    const region = role === "primary" ? primary.region : secondary.region;
    const onTrouble = (why: string) => {
      // A lost region keeps what it has.
      if (world.reach(region) === "up") process.emitWarning(`blobs of the location ${place.name} could not be carried: ${why}; tried again`, "LabMistake");
    };
    // Velero leaves the results of a restore beside the backup that it was made from.
    const isResult = (name: string) => name.startsWith("restores/");
    const mirrors = place.accessMode === "ReadWrite" ? [startMirror({ from: there, to: here, onTrouble })] : [startMirror({ from: here, to: there, takes: (name) => !isResult(name), onTrouble }), startMirror({ from: there, to: here, takes: isResult, onTrouble: () => undefined })];
    undo(async () => void (await Promise.all(mirrors.map((mirror) => mirror.close()))));
  }
}

async function deleteVeleroPods(api: Api): Promise<void> {
  const path = `/api/v1/namespaces/${veleroNamespace}/pods?labelSelector=${encodeURIComponent("deploy=velero")}`;
  const answer = await api.request("DELETE", path);
  if (answer.status >= 300) throw new ApiRefused(`DELETE ${path}`, answer);
}
