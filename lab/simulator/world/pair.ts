/**
 * The region pair of a simulated run: the lab's own world (reachability, AKS, storage accounts and their replication, Resource Health)
 * over virtual time, and small clusters in place of the lab's large ones.
 */
import { kinds } from "../../../shared/domain/kinds.ts";
import { importFrom } from "../../../shared/domain/parity.ts";
import { backupFolder } from "../../../shared/domain/velero-backup-files.ts";
import { backupOf, podVolumeBackupOf } from "../../../shared/domain/velero-backup.ts";
import type { KubeObject } from "../../../shared/ports.ts";
import { openAccounts } from "../../world/accounts.ts";
import { openAks, type AksOptions } from "../../world/aks.ts";
import { openHealth } from "../../world/health.ts";
import { type Latencies, typicalLatencies } from "../../world/latencies.ts";
import { type AccountNames, accounts as named, type RegionName } from "../../world/pair.ts";
import { LabStorage } from "../../world/storage.ts";
import { openWorld } from "../../world/world.ts";
import { clockOf } from "../time/clock.ts";
import type { Scheduler } from "../time/scheduler.ts";
import { type BackupMade, backupBlobs, backupMs, backupObject, podVolumeBackup, snapshotBlob } from "./backup-files.ts";
import { memoryBytes } from "./bytes.ts";
import { deployShop, openCluster, type SimulatedCluster } from "./cluster.ts";
import { openFront } from "./front.ts";
import { memoryHome } from "./home.ts";
import { type RestoreTrouble, runVelero } from "./velero.ts";

export type Topology = "shared" | "replicated";

/** One backup on the shelf when the run begins. `missing`: blobs of it that are not at the replica, by a piece of their name. */
export interface Shelved extends BackupMade {
  readonly missing: readonly string[];
  /** What the secondary's cluster knows of it: all, nothing, or a Backup without its volume copies. */
  readonly view: "all" | "nothing" | "half";
  /** Files at the replica that were cut off on the way. */
  readonly cut: readonly string[];
}

export interface PairOptions {
  readonly topology: Topology;
  readonly shelf: readonly Shelved[];
  readonly archive: Uint8Array;
  readonly latencies: Partial<Latencies>;
  readonly aks: AksOptions;
  readonly seed: number;
  readonly restoreTrouble: (nth: number) => RestoreTrouble | null;
}

export type SimulatedPair = Awaited<ReturnType<typeof openPair>>;

const container = "velero";

export async function openPair(scheduler: Scheduler, { topology, shelf, archive, latencies, aks: aksOptions, seed, restoreTrouble }: PairOptions) {
  const world = openWorld(clockOf(scheduler), { ...typicalLatencies, ...latencies });
  let lastSyncAt: (account: string) => number | null = () => null;
  const accounts = openAccounts(world, { replicated: topology === "replicated", lastSyncAt: (account) => lastSyncAt(account) });
  const bytes = memoryBytes();
  const storage = new LabStorage(world, { accounts, bytes, seed });
  lastSyncAt = (account) => storage.lastSyncAt(account);
  const source = topology === "shared" ? named.shared : named.source;
  const replica = topology === "shared" ? `${named.shared.name}sec` : named.replica.name;
  for (const account of Object.values<AccountNames>(named)) for (const name of account.containers) storage.adoptContainer(account.name, name, scheduler.now - 86_400_000);
  for (const backup of shelf) await shelve(backup);

  async function shelve(backup: Shelved): Promise<void> {
    for (const [name, content] of backupBlobs(backup, archive)) {
      const late = backup.missing.some((piece) => name.includes(piece)) && !(name.includes("kopia.repository") && bytes.get({ store: replica, container, name }) !== null);
      const modifiedAt = backup.takenAt + (name.startsWith("kopia/") ? backupMs - 1_000 : backupMs);
      await bytes.put({ store: source.name, container, name }, content);
      if (!late) await bytes.put({ store: replica, container, name }, backup.cut.some((piece) => name.includes(piece)) ? content.slice(0, content.length / 2) : content);
      const times = { createdAt: modifiedAt, modifiedAt };
      if (late) {
        // Stuck on its way, for as long as this run lasts.
        storage.holdBack(name);
        await storage.adopt(source.name, container, name, { ...times, copiedAt: "pending" });
      } else await storage.adopt(source.name, container, name, { ...times, copiedAt: modifiedAt + 20_000 });
    }
  }

  const aks = openAks(world, aksOptions);
  const health = openHealth(world);
  const clusters: Readonly<Record<RegionName, SimulatedCluster>> = { westeurope: openCluster(world, "westeurope", aks), northeurope: openCluster(world, "northeurope", aks) };
  deployShop(clusters.westeurope);
  const front = openFront(world, clusters);
  for (const { region, objects } of Object.values(clusters)) installVelero(objects, region === "northeurope" ? "replica" : "default");
  for (const backup of shelf) knowBackup(clusters.northeurope.objects, backup);
  runVelero(world, clusters.northeurope, {
    storeTakesWrites: () => topology === "replicated" && accounts.policyOn(named.replica.name) === null,
    hasSnapshot: (snapshot) => bytes.get({ store: replica, container, name: snapshotBlob(snapshot) }) !== null,
    trouble: restoreTrouble,
    wroteBackup: (name) => void bytes.put({ store: named.replica.name, container: "velero-neu", name: `${backupFolder(name)}velero-backup.json` }, Buffer.from("{}")),
  });
  return { world, topology, aks, accounts, bytes, storage, health, clusters, front, home: memoryHome(() => scheduler.now), shelf, replicaStore: replica };
}

/** What Velero's own installation and its first sync leave behind. */
function installVelero(objects: SimulatedCluster["objects"], location: string): void {
  const at = { namespace: "velero" };
  objects.create(kinds.deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "velero", ...at }, spec: { replicas: 1, template: { spec: { containers: [{ name: "velero", image: "velero/velero:v1.18.3" }] } } } });
  objects.create(kinds.daemonSets, { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "node-agent", ...at }, spec: {}, status: { numberReady: 1, desiredNumberScheduled: 1 } });
  objects.create(kinds.backupStorageLocations, { apiVersion: "velero.io/v1", kind: "BackupStorageLocation", metadata: { name: location, ...at }, spec: { provider: "azure", accessMode: location === "replica" ? "ReadOnly" : "ReadWrite", objectStorage: { bucket: container } }, status: { phase: "Available" } });
  objects.create(kinds.backupRepositories, { apiVersion: "velero.io/v1", kind: "BackupRepository", metadata: { name: `shop-${location}-kopia`, ...at }, spec: { volumeNamespace: "shop", backupStorageLocation: location }, status: { phase: "Ready" } });
  if (location === "default") objects.create(kinds.schedules, { apiVersion: "velero.io/v1", kind: "Schedule", metadata: { name: "shop-hourly", ...at }, spec: { schedule: "0 * * * *", paused: false } });
}

/** What is in the secondary's cluster of each backup of a shelf. */
const importedFrom = new WeakMap<Shelved, ReturnType<typeof importOf>>();

/** A backup as the secondary's Velero has imported it. */
function knowBackup(objects: SimulatedCluster["objects"], backup: Shelved): void {
  if (backup.view === "nothing" || backup.phase === "Finalizing") return;
  const imported = importedFrom.get(backup) ?? importOf(backup);
  importedFrom.set(backup, imported);
  if (imported.kind === "skipped") return;
  objects.create(kinds.backups, imported.backup as unknown as KubeObject);
  if (backup.view === "all") for (const one of imported.podVolumeBackups) objects.create(kinds.podVolumeBackups, one as unknown as KubeObject);
}

function importOf(backup: Shelved): ReturnType<typeof importFrom> {
  const read = backupOf(backupObject(backup));
  const copy = podVolumeBackupOf(podVolumeBackup(backup));
  if (read.kind === "unreadable" || copy.kind === "unreadable") throw new Error("the simulated backups are not what Velero writes");
  return importFrom({ backup: read.value, podVolumeBackups: [copy.value] }, "replica", "velero");
}
