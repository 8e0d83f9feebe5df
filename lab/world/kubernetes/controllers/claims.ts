/** Claims get a new, empty volume when their pod is to run; volumes go with their claims. */
import type { LabWorld } from "../../world.ts";
import { isRecord, type KubernetesObject, timestamp } from "../object.ts";
import { controllerManager, keyOfObject } from "../store.ts";
import { type Claim, getOf, listOf, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";

const protection = "kubernetes.io/pvc-protection";

/** From the wish for a volume until its claim is bound: 15 of the 19 seconds that were measured for the restore of a volume. */
export const claimBindingMs = ({ latencies }: LabWorld): number => Math.round((latencies.volumeRestore * 15) / 19);

const binding = new WeakMap<ControllerContext["store"], Set<string>>();

/** Gives a claim a new volume after a while, once. */
export function bindClaim(context: ControllerContext, claim: Claim, node: string, afterMs: number): void {
  const { store } = context;
  const uid = claim.metadata.uid ?? "";
  const begun = binding.get(store) ?? new Set<string>();
  binding.set(store, begun);
  if (begun.has(uid)) return;
  begun.add(uid);
  store.clock.after(afterMs, () => {
    const { namespace = "", name } = claim.metadata;
    const now = getOf(store, "claims", namespace, name);
    if (now?.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined) return;
    const volume = volumeFor(context, now);
    store.create(workloadKinds.volumes, volume, controllerManager);
    store.change(workloadKinds.claims, namespace, name, (draft) => bound(draft, volume.metadata.name, node), controllerManager);
  });
}

function volumeFor({ store, region }: ControllerContext, claim: Claim): KubernetesObject {
  const { name, namespace = "", uid = "" } = claim.metadata;
  const storageClass = store.get(workloadKinds.storageClasses, "", claim.spec.storageClassName ?? "");
  const provisioner = typeof storageClass?.["provisioner"] === "string" ? storageClass["provisioner"] : "disk.csi.azure.com";
  const volume = `pvc-${uid}`;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volume, annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
    spec: {
      accessModes: claim.spec.accessModes ?? ["ReadWriteOnce"],
      capacity: { storage: claim.spec.resources?.requests?.storage ?? "1Gi" },
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      csi: { driver: provisioner, volumeHandle: `/subscriptions/lab/resourceGroups/mc-${region}/providers/Microsoft.Compute/disks/${volume}` },
      persistentVolumeReclaimPolicy: typeof storageClass?.["reclaimPolicy"] === "string" ? storageClass["reclaimPolicy"] : "Delete",
      storageClassName: claim.spec.storageClassName,
      volumeMode: "Filesystem",
    },
    status: { phase: "Bound", lastPhaseTransitionTime: timestamp(store.clock.now()) },
  };
}

function bound(draft: KubernetesObject, volumeName: string, node: string): void {
  const spec = isRecord(draft["spec"]) ? draft["spec"] : {};
  const { accessModes, resources } = spec;
  draft.metadata.annotations = {
    ...draft.metadata.annotations,
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
    "volume.kubernetes.io/selected-node": node,
    "volume.kubernetes.io/storage-provisioner": "disk.csi.azure.com",
  };
  draft["spec"] = { ...spec, volumeName };
  draft["status"] = { phase: "Bound", accessModes, capacity: isRecord(resources) ? resources["requests"] : {} };
}

/** Lets claims that are deleted go when no pod uses them, and takes their volumes and files away. */
export function runClaims({ store, files }: ControllerContext): void {
  const release = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const claim = getOf(store, "claims", namespace, name);
    if (claim?.metadata.deletionTimestamp === undefined || isUsed(claim)) return;
    store.change(workloadKinds.claims, namespace, name, (draft) => void (draft.metadata.finalizers = draft.metadata.finalizers?.filter((one) => one !== protection) ?? []), controllerManager);
  });
  const isUsed = (claim: Claim) =>
    listOf(store, "pods", claim.metadata.namespace).some(({ spec }) => spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim.metadata.name));

  store.onChange(({ type, kind, object }) => {
    if (kind.resource === "persistentvolumeclaims" && type !== "DELETED" && object.metadata.deletionTimestamp !== undefined) release.add(keyOfObject(object));
    if (kind.resource === "pods" && type === "DELETED") for (const claim of listOf(store, "claims", object.metadata.namespace)) if (claim.metadata.deletionTimestamp !== undefined) release.add(keyOfObject(claim));
    if (kind.resource === "persistentvolumeclaims" && type === "DELETED") discardVolume(object as Claim);
  });

  function discardVolume({ spec }: Claim): void {
    if (spec.volumeName === undefined) return;
    const volume = store.get(workloadKinds.volumes, "", spec.volumeName);
    const policy = isRecord(volume?.["spec"]) ? volume["spec"]["persistentVolumeReclaimPolicy"] : undefined;
    if (!volume || policy === "Retain") return;
    store.purge(workloadKinds.volumes, "", spec.volumeName);
    files.discard(spec.volumeName);
  }
}
