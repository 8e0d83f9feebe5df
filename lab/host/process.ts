import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { LogRecord } from "./log.ts";
import type { MainOptionsGiven } from "./main-options.ts";

export interface HostProcessOptions extends MainOptionsGiven {
  /** The app's settings, and whatever Node reads (NODE_EXTRA_CA_CERTS); the parent's environment is not passed on, but for PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of each log record as it comes; must not throw. */
  readonly onLog?: (record: TimedLogRecord) => void;
  /** How long the start may take, wall time. */
  readonly startMsMax?: number;
}

/** A record with the lab time at which it was written. What the process wrote without the host's log has the level `none`. */
export type TimedLogRecord = LogRecord & { readonly at?: number };

/** A host in a process of its own. */
export interface HostProcess {
  readonly url: string;
  readonly pid: number;
  /** The last records, oldest first. */
  readonly log: readonly TimedLogRecord[];
  /** Sends a signal and resolves when the process is gone. SIGTERM lets what runs come to its end. */
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How many records are kept. */
const logRecordsMax = 10_000;

/**
 * Starts `main.ts` with the node that runs us, and resolves when it serves. Fails with what it said when it ends before that. It dies
 * with us: its stdin is a pipe that we hold.
 */
export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const { environment = {}, onLog, startMsMax = 30_000, ...main } = options;
  // Spawning into a directory that is missing blames the program.
  if (!existsSync(main.appDirectory)) throw new Error(`there is no app directory ${main.appDirectory}: build the app first`);
  const log: TimedLogRecord[] = [];
  const child = spawn(process.execPath, ["--import", tsx(), fileURLToPath(new URL("./main.ts", import.meta.url))], {
    cwd: main.appDirectory,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...pathOf(process.env), ...environment, LAB_HOST: JSON.stringify({ endsWithParent: true, ...main }) },
  });
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const take = (line: string) => {
    const record = readRecord(line);
    log.push(record);
    if (log.length > logRecordsMax) log.shift();
    onLog?.(record);
  };
  createInterface({ input: child.stderr }).on("line", take);
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = readyUrl(line);
      if (url === null) take(line);
      else resolve(url);
    });
  });
  const kill = (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    return exited;
  };

  const said = () => log.map(({ message }) => message).join("\n");
  let late: NodeJS.Timeout | undefined;
  const url = await Promise.race([
    ready,
    exited.then(({ code, signal }) => Promise.reject(new Error(`the host ended (${signal ?? `code ${code}`}) before it served:\n${said()}`))),
    new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        void kill("SIGKILL");
        reject(new Error(`the host did not serve within ${startMsMax} ms:\n${said()}`));
      }, startMsMax);
    }),
  ]).finally(() => clearTimeout(late));
  // A process that serves was spawned, so it has a pid.
  return { url, pid: child.pid as number, log, kill, exited };
}

function readyUrl(line: string): string | null {
  const value = parsed(line);
  return value?.ready === true && typeof value.url === "string" ? value.url : null;
}

function readRecord(line: string): TimedLogRecord {
  const value = parsed(line);
  if (typeof value?.message !== "string" || typeof value.level !== "string") return { level: "none", category: "user", message: line };
  // Written by the host's own log, field by field as the type says.
  return value as unknown as TimedLogRecord;
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** An address, so that it is found from any working directory. */
function tsx(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
}

function pathOf({ PATH, HOME, TMPDIR }: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
