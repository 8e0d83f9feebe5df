/**
 * `kill`: SIGKILLs the host at uniformly random moments of whole failovers and starts it again, until so many kills were made. Every run
 * must end recovered, from the same point, and the world must have seen no effect twice.
 */
import { setTimeout as wait } from "node:timers/promises";
import { appliedTwice, type Twice } from "../lab/checks.ts";
import type { Topology } from "../lab/run/plans.ts";
import { quickRun } from "../lab/run/quick.ts";
import { runLab, type RunningLab } from "../lab/run/run-lab.ts";
import { type InFlight, openInFlight } from "./in-flight.ts";
import { random } from "./random.ts";

/** A run whose host dies again and again must still get somewhere; and each kill costs a start of the host. */
const killsPerRun = 5;
/** Slow enough that a host which is being started anew misses seconds of the world and not minutes. */
const rate = 20;
/** What a run takes while its host is up, wall milliseconds, until one was seen. */
const runMsGuess = 5_000;
/** Records that the host wrote before it died are still on their way. */
const lastWordsMs = 30;

export type Killed = {
  readonly ok: boolean;
  readonly kills: number;
  readonly runs: number;
  readonly seed: number;
  readonly topology: Topology;
  readonly wrong: readonly string[];
  readonly twice: readonly Twice[];
  /** Kills by the steps that were running. */
  readonly histogram: Readonly<Record<string, number>>;
  readonly wallSeconds: number;
};

export function killTest(options: ReadonlyMap<string, string>): Promise<Killed> {
  const topology = options.get("topology") === "shared" ? "shared" : "replicated";
  return killRuns({ kills: Number(options.get("kills") ?? 100), seed: Number(options.get("seed") ?? 1), topology, tell: (line) => void process.stderr.write(`${line}\n`) });
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly topology: Topology;
  readonly tell: (line: string) => void;
}

export async function killRuns({ kills, seed, topology, tell }: KillOptions): Promise<Killed> {
  const startedAt = performance.now();
  const chance = random(seed);
  const hits = new Map<string, number>();
  const wrong: string[] = [];
  const twice: Twice[] = [];
  const points = new Set<string>();
  let made = 0;
  let runs = 0;
  let runMs = runMsGuess;
  while (made < kills) {
    runs += 1;
    // Uniform over what a run takes while its host is up. A moment that lies behind the run's end makes no kill.
    const moments = Array.from({ length: Math.min(kills - made, killsPerRun) }, () => chance() * runMs).toSorted((a, b) => a - b);
    const run = await killedRun(topology, moments).catch((error: unknown) => ({ hits: [], twice: [], point: null, upMs: runMs, failures: [`it broke: ${error instanceof Error ? error.message : String(error)}`] }));
    made += run.hits.length;
    runMs = (runMs * (runs - 1) + run.upMs) / runs;
    for (const hit of run.hits) hits.set(hit, (hits.get(hit) ?? 0) + 1);
    twice.push(...run.twice);
    if (run.point !== null) points.add(run.point);
    if (run.failures.length > 0) wrong.push(`run ${runs}: ${run.failures.join("; ")}`);
    tell(`${made} of ${kills} kills in ${runs} runs (${run.hits.join(", ")}); up for ${Math.round(run.upMs)} ms; ${run.failures.join("; ") || "recovered"}`);
    if (runs > kills * 2) throw new Error(`${runs} runs made ${made} kills: the moments lie behind the end of the runs`);
  }
  if (points.size > 1) wrong.push(`the runs ended from different points: ${[...points].join(", ")}`);
  const histogram = Object.fromEntries([...hits].toSorted(([, a], [, b]) => b - a));
  return { ok: wrong.length === 0 && twice.length === 0, kills: made, runs, seed, topology, wrong, twice, histogram, wallSeconds: Math.round((performance.now() - startedAt) / 1_000) };
}

interface KilledRun {
  readonly hits: readonly string[];
  readonly twice: readonly Twice[];
  readonly point: string | null;
  readonly failures: readonly string[];
  /** How long the host was up from the accepted alert to the run's end, wall milliseconds. */
  readonly upMs: number;
}

async function killedRun(topology: Topology, moments: readonly number[]): Promise<KilledRun> {
  const inFlight = openInFlight();
  const ended = new AbortController();
  const broken = new AbortController();
  let accept: () => void = () => undefined;
  // An alert that meets no host six times is lost (action groups give up then), and there would be nothing to recover.
  const accepted = new Promise<void>((resolve) => (accept = resolve));
  const hits: string[] = [];
  let killing: Promise<number> = Promise.resolve(0);
  let twice: readonly Twice[] = [];
  const { report, failures } = await runLab({
    ...quickRun,
    rate,
    lookEveryMs: 1_000,
    blobPollMs: 10_000,
    topology,
    signal: broken.signal,
    onLog: (record) => inFlight.take(record),
    tell: (told) => {
      if (told.event === "alert" && told.status === 202) accept();
      if (told.event === "ended") ended.abort();
    },
    onUp: (lab) => {
      killing = accepted.then(() => killAt(lab, moments, inFlight, hits, ended.signal));
      // A host that does not come up again is the end of the run: nothing would ever end it.
      killing.catch((error: unknown) => broken.abort(error));
    },
    beforeClose: async ({ pair }) => {
      await killing;
      twice = appliedTwice(pair.world.effects);
    },
  });
  return { hits, twice, point: report.restorePoint?.name ?? null, failures, upMs: await killing };
}

/** Kills the host when it has been up for so long, each time anew. Returns how long it was up until the run ended. */
async function killAt(lab: RunningLab, moments: readonly number[], inFlight: InFlight, hits: string[], ended: AbortSignal): Promise<number> {
  let upMs = 0;
  for (const moment of [...moments, Infinity]) {
    const from = performance.now();
    await wait(Math.min(Math.max(0, moment - upMs), 2 ** 31 - 1), undefined, { signal: ended }).catch(() => undefined);
    upMs += performance.now() - from;
    if (ended.aborted) break;
    await lab.host().kill("SIGKILL");
    await wait(lastWordsMs);
    hits.push(inFlight.now());
    inFlight.forget();
    await lab.restartHost();
  }
  return upMs;
}
