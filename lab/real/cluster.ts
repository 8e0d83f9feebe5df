/** A real cluster on this machine: Kubernetes from its own programs, KWOK and our kubelet for the nodes, Velero as processes. */
import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { type Api, type ApiConnection, openApi } from "./api.ts";
import { openControl, type Control } from "./control.ts";
import { auditPolicy, controlPlane, type ControlProgram, launches, type Ports } from "./control-plane.ts";
import { type Credentials, kubeconfig, writeCredentials } from "./credentials.ts";
import { storageClass } from "./disk-driver.ts";
import { RealClusterFailed } from "./failed.ts";
import { type Kubelet, startKubelet } from "./kubelet.ts";
import { applyNodes, readyNodes, releaseNodes } from "./nodes.ts";
import { removeStalePodFolders } from "./pod-folders.ts";
import { freePorts, isFree } from "./ports.ts";
import type { RealPrograms } from "./programs.ts";
import { applyVelero, type VeleroSetup } from "./velero.ts";
import { veleroPrograms } from "./velero-programs.ts";
import { openDisks, type VolumeFile } from "./volumes.ts";

export { RealClusterFailed } from "./failed.ts";

/** The parts that can be stopped and started one by one. `node-agent`: those of all nodes. */
export type ProgramName = ControlProgram | "kubelet" | "velero" | "node-agent";

export interface RealClusterOptions {
  readonly programs: RealPrograms;
  /** Absolute; its state, its logs (`log/PROGRAM`) and its volumes' files. Empty or missing; it is not removed at the end. */
  readonly directory: string;
  /** `westeurope`: in the labels of its nodes and the names of its disks. */
  readonly region: string;
  /** A fixed port for the API server; default any free one. */
  readonly apiPort?: number;
  /** Names of the nodes that it begins with, `aks-user-20261121-vmss000000`; default none. */
  readonly nodes?: readonly string[];
  /** Further host names and addresses that the API server's certificate is good for, beside 127.0.0.1 and localhost. */
  readonly names?: { readonly hosts?: readonly string[]; readonly addresses?: readonly string[] };
  /** Where the API server asks about a bearer token that it does not know itself (`TokenReview`, authentication.k8s.io/v1). What its user may do, RBAC decides. */
  readonly tokenReview?: { readonly url: string; readonly caPem: string };
  /** A file for who asked for what, one JSON event a line (audit level Metadata). */
  readonly auditLog?: string;
  /** Until the API server is ready, and again until the nodes are, wall time; default 60. */
  readonly readySeconds?: number;
  /** Aborted: whatever is waited for is given up; a start then takes everything down. */
  readonly signal?: AbortSignal;
}

export interface RealCluster {
  readonly region: string;
  readonly directory: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly caPem: string;
  /** YAML with a token that may do everything; also the file `kubeconfig` in the directory. */
  readonly adminKubeconfig: string;
  readonly adminToken: string;
  /** With the administrator's rights. Fails while the API server is down. */
  readonly api: Api;
  /** Its standard output. Throws with what it said when it ends with another code than 0. */
  kubectl(...args: readonly string[]): Promise<string>;

  /** Ends one part, politely, and keeps it so until `start`. Stopping twice is stopping once. Without `kwok` nodes go NotReady in about 40 s. */
  stop(program: ProgramName): Promise<void>;
  /** Starts it again; resolves when it runs, `api` when it is ready. Throws a `RealClusterFailed`. */
  start(program: ProgramName): Promise<void>;
  /** Ends Velero's server or the agents in the middle of whatever they do; they start again by themselves, as containers do. */
  crash(program: "velero" | "node-agent"): Promise<void>;
  /** The region is lost: everything ends at once, in the middle of whatever it does. What was in etcd and on the volumes stays. */
  kill(): Promise<void>;
  /** Starts what `kill` ended, at the same address; resolves when the API server is ready and the nodes are served again. Throws a `RealClusterFailed`. */
  revive(): Promise<void>;

  /** Makes the nodes of these names, with node-agents where Velero is, and deletes all others; resolves when they are Ready. The name says the pool: `aks-POOL-…`. */
  setNodes(names: readonly string[]): Promise<void>;
  /**
   * As `velero install` does, with these storage locations. Resolves when all of them are Available and each node's agent runs; without
   * nodes, when it is applied. Throws a `RealClusterFailed`. Again: the locations become these.
   */
  installVelero(setup: VeleroSetup): Promise<void>;

  /** The files on the volume bound to a claim, Velero's markers aside, by path; `null`: no such claim, or not bound. */
  volumeFiles(namespace: string, claim: string): Promise<readonly VolumeFile[] | null>;
  /** The bytes of one of them; `null`: there is none. */
  readVolumeFile(namespace: string, claim: string, path: string): Promise<Uint8Array | null>;
  /** As a container would. Throws when the claim is not bound. */
  writeVolumeFile(namespace: string, claim: string, path: string, bytes: Uint8Array): Promise<void>;

  /** The processes that run for it now, by part. */
  readonly pids: ReadonlyMap<string, number>;
  /** Ends everything; resolves when nothing is left but the directory. Closing twice is closing once. */
  close(): Promise<void>;
}

/** Tries with other ports when somebody was quicker. */
const portTriesMax = 3;
const lookMs = 50;
/** Unix sockets have short names, and Velero makes its own below the folder for temporary files. */
const temporaryLengthMax = 70;
const servants = {
  velero: (name: string) => name === "velero",
  "node-agent": (name: string) => name.startsWith("node-agent-"),
} as const;

/** Starts a cluster; ready in a few seconds. Throws a `RealClusterFailed`, and then nothing is left running. */
export async function startRealCluster(options: RealClusterOptions): Promise<RealCluster> {
  const { directory, region, names = {}, tokenReview, apiPort, nodes = [], signal } = options;
  if (!path.isAbsolute(directory)) throw new RealClusterFailed(`the cluster ${region} needs an absolute directory, and ${directory} is none`);
  if (existsSync(path.join(directory, "etcd"))) throw new RealClusterFailed(`${directory} holds the state of another cluster: remove it, or give ${region} another directory`);
  if (apiPort !== undefined && !(await isFree(apiPort))) throw new RealClusterFailed(`the API server of ${region} cannot have port ${apiPort} on 127.0.0.1, another program listens there: end it, or choose another port`);
  for (const folder of ["log", "home", "tmp"]) mkdirSync(path.join(directory, folder), { recursive: true });
  removeStalePodFolders();
  const { hosts = [], addresses = [] } = names;
  const credentials = await writeCredentials({ directory, hosts, addresses, ...(tokenReview ? { tokenReview } : {}) });
  for (let tries = 1; ; tries += 1) {
    const begun = begin(options, credentials, await portsFor(apiPort));
    try {
      await begun.up();
      if (nodes.length > 0) await begun.cluster.setNodes(nodes);
      return begun.cluster;
    } catch (error) {
      await begun.cluster.close();
      signal?.throwIfAborted();
      if (tries === portTriesMax || !(error instanceof RealClusterFailed && /address already in use/.test(error.message))) throw error;
    }
  }
}

async function portsFor(apiPort: number | undefined): Promise<Ports> {
  const [etcd = 0, etcdPeer = 0, kwok = 0, api = 0] = await freePorts(4);
  return { etcd, etcdPeer, kwok, api: apiPort ?? api };
}

/** Everything of a cluster, not started yet; `up` starts it. */
function begin(options: RealClusterOptions, credentials: Credentials, ports: Ports): { readonly cluster: RealCluster; readonly up: () => Promise<void> } {
  const { programs, directory, region, readySeconds = 60, signal, auditLog } = options;
  const inside = (...names: readonly string[]) => path.join(directory, ...names);
  const url = `https://127.0.0.1:${ports.api}`;
  const { caPem, adminToken } = credentials;
  const files = { kubeconfig: inside("kubeconfig"), auditPolicy: inside("audit-policy.json"), keys: inside("storage-keys"), home: inside("home") };
  const adminKubeconfig = kubeconfig({ name: region, url, caPem, token: adminToken });
  writeFileSync(files.kubeconfig, adminKubeconfig, { mode: 0o600 });
  writeFileSync(files.auditPolicy, auditPolicy);

  const api = openApi({ url, caPem, token: adminToken });
  const control = openControl({
    region,
    directory,
    guard: programs.guard,
    home: files.home,
    launches: launches({ programs, credentials, ports, kubeconfig: files.kubeconfig, auditPolicy: files.auditPolicy, ...(auditLog === undefined ? {} : { auditLog }) }),
    api,
    readySeconds,
    signal,
  });
  const disks = openDisks(inside("disks"));
  const temporary = inside("tmp").length > temporaryLengthMax ? tmpdir() : inside("tmp");
  const velero = veleroPrograms({ programs, directory, kubeconfig: files.kubeconfig, credentials: files.keys, home: files.home, temporary });
  const say = (line: string) => appendFileSync(inside("log", "kubelet"), `${new Date().toISOString()} ${line}\n`);
  let kubelet: Kubelet | null = null;
  const up = async () => {
    await startAll(control, api);
    await api.apply(storageClass);
    kubelet ??= startKubelet({ api, region, disks, velero, say });
    kubelet.resume();
  };
  const nodesReady = (names: readonly string[]) => untilNodesAreReady({ api, region, names, readySeconds, signal, log: inside("log", "kwok") });
  const diskOf = async (namespace: string, claim: string) => (await boundVolume(api, namespace, claim)) ?? kubelet?.volumeOf(namespace, claim) ?? null;
  let closing: Promise<void> | null = null;

  const cluster: RealCluster = {
    region,
    directory,
    url,
    caPem,
    adminKubeconfig,
    adminToken,
    api,
    kubectl: (...args) => runKubectl(programs.kubectl, files, args),
    async stop(program) {
      if (program === "kubelet") kubelet?.pause();
      else if (program === "velero" || program === "node-agent") await kubelet?.suspendServants(servants[program]);
      else await control.stop(program);
    },
    async start(program) {
      if (program === "kubelet") kubelet?.resume();
      else if (program === "velero" || program === "node-agent") kubelet?.resumeServants(servants[program]);
      else await startOne(control, api, program);
    },
    crash: async (program) => kubelet?.crashServants(servants[program]),
    async kill() {
      await Promise.all([control.kill(), kubelet?.kill()]);
    },
    async revive() {
      const before = await startAll(control, api);
      kubelet?.resume();
      await nodesReady(before);
    },
    async setNodes(names) {
      await applyNodes(api, region, names);
      await nodesReady(names);
    },
    installVelero: (setup) =>
      applyVelero({ region, api, velero: programs.velero, credentials: files.keys, home: files.home, kubeconfig: files.kubeconfig, serverLog: inside("log", "velero"), running: () => new Set(kubelet?.programs().keys()), signal }, setup),
    async volumeFiles(namespace, claim) {
      const disk = await diskOf(namespace, claim);
      return disk === null ? null : disks.files(disk);
    },
    async readVolumeFile(namespace, claim, file) {
      const disk = await diskOf(namespace, claim);
      return disk === null ? null : disks.read(disk, file);
    },
    async writeVolumeFile(namespace, claim, file, bytes) {
      const disk = await diskOf(namespace, claim);
      if (disk === null) throw new Error(`${namespace}/${claim} in ${region} is not bound to a volume: nothing can be written to it`);
      await disks.write(disk, file, bytes);
    },
    get pids() {
      return new Map([...control.running, ...(kubelet?.programs() ?? [])].map(([name, { pid }]) => [name, pid]));
    },
    close: () =>
      (closing ??= (async () => {
        await Promise.all([control.kill(), kubelet?.close()]);
        api.close();
      })()),
  };
  return { cluster, up };
}

/** Resolves with the nodes that are to come back. */
async function startAll(control: Control, api: ApiConnection): Promise<readonly string[]> {
  for (const program of ["etcd", "api"] as const) await control.start(program);
  const nodes = (await api.list("/api/v1/nodes")).map(({ metadata }) => metadata.name);
  for (const program of controlPlane) await startOne(control, api, program);
  return nodes;
}

async function startOne(control: Control, api: ApiConnection, program: ControlProgram): Promise<void> {
  if (program === "kwok" && !control.running.has("kwok")) await releaseNodes(api).catch(() => undefined);
  await control.start(program);
}

async function untilNodesAreReady(ask: { readonly api: ApiConnection; readonly region: string; readonly names: readonly string[]; readonly readySeconds: number; readonly signal: AbortSignal | undefined; readonly log: string }): Promise<void> {
  const { api, region, names, readySeconds, signal, log } = ask;
  for (const until = performance.now() + readySeconds * 1000; ; ) {
    signal?.throwIfAborted();
    const ready = new Set(await readyNodes(api));
    const missing = names.filter((name) => !ready.has(name));
    if (missing.length === 0) return;
    if (performance.now() > until) throw new RealClusterFailed(`the nodes ${missing.join(", ")} of ${region} did not get Ready within ${readySeconds} s: kwok serves them; its log: ${log}`);
    await wait(lookMs);
  }
}

/** `null`: not bound, no such claim, or nobody answers. */
async function boundVolume(api: Api, namespace: string, claim: string): Promise<string | null> {
  const found = await api.get(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`).catch(() => null);
  const { volumeName } = (found?.["spec"] ?? {}) as { readonly volumeName?: string };
  return volumeName ?? null;
}

async function runKubectl(kubectl: string, { kubeconfig, home }: { readonly kubeconfig: string; readonly home: string }, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(kubectl, ["--kubeconfig", kubeconfig, ...args], { env: { PATH: process.env["PATH"] ?? "", HOME: home }, maxBuffer: 1 << 28, timeout: 180_000 });
  return stdout;
}
