/** A real cluster on this machine: Kubernetes from its own programs, KWOK and our kubelet for the nodes, Velero as processes. */
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { assemble } from "./assemble.ts";
import type { Ports } from "./control-plane.ts";
import { writeCredentials } from "./credentials.ts";
import { RealClusterFailed } from "./failed.ts";
import { removeStalePodFolders } from "./pod-folders.ts";
import { freePorts, isFree } from "./ports.ts";
import type { RealCluster, RealClusterOptions } from "./real-cluster.ts";

export { RealClusterFailed } from "./failed.ts";
export type { ProgramName, RealCluster, RealClusterOptions } from "./real-cluster.ts";

/** Tries with other ports when somebody was quicker. */
const portTriesMax = 3;
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
    const assembled = assemble(options, credentials, await portsFor(apiPort));
    try {
      await assembled.up();
      if (nodes.length > 0) await assembled.cluster.setNodes(nodes);
      return assembled.cluster;
    } catch (error) {
      await assembled.cluster.close();
      signal?.throwIfAborted();
      if (tries === portTriesMax || !(error instanceof RealClusterFailed && /address already in use/.test(error.message))) throw error;
    }
  }
}

async function portsFor(apiPort: number | undefined): Promise<Ports> {
  const [etcd = 0, etcdPeer = 0, kwok = 0, api = 0] = await freePorts(4);
  return { etcd, etcdPeer, kwok, api: apiPort ?? api };
}
