/** Regions with Velero for tests: the recorded container in memory, both clusters settled. */
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import { bringUpCluster, type LocationSetup } from "../../lab/world/velero/bring-up.ts";
import { memoryBlobStore, recordedBlobs } from "../../lab/world/velero/blob-store.ts";
import { createVelero, getVelero, listVelero, type Restore, type RestoreSpec } from "../../lab/world/velero/objects.ts";
import { openSnapshots } from "../../lab/world/velero/snapshots.ts";
import type { Cluster } from "../../lab/world/kubernetes/cluster.ts";
import type { LabWorld } from "../../lab/world/world.ts";
import { openMachines, until } from "./region.ts";

export const replicaUrl = "https://stshopneu.blob.core.windows.net";
const location = (name: string, container: string, accessMode: LocationSetup["accessMode"]): LocationSetup => ({ name, account: "stshopneu", url: replicaUrl, container, accessMode, isDefault: accessMode === "ReadWrite" });

/** Read once for each file of tests; every region gets containers of its own. */
let recordings: Promise<Map<string, Uint8Array>> | null = null;
const recorded = () => (recordings ??= recordedBlobs());

/** The recorded container before anything was restored from it, so that what a test finds under `restores/` was written in it. */
const unrestored = (recording: ReadonlyMap<string, Uint8Array>) => memoryBlobStore(new Map([...recording].filter(([name]) => !name.startsWith("restores/"))));

/** A secondary whose replica holds the recorded container. Containers of other names are empty. */
export async function secondary(world: LabWorld, machines = openMachines()) {
  const recording = await recorded();
  const snapshots = openSnapshots();
  const containers = new Map([["velero", unrestored(recording)], ["velero-neu", memoryBlobStore()]]);
  const container = (name: string) => {
    const found = containers.get(name) ?? memoryBlobStore();
    containers.set(name, found);
    return found;
  };
  const region = await bringUpCluster(world, "northeurope", {
    role: "secondary",
    ...machines,
    locations: [location("replica", "velero", "ReadOnly"), location("own", "velero-neu", "ReadWrite")],
    openBlobStore: ({ container: name }) => container(name),
    snapshots,
    recording,
  });
  return { ...region, machines, snapshots, recording, container, replica: container("velero"), own: container("velero-neu") };
}

/** A primary that runs the shop and the demo and writes to a container with the recorded backups. */
export async function primary(world: LabWorld, machines = openMachines()) {
  const recording = await recorded();
  const snapshots = openSnapshots();
  const blobs = unrestored(recording);
  const region = await bringUpCluster(world, "westeurope", { role: "primary", ...machines, locations: [location("default", "velero", "ReadWrite")], openBlobStore: () => blobs, snapshots, recording });
  return { ...region, machines, snapshots, recording, blobs };
}

const terminal: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed", "FailedValidation"]);

/** Creates a Restore as a client would and waits for its end. */
export async function restoreOf({ cluster }: { readonly cluster: Cluster }, name: string, spec: RestoreSpec, waitMs = 10_000): Promise<Restore> {
  createVelero(cluster.store, "restores", { metadata: { name }, spec });
  return until(`the end of restore ${name}`, () => {
    const restore = getVelero(cluster.store, "restores", name);
    return terminal.has(restore?.status?.phase ?? "") ? restore : null;
  }, waitMs);
}

/** Everything that was seen of the objects of a kind from now on. */
export function watchPhases(cluster: Cluster, plural: "backups" | "restores" | "podvolumerestores" | "podvolumebackups"): KubernetesObject[] {
  const seen: KubernetesObject[] = [];
  cluster.store.onChange(({ kind, type, object }) => {
    if (kind.resource === `${plural}.velero.io` && type !== "DELETED") seen.push(object);
  });
  return seen;
}

export const volumeRestoresOf = (cluster: Cluster, restore: string) => listVelero(cluster.store, "podvolumerestores").filter(({ metadata }) => metadata.labels?.["velero.io/restore-name"] === restore);
