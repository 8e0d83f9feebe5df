/** The folders in which Velero's node-agent looks for the volumes of a node's pods. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { hostPods } from "./needs.ts";
import type { Pod, PodVolume } from "./pods.ts";
import type { Disks } from "./volumes.ts";

export interface PodFolders {
  /** Makes the pod's folder and those of its volumes, as far as they are bound; `volumeOf`: which volume a claim is bound to. */
  make(pod: Pod, volumeOf: (claim: string) => string | undefined): void;
  /** The folder of one of its volumes; `null`: it is not bound, or of a kind that keeps no data. */
  volume(pod: Pod, name: string, volumeOf: (claim: string) => string | undefined): string | null;
  /** Removes the folders of all pods but these. */
  keepOnly(uids: ReadonlySet<string>): void;
}

/** The kubelet's own folder for pods, which a hostPath volume names. */
const kubeletPods = "/var/lib/kubelet/pods";
/** Who made a pod's folder, so that those of a lab that was killed are found. */
const ownerFile = ".lab-process";

/** A hostPath as it is on this machine. A mover that is given a link takes it for an empty volume, so links are followed. */
export function hostPathHere(hostPath: string): string {
  const here = hostPath.startsWith(kubeletPods) ? hostPods + hostPath.slice(kubeletPods.length) : hostPath;
  return existsSync(here) ? realpathSync(here) : here;
}

export function openPodFolders(disks: Disks): PodFolders {
  const made = new Set<string>();
  const folderOf = (pod: Pod, { name, emptyDir, persistentVolumeClaim: claim }: PodVolume, volumeOf: (claim: string) => string | undefined): string | null => {
    const volumes = path.join(hostPods, pod.metadata.uid, "volumes");
    if (emptyDir) return folder(path.join(volumes, "kubernetes.io~empty-dir", name));
    const volume = claim && volumeOf(claim.claimName);
    if (volume === undefined) return null;
    const disk = disks.folder(volume);
    const mount = path.join(folder(path.join(volumes, "kubernetes.io~csi", volume)), "mount");
    if (!existsSync(mount)) symlinkSync(disk, mount);
    return disk;
  };
  return {
    make(pod, volumeOf) {
      const { uid } = pod.metadata;
      if (!made.has(uid)) {
        writeFileSync(path.join(folder(path.join(hostPods, uid)), ownerFile), `${process.pid}\n`);
        made.add(uid);
      }
      for (const volume of pod.spec.volumes ?? []) folderOf(pod, volume, volumeOf);
    },
    volume(pod, name, volumeOf) {
      const volume = pod.spec.volumes?.find((found) => found.name === name);
      return volume === undefined ? null : folderOf(pod, volume, volumeOf);
    },
    keepOnly(uids) {
      const gone = [...made].filter((uid) => !uids.has(uid));
      for (const uid of gone) {
        made.delete(uid);
        // The links in it are removed, and not what they lead to.
        rmSync(path.join(hostPods, uid), { recursive: true, force: true });
      }
      if (gone.length > 0 && made.size === 0) removeIfEmpty();
    },
  };
}

/** Removes what labs that are no more have left. */
export function removeStalePodFolders(): void {
  if (!existsSync(hostPods)) return;
  for (const uid of readdirSync(hostPods)) {
    const owner = path.join(hostPods, uid, ownerFile);
    if (existsSync(owner) && !isAlive(Number(readFileSync(owner, "utf8")))) rmSync(path.join(hostPods, uid), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function removeIfEmpty(): void {
  try {
    rmdirSync(hostPods);
  } catch {
    // Another region still has pods there, or it was never made.
  }
}

function folder(found: string): string {
  mkdirSync(found, { recursive: true });
  return found;
}
