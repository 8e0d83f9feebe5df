/** `npm run simulate`: see `options.ts`, or `npm run simulate -- --help`. */
import { writeFileSync } from "node:fs";
import { commit } from "../commit.ts";
import { addRecord } from "../records.ts";
import type { Exploration, Found } from "./explore.ts";
import { loadSimulator } from "./load.ts";
import { type Options, optionsOf } from "./options.ts";
import { exploreAll, playAll } from "./pool.ts";
import { lineText } from "./story.ts";
import { counted, matrixPage } from "./tables.ts";
import { tellFaults } from "./tell-faults.ts";

const shown = 50;
const records = "simulator-records.json";
const page = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);
const tellProgress = (done: number, of: number): void => void process.stderr.write(`${done} of ${of}\n`);

const args = process.argv.slice(2);
const commandLine = `npm run simulate -- ${args.join(" ")}`;
const options = optionsOf(args);
if ("say" in options) {
  (options.wrong ? process.stderr : process.stdout).write(options.say);
  process.exitCode = options.wrong ? 2 : 0;
} else process.exitCode = await does(options);

async function does(asked: Options): Promise<number> {
  switch (asked.what) {
    case "seeds":
      return seeds(asked);
    case "trace":
      return trace(asked);
    case "matrix":
      return matrix(asked);
    case "pairs":
      return pairs(asked);
    case "faults":
      return tellFaults(asked, commit());
  }
}

/** Many seeds. */
async function seeds({ seed: from, runs, twiceEvery, driver, cores, write }: Options): Promise<number> {
  const beganAt = performance.now();
  const result = await playAll({ from, runs, twiceEvery, driver }, (done) => tellProgress(done, runs), cores);
  const seconds = secondsSince(beganAt);
  for (const { seed, invariant, what } of result.failing.slice(0, shown)) process.stdout.write(`seed ${seed} violates ${invariant}: ${what}\n  npm run simulate -- --seed ${seed} --trace${driver === "bare" ? "" : ` --driver ${driver}`}\n`);
  const { outcomes, twice, virtualMs, events, cpuMs } = result;
  const line = {
    driver,
    runs: result.runs,
    violations: result.failing.length,
    seconds: Math.round(seconds),
    runsPerSecond: tenths((result.runs + twice) / seconds),
    /** By the processor's own count, so that a busy machine does not make it look slow. */
    runsPerCoreSecond: tenths(((result.runs + twice) / cpuMs) * 1_000),
    seeds: { from, to: from + runs - 1 },
    failingSeeds: [...new Set(result.failing.map(({ seed }) => seed))].slice(0, shown),
    playedTwice: twice,
    simulatedDays: tenths(virtualMs / 86_400_000),
    events,
    outcomes,
    commit: commit(),
  };
  if (write) addRecord(records, driver, { command: commandLine, ...line });
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return result.failing.length === 0 ? 0 : 1;
}

function secondsSince(at: number): number {
  return (performance.now() - at) / 1_000;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Tells one seed. */
async function trace({ seed, driver }: Options): Promise<number> {
  const simulator = await loadSimulator();
  const first = await simulator.playOut(simulator.drawScenario(seed, driver));
  const [violation] = first.violations;
  const told = violation === undefined ? first : await simulator.playOut(await simulator.shrink(first.scenario, violation.invariant));
  process.stdout.write(`${JSON.stringify(told.scenario, null, 1)}\n\n`);
  for (const line of told.story.lines) process.stdout.write(`${lineText(line)}\n`);
  for (const { invariant, what } of told.violations) process.stdout.write(`\n${invariant} is violated: ${what}\n`);
  process.stdout.write(`${JSON.stringify({ seed, outcomes: told.outcomes, violations: told.violations.length, digest: told.story.digest() })}\n`);
  return told.violations.length === 0 ? 0 : 1;
}

/** Every step and crash mode, and an abort after every event. `--write` puts the tables into docs/crash-matrix.md. */
async function matrix(asked: Options): Promise<number> {
  const { every, write } = asked;
  const crashes = await explored("crashes", asked);
  const aborts = await explored("aborts", asked);
  if (write && every === 1) writeFileSync(page("crash-matrix.md"), matrixPage(crashes, aborts, commit()));
  return tell({ crashes, aborts, every });
}

/** Two crashes in one run. */
async function pairs(asked: Options): Promise<number> {
  const beganAt = performance.now();
  const found = await explored("pairs", asked);
  const { played, wrong, missed, ends } = counted(found);
  if (asked.write) addRecord(records, "pairs", { command: commandLine, played, wrong: wrong.length, missed, ends, every: asked.every, nth: asked.nth, seconds: Math.round(secondsSince(beganAt)), commit: commit() });
  return tell({ pairs: found, every: asked.every });
}

function explored(exploration: Exploration, { every, nth, cores }: Options): Promise<readonly Found[]> {
  return exploreAll(exploration, { every, nth }, (done, of) => void process.stderr.write(`${exploration}: share ${done} of ${of}\n`), cores);
}

function tell({ every, ...found }: Readonly<Partial<Record<Exploration, readonly Found[]>>> & { readonly every: number }): number {
  const wrong = Object.values(found).flatMap((some) => counted(some).wrong);
  for (const { of, row, column, wrong: why } of wrong.slice(0, shown)) process.stdout.write(`${of}: ${row}, ${column}: ${why}\n`);
  const said = Object.entries(found).map(([name, some]) => {
    const { played, missed, ends, wrong: not } = counted(some);
    return [name, { played, wrong: not.length, missed, ends }] as const;
  });
  process.stdout.write(`${JSON.stringify({ ...Object.fromEntries(said), every, commit: commit() })}\n`);
  return wrong.length === 0 ? 0 : 1;
}
