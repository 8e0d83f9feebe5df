/** What two real regions need of this machine, looked at before anything is started. */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";

/** Where Velero's movers leave their result: Kubernetes' default `terminationMessagePath`. */
export const terminationLog = "/dev/termination-log";
/** Where Velero's node-agent looks for the volumes of pods: the path at which its DaemonSet mounts the kubelet's folder. */
export const hostPods = "/host_pods";
/** The Go modules in `programs` say `go 1.26.0`. */
const goNeeded = [1, 26] as const;

/** Everything that stands in the way, one sentence each with its remedy; empty: the real regions can run here. Starts nothing. */
export async function realHurdles(): Promise<readonly string[]> {
  if (process.platform !== "linux") return [`real regions run on Linux only, and this is ${process.platform}: use a Linux machine, or the lab without --real`];
  return [...rootHurdles(), ...(await goHurdles())];
}

/** Is there any Go here? Where there is, tests of the real regions must run and not be skipped. */
export async function goIsHere(): Promise<boolean> {
  return (await goVersion()) !== null;
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

async function goHurdles(): Promise<readonly string[]> {
  const needed = goNeeded.join(".");
  const version = await goVersion();
  if (version === null) return [`Go ${needed} is not here: it builds Kubernetes and Velero from their modules; install it from https://go.dev/dl and put its bin folder on the PATH`];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > goNeeded[0] || (major === goNeeded[0] && minor >= goNeeded[1])) return [];
  return [`Go ${needed} or newer is needed, and this is Go ${version}: install a newer one from https://go.dev/dl and put its bin folder first on the PATH`];
}

/** `1.26.8`; `null`: there is none. Without GOTOOLCHAIN=local it might go and fetch another. */
async function goVersion(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("go", ["env", "GOVERSION"], { env: { ...process.env, GOTOOLCHAIN: "local" }, timeout: 20_000 });
    return /^go(\d+\.\d+(?:\.\d+)?)/.exec(stdout.trim())?.[1] ?? null;
  } catch {
    return null;
  }
}
