/**
 * `npm run simulate -- --runs N [--seed N]`: plays N seeds from the given one on, on all cores, and ends with one line of JSON. `--seed N
 * --trace`: tells the story of one seed, made as small as it gets where it fails. `--matrix`: a crash in every step and mode, an abort after
 * every event. `--pairs [--every N]`: two crashes in one run, in all places or in every N-th pair of
 * them. `--faults`: the catalogue of faults, its scenarios and its tests; with `--deep` also
 * those that take minutes, with `--real` those on real clusters, which are started for it.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Driver } from "./durable/host.ts";
import { loadSimulator } from "./load.ts";
import type { Found } from "./explore.ts";
import { exploreAll, playAll } from "./pool.ts";
import { lineText } from "./story.ts";
import { counted, matrixPage } from "./tables.ts";
import { tellFaults } from "./tell-faults.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "200" }, seed: { type: "string", default: "1" }, "twice-every": { type: "string", default: "50" }, cores: { type: "string" }, driver: { type: "string", default: "bare" }, every: { type: "string", default: "1" }, trace: { type: "boolean", default: false }, matrix: { type: "boolean", default: false }, pairs: { type: "boolean", default: false }, faults: { type: "boolean", default: false }, deep: { type: "boolean", default: false }, real: { type: "boolean", default: false }, write: { type: "boolean", default: false } } });
const number = (name: "runs" | "seed" | "twice-every" | "cores" | "every"): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} must be a whole number above 0\n`);
  process.exit(2);
};

const driverAsked = (asked: string): Driver => {
  if (asked === "bare" || asked === "sdk") return asked;
  process.stderr.write("--driver is bare, the simulator's own player, or sdk, the real library\n");
  process.exit(2);
};
const driver = driverAsked(values.driver);

process.exitCode = values.trace ? await trace(number("seed")) : values.matrix ? await matrix() : values.pairs ? await pairs() : values.faults ? await tellFaults(values, commit()) : await many();

/** Every step and crash mode, and an abort after every event. `--write` puts the tables into docs/crash-matrix.md. */
async function matrix(): Promise<number> {
  const every = number("every");
  const [crashes, aborts] = [await exploreAll("crashes", every), await exploreAll("aborts", every)];
  const line = { crashes: said(crashes), aborts: said(aborts), every, commit: commit() };
  if (values.write && every === 1) writeFileSync(new URL("../../docs/crash-matrix.md", import.meta.url), matrixPage(crashes, aborts, commit()));
  return tell(line, [...crashes, ...aborts]);
}

/** Two crashes in one run. */
async function pairs(): Promise<number> {
  const every = number("every");
  const found = await exploreAll("pairs", every);
  return tell({ pairs: said(found), every, commit: commit() }, found);
}

function said(found: readonly Found[]) {
  const { played, wrong, missed, ends } = counted(found);
  return { played, wrong: wrong.length, missed, ends };
}

function tell(line: object, found: readonly Found[]): number {
  const { wrong } = counted(found);
  for (const { of, row, column, wrong: why } of wrong.slice(0, 50)) process.stdout.write(`${of}: ${row}, ${column}: ${why}\n`);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return wrong.length === 0 ? 0 : 1;
}

/** Tells one seed. */
async function trace(seed: number): Promise<number> {
  const simulator = await loadSimulator();
  const first = await simulator.playOut(simulator.drawScenario(seed, driver));
  const [violation] = first.violations;
  const told = violation === undefined ? first : await simulator.playOut(await simulator.shrink(first.scenario, violation.invariant));
  process.stdout.write(`${JSON.stringify(told.scenario, null, 1)}\n\n`);
  for (const line of told.story) process.stdout.write(`${lineText(line)}\n`);
  for (const { invariant, what } of told.violations) process.stdout.write(`\n${invariant} is violated: ${what}\n`);
  process.stdout.write(`${JSON.stringify({ seed, outcomes: told.outcomes, violations: told.violations.length, digest: told.digest })}\n`);
  return told.violations.length === 0 ? 0 : 1;
}

async function many(): Promise<number> {
  const [from, runs] = [number("seed"), number("runs")];
  const beganAt = performance.now();
  const cores = values.cores === undefined ? undefined : number("cores");
  const result = await playAll({ from, runs, twiceEvery: number("twice-every"), driver }, (done) => void process.stderr.write(`${done} of ${runs}\n`), cores);
  const seconds = (performance.now() - beganAt) / 1_000;
  for (const { seed, invariant, what } of result.failing.slice(0, 50)) process.stdout.write(`seed ${seed} violates ${invariant}: ${what}\n  npm run simulate -- --seed ${seed} --trace\n`);
  const { outcomes, twice, virtualMs, events, cpuMs } = result;
  const line = {
    driver,
    runs: result.runs,
    violations: result.failing.length,
    runsPerSecond: Math.round((result.runs / seconds) * 10) / 10,
    /** By the processor's own count, so that a busy machine does not make it look slow. */
    runsPerCoreSecond: Math.round(((result.runs + twice) / cpuMs) * 10_000) / 10,
    seeds: { from, to: from + runs - 1 },
    failingSeeds: [...new Set(result.failing.map(({ seed }) => seed))].slice(0, 50),
    playedTwice: twice,
    simulatedDays: Math.round(virtualMs / 86_400_00) / 10,
    events,
    outcomes,
    commit: commit(),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return result.failing.length === 0 ? 0 : 1;
}

/** `unknown` outside of a checkout. */
function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
