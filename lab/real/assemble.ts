/** Puts the parts of a real cluster together: its control plane, its kubelet, its disks, its Velero. */
import { execFile } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { type Api, type ApiConnection, openApi } from "./api.ts";
import { type Control, openControl } from "./control.ts";
import { auditPolicy, controlPlane, type ControlProgram, launches, type Ports, shellsConfig } from "./control-plane.ts";
import { type Credentials, kubeconfig } from "./credentials.ts";
import { storageClass } from "./disk-driver.ts";
import { RealClusterFailed } from "./failed.ts";
import { type Kubelet, startKubelet } from "./kubelet.ts";
import { applyNodes, readyNodes, releaseNodes } from "./nodes.ts";
import type { RealCluster, RealClusterOptions } from "./real-cluster.ts";
import { applyVelero } from "./velero.ts";
import { veleroPrograms } from "./velero-programs.ts";
import { openDisks } from "./volumes.ts";

const lookMs = 50;
/** Unix sockets have short names, and Velero makes its own below the folder for temporary files. */
const temporaryLengthMax = 70;
const servants = {
  velero: (name: string) => name === "velero",
  "node-agent": (name: string) => name.startsWith("node-agent-"),
} as const;

/** Everything of a cluster, not started yet; `up` starts it. */
export function assemble(options: RealClusterOptions, credentials: Credentials, ports: Ports): { readonly cluster: RealCluster; readonly up: () => Promise<void> } {
  const { programs, directory, region, readySeconds = 60, signal, auditLog, shells = [] } = options;
  const inside = (...names: readonly string[]) => path.join(directory, ...names);
  const url = `https://127.0.0.1:${ports.api}`;
  const { caPem, adminToken } = credentials;
  const files = { kubeconfig: inside("kubeconfig"), auditPolicy: inside("audit-policy.json"), keys: inside("storage-keys"), home: inside("home"), shells: inside("shells.yaml") };
  const adminKubeconfig = kubeconfig({ name: region, url, caPem, token: adminToken });
  writeFileSync(files.kubeconfig, adminKubeconfig, { mode: 0o600 });
  writeFileSync(files.auditPolicy, auditPolicy);
  if (shells.length > 0) writeFileSync(files.shells, shellsConfig(shells));

  const api = openApi({ url, caPem, token: adminToken });
  const control = openControl({
    region,
    directory,
    guard: programs.guard,
    home: files.home,
    launches: launches({ programs, credentials, ports, kubeconfig: files.kubeconfig, auditPolicy: files.auditPolicy, ...(auditLog === undefined ? {} : { auditLog }), ...(shells.length === 0 ? {} : { shells: files.shells }) }),
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
