/**
 * `rto-moves`: the RTO that an observer measures, in pairs of runs of which one has so many seconds more in its restore. It must move by
 * that much: a figure that did not would not be measured from outside.
 */
import type { LabWorld } from "../lab/world/world.ts";
import { quickRun } from "../lab/run/quick.ts";
import { runLab } from "../lab/run/run-lab.ts";

/** Slow, so that what a machine does beside it weighs little in lab seconds. */
const rate = 10;

export async function rtoMoves(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const pairs = Number(options.get("pairs") ?? 5);
  const moreSeconds = Number(options.get("seconds") ?? 5);
  const toleranceSeconds = Number(options.get("tolerance") ?? 2);
  const moved: number[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const without = await rtoOf(() => undefined);
    const slower = await rtoOf((world) => void world.inject({ call: "POST velero.io/restores", by: "lifeboat", kind: "slow", delayMs: moreSeconds * 1_000 }));
    moved.push(Math.round((slower - without) * 10) / 10);
    process.stderr.write(`pair ${pair}: ${without} s, with ${moreSeconds} s more in the restore ${slower} s\n`);
  }
  // The middle one: one run that the machine held up says nothing.
  const median = moved.toSorted((a, b) => a - b)[Math.floor(moved.length / 2)] ?? Number.NaN;
  return { ok: Math.abs(median - moreSeconds) <= toleranceSeconds, moreSeconds, toleranceSeconds, medianMovedSeconds: median, movedSeconds: moved, rate };
}

async function rtoOf(arm: (world: LabWorld) => void): Promise<number> {
  const { report, failures } = await runLab({ ...quickRun, topology: "replicated", rate, lookEveryMs: 500, blobPollMs: 10_000, onUp: ({ pair }) => arm(pair.world) });
  if (failures.length > 0 || report.rtoSeconds === null) throw new Error(`a run went wrong: ${failures.join("; ")}`);
  return report.rtoSeconds;
}
