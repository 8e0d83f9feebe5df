/**
 * `planted-bugs`: puts one mistake at a time into the app and lets the simulator look for it. A detector that finds nothing in a hundred
 * thousand good runs has shown nothing until it is known what it would have found.
 */
import { playPatched } from "../lab/simulator/batch.ts";
import { plantedBugs } from "./planted-bugs-list.ts";

export interface Planted {
  readonly bug: string;
  /** How many seeds it took; `null`: it was not found. */
  readonly seeds: number | null;
  readonly invariant: string | null;
}

export async function plantedBugsFound(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const most = Number(options.get("runs") ?? 1_000);
  const from = Number(options.get("seed") ?? 1);
  const only = options.get("bugs")?.split(",");
  const found: Planted[] = [];
  for (const { bug, patches } of plantedBugs.filter((planted) => only === undefined || only.includes(planted.bug))) {
    const { failing, runs } = await playPatched({ from, runs: most, twiceEvery: Number.POSITIVE_INFINITY, stopAtFirst: true }, patches);
    const [first] = failing;
    found.push({ bug, seeds: first === undefined ? null : runs, invariant: first?.invariant ?? null });
    process.stderr.write(`${bug.padEnd(34)} ${first === undefined ? `NOT FOUND in ${runs} seeds` : `${String(runs).padStart(4)} seeds, ${first.invariant}: ${first.what.slice(0, 120)}`}\n`);
  }
  const missed = found.filter(({ seeds }) => seeds === null).map(({ bug }) => bug);
  const counts = found.flatMap(({ seeds }) => seeds ?? []).toSorted((a, b) => a - b);
  return { ok: missed.length === 0, planted: found.length, found: counts.length, medianSeeds: counts[Math.floor(counts.length / 2)] ?? null, mostSeeds: counts.at(-1) ?? null, missed, bugs: found };
}
