/** The restores of a pod's volumes, by the agent on the node that the pod comes to. */
import { arrivalMark, restoreWait } from "../kubernetes/controllers/pods.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { getOf, workloadKinds } from "../kubernetes/workloads.ts";
import { hasNodeAgent } from "./backup-selection.ts";
import { blobsOf, nowText, recordAct, type VeleroContext } from "./context.ts";
import { kopiaFolder } from "./kopia.ts";
import { changeVelero, createVelero, getVelero, labelValue, listVelero, type PodVolumeBackup, type PodVolumeRestore, type Restore, type StorageLocation, type VolumeStatus } from "./objects.ts";
import { ensureRepository } from "./repositories.ts";
import { exposing, volumeFinalizer } from "./volume-backups.ts";

/** How often an agent looks whether its pod waits for the data. */
const pollMs = 500;
/** Velero's fs-backup timeout: so long all volumes of a pod may take together. */
const timeoutMs = 14_400_000;
/** What is left of the measured time once the claim is bound: 4 of 19 seconds. */
const moveMs = ({ world }: VeleroContext) => (world.latencies.volumeRestore * 4) / 19;

/** Fills the volumes of one pod, side by side. Returns what went wrong, in Velero's words; ends when every volume has ended. */
export async function restorePodVolumes(context: VeleroContext, restore: Restore, pod: KubernetesObject, originalNamespace: string, location: string, volumes: readonly PodVolumeBackup[]): Promise<string[]> {
  const { store } = context;
  if (!store.get(workloadKinds.daemonSets, "velero", "node-agent")) return ["error to check node agent status: daemonset not found"];
  try {
    await ensureRepository(context, originalNamespace, location);
  } catch (error) {
    if (context.session.isOver()) throw error;
    return [(error as Error).message];
  }
  const begun = volumes.map((volume) => create(context, restore, pod, originalNamespace, location, volume));
  const ended = await Promise.all(begun.map(({ metadata }) => run(context, restore, metadata.name)));
  return ended.filter((problem) => problem !== null);
}

function create({ store }: VeleroContext, restore: Restore, pod: KubernetesObject, sourceNamespace: string, location: string, volume: PodVolumeBackup): PodVolumeRestore {
  const { name: restoreName, uid: restoreUid = "" } = restore.metadata;
  const { name, namespace = "", uid = "" } = pod.metadata;
  const claimName = getOf(store, "pods", namespace, name)?.spec.volumes?.find((one) => one.name === volume.spec.volume)?.persistentVolumeClaim?.claimName;
  const claim = claimName === undefined ? null : getOf(store, "claims", namespace, claimName);
  const labels = {
    "velero.io/pod-uid": uid,
    ...(claim ? { "velero.io/pvc-uid": claim.metadata.uid ?? "" } : {}),
    "velero.io/restore-name": labelValue(restoreName),
    "velero.io/restore-uid": restoreUid,
  };
  const made = createVelero(store, "podvolumerestores", {
    metadata: { generateName: `${restoreName}-`, labels, ownerReferences: [{ apiVersion: "velero.io/v1", kind: "Restore", name: restoreName, uid: restoreUid, controller: true }] },
    spec: {
      backupStorageLocation: location,
      pod: { kind: "Pod", name, namespace, uid },
      repoIdentifier: "",
      snapshotID: volume.status?.snapshotID ?? "",
      snapshotSize: volume.status?.progress?.totalBytes ?? 0,
      sourceNamespace,
      uploaderSettings: { WriteSparseFiles: "false" },
      uploaderType: "kopia",
      volume: volume.spec.volume,
    },
    status: { progress: {} },
  });
  changeVelero(store, "podvolumerestores", made.metadata.name, (draft) => void (draft.metadata.finalizers = [volumeFinalizer]));
  return made;
}

/** The agents of nodes: those of a restore that is under way belong to it; what somebody else asks for is done all the same. */
export function runVolumeRestores(context: VeleroContext): void {
  const { store, session } = context;
  session.follow("podvolumerestores", ({ type, object }) => {
    const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === "Restore");
    const restore = owner === undefined ? null : getVelero(store, "restores", owner.name);
    const { spec, status } = object as PodVolumeRestore;
    if (type !== "ADDED" || !restore || restore.status?.phase === "InProgress" || (status?.phase ?? "") !== "" || spec["cancel"] === true) return;
    session.task(`fill ${spec.volume} of ${spec.pod.name}`, async () => {
      changeVelero(store, "podvolumerestores", object.metadata.name, (draft) => void (draft.metadata.finalizers = [volumeFinalizer]));
      await run(context, restore, object.metadata.name);
    });
  });
}

/** What a server that starts does with the volume restores of a restore that it gives up: they are to be cancelled, and the agents do so. */
export function cancelVolumeRestores(context: VeleroContext, restoreUid: string): void {
  const { store, session } = context;
  for (const { metadata, status } of listVelero(store, "podvolumerestores")) {
    if (metadata.labels?.["velero.io/restore-uid"] !== restoreUid || volumeEnded.has(status?.phase ?? "")) continue;
    const { name } = metadata;
    const message = `PVR is in status "${status?.phase ?? ""}" during the velero server starting, mark it as cancel`;
    changeVelero(store, "podvolumerestores", name, (draft) => {
      draft.spec = { ...draft.spec, cancel: true };
      draft.status = { ...draft.status, message };
    });
    session.task(`cancel ${name}`, async () => {
      await session.sleep(0);
      sayOf(context, name)({ phase: "Canceled", startTimestamp: status?.startTimestamp ?? nowText(context), completionTimestamp: nowText(context) });
      changeVelero(store, "podvolumerestores", name, (draft) => void delete draft.metadata.finalizers);
    });
  }
}

const volumeEnded: ReadonlySet<string> = new Set(["Completed", "Failed", "Canceled"]);

/** Writes down how far a volume restore is. */
const sayOf = ({ store }: VeleroContext, name: string) => (status: VolumeStatus, isExposing = false) =>
  changeVelero(store, "podvolumerestores", name, (draft) => {
    const { [exposing]: _, ...labels } = draft.metadata.labels ?? {};
    draft.metadata.labels = isExposing ? { ...labels, [exposing]: "true" } : labels;
    draft.status = { ...draft.status, ...status };
  });

/** From the first look of an agent to the end. Null when it completed. */
async function run(context: VeleroContext, restore: Restore, name: string): Promise<string | null> {
  const { store, session } = context;
  const say = sayOf(context, name);
  const { spec } = getVelero(store, "podvolumerestores", name) ?? {};
  if (!spec) return null;
  const node = await waitingPodsNode(context, spec);
  if (node === null) return "timed out waiting for all PodVolumeRestores to complete";
  if (!hasNodeAgent(store, node)) return `node-agent pod is not running in node ${node}: daemonset pod not found in running state in node ${node}`;
  say({ phase: "Accepted", acceptedTimestamp: nowText(context), node }, true);
  await session.sleep(moveMs(context) / 4);
  say({ phase: "Prepared" }, true);
  say({ phase: "InProgress", startTimestamp: nowText(context) });
  await session.sleep(moveMs(context) / 2);
  const problem = await fill(context, restore, spec);
  if (problem === null) {
    const size = spec.snapshotSize ?? 0;
    say({ progress: { bytesDone: size, totalBytes: size } });
    await session.sleep(moveMs(context) / 4);
    say({ phase: "Completed", completionTimestamp: nowText(context) });
  } else say({ phase: "Failed", message: problem, completionTimestamp: nowText(context) });
  changeVelero(store, "podvolumerestores", name, (draft) => void delete draft.metadata.finalizers);
  recordAct(context, "volume-restored", `${spec.pod.namespace}/${spec.pod.name}/${spec.volume}`, { snapshotID: spec.snapshotID, problem });
  return problem === null ? null : `pod volume restore failed: ${problem}`;
}

/** The node of the pod, once its init container waits there; null when it never does. */
async function waitingPodsNode({ store, session }: VeleroContext, { pod }: PodVolumeRestore["spec"]): Promise<string | null> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += pollMs) {
    const now = getOf(store, "pods", pod.namespace, pod.name);
    const waits = (now?.status?.["initContainerStatuses"] as readonly { readonly name: string; readonly state?: { readonly running?: unknown } }[] | undefined)?.some((one) => one.name === restoreWait && one.state?.running !== undefined);
    if (now?.metadata.uid === pod.uid && now.spec.nodeName !== undefined && waits) return now.spec.nodeName;
    await session.sleep(pollMs);
  }
  return null;
}

/** Puts the snapshot's files on the volume, and the mark that lets the pod go on. Returns what keeps it from doing so. */
async function fill(context: VeleroContext, restore: Restore, { pod, volume, snapshotID, sourceNamespace, backupStorageLocation }: PodVolumeRestore["spec"]): Promise<string | null> {
  const { store, cluster, snapshots } = context;
  const location = getVelero(store, "backupstoragelocations", backupStorageLocation);
  const snapshot = snapshots.get(snapshotID);
  if (!location) return `error getting backup storage location ${backupStorageLocation}`;
  if (!snapshot) return `error to get snapshot ${snapshotID}: unable to find manifest`;
  const missing = await missingBlob(context, location, sourceNamespace, snapshot.blobs);
  if (missing !== null) return `error to restore snapshot ${snapshotID}: ${missing}`;
  const claimName = getOf(store, "pods", pod.namespace, pod.name)?.spec.volumes?.find(({ name }) => name === volume)?.persistentVolumeClaim?.claimName;
  const target = claimName === undefined ? undefined : getOf(store, "claims", pod.namespace, claimName)?.spec.volumeName;
  if (target === undefined) return `volume ${volume} of pod ${pod.namespace}/${pod.name} is not bound`;
  cluster.files.write(target, { ...cluster.files.read(target), ...snapshot.files, [arrivalMark(restore.metadata.uid ?? "")]: "" });
  return null;
}

/** What keeps a snapshot from being read: a blob of its repository that is not there, or the store; null: nothing. */
async function missingBlob(context: VeleroContext, location: StorageLocation, namespace: string, needed: readonly string[]): Promise<string | null> {
  try {
    const there = new Set(await blobsOf(context, location).list(kopiaFolder(namespace)));
    const missing = needed.find((blob) => !there.has(blob));
    return missing === undefined ? null : `unable to read ${missing}: BLOB not found`;
  } catch (error) {
    if (context.session.isOver()) throw error;
    return (error as Error).message;
  }
}
