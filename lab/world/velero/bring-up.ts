/** Brings a region's cluster up as it is on a quiet day: everything in it has long settled, and nothing has to be waited for. */
import { type Cluster, type ClusterOptions, openCluster } from "../kubernetes/cluster.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { controllerManager } from "../kubernetes/store.ts";
import { getOf, listOf, workloadKinds } from "../kubernetes/workloads.ts";
import type { RegionName } from "../pair.ts";
import type { LabWorld } from "../world.ts";
import { objectOf, ungzipJson } from "./archive.ts";
import type { OpenBlobStore } from "./blob-store.ts";
import { nowText, type VeleroContext } from "./context.ts";
import { changeVelero, createVelero, durationText, listVelero, type PodVolumeBackup, type Schedule, veleroNamespace } from "./objects.ts";
import { newestPoint, objectsOf, recordedArchive } from "./recording.ts";
import { runVelero, type Velero } from "./server.ts";
import { openSession } from "./session.ts";
import type { Snapshots } from "./snapshots.ts";
import { sync } from "./sync.ts";

export interface LocationSetup {
  readonly name: string;
  /** The account's name and its blob endpoint, `https://stshopneu.blob.core.windows.net`. */
  readonly account: string;
  readonly url: string;
  readonly container: string;
  readonly accessMode: "ReadWrite" | "ReadOnly";
  readonly isDefault?: boolean;
}

export interface BringUpOptions extends ClusterOptions {
  /** `primary` runs the two applications and backs the shop up by its schedule; `secondary` has nothing but Velero. */
  readonly role: "primary" | "secondary";
  readonly locations: readonly LocationSetup[];
  readonly openBlobStore: OpenBlobStore;
  /** One table for both regions: `openSnapshots()`. */
  readonly snapshots: Snapshots;
  /** What a real Velero left behind: `recordedBlobs()`. */
  readonly recording: ReadonlyMap<string, Uint8Array>;
}

export interface Region {
  readonly cluster: Cluster;
  readonly velero: Velero;
}

const schedule = "shop-hourly";
const shopNamespace = "shop";
const demoNamespace = "disaster-demo";
const storageClass: KubernetesObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "managed-csi", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "disk.csi.azure.com",
  parameters: { skuName: "StandardSSD_LRS" },
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
};

/** Velero knows the backups that lie in its locations, as if it had synced a moment ago. Throws when a location's container cannot be read. */
export async function bringUpCluster(world: LabWorld, region: RegionName, options: BringUpOptions): Promise<Region> {
  const { role, locations, openBlobStore, snapshots, recording } = options;
  const cluster = openCluster(world, region, options);
  const nodes = options.machines().filter(({ pool, ready }) => pool !== "system" && ready).map(({ name }) => name);
  await installVelero(cluster, recording, nodes);
  if (role === "primary") await deployApplications(cluster, recording, snapshots, nodes);
  for (const location of locations) createLocation(cluster, world, location);
  if (role === "primary") await createSchedule(cluster, recording);
  const session = openSession(world, region, cluster.store);
  const context: VeleroContext = { world, region, cluster, store: cluster.store, snapshots, openBlobStore, session };
  for (const location of listVelero(cluster.store, "backupstoragelocations")) {
    await sync(context, location);
    changeVelero(cluster.store, "backupstoragelocations", location.metadata.name, (draft) => void (draft.status = { ...draft.status, phase: "Available", lastValidationTime: nowText(context) }));
  }
  session.end();
  cluster.run();
  return { cluster, velero: runVelero(world, { cluster, openBlobStore, snapshots }) };
}

/** Everything that `velero install` had applied in the recorded cluster, credentials aside: the lab's Velero needs none. */
async function installVelero({ store }: Cluster, recording: ReadonlyMap<string, Uint8Array>, nodes: readonly string[]): Promise<void> {
  const newest = await recordedArchive(recording, newestPoint(recording, schedule));
  for (const item of newest.items.filter(({ resource, name }) => resource === "customresourcedefinitions.apiextensions.k8s.io" && name.endsWith(".velero.io"))) {
    // Not the same object as the recorded one: installed at another time, by other hands.
    const { managedFields: _, ...metadata } = objectOf(item).metadata;
    store.load({ ...objectOf(item), metadata });
  }
  for (const item of newest.items.filter(({ resource, name }) => resource === "priorityclasses.scheduling.k8s.io" && name.startsWith("system-"))) store.load(objectOf(item));
  store.create(workloadKinds.storageClasses, storageClass, controllerManager);
  store.create(workloadKinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: veleroNamespace, labels: { component: "velero" } } }, controllerManager);
  const everything = await recordedArchive(recording, "everything");
  const wanted: ReadonlySet<string> = new Set(["deployments.apps", "replicasets.apps", "daemonsets.apps", "controllerrevisions.apps", "pods", "serviceaccounts"]);
  const objects = objectsOf(everything, ({ resource, namespace }) => namespace === veleroNamespace && wanted.has(resource), nodes);
  const binding = everything.find("clusterrolebindings.rbac.authorization.k8s.io", "", "velero");
  let agents = 0;
  for (const object of [...objects, ...(binding ? [objectOf(binding)] : [])]) {
    const isAgent = object.kind === "Pod" && object.metadata.labels?.["role"] === "node-agent";
    // One agent for each node, and no pod where there is no node yet.
    if (object.kind === "Pod" && (nodes.length === 0 || (isAgent && agents >= nodes.length))) continue;
    const node = isAgent ? nodes[agents] : nodes[0];
    if (isAgent) agents += 1;
    store.load(object.kind === "Pod" ? { ...object, spec: { ...(object["spec"] as object), nodeName: node } } : object);
  }
}

/** The shop as it was at its newest recorded point, its volume included, and the small demo. */
async function deployApplications({ store, files }: Cluster, recording: ReadonlyMap<string, Uint8Array>, snapshots: Snapshots, nodes: readonly string[]): Promise<void> {
  const shop = await recordedArchive(recording, newestPoint(recording, schedule));
  const demo = await recordedArchive(recording, "demo-backup");
  const clusterScoped: ReadonlySet<string> = new Set(["namespaces", "persistentvolumes", "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"]);
  const isShops = ({ resource, namespace, name }: { readonly resource: string; readonly namespace: string; readonly name: string }) =>
    namespace === shopNamespace || clusterScoped.has(resource) || name === "promotions.shop.example.com" || name === "shop-critical";
  const objects = [...objectsOf(shop, isShops, nodes), ...objectsOf(demo, ({ namespace, resource }) => namespace === demoNamespace || resource === "namespaces", nodes)];
  for (const object of objects.toSorted((a, b) => Number(b.kind === "CustomResourceDefinition") - Number(a.kind === "CustomResourceDefinition"))) if (object.kind !== "Pod" || nodes.length > 0) store.load(object);
  for (const { spec, status } of await recordedVolumes(recording)) {
    const claim = listOf(store, "pods", spec.pod.namespace).find(({ metadata }) => metadata.name === spec.pod.name)?.spec.volumes?.find(({ name }) => name === spec.volume)?.persistentVolumeClaim?.claimName;
    const volume = claim === undefined ? undefined : getOf(store, "claims", spec.pod.namespace, claim)?.spec.volumeName;
    const snapshot = snapshots.get(status?.snapshotID ?? "");
    if (volume !== undefined && snapshot) files.write(volume, snapshot.files);
  }
}

async function recordedVolumes(recording: ReadonlyMap<string, Uint8Array>): Promise<readonly PodVolumeBackup[]> {
  const point = newestPoint(recording, schedule);
  const bytes = recording.get(`backups/${point}/${point}-podvolumebackups.json.gz`);
  const value = bytes ? await ungzipJson(bytes) : null;
  return Array.isArray(value) ? (value as PodVolumeBackup[]) : [];
}

function createLocation({ store }: Cluster, { latencies }: LabWorld, { name, account, url, container, accessMode, isDefault = false }: LocationSetup): void {
  createVelero(store, "backupstoragelocations", {
    metadata: { name },
    spec: {
      provider: "azure",
      accessMode,
      default: isDefault,
      objectStorage: { bucket: container },
      config: { storageAccount: account, storageAccountURI: url, useAAD: "true" },
      validationFrequency: durationText(latencies.veleroValidation),
      backupSyncPeriod: durationText(latencies.veleroSyncPeriod),
    },
  });
}

/** Made now, so that its first run is the next full hour and not one that was missed. */
async function createSchedule({ store }: Cluster, recording: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const item = (await recordedArchive(recording, "everything")).find("schedules.velero.io", veleroNamespace, schedule);
  if (!item) throw new Error(`the recording lacks schedule ${schedule}`);
  createVelero(store, "schedules", { metadata: { name: schedule }, spec: (objectOf(item) as Schedule).spec, status: { phase: "Enabled" } });
}
