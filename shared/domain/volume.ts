/** A backup's volumes: which of them have their data in the store, so that another region can restore it. */
import type { TarballFound } from "./inventory.ts";
import type { PodVolumeBackup } from "./velero-backup.ts";
import type { BackupFiles, VolumeInfo } from "./velero-backup-files.ts";

export interface Volume {
  readonly namespace: string;
  /** Name of the claim; for a pod's volume without one, `pod/volume`. */
  readonly claim: string;
  readonly method: "file-system-backup" | "data-movement" | "csi-snapshot" | "native-snapshot" | "none";
  /** The snapshot in the Kopia repository, or `null`. */
  readonly snapshot: string | null;
  readonly bytes: number;
  readonly restorable: boolean;
  /** Why it cannot be restored in another region; empty when it can. */
  readonly why: string;
}

/** Whether restoring a volume reads `kopia/<namespace>/`. */
export const inRepository = ({ method, restorable }: Volume): boolean => restorable && (method === "file-system-backup" || method === "data-movement");

/** All volumes that the backup knows of. `null`: the files that tell were not asked for, not there or not readable. */
export function volumesOf(files: BackupFiles, tarball: TarballFound): readonly Volume[] | null {
  if (files.volumeInfo.kind !== "read" || files.podVolumeBackups.kind !== "read") return null;
  const copies = files.podVolumeBackups.value;
  const claimed = new Set<PodVolumeBackup>();
  const volumes = files.volumeInfo.value.map((info) => {
    const copy = copies.find((one) => belongs(one, info));
    if (copy) claimed.add(copy);
    return volumeOf(info, copy);
  });
  for (const copy of copies) if (!claimed.has(copy)) volumes.push(copiedVolume(copy.namespace, claimName(copy), copy, null));
  return [...volumes, ...unmentioned(volumes, tarball)];
}

/** Claims that are bound in the backup while no file says where their data went: a restore would make them anew, empty. */
function unmentioned(volumes: readonly Volume[], tarball: TarballFound): readonly Volume[] {
  if (tarball.kind !== "read") return [];
  const known = new Set(volumes.map(({ namespace, claim }) => `${namespace}/${claim}`));
  return tarball.contents.claims
    .filter(({ namespace, name, phase }) => phase === "Bound" && !known.has(`${namespace}/${name}`))
    .map(({ namespace, name }) => without(namespace, name, "none", `the volume ${name} in ${namespace} is in the backup as a claim only: nothing in it says that its data was saved`));
}

const claimName = (copy: PodVolumeBackup): string => copy.claim ?? `${copy.pod}/${copy.volume}`;

function belongs(copy: PodVolumeBackup, info: VolumeInfo): boolean {
  if (info.pvcName !== "") return copy.claim === info.pvcName && copy.namespace === info.pvcNamespace;
  const pod = info.pvbInfo;
  return pod?.podNamespace === copy.namespace && pod.podName === copy.pod && pod.volumeName === copy.volume;
}

function volumeOf(info: VolumeInfo, copy: PodVolumeBackup | undefined): Volume {
  const namespace = info.pvcNamespace || (info.pvbInfo?.podNamespace ?? "");
  const claim = info.pvcName || (copy ? claimName(copy) : [info.pvbInfo?.podName, info.pvbInfo?.volumeName].filter(Boolean).join("/")) || info.pvName;
  const what = `the volume ${claim} in ${namespace}`;
  if (info.skipped) return without(namespace, claim, "none", `${what} was skipped by the backup (${reasonOf(info)}), so its data is not in it`);
  switch (info.backupMethod) {
    case "PodVolumeBackup":
      return copy
        ? copiedVolume(namespace, claim, copy, info)
        : without(namespace, claim, "file-system-backup", `${what} was copied by file-system backup, as the backup says, and the record of that copy is not in it`);
    case "CSISnapshot":
      return info.snapshotDataMoved ? movedVolume(namespace, claim, info) : without(namespace, claim, "csi-snapshot", `${what} is a CSI snapshot whose data was not moved to the store; such a snapshot does not leave its region`);
    case "NativeSnapshot":
      return without(namespace, claim, "native-snapshot", `${what} is a disk snapshot; such a snapshot does not leave its region`);
    default:
      return without(namespace, claim, "none", `${what} was saved by a method that is not known here (${info.backupMethod || "none is named"})`);
  }
}

/** Velero joins its reasons with semicolons and begins each with its approach: `podvolume: opted out …;volumeSnapshot: no …;`. */
const reasonOf = (info: VolumeInfo): string =>
  info.skippedReason
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("; ") || "no reason given";

/** A PodVolumeBackup may say `Completed` and name no snapshot: Velero then restores nothing and says nothing (podvolume/util.go). */
function copiedVolume(namespace: string, claim: string, copy: PodVolumeBackup, info: VolumeInfo | null): Volume {
  const what = `the volume ${claim} in ${namespace}`;
  const lost = (why: string) => without(namespace, claim, "file-system-backup", why);
  if (copy.phase !== "Completed") return lost(`the copy of ${what} ended ${copy.phase}${copy.message ? `: ${copy.message}` : ""}`);
  if (copy.snapshot === "") return lost(`the copy of ${what} says Completed and names no snapshot${copy.message ? ` (${copy.message})` : ""}: a restore would leave it empty`);
  if (info?.result === "failed") return lost(`the copy of ${what} failed, as the backup's volume list says`);
  const listed = info?.pvbInfo?.snapshotHandle ?? "";
  if (listed !== "" && listed !== copy.snapshot) return lost(`the backup names two different snapshots of ${what}: its files are of different generations`);
  if (copy.uploader !== "kopia") return lost(`the copy of ${what} was made with ${copy.uploader}, which newer versions of Velero do not restore`);
  return { namespace, claim, method: "file-system-backup", snapshot: copy.snapshot, bytes: copy.bytes, restorable: true, why: "" };
}

function movedVolume(namespace: string, claim: string, info: VolumeInfo): Volume {
  const what = `the volume ${claim} in ${namespace}`;
  const moved = info.snapshotDataMovementInfo;
  if (info.result === "failed" || (moved?.Phase && moved.Phase !== "Completed"))
    return without(namespace, claim, "data-movement", `the data movement of ${what} ended ${moved?.Phase || "failed"}`);
  if (!moved?.snapshotHandle) return without(namespace, claim, "data-movement", `the data movement of ${what} names no snapshot: a restore would leave it empty`);
  return { namespace, claim, method: "data-movement", snapshot: moved.snapshotHandle, bytes: moved.size, restorable: true, why: "" };
}

const without = (namespace: string, claim: string, method: Volume["method"], why: string): Volume => ({ namespace, claim, method, snapshot: null, bytes: 0, restorable: false, why });
