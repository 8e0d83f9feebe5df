/**
 * `kill`: SIGKILLs the host at uniformly random moments of whole failovers and starts it again, until so many kills were made. Every run
 * must end recovered, from the same point, and the world must have seen no effect twice.
 */
import { setTimeout as wait } from "node:timers/promises";
import { appliedTwice, type Twice } from "../lab/checks.ts";
import { runLab, type RunningLab } from "../lab/run/run-lab.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";

/** Longest time from one start of the host to the next kill, wall milliseconds: long enough for the longest step to end. */
const pauseMsMax = 2_500;
/** A run whose host dies again and again must still get somewhere. */
const killsPerRun = 10;

export async function killTest(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const kills = Number(options.get("kills") ?? 100);
  const seed = Number(options.get("seed") ?? 1);
  const topology = options.get("topology") === "shared" ? "shared" : "replicated";
  const chance = random(seed);
  const hits = new Map<string, number>();
  const wrong: string[] = [];
  const twice: Twice[] = [];
  let made = 0;
  let runs = 0;
  while (made < kills) {
    const left = Math.min(kills - made, killsPerRun);
    runs += 1;
    const stop = new AbortController();
    let killing: Promise<number> = Promise.resolve(0);
    const { report, failures } = await runLab({
      scenario: { ...scenarioNamed("region-lost"), freshBackup: false },
      topology,
      rate: 20,
      reportDirectory: null,
      tell: ({ event }) => {
        if (event === "ended") stop.abort();
      },
      onUp: (lab) => {
        killing = killAgainAndAgain(lab, left, chance, hits, stop.signal);
      },
      beforeClose: ({ pair }) => void twice.push(...appliedTwice(pair.world.effects)),
    });
    made += await killing;
    if (failures.length > 0) wrong.push(`run ${runs}: ${failures.join("; ")}`);
    process.stderr.write(`${made} of ${kills} kills, ${runs} runs, ${wrong.length} wrong, ${twice.length} effects twice; last: ${report.outcome} from ${report.restorePoint?.name ?? "nothing"}\n`);
  }
  const histogram = Object.fromEntries([...hits].sort(([, a], [, b]) => b - a));
  return { ok: wrong.length === 0 && twice.length === 0, kills: made, runs, seed, topology, wrong, twice, histogram };
}

/** Counts the kills it made; the last one may come when the run has just ended, which is a moment like any other. */
async function killAgainAndAgain(lab: RunningLab, kills: number, chance: () => number, hits: Map<string, number>, signal: AbortSignal): Promise<number> {
  let made = 0;
  while (made < kills && !signal.aborted) {
    await wait(50 + chance() * pauseMsMax);
    if (signal.aborted) break;
    const { head } = await lab.app.plan("shop").catch(() => ({ head: null }));
    const at = head?.run?.phases.filter(({ endedAt }) => endedAt === null).map(({ phase }) => phase).join(" and ") || (head?.run ? "between steps" : head?.last ? "after the end" : "before the alert");
    await lab.host().kill("SIGKILL");
    made += 1;
    hits.set(at, (hits.get(at) ?? 0) + 1);
    await lab.restartHost();
  }
  return made;
}

/** mulberry32: the same seed is the same sequence of moments. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
