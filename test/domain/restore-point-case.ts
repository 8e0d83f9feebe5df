/** An inventory of a small backup, whole in every respect, to be spoiled by tests. */
import { gatherContents, keyOf } from "../../shared/domain/contents.ts";
import type { Inventory, TarballFound } from "../../shared/domain/inventory.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { BlobFound } from "../../shared/domain/replica.ts";
import type { Reading } from "../../shared/domain/velero-backup.ts";
import { readBackup, readPodVolumeBackups } from "../../shared/domain/velero-backup.ts";
import { filesOf, readItemOperations, readResourceList, readVolumeInfo } from "../../shared/domain/velero-backup-files.ts";
import { examplePlan } from "./example-plans.ts";

export const takenAt = Date.parse("2026-11-21T05:00:00Z");
export const nowAt = Date.parse("2026-11-21T06:00:00Z");
export const writtenAt = Date.parse("2026-11-21T05:00:10Z");
export const plan: Plan = examplePlan("shop-replicated");

const value = <T>(reading: Reading<T>): Extract<Reading<T>, { kind: "read" }> => {
  if (reading.kind === "unreadable") throw new Error(reading.why);
  return reading;
};

export interface Ingredients {
  readonly name?: string;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly volumeInfo?: readonly Readonly<Record<string, unknown>>[];
  readonly podVolumeBackups?: readonly unknown[];
  readonly itemOperations?: readonly unknown[];
  readonly resourceList?: Readonly<Record<string, readonly string[]>>;
  /** Objects in the archive beside those of the resource list. */
  readonly objects?: readonly { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string; readonly object: Readonly<Record<string, unknown>> }[];
}

export const volumeInfo = (more: Readonly<Record<string, unknown>> = {}) => ({
  pvcName: "data-orders-0",
  pvcNamespace: "shop",
  backupMethod: "PodVolumeBackup",
  skipped: false,
  result: "succeeded",
  pvbInfo: { snapshotHandle: "abc", podNamespace: "shop", podName: "orders-0", volumeName: "data", Phase: "Completed" },
  ...more,
});
export const podVolumeBackup = (status: Readonly<Record<string, unknown>> = {}, spec: Readonly<Record<string, unknown>> = {}) => ({
  metadata: { name: "copy-1", annotations: { "velero.io/pvc-name": "data-orders-0" } },
  spec: { pod: { namespace: "shop", name: "orders-0" }, volume: "data", uploaderType: "kopia", ...spec },
  status: { phase: "Completed", snapshotID: "abc", progress: { totalBytes: 7 }, ...status },
});

const blob = (bytes: number, lastModifiedAt = writtenAt): BlobFound => ({ bytes, etag: `${bytes}@${lastModifiedAt}`, lastModifiedAt, replication: "complete" });

/** A whole backup at a replica whose source answers and has the same. */
export function inventoryOf(from: Ingredients = {}): Inventory {
  const name = from.name ?? "shop-hourly-20261121050000";
  const resourceList = from.resourceList ?? { "v1/Namespace": ["shop"], "v1/ConfigMap": ["shop/storefront"] };
  const blobs = new Map(Object.values(filesOf(name)).map((file) => [file, blob(100)]));
  const repository = new Map([
    ["kopia.repository", blob(10)],
    ["p1", blob(1_000)],
  ]);
  return {
    name,
    depth: "readable",
    replica: { listedAt: nowAt, blobs },
    source: { kind: "listed", listedAt: nowAt, blobs },
    files: {
      metadata: value(
        readBackup(
          JSON.stringify({
            apiVersion: "velero.io/v1",
            kind: "Backup",
            metadata: { name },
            spec: {},
            status: { phase: "Completed", formatVersion: "1.1.0", startTimestamp: "2026-11-21T05:00:00Z", completionTimestamp: "2026-11-21T05:00:09Z", expiration: "2026-11-24T05:00:00Z", progress: { totalItems: 2 }, ...from.status },
          }),
        ),
      ),
      volumeInfo: value(readVolumeInfo(JSON.stringify(from.volumeInfo ?? [volumeInfo()]))),
      podVolumeBackups: value(readPodVolumeBackups(JSON.stringify(from.podVolumeBackups ?? [podVolumeBackup()]))),
      itemOperations: value(readItemOperations(JSON.stringify(from.itemOperations ?? []))),
      resourceList: value(readResourceList(JSON.stringify(resourceList))),
      results: { kind: "read", value: { errors: [], warnings: [] } },
    },
    tarball: archiveOf(resourceList, from.objects ?? []),
    repositories: { shop: { replica: { listedAt: nowAt, blobs: repository }, source: { kind: "listed", listedAt: nowAt, blobs: repository } } },
  };
}

function archiveOf(resourceList: Readonly<Record<string, readonly string[]>>, objects: NonNullable<Ingredients["objects"]>): TarballFound {
  const gathered = gatherContents(["lifeboat.dev/consumer=true"]);
  for (const object of objects) gathered.add(object);
  const keys = Object.entries(resourceList).flatMap(([kind, names]) => names.map((name) => keyOf(kind, name)));
  return { kind: "read", formatVersion: "1.1.0", contents: gathered.contents(), keys: new Set(keys) };
}
