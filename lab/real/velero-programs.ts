/** Runs Velero's containers as processes: its server, its node-agents and the movers that they send out. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { takeLock } from "./lock.ts";
import { terminationLog } from "./needs.ts";
import { argumentsOf, type Container, type Pod } from "./pods.ts";
import { hostPathHere } from "./pod-folders.ts";
import { type Program, startProgram, tailOf } from "./program.ts";
import type { RealPrograms } from "./programs.ts";

export interface VeleroProgramsOptions {
  readonly programs: RealPrograms;
  readonly directory: string;
  readonly kubeconfig: string;
  /** The file with the keys of the storage accounts. */
  readonly credentials: string;
  /** Velero's home, where it keeps what it knows of its repositories. */
  readonly home: string;
  readonly temporary: string;
}

export interface MoverEnd {
  readonly exitCode: number;
  /** What the container would have left as its result. */
  readonly message: string;
}

export interface VeleroPrograms {
  /** Starts what the pod's first container is to run, its server or a node-agent. */
  serve(pod: Pod, name: string): Promise<Program>;
  /** Runs a mover to its end, one at a time on this machine. `onStart`: once its turn has come. Throws when aborted before that. */
  move(pod: Pod, signal: AbortSignal, onStart: (program: Program) => void): Promise<MoverEnd>;
}

/** The server of Velero, `velero`, or a node's agent, `node-agent-NODE`; `null`: another pod. */
export function roleOf({ metadata: { labels = {} }, spec: { nodeName = "" } }: Pod): string | null {
  if (labels["component"] === "velero" && labels["deploy"] === "velero") return "velero";
  return labels["component"] === "velero" && labels["name"] === "node-agent" ? `node-agent-${nodeName}` : null;
}

/** Is it one that Velero sends out for one piece of work? */
export const isMover = ({ spec: { containers } }: Pod): boolean => /^(?:pod-volume|data-mover|repo-maintenance)$/.test(argumentsOf(containers[0])[0] ?? "");

/** How long a result may be: Kubernetes' own bound. */
const messageMax = 4_096;

export function veleroPrograms({ programs, directory, kubeconfig, credentials, home, temporary }: VeleroProgramsOptions): VeleroPrograms {
  const start = (pod: Pod, name: string, args: readonly string[]) =>
    startProgram({
      name,
      guard: programs.guard,
      file: programs.velero,
      args,
      directory,
      log: path.join(directory, "log", name),
      environment: {
        PATH: process.env["PATH"] ?? "",
        HOME: home,
        TMPDIR: temporary,
        KUBECONFIG: kubeconfig,
        NODE_NAME: pod.spec.nodeName ?? "",
        VELERO_NAMESPACE: pod.metadata.namespace,
        VELERO_SCRATCH_DIR: path.join(directory, "scratch"),
        AZURE_CREDENTIALS_FILE: credentials,
      },
    });
  return {
    serve(pod, name) {
      const args = given(pod.spec.containers[0]);
      // All metrics of a machine would be at one port.
      const own = [`--kubeconfig=${kubeconfig}`, "--metrics-address=127.0.0.1:0", ...(name === "velero" ? [`--plugin-dir=${programs.pluginDirectory}`, "--profiler-address=127.0.0.1:0"] : [])];
      return start(pod, name, [...args, ...own]);
    },
    async move(pod, signal, onStart) {
      const name = `mover-${pod.metadata.name}`;
      // A mover leaves its result at a fixed place, so they take turns, those of other regions among them.
      const release = await takeLock("termination-log", { signal, everyMs: 50 });
      try {
        rmSync(terminationLog, { force: true });
        const program = await start(pod, name, onThisMachine(pod));
        onStart(program);
        const exitCode = await program.exited;
        const result = existsSync(terminationLog) ? readFileSync(terminationLog, "utf8") : "";
        rmSync(terminationLog, { force: true });
        return { exitCode, message: (result === "" && exitCode !== 0 ? tailOf(program.log) : result).slice(0, messageMax) };
      } finally {
        await release();
      }
    },
  };
}

/** Velero passes its list of features on, also when there are none, and then the option says nothing. */
const given = (container: Container) => argumentsOf(container).filter((argument) => argument !== "--features=");

/** Its arguments with the folders of this machine where the container would see its mounts. */
function onThisMachine({ spec: { containers, volumes = [] } }: Pod): readonly string[] {
  const [container] = containers;
  const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const hostPath = volumes.find((volume) => volume.name === name)?.hostPath;
    return hostPath ? [{ mountPath, here: hostPathHere(hostPath.path) }] : [];
  });
  return given(container).map((argument) => mounts.reduce((text, { mountPath, here }) => text.replace(`=${mountPath}`, `=${here}`), argument));
}
