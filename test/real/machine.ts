/** What real clusters run and leave on this machine. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { hostPods } from "../../lab/real/needs.ts";

/** Command lines of all processes that have this directory in their arguments or environment. */
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

/** The folders for pods that a process made, `podFoldersOf(process.pid)`; those of others on this machine are none of ours. */
export function podFoldersOf(pid: number): readonly string[] {
  if (!existsSync(hostPods)) return [];
  return readdirSync(hostPods).filter((uid) => {
    const owner = path.join(hostPods, uid, ".lab-process");
    return existsSync(owner) && Number(readFileSync(owner, "utf8")) === pid;
  });
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has just ended.
    return "";
  }
}
