/** The disk driver of a real cluster: gives claims their volumes and takes back what is released. */
import { type ApiConnection, type ApiObject, ApiRefused } from "./api.ts";
import type { Claim, Volume } from "./pods.ts";
import type { Disks } from "./volumes.ts";

/** As on AKS; the class `managed-csi` names it. */
export const diskDriver = "disk.csi.azure.com";

export const storageClass: ApiObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "managed-csi", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: diskDriver,
  parameters: { skuName: "StandardSSD_LRS" },
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
};

/** Written by the scheduler once it knows where the first pod that uses the claim will run. */
const selectedNode = "volume.kubernetes.io/selected-node";

export interface DiskDriver {
  /** Makes a volume for a claim that waits for one of ours. Does nothing for all others. Throws when the API server refuses. */
  provision(claim: Claim): Promise<void>;
  /** Deletes a volume that was released and is not to be kept, and its files. */
  reclaim(volume: Volume): Promise<void>;
}

export function openDiskDriver(api: ApiConnection, { region, disks, say }: { readonly region: string; readonly disks: Disks; readonly say: (line: string) => void }): DiskDriver {
  const given = new Set<string>();
  return {
    async provision(claim) {
      const { uid, name, namespace } = claim.metadata;
      if (given.has(uid) || claim.spec.volumeName !== undefined || claim.status?.phase !== "Pending" || !(await isOurs(api, claim))) return;
      const volume = volumeFor(claim, region);
      await api.apply(volume);
      given.add(uid);
      say(`volume ${volume.metadata.name} for ${namespace}/${name}`);
    },
    async reclaim({ metadata: { name, deletionTimestamp }, spec, status }) {
      if (spec.csi?.driver !== diskDriver || spec.persistentVolumeReclaimPolicy !== "Delete" || status?.phase !== "Released" || deletionTimestamp !== undefined) return;
      const path = `/api/v1/persistentvolumes/${name}`;
      const answer = await api.request("DELETE", path);
      if (answer.status >= 300 && answer.status !== 404) throw new ApiRefused(`DELETE ${path}`, answer);
      await disks.remove(name);
      say(`volume ${name} is gone with its claim`);
    },
  };
}

async function isOurs(api: ApiConnection, { spec, metadata }: Claim): Promise<boolean> {
  if (!spec.storageClassName) return false;
  // A class that is missing is no error: the claim waits, as everywhere.
  const found = await api.get(`/apis/storage.k8s.io/v1/storageclasses/${spec.storageClassName}`);
  if (found?.["provisioner"] !== diskDriver) return false;
  return found["volumeBindingMode"] !== "WaitForFirstConsumer" || metadata.annotations?.[selectedNode] !== undefined;
}

function volumeFor({ metadata: { name, namespace, uid }, spec }: Claim, region: string): ApiObject {
  const volume = `pvc-${uid}`;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volume, annotations: { "pv.kubernetes.io/provisioned-by": diskDriver } },
    spec: {
      capacity: { storage: spec.resources.requests.storage },
      accessModes: spec.accessModes,
      storageClassName: spec.storageClassName,
      persistentVolumeReclaimPolicy: "Delete",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      csi: { driver: diskDriver, volumeHandle: `/subscriptions/lab/resourceGroups/mc-${region}/providers/Microsoft.Compute/disks/${volume}` },
    },
  };
}
