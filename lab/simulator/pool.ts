/** All cores at work on seeds: a process for each, because one run at a time owns a process's clock. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Batch, BatchResult } from "./batch.ts";
import type { Exploration, Found, Share } from "./explore.ts";
import type { Job } from "./worker.ts";

/**
 * A run makes much that is soon forgotten: with room for it the collector has a tenth of the work, and nothing of it is to be made among what
 * is old. One thread beside ours: the other cores play too. Nobody reads where an error of a simulated network came from.
 */
const flags = ["--max-semi-space-size=64", "--no-allocation-site-pretenuring", "--v8-pool-size=1", "--stack-trace-limit=0"];

/** Seeds in shares, so that no process is idle while another still has many, and that there is something to tell. */
const sharesPerCore = 20;

export async function playAll(batch: Batch, told: (done: number) => void, cores = availableParallelism()): Promise<BatchResult> {
  const share = Math.max(1, Math.ceil(batch.runs / (cores * sharesPerCore)));
  const jobs: Job[] = [];
  for (let from = batch.from; from < batch.from + batch.runs; from += share) jobs.push({ kind: "seeds", batch: { ...batch, from, runs: Math.min(share, batch.from + batch.runs - from) } });
  let done = 0;
  const results = await onAllCores<BatchResult>(jobs, cores, ({ runs }) => told((done += runs)));
  return results.reduce(together, { runs: 0, failing: [], outcomes: {}, virtualMs: 0, events: 0, twice: 0, cpuMs: 0 });
}

/** All of an exploration, or every so manieth of its scenarios, on all cores. */
export async function exploreAll(exploration: Exploration, part: Pick<Share, "every" | "nth">, told: (done: number, of: number) => void, cores = availableParallelism()): Promise<readonly Found[]> {
  const shares = cores * sharesPerCore;
  let done = 0;
  const jobs = Array.from({ length: shares }, (_, share): Job => ({ kind: "share", share: { exploration, ...part, share, shares } }));
  return (await onAllCores<readonly Found[]>(jobs, cores, () => told(++done, shares))).flat();
}

/** Results in the order in which they come. */
async function onAllCores<Result>(jobs: Job[], cores: number, told: (result: Result) => void): Promise<Result[]> {
  const results: Result[] = [];
  await Promise.all(
    Array.from({ length: Math.min(cores, jobs.length) }, async () => {
      const worker = openWorker();
      try {
        for (let next = jobs.shift(); next !== undefined; next = jobs.shift()) {
          const result = await worker.does<Result>(next);
          results.push(result);
          told(result);
        }
      } finally {
        worker.end();
      }
    }),
  );
  return results;
}

function together(one: BatchResult, other: BatchResult): BatchResult {
  const names = new Set([...Object.keys(one.outcomes), ...Object.keys(other.outcomes)]);
  return {
    runs: one.runs + other.runs,
    failing: [...one.failing, ...other.failing].toSorted((a, b) => a.seed - b.seed),
    outcomes: Object.fromEntries([...names].toSorted().map((name) => [name, (one.outcomes[name] ?? 0) + (other.outcomes[name] ?? 0)])),
    virtualMs: one.virtualMs + other.virtualMs,
    events: one.events + other.events,
    twice: one.twice + other.twice,
    cpuMs: one.cpuMs + other.cpuMs,
  };
}

interface Worker {
  /** One job at a time. */
  does<Result>(job: Job): Promise<Result>;
  end(): void;
}

function openWorker(): Worker {
  // The loader of this process is the loader of that one.
  const child = spawn(process.execPath, [...flags, ...process.execArgv, path.join(import.meta.dirname, "worker.ts")], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return {
    does: (job) =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null): void => reject(new Error(`a process that plays ended with ${code}: ${JSON.stringify(job)}`));
        child.once("error", reject).once("close", ended);
        child.once("message", (result) => {
          child.off("error", reject).off("close", ended);
          resolve(result as never); // by worker.ts
        });
        child.send(job);
      }),
    end: () => child.disconnect(),
  };
}
