/** Keeps Velero's server and node-agents running for as long as their pods do, as a kubelet does with containers. */
import type { Pod } from "./pods.ts";
import type { Program } from "./program.ts";

export interface Servants {
  /** `wanted`: the pods that run, by name of the program. What is missing is started, what has lost its pod ends at once. */
  keep(wanted: ReadonlyMap<string, Pod>): Promise<void>;
  /** Ends those that match, and none of them is started again until `resume`. */
  suspend(matches: (name: string) => boolean): Promise<void>;
  resume(matches: (name: string) => boolean): void;
  /** Ends them in the middle of whatever they do; they are started again. */
  crash(matches: (name: string) => boolean): Promise<void>;
  /** By name. */
  readonly running: ReadonlyMap<string, Program>;
}

export interface ServantsOptions {
  readonly start: (pod: Pod, name: string) => Promise<Program>;
  readonly say: (line: string) => void;
  /** One has ended by itself or was crashed: time to keep them again. */
  readonly onEnd: () => void;
}

/** A kubelet waits longer from crash to crash; here nobody is to wait. */
const restartMs = 500;

export function openServants({ start, say, onEnd }: ServantsOptions): Servants {
  const running = new Map<string, Program>();
  const podOf = new Map<string, string>();
  const suspended = new Set<(name: string) => boolean>();
  const isSuspended = (name: string) => [...suspended].some((matches) => matches(name));

  const launch = async (name: string, pod: Pod) => {
    const program = await start(pod, name);
    running.set(name, program);
    podOf.set(name, pod.metadata.uid);
    say(`${name} runs as process ${program.pid}`);
    // Suspended in the moment between.
    if (isSuspended(name)) void program.stop();
    void program.exited.then((code) => {
      if (running.get(name) === program) running.delete(name);
      say(`${name} ended with exit code ${code}`);
      setTimeout(onEnd, restartMs).unref();
    });
  };
  const matching = (matches: (name: string) => boolean) => [...running].filter(([name]) => matches(name));
  return {
    running,
    async keep(wanted) {
      // KWOK lets a pod go without waiting for its containers, and nothing may be done for a pod that is gone.
      for (const [name, program] of running) if (wanted.get(name)?.metadata.uid !== podOf.get(name)) void program.kill();
      for (const [name, pod] of wanted) if (!running.has(name) && !isSuspended(name)) await launch(name, pod);
    },
    async suspend(matches) {
      suspended.add(matches);
      await Promise.all(matching(matches).map(([, program]) => program.stop()));
    },
    resume(matches) {
      suspended.delete(matches);
    },
    async crash(matches) {
      await Promise.all(matching(matches).map(([, program]) => program.kill()));
    },
  };
}
