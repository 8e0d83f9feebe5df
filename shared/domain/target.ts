/** Where a run restores into, and from what. Pure. */
import type { RunKind } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import { type Place, placesOf } from "./replica.ts";

export interface Target {
  readonly region: string;
  readonly cluster: string;
  /** Address of this region's ingress. */
  readonly ingress: string;
  readonly veleroNamespace: string;
  /** Velero's storage location that the backups are read through there. */
  readonly storageLocation: string;
  /** The blobs behind that storage location. */
  readonly backups: Place;
  /** Where the backups were written first, if that is another place. */
  readonly source: Place | null;
}

/** A failover restores into the secondary from the replica; a recovery in place into the primary from its own backups. */
export function targetOf(plan: Plan, kind: RunKind): Target {
  const { replica, source } = placesOf(plan);
  switch (kind) {
    case "failover": {
      const { name, cluster, ingress, veleroNamespace } = plan.secondary;
      return { region: name, cluster, ingress, veleroNamespace, storageLocation: plan.storage.storageLocation, backups: replica, source };
    }
    case "recovery": {
      const { name, cluster, ingress, veleroNamespace, storageLocation } = plan.primary;
      return { region: name, cluster, ingress, veleroNamespace, storageLocation, backups: source, source: null };
    }
  }
}
