/** The movers that Velero sends out, each run once, and their ends told to the API server. */
import type { Api } from "./api.ts";
import { instantText, type Pod, setPodStatus } from "./pods.ts";
import type { Program } from "./program.ts";
import type { VeleroPrograms } from "./velero-programs.ts";

export interface Movers {
  /** Runs the pod's mover when it is time and it was not run before; must be told of the pod again after each change. */
  take(pod: Pod): void;
  /** Ends those whose pods are gone. */
  keepOnly(uids: ReadonlySet<string>): void;
  /** Ends all of them at once; resolves when they are gone. Nobody is told: their region is lost. */
  kill(): Promise<void>;
  /** By the name of the pod. */
  readonly running: ReadonlyMap<string, Program>;
}

/** Exit code of what was killed. */
const killed = 137;

export function openMovers(api: Api, velero: VeleroPrograms, say: (line: string) => void): Movers {
  const running = new Map<string, Program>();
  const taken = new Map<string, { readonly abort: AbortController; done: Promise<void> | null }>();

  const run = async (pod: Pod, signal: AbortSignal) => {
    const { name } = pod.metadata;
    say(`mover ${name} begins: ${(pod.spec.containers[0].args ?? []).join(" ")}`);
    const { exitCode, message } = await velero.move(pod, signal, (program) => {
      running.set(name, program);
      signal.addEventListener("abort", () => void program.kill());
      if (signal.aborted) void program.kill();
    });
    running.delete(name);
    say(`mover ${name} ended with exit code ${exitCode}: ${message}`);
    // Killed with its region or its pod: there is nobody to tell.
    if (!signal.aborted) await setPodStatus(api, pod, ended(pod, exitCode, message));
  };
  const end = async (uid: string) => {
    const mover = taken.get(uid);
    mover?.abort.abort();
    await mover?.done;
  };
  return {
    running,
    take(pod) {
      const { uid, name } = pod.metadata;
      if (pod.status.phase !== "Running") return;
      const before = taken.get(uid);
      if (before !== undefined) {
        // It was killed with its region and its pod still stands as Running: a container that is gone does not come back.
        if (before.abort.signal.aborted && before.done === null) {
          taken.set(uid, { abort: new AbortController(), done: setPodStatus(api, pod, ended(pod, killed, "")).catch((error: unknown) => say(`mover ${name}: ${String(error)}`)) });
        }
        return;
      }
      const abort = new AbortController();
      const mover: { readonly abort: AbortController; done: Promise<void> | null } = { abort, done: null };
      taken.set(uid, mover);
      mover.done = run(pod, abort.signal)
        .catch((error: unknown) => say(`mover ${name}: ${error instanceof Error ? error.message : String(error)}`))
        .finally(() => {
          running.delete(name);
          mover.done = null;
        });
    },
    keepOnly(uids) {
      for (const uid of taken.keys()) {
        if (uids.has(uid)) continue;
        void end(uid).then(() => taken.delete(uid));
      }
    },
    kill: async () => void (await Promise.all([...taken.keys()].map(end))),
  };
}

function ended({ spec: { containers } }: Pod, exitCode: number, message: string): object {
  const [{ name, image = "" }] = containers;
  const at = instantText(new Date());
  const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", message, startedAt: at, finishedAt: at };
  return { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses: [{ name, image, imageID: "", ready: false, started: false, restartCount: 0, state: { terminated } }] };
}
