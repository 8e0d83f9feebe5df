/** What every part of one cluster's Velero is given. */
import type { Cluster } from "../kubernetes/cluster.ts";
import { timestamp } from "../kubernetes/object.ts";
import type { Store } from "../kubernetes/store.ts";
import type { RegionName } from "../pair.ts";
import type { LabWorld } from "../world.ts";
import type { BlobStore, OpenBlobStore } from "./blob-store.ts";
import type { StorageLocation } from "./objects.ts";
import type { Session } from "./session.ts";
import type { Snapshots } from "./snapshots.ts";

export interface VeleroContext {
  readonly world: LabWorld;
  readonly region: RegionName;
  readonly cluster: Cluster;
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly openBlobStore: OpenBlobStore;
  readonly session: Session;
}

/** Lab time, as Velero writes it. */
export const nowText = ({ world }: VeleroContext, plusMs = 0): string => timestamp(world.clock.now() + plusMs);

/** The container behind a storage location, its prefix taken into account. */
export function blobsOf({ openBlobStore, session }: VeleroContext, { spec }: StorageLocation): BlobStore {
  const { bucket = "", prefix = "" } = spec.objectStorage ?? {};
  const { storageAccount = "", storageAccountURI } = spec.config ?? {};
  const url = (storageAccountURI ?? `https://${storageAccount}.blob.core.windows.net`).replace(/\/$/, "");
  const blobs = session.guard(openBlobStore({ url, container: bucket }));
  if (prefix === "") return blobs;
  const inside = (name: string) => `${prefix.replace(/\/$/, "")}/${name}`;
  return {
    list: async (under) => (await blobs.list(inside(under))).map((name) => name.slice(inside("").length)),
    get: (name) => blobs.get(inside(name)),
    put: (name, bytes) => blobs.put(inside(name), bytes),
    delete: (name) => blobs.delete(inside(name)),
  };
}

/** Puts something that happened in the world on record, under the name of this region's thing. */
export const recordAct = ({ world, region }: VeleroContext, act: string, name: string, detail?: unknown): void => world.record(`velero.${act}`, `${region}/${name}`, detail);
