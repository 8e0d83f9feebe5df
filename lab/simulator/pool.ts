/** All cores at work on seeds: a process for each, because one run at a time owns a process's clock. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Batch, BatchResult } from "./batch.ts";

/** A run makes much that is soon forgotten: with room for it the collector has a tenth of the work. */
const roomForYoung = "--max-semi-space-size=64";

/** Seeds in shares, so that no process is idle while another still has many. */
const sharesPerCore = 4;

export async function playAll(batch: Batch, told: (done: number) => void, cores = availableParallelism()): Promise<BatchResult> {
  const share = Math.max(1, Math.ceil(batch.runs / (cores * sharesPerCore)));
  const shares: Batch[] = [];
  for (let from = batch.from; from < batch.from + batch.runs; from += share) shares.push({ ...batch, from, runs: Math.min(share, batch.from + batch.runs - from) });
  const results: BatchResult[] = [];
  const work = async (): Promise<void> => {
    for (let next = shares.shift(); next !== undefined; next = shares.shift()) {
      results.push(await playShare(next));
      told(results.reduce((sum, { runs }) => sum + runs, 0));
    }
  };
  await Promise.all(Array.from({ length: Math.min(cores, shares.length) }, work));
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

function playShare(batch: Batch): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    // The loader of this process is the loader of that one.
    const child = spawn(process.execPath, [roomForYoung, ...process.execArgv, path.join(import.meta.dirname, "worker.ts"), JSON.stringify(batch)], { stdio: ["ignore", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as BatchResult);
      else reject(new Error(`the process that played seeds ${batch.from} to ${batch.from + batch.runs - 1} ended with ${code}`));
    });
  });
}
