/** What two real regions need of this machine, looked at before anything is started. */
import { accessSync, constants, existsSync } from "node:fs";
import process from "node:process";
import { goHurdle } from "./go.ts";
import { programsAreBuilt } from "./programs.ts";

/** Where Velero's movers leave their result: Kubernetes' default `terminationMessagePath`. */
export const terminationLog = "/dev/termination-log";
/** Where Velero's node-agent looks for the volumes of pods: the path at which its DaemonSet mounts the kubelet's folder. */
export const hostPods = "/host_pods";

/** Everything that stands in the way, one sentence each with its remedy; empty: the real regions can run here. Starts nothing. */
export async function realHurdles(): Promise<readonly string[]> {
  if (process.platform !== "linux") return [`real regions run on Linux only, and this is ${process.platform}: use a Linux machine, or the lab without --real`];
  // Once built, the programs need no Go.
  const go = programsAreBuilt() ? null : await goHurdle();
  return [...rootHurdles(), ...(go === null ? [] : [go])];
}

function rootHurdles(): readonly string[] {
  if (process.getuid?.() !== 0) return [`real regions need root, because Velero looks for volumes in ${hostPods} and its movers write to ${terminationLog}: run it as root, for example in a container`];
  const closed = [existsSync(hostPods) ? hostPods : "/", existsSync(terminationLog) ? terminationLog : "/dev"].filter((path) => !writable(path));
  return closed.map((path) => `${path} cannot be written to, and Velero's movers need it: make it writable, for example with a container whose root file system is not read-only`);
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
