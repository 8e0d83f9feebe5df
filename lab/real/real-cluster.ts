/** What a real cluster is to whoever uses it. */
import type { Api } from "./api.ts";
import type { ControlProgram, Shell } from "./control-plane.ts";
import type { RealPrograms } from "./programs.ts";
import type { VeleroSetup } from "./velero.ts";
import type { VolumeFile } from "./volumes.ts";

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
  /** Containers in which commands can be run (`kubectl exec`); default none. */
  readonly shells?: readonly Shell[];
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
