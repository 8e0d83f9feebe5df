/** The five blobs that a restore leaves behind, in Velero's order. A store that refuses them, or is out of reach, costs one error, for the log. */
import { gzipJson, gzipText } from "./archive.ts";
import type { BlobStore } from "./blob-store.ts";
import type { VeleroContext } from "./context.ts";
import { getOf } from "../kubernetes/workloads.ts";
import { listVelero } from "./objects.ts";
import type { RestoreJob } from "./restore-items.ts";

export async function writeRestore(context: VeleroContext, blobs: BlobStore, job: Omit<RestoreJob, "archive">, log: string): Promise<void> {
  const { name } = job.restore.metadata;
  const put = async (file: string, bytes: Uint8Array): Promise<string | null> => {
    try {
      const answer = await blobs.put(`restores/${name}/${file}`, bytes);
      return answer === "ok" ? null : `RESPONSE ${answer.refused}: ${answer.code}`;
    } catch (error) {
      if (context.session.isOver()) throw error;
      return (error as Error).message;
    }
  };
  const problem = await put(`restore-${name}-logs.gz`, await gzipText(log));
  if (problem !== null) job.errors.velero(`error uploading log file to backup storage: rpc error: code = Unknown desc = ${problem}`);
  // Whether these arrive, Velero only writes to its own log.
  await put(`restore-${name}-results.gz`, await gzipJson({ errors: job.errors, warnings: job.warnings }));
  await put(`restore-${name}-resource-list.json.gz`, await gzipJson(job.restored));
  await put(`restore-${name}-itemoperations.json.gz`, await gzipJson([]));
  await put(`${name}-volumeinfo.json.gz`, await gzipJson(volumeInfo(context, job.restore.metadata.uid ?? "")));
}

function volumeInfo({ store }: VeleroContext, restoreUid: string): readonly Record<string, unknown>[] {
  return listVelero(store, "podvolumerestores")
    .filter(({ metadata }) => metadata.labels?.["velero.io/restore-uid"] === restoreUid)
    .map(({ spec, status }) => {
      const claimName = getOf(store, "pods", spec.pod.namespace, spec.pod.name)?.spec.volumes?.find(({ name }) => name === spec.volume)?.persistentVolumeClaim?.claimName ?? "";
      return {
        pvcName: claimName,
        pvcNamespace: spec.pod.namespace,
        pvName: getOf(store, "claims", spec.pod.namespace, claimName)?.spec.volumeName ?? "",
        restoreMethod: "PodVolumeRestore",
        snapshotDataMoved: false,
        // The phase stays empty: it was read before the object had one.
        pvrInfo: { snapshotHandle: spec.snapshotID, size: status?.progress?.totalBytes ?? 0, uploaderType: "kopia", volumeName: spec.volume, podName: spec.pod.name, podNamespace: spec.pod.namespace, Phase: "" },
      };
    });
}
