/** What runs on this machine for a directory of a real cluster. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** Command lines of all processes that were started for something below this directory, by their arguments, environment or working directory. */
export function processesOf(directory: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => `${read(pid, "cmdline")}\0${read(pid, "environ")}`.includes(directory))
    .map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ").slice(0, 200)}`);
}

/** Waits until there are none, and gives what is left after so long. */
export async function processesLeft(directory: string, seconds: number): Promise<readonly string[]> {
  const until = performance.now() + seconds * 1000;
  while (processesOf(directory).length > 0 && performance.now() < until) await wait(100);
  return processesOf(directory);
}

/** Waits until it says true; throws when it does not within so many seconds. */
export async function eventually(what: string, seconds: number, isSo: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`after ${seconds} s still not: ${what}`);
    await wait(100);
  }
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has just ended.
    return "";
  }
}
