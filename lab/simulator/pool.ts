/** All cores at work on seeds: a process for each, because one run at a time owns a process's clock. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Batch, BatchResult } from "./batch.ts";
import type { Exploration, Found } from "./explore.ts";
import type { Job } from "./worker.ts";

/** A run makes much that is soon forgotten: with room for it the collector has a tenth of the work. Nobody reads where an error of a simulated network came from. */
const flags = ["--max-semi-space-size=64", "--stack-trace-limit=0"];

/** Seeds in shares, so that no process is idle while another still has many, and that there is something to tell. */
const sharesPerCore = 20;

export async function playAll(batch: Batch, told: (done: number) => void, cores = availableParallelism()): Promise<BatchResult> {
  const share = Math.max(1, Math.ceil(batch.runs / (cores * sharesPerCore)));
  const shares: Batch[] = [];
  for (let from = batch.from; from < batch.from + batch.runs; from += share) shares.push({ ...batch, from, runs: Math.min(share, batch.from + batch.runs - from) });
  const results: BatchResult[] = [];
  await Promise.all(
    Array.from({ length: Math.min(cores, shares.length) }, async () => {
      const worker = openWorker();
      try {
        for (let next = shares.shift(); next !== undefined; next = shares.shift()) {
          results.push(await worker.does<BatchResult>({ kind: "seeds", batch: next }));
          told(results.reduce((sum, { runs }) => sum + runs, 0));
        }
      } finally {
        worker.end();
      }
    }),
  );
  return results.reduce(together, { runs: 0, failing: [], outcomes: {}, virtualMs: 0, events: 0, twice: 0, cpuMs: 0 });
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

/** All of an exploration, or every so manieth of its scenarios, on all cores. */
export async function exploreAll(exploration: Exploration, every: number, cores = availableParallelism()): Promise<readonly Found[]> {
  const shares = await Promise.all(
    Array.from({ length: cores }, async (_, share) => {
      const worker = openWorker();
      try {
        return await worker.does<readonly Found[]>({ kind: "share", share: { exploration, every, share, shares: cores } });
      } finally {
        worker.end();
      }
    }),
  );
  return shares.flat();
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
