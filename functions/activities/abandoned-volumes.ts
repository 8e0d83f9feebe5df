/**
 * Volumes that a restore was to fill when Velero's server ended. The next server cancels their movers, and no other Restore makes new ones,
 * because the pods are there: they would wait in Velero's init container for ever. A mover made as Velero makes it fills them.
 */
import { moverState } from "../../shared/domain/cluster-objects.ts";
import { fingerprint } from "../../shared/domain/fingerprint.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { RestoreOrder } from "../../shared/domain/restore-object.ts";
import { broughtBy, restoredByLabel } from "../../shared/domain/restore-run.ts";
import { type PodVolumeBackup, podVolumeBackupOf } from "../../shared/domain/velero-backup.ts";
import type { Cluster, KubeObject } from "../../shared/ports.ts";

/** The init container in which a restored pod waits, its argument the uid of the Restore (Velero 1.18, pod volume restore action). */
const restoreWait = "restore-wait";

/**
 * Makes a mover for each volume of the backup whose pod waits for one of the `earlier` Restores and that none of theirs has filled or is
 * filling. Pods that are not there yet come with the next Restore, and their movers with them. Safe to run again.
 */
export async function fillAbandoned(cluster: Cluster, { order, earlier }: { readonly order: RestoreOrder; readonly earlier: readonly string[] }): Promise<void> {
  const { namespace, backup, application } = order;
  const [copies, movers, restores] = await Promise.all([
    cluster.list(kinds.podVolumeBackups, namespace, `velero.io/backup-name=${backup}`),
    cluster.list(kinds.podVolumeRestores, namespace, broughtBy([...earlier, order.name])),
    Promise.all(earlier.map((name) => cluster.get(kinds.restores, namespace, name))),
  ]);
  const filled = new Set((movers ?? []).filter((mover) => !["Canceled", "Failed"].includes(moverState(mover).phase)).map(placeOf));
  for (const object of copies ?? []) {
    const copy = podVolumeBackupOf(object);
    if (copy.kind === "unreadable") throw new Error(`a PodVolumeBackup of ${backup} cannot be read: ${copy.why}`);
    const { value } = copy;
    if (!application.namespaces.includes(value.namespace) || value.snapshot === "" || filled.has(`${value.namespace}/${value.pod}/${value.volume}`)) continue;
    const pod = await cluster.get(kinds.pods, value.namespace, value.pod);
    const owner = restores.find((restore) => restore !== null && restore.metadata.uid === awaitedBy(pod));
    if (pod === null || !owner) continue;
    await cluster.create(kinds.podVolumeRestores, moverFor(order, value, pod, owner));
  }
}

function placeOf(mover: KubeObject): string {
  const { pod, volume } = mover["spec"] as { readonly pod?: { readonly namespace?: string; readonly name?: string }; readonly volume?: string };
  return `${pod?.namespace}/${pod?.name}/${volume}`;
}

/** The uid of the Restore whose data the pod waits for. */
function awaitedBy(pod: KubeObject | null): string | undefined {
  const spec = pod?.["spec"] as { readonly initContainers?: readonly { readonly name: string; readonly args?: readonly string[] }[] } | undefined;
  return spec?.initContainers?.find(({ name }) => name === restoreWait)?.args?.[0];
}

/** As Velero makes it (1.18, podvolume/restorer.go). Its owner says whose mark the pod waits for; the label says that this run's next Restore counts it. */
function moverFor({ name, namespace }: RestoreOrder, { object, ...copy }: PodVolumeBackup, pod: KubeObject, owner: KubeObject): Readonly<Record<string, unknown>> {
  const { backupStorageLocation, repoIdentifier = "" } = object["spec"] as { readonly backupStorageLocation?: string; readonly repoIdentifier?: string };
  const { uid } = pod.metadata;
  return {
    apiVersion: "velero.io/v1",
    kind: "PodVolumeRestore",
    metadata: {
      name: `${name.slice(0, 50)}-${fingerprint(`${name}/${copy.namespace}/${copy.pod}/${copy.volume}`).toString(16)}`,
      namespace,
      labels: { [restoredByLabel]: name, "velero.io/restore-uid": owner.metadata.uid, "velero.io/pod-uid": uid },
      ownerReferences: [{ apiVersion: "velero.io/v1", kind: "Restore", name: owner.metadata.name, uid: owner.metadata.uid, controller: true }],
    },
    spec: {
      pod: { kind: "Pod", namespace: copy.namespace, name: copy.pod, uid },
      volume: copy.volume,
      snapshotID: copy.snapshot,
      snapshotSize: copy.bytes,
      backupStorageLocation,
      repoIdentifier,
      uploaderType: copy.uploader,
      sourceNamespace: copy.namespace,
    },
  };
}
