/** What the replication check of one backup says: one word for people and the blob door, and which blobs it is about. */
import type { Inventory } from "./inventory.ts";
import { allArrived, arrivalOf, kopiaWriteOnce } from "./replica.ts";
import { repositoryFolder, backupFolder } from "./velero-backup-files.ts";

export type ReplicationVerdict =
  /** Every blob of the backup and of its repositories is at the replica. */
  | { readonly kind: "complete"; readonly blobs: number }
  | { readonly kind: "pending"; readonly arrived: number; readonly of: number; readonly waitingFor: readonly string[] }
  /** The source says that these will not come. */
  | { readonly kind: "failed"; readonly blobs: readonly string[] }
  /** They had come and are gone. */
  | { readonly kind: "missing"; readonly blobs: readonly string[] }
  | { readonly kind: "differs"; readonly blobs: readonly string[] }
  | { readonly kind: "unknown"; readonly why: string };

/** Names listed in a verdict; the counts are of all. */
const namesMax = 20;

/** Holds every folder that the backup needs at both ends against each other, as it is now: later writes into a repository count too. */
export function replicationVerdict({ name, source, replica, repositories }: Inventory): ReplicationVerdict {
  const folders = [
    { folder: backupFolder(name), source, replica, writeOnce: () => false },
    ...Object.entries(repositories).map(([namespace, repository]) => ({ folder: repositoryFolder(namespace), ...repository, writeOnce: kopiaWriteOnce })),
  ];
  const all = { of: 0, arrived: 0, pending: [] as string[], failed: [] as string[], missing: [] as string[], differs: [] as string[] };
  for (const each of folders) {
    if (each.source.kind !== "listed") return { kind: "unknown", why: each.source.kind === "unknown" ? each.source.why : "the source was not seen in this look" };
    const arrival = arrivalOf(each.source.blobs, each.replica.blobs, each.writeOnce);
    const { arrived = 0, others = 0 } = each.source.beyond ?? {};
    all.of += arrival.of + arrived + others;
    all.arrived += arrival.arrived + arrived;
    for (const list of ["pending", "failed", "missing", "differs"] as const) all[list].push(...arrival[list].map((blob) => each.folder + blob));
  }
  if (all.of === 0) return { kind: "unknown", why: "the source has no such backup" };
  if (all.failed.length > 0) return { kind: "failed", blobs: all.failed.slice(0, namesMax) };
  if (all.missing.length > 0) return { kind: "missing", blobs: all.missing.slice(0, namesMax) };
  if (all.differs.length > 0) return { kind: "differs", blobs: all.differs.slice(0, namesMax) };
  return allArrived(all) ? { kind: "complete", blobs: all.of } : { kind: "pending", arrived: all.arrived, of: all.of, waitingFor: all.pending.slice(0, namesMax) };
}
