/**
 * `fuzz`: garbage for whatever reads what strangers or people write. Nothing may throw, take long, grow, or be believed. Cases are drawn from
 * the seed and their own number, so that one of them is repeated with `--from N --cases 1`.
 */
import { random } from "./random.ts";
import { type Judged, type Target, targets } from "./fuzz/targets.ts";

export interface Fuzzed {
  readonly what: string;
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  /** The first few that should not have been believed, or that threw. */
  readonly wrong: readonly string[];
  readonly slowestMs: number;
  readonly slowestCase: number;
  /** By how much the heap had grown at most, after a collection where that can be asked for. */
  readonly heapGrownMb: number;
  readonly casesPerSecond: number;
}

export interface FuzzBounds {
  readonly cases: number;
  readonly seed: number;
  readonly from?: number;
  /** Stops after this long, whatever is left. */
  readonly secondsMax?: number;
}

/** One case may take this long; a machine that is busy takes longer now and then, so one that did is asked again. */
const caseMsMax = 100;
const heapMbMax = 256;
const wrongMax = 5;

export function fuzzed(what: string, target: Target, { cases, seed, from = 0, secondsMax = Number.POSITIVE_INFINITY }: FuzzBounds): Fuzzed {
  const counted = { accepted: 0, refused: 0 };
  const wrong: string[] = [];
  const startedAt = performance.now();
  const heapBefore = process.memoryUsage().heapUsed;
  let heapMost = heapBefore;
  let slowestMs = 0;
  let slowestCase = from;
  let done = 0;
  for (; done < cases && wrong.length < wrongMax; done++) {
    const number = from + done;
    const took = (): number => {
      const begunAt = performance.now();
      const judged = judge(target, seed, number);
      const ms = performance.now() - begunAt;
      if (judged.kind === "fooled") wrong.push(`case ${number}: ${judged.by}`);
      else counted[judged.kind]++;
      return ms;
    };
    let ms = took();
    if (ms > caseMsMax) ms = Math.min(ms, timeAgain(target, seed, number));
    if (ms > slowestMs) [slowestMs, slowestCase] = [ms, number];
    if (done % 4_096 === 0) {
      heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
      if (performance.now() - startedAt > secondsMax * 1_000) break;
    }
  }
  if (slowestMs > caseMsMax) wrong.push(`case ${slowestCase}: took ${Math.round(slowestMs)} ms`);
  const heapGrownMb = Math.round((heapMost - heapBefore) / 2 ** 20);
  if (heapGrownMb > heapMbMax) wrong.push(`the heap grew by ${heapGrownMb} MB`);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { what, cases: done, ...counted, wrong, slowestMs: Math.round(slowestMs * 10) / 10, slowestCase, heapGrownMb, casesPerSecond: Math.round(done / seconds) };
}

/** Each case has a sequence of its own. */
const drawOf = (seed: number, number: number) => random((Math.imul(seed, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b)) >>> 0);

function judge(target: Target, seed: number, number: number): Judged {
  try {
    return target(drawOf(seed, number));
  } catch (error) {
    return { kind: "fooled", by: `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}` };
  }
}

/** The least of three, by the processor's own count: what others do on this machine is not the reader's fault. */
function timeAgain(target: Target, seed: number, number: number): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    judge(target, seed, number);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

export async function fuzz(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const number = (name: string, fallback: number): number => Number(options.get(name) ?? fallback);
  const wanted = options.get("what")?.split(",") ?? Object.keys(targets);
  const bounds = { cases: number("cases", 100_000), seed: number("seed", 1), from: number("from", 0), secondsMax: number("seconds", Number.POSITIVE_INFINITY) };
  const found: Fuzzed[] = [];
  for (const what of wanted) {
    const open = targets[what];
    if (open === undefined) throw new Error(`nothing called ${what} is fuzzed: choose of ${Object.keys(targets).join(", ")}`);
    const one = fuzzed(what, open(), bounds);
    found.push(one);
    process.stderr.write(`${what.padEnd(10)} ${one.cases} cases, ${one.casesPerSecond}/s, ${one.accepted} were right, slowest ${one.slowestMs} ms, ${one.wrong.length === 0 ? "nothing wrong" : one.wrong.join("\n  ")}\n`);
  }
  return { ok: found.every(({ wrong }) => wrong.length === 0), seed: bounds.seed, cases: found.reduce((sum, { cases }) => sum + cases, 0), wrong: found.flatMap(({ wrong }) => wrong).length, targets: found };
}
