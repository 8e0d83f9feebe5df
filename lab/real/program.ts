/** One program of a real region as a process, which ends when the lab does. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export interface ProgramStart {
  /** `kube-apiserver`, in messages. */
  readonly name: string;
  /** Of the guard and of the program, absolute. */
  readonly guard: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Both of its outputs are added to this file. */
  readonly log: string;
}

export interface Program {
  readonly name: string;
  readonly log: string;
  /** Of its guard; the program itself is its child. */
  readonly pid: number;
  /** Its exit code, 128 and more: the signal that ended it. */
  readonly exited: Promise<number>;
  /** `null` while it runs. */
  readonly exitCode: number | null;
  /** Asks it to end and waits; what has not ended after a while is killed. */
  stop(): Promise<void>;
  /** Ends it and all that it started in the middle of whatever it does; resolves when it is gone. */
  kill(): Promise<void>;
}

/** The API server takes up to five seconds for its last requests. */
const politeMs = 10_000;
/** How much of a log's end goes into a message. */
const tailLines = 12;
const tailBytes = 3_000;

/** Starts it and resolves at once; whether it stays is seen by `exited`. Throws when it cannot be started at all. */
export async function startProgram({ name, guard, file, args, directory, environment, log }: ProgramStart): Promise<Program> {
  if (!existsSync(file)) throw new Error(`${name} is not here: ${file} is missing; build the programs again`);
  const out = openSync(log, "a");
  const child = spawn(guard, [file, ...args], { cwd: directory, env: { ...environment }, stdio: ["pipe", out, out] });
  closeSync(out);
  let exitCode: number | null = null;
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve((exitCode = code ?? 137)));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
  });
  const lifeline = child.stdin;
  // Nothing is written to it: its end is the message. That nobody hears it any more is no news.
  lifeline?.on("error", () => undefined);
  const kill = async () => {
    lifeline?.destroy();
    await exited;
  };
  return {
    name,
    log,
    // It was spawned, so it has one.
    pid: child.pid as number,
    exited,
    get exitCode() {
      return exitCode;
    },
    async stop() {
      if (exitCode === null) child.kill("SIGTERM");
      const late = new AbortController();
      await Promise.race([exited, wait(politeMs, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      await kill();
    },
    kill,
  };
}

/** The last lines of a log, for a message; empty when there is nothing. */
export function tailOf(log: string): string {
  if (!existsSync(log)) return "";
  return readFileSync(log, "utf8").slice(-tailBytes).trimEnd().split("\n").slice(-tailLines).join("\n");
}
