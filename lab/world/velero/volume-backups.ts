/** The file-system backup of one volume, by the agent on its pod's node. */
import { randomBytes } from "node:crypto";
import type { VeleroContext } from "./context.ts";
import { blobsOf, nowText } from "./context.ts";
import { hasNodeAgent, type SelectedVolume } from "./backup-selection.ts";
import { snapshotBlobs } from "./kopia.ts";
import { type Backup, changeVelero, createVelero, getVelero, labelValue, type PodVolumeBackup, type StorageLocation, type VolumeStatus } from "./objects.ts";
import { ensureRepository } from "./repositories.ts";

export const volumeFinalizer = "velero.io/pod-volume-finalizer";
/** Says that a mover is being brought up for it. */
export const exposing = "velero.io/expose-on-going";

/** Backs one volume up; returns the object as it ended. Throws an error with Velero's words when it could not begin. `takeMs` is how long it takes. */
export async function backUpVolume(context: VeleroContext, backup: Backup, location: StorageLocation, { pod, volume, claim }: SelectedVolume, takeMs: number): Promise<PodVolumeBackup> {
  const { store, session } = context;
  const { namespace = "", name: podName, uid: podUid = "" } = pod.metadata;
  const node = pod.spec.nodeName ?? "";
  if (!hasNodeAgent(store, node)) throw new Error(`daemonset pod not found in running state in node ${node}`);
  await ensureRepository(context, namespace, location.metadata.name);
  const { name: backupName, uid: backupUid = "" } = backup.metadata;
  const claimUid = claim.metadata.uid ?? "";
  const { metadata } = createVelero(store, "podvolumebackups", {
    metadata: {
      generateName: `${backupName}-`,
      labels: { "velero.io/backup-name": labelValue(backupName), "velero.io/backup-uid": backupUid, "velero.io/pvc-uid": claimUid },
      annotations: { "velero.io/pvc-name": claim.metadata.name },
      ownerReferences: [{ apiVersion: "velero.io/v1", kind: "Backup", name: backupName, uid: backupUid, controller: true }],
    },
    spec: {
      backupStorageLocation: location.metadata.name,
      node,
      pod: { kind: "Pod", name: podName, namespace, uid: podUid },
      repoIdentifier: "",
      tags: { backup: backupName, "backup-uid": backupUid, ns: namespace, pod: podName, "pod-uid": podUid, "pvc-uid": claimUid, volume },
      uploaderType: "kopia",
      volume,
    },
    status: { progress: {} },
  });
  const { name } = metadata;
  const say = (status: VolumeStatus, isExposing = false) =>
    changeVelero(store, "podvolumebackups", name, (draft) => {
      const { [exposing]: _, ...labels } = draft.metadata.labels ?? {};
      draft.metadata.labels = isExposing ? { ...labels, [exposing]: "true" } : labels;
      draft.status = { ...draft.status, ...status };
    });
  changeVelero(store, "podvolumebackups", name, (draft) => void (draft.metadata.finalizers = [volumeFinalizer]));
  say({ phase: "Accepted", acceptedTimestamp: nowText(context) }, true);
  await session.sleep(takeMs / 4);
  say({ phase: "Prepared" }, true);
  say({ phase: "InProgress", startTimestamp: nowText(context) });
  await session.sleep(takeMs / 2);
  const snapshot = await upload(context, location, namespace, claim.spec.volumeName ?? "");
  say({ progress: { totalBytes: snapshot.bytes, bytesDone: snapshot.bytes } });
  await session.sleep(takeMs / 4);
  if (snapshot.problem === null) say({ phase: "Completed", completionTimestamp: nowText(context), path: claim.spec.volumeName ?? "", snapshotID: snapshot.id, incrementalBytes: snapshot.bytes });
  else say({ phase: "Failed", completionTimestamp: nowText(context), message: snapshot.problem });
  changeVelero(store, "podvolumebackups", name, (draft) => void delete draft.metadata.finalizers);
  const done = getVelero(store, "podvolumebackups", name);
  if (!done) throw new Error(`podvolumebackups.velero.io "${name}" not found`);
  return done;
}

/** Puts a snapshot of a volume's present files into the repository. The marks of earlier restores are not the application's. */
async function upload(context: VeleroContext, location: StorageLocation, namespace: string, volume: string): Promise<{ readonly id: string; readonly bytes: number; readonly problem: string | null }> {
  const { cluster, snapshots, world } = context;
  const files = Object.fromEntries(Object.entries(cluster.files.read(volume)).filter(([file]) => !file.startsWith(".velero/")));
  const bytes = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
  const id = randomBytes(16).toString("hex");
  const blobs = blobsOf(context, location);
  const written = snapshotBlobs(namespace, files, world.clock.now());
  for (const [name, content] of written) {
    const answer = await blobs.put(name, content);
    if (answer !== "ok") return { id, bytes, problem: `error writing to repository: ${answer.code}` };
  }
  // The log of a session is of no use to a restore.
  snapshots.add(id, { bytes, files, blobs: written.map(([name]) => name).filter((name) => !name.includes("/_log_")) });
  return { id, bytes, problem: null };
}
