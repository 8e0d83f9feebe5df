/** Many seeds, one after the other, in this process. */
import type { Driver } from "./durable/host.ts";
import { loadSimulator, type Patch, type Simulator } from "./load.ts";

/** One seed that violates something. */
export interface Failing {
  readonly seed: number;
  readonly invariant: string;
  readonly what: string;
}

export interface BatchResult {
  readonly runs: number;
  readonly failing: readonly Failing[];
  /** Failovers that came to their end, per outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  readonly events: number;
  /** Seeds that were played twice. */
  readonly twice: number;
  readonly cpuMs: number;
}

export interface Batch {
  readonly from: number;
  readonly runs: number;
  /** Every so manieth seed is played twice, and both plays must be the same. */
  readonly twiceEvery: number;
  /** Ends at the first violation. */
  readonly stopAtFirst?: boolean;
  readonly driver?: Driver;
}

/** What a play is that threw: a mistake of the simulator's own, or a bug of the app's that no ending catches. */
const broken = (seed: number, error: unknown): Failing => ({ seed, invariant: "play", what: error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" | ") : String(error) });

export async function playBatch({ from, runs, twiceEvery, stopAtFirst = false, driver = "bare" }: Batch, simulator: Simulator): Promise<BatchResult> {
  const failing: Failing[] = [];
  const outcomes: Record<string, number> = {};
  let virtualMs = 0;
  let events = 0;
  let twice = 0;
  let played = 0;
  const before = process.cpuUsage();
  for (let seed = from; seed < from + runs; seed++) {
    played += 1;
    try {
      const one = await simulator.playOut(simulator.drawScenario(seed, driver));
      virtualMs += one.virtualMs;
      events += one.events;
      for (const outcome of one.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      failing.push(...one.violations.map(({ invariant, what }) => ({ seed, invariant, what })));
      if (seed % twiceEvery === 0) {
        twice += 1;
        const again = await simulator.playOut(simulator.drawScenario(seed, driver));
        if (again.story.digest() !== one.story.digest()) failing.push({ seed, invariant: "same-twice", what: firstDifference(one.story.lines, again.story.lines) });
      }
    } catch (error) {
      failing.push(broken(seed, error));
    }
    if (stopAtFirst && failing.length > 0) break;
  }
  const { user, system } = process.cpuUsage(before);
  return { runs: played, failing, outcomes, virtualMs, events, twice, cpuMs: (user + system) / 1_000 };
}

type Story = Awaited<ReturnType<Simulator["playOut"]>>["story"]["lines"];

function firstDifference(one: Story, other: Story): string {
  const at = one.findIndex((line, index) => JSON.stringify(line) !== JSON.stringify(other[index]));
  return `the second play differs at line ${at}: ${JSON.stringify(one[at])} and ${JSON.stringify(other[at])}`;
}

/** The same by a process of its own, which is told what to do on its command line. */
export async function playPatched(batch: Batch, patches: readonly Patch[]): Promise<BatchResult> {
  return playBatch(batch, await loadSimulator(patches));
}
