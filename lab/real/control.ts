/** The running control plane of a cluster: its programs one by one, started, stopped and killed. */
import path from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import type { ApiConnection } from "./api.ts";
import type { ControlProgram, Launch } from "./control-plane.ts";
import { RealClusterFailed } from "./failed.ts";
import { type Program, startProgram, tailOf } from "./program.ts";

export interface Control {
  /** Resolves when it runs, `api` when it is ready. Throws a `RealClusterFailed`, or the signal's reason. */
  start(name: ControlProgram): Promise<void>;
  stop(name: ControlProgram): Promise<void>;
  /** All of them, at once. */
  kill(): Promise<void>;
  readonly running: ReadonlyMap<ControlProgram, Program>;
}

export interface ControlOptions {
  readonly region: string;
  readonly directory: string;
  readonly guard: string;
  readonly home: string;
  readonly launches: Readonly<Record<ControlProgram, Launch>>;
  readonly api: ApiConnection;
  readonly readySeconds: number;
  readonly signal?: AbortSignal | undefined;
}

const lookMs = 50;
const answerMs = 1_000;

export function openControl({ region, directory, guard, home, launches, api, readySeconds, signal }: ControlOptions): Control {
  const running = new Map<ControlProgram, Program>();
  /** Those that are meant to run. */
  const wanted = new Set<ControlProgram>();
  /** From here on the end of one is news; before, whoever waits for the API server says it. */
  let isUp = false;

  const launch = async (name: ControlProgram): Promise<Program> => {
    const { name: title, file, args } = launches[name];
    const program = await startProgram({ name: title, guard, file, args, directory, log: path.join(directory, "log", title), environment: { PATH: process.env["PATH"] ?? "", HOME: home } });
    running.set(name, program);
    void program.exited.then((code) => {
      if (running.get(name) === program) running.delete(name);
      if (wanted.delete(name) && isUp) process.emitWarning(`${title} of the real cluster ${region} (process ${program.pid}) ended by itself with exit code ${code}; its log: ${program.log}`, "LabMistake");
    });
    return program;
  };

  const ended = ({ name, exitCode, log }: Program) => new RealClusterFailed(`the cluster ${region} did not come up: ${name} ended with exit code ${exitCode}${lastWords(log)}`);

  /** Until it is ready, or the time is over, or it or its etcd has ended. */
  const ready = async (program: Program): Promise<void> => {
    const until = performance.now() + readySeconds * 1000;
    for (let said = "it does not listen yet"; ; ) {
      signal?.throwIfAborted();
      // One that waits for its etcd takes the question and keeps it.
      const answer = await Promise.race([api.request("GET", "/readyz?verbose").catch(() => null), program.exited.then(() => null), running.get("etcd")?.exited.then(() => null), wait(answerMs, "no answer" as const)]);
      if (answer === "no answer") said = "it takes connections and does not answer";
      else if (answer?.status === 200) return;
      else if (answer) said = failedChecks(answer.body);
      const gone = [running.get("etcd"), program].find((one) => one !== undefined && one.exitCode !== null);
      if (gone) throw ended(gone);
      if (!running.has("etcd")) throw new RealClusterFailed(`the cluster ${region} did not come up: etcd has ended${lastWords(path.join(directory, "log", "etcd"))}`);
      if (performance.now() > until) throw new RealClusterFailed(`the cluster ${region} did not get ready within ${readySeconds} s: ${program.name} says: ${said}${lastWords(program.log)}`);
      await wait(lookMs);
    }
  };

  return {
    running,
    async start(name) {
      signal?.throwIfAborted();
      if (running.has(name)) return;
      const program = await launch(name);
      wanted.add(name);
      if (name === "api") {
        await ready(program);
        isUp = true;
      }
      if (program.exitCode !== null) throw ended(program);
    },
    async stop(name) {
      wanted.delete(name);
      await running.get(name)?.stop();
    },
    async kill() {
      isUp = false;
      wanted.clear();
      // From the last to the first: whoever sees another go does not come to complain of it.
      await Promise.all([...running.values()].toReversed().map((program) => program.kill()));
    },
  };
}

/** The end of a program's log and where the rest is, for a message. */
export function lastWords(log: string): string {
  const tail = tailOf(log);
  return `; its log: ${log}${tail === "" ? " (empty)" : `\n${tail}`}`;
}

/** `[-]etcd failed: reason withheld` */
function failedChecks({ message }: Readonly<Record<string, unknown>>): string {
  const lines = typeof message === "string" ? message.split("\n").filter((line) => line.startsWith("[-]")) : [];
  return lines.length === 0 ? "not ready" : lines.join(", ");
}
