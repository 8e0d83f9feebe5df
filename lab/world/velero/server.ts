/** Velero in one cluster: a server lives while its Deployment has a ready pod, and does everything it does in that time. */
import type { Cluster } from "../kubernetes/cluster.ts";
import { isReady, listOf } from "../kubernetes/workloads.ts";
import type { LabWorld } from "../world.ts";
import { runBackups } from "./backups.ts";
import type { OpenBlobStore } from "./blob-store.ts";
import type { VeleroContext } from "./context.ts";
import { veleroNamespace } from "./objects.ts";
import { answerStatusRequests, collectGarbage, deleteBackups } from "./requests.ts";
import { endFinalizing, failInterrupted, runRestores } from "./restores.ts";
import { runSchedules } from "./schedules.ts";
import { openSession, type Session } from "./session.ts";
import type { Snapshots } from "./snapshots.ts";
import { watchStorageLocations } from "./storage-locations.ts";
import { watchBackups } from "./sync.ts";
import { runVolumeRestores } from "./volume-restores.ts";

export interface VeleroParts {
  readonly cluster: Cluster;
  readonly openBlobStore: OpenBlobStore;
  readonly snapshots: Snapshots;
}

export interface Velero {
  /** Whether its server runs at this moment. */
  isRunning(): boolean;
  /** Ends its server in the middle of whatever it does; its container starts anew. */
  crash(): void;
  /** Ends it with the lab: nothing of it stays behind. */
  close(): void;
}

/** Watches the pods of Velero's Deployment and lets the server live and die with them. */
export function runVelero(world: LabWorld, { cluster, openBlobStore, snapshots }: VeleroParts): Velero {
  const { store, region } = cluster;
  let session: Session | null = null;
  let pod: string | null = null;
  let closed = false;
  const look = () => {
    if (closed) return;
    const ready = listOf(store, "pods", veleroNamespace).find((one) => one.metadata.labels?.["deploy"] === "velero" && one.metadata.deletionTimestamp === undefined && isReady(one));
    const uid = ready?.metadata.uid ?? null;
    if (uid === pod) return;
    pod = uid;
    session?.end();
    session = null;
    if (uid === null) return;
    session = openSession(world, region, store);
    begin({ world, region, cluster, store, snapshots, openBlobStore, session });
  };
  store.onChange(({ kind, object }) => {
    if (kind.resource === "pods" && object.metadata.namespace === veleroNamespace) look();
  });
  look();
  return {
    isRunning: () => session !== null,
    crash() {
      session?.end();
      session = null;
      pod = null;
      world.clock.after(world.latencies.veleroRestart, look);
    },
    close() {
      closed = true;
      session?.end();
      session = null;
    },
  };
}

function begin(context: VeleroContext): void {
  failInterrupted(context);
  endFinalizing(context);
  watchStorageLocations(context);
  watchBackups(context);
  runBackups(context);
  runRestores(context);
  runVolumeRestores(context);
  runSchedules(context);
  answerStatusRequests(context);
  deleteBackups(context);
  collectGarbage(context);
}
