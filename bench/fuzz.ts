/**
 * `fuzz`: garbage for whatever reads what strangers or people write. Nothing may throw, take long, grow, or be believed. Cases are drawn from
 * the seed and their own number, so that one of them is repeated with `--from N --cases 1`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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
  /** By how much the heap had grown at most, after a collection where it had grown too much. */
  readonly heapGrownMb: number;
  readonly casesPerSecond: number;
  /** Of the processor, whatever else the machine did. */
  readonly coreSeconds: number;
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
  const cpuBefore = process.cpuUsage();
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
      heapMost = Math.max(heapMost, heapUsed(heapBefore + heapMbMax * 2 ** 20));
      if (performance.now() - startedAt > secondsMax * 1_000) break;
    }
  }
  if (slowestMs > caseMsMax) wrong.push(`case ${slowestCase}: took ${Math.round(slowestMs)} ms`);
  const heapGrownMb = Math.round((heapMost - heapBefore) / 2 ** 20);
  if (heapGrownMb > heapMbMax) wrong.push(`the heap grew by ${heapGrownMb} MB`);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { what, cases: done, ...counted, wrong, slowestMs: Math.round(slowestMs * 10) / 10, slowestCase, heapGrownMb, casesPerSecond: Math.round(done / seconds), coreSeconds: Math.round((user + system) / 100_000) / 10 };
}

/** What nobody needs any more is not counted where that would make the difference. */
function heapUsed(much: number): number {
  if (process.memoryUsage().heapUsed > much) collectGarbage();
  return process.memoryUsage().heapUsed;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

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
  const unknown = wanted.find((what) => targets[what] === undefined);
  if (unknown !== undefined) throw new Error(`nothing called ${unknown} is fuzzed: choose of ${Object.keys(targets).join(", ")}`);
  const bounds = { cases: number("cases", 100_000), seed: number("seed", 1), from: number("from", 0), secondsMax: number("seconds", Number.POSITIVE_INFINITY) };
  const processes = Math.min(number("processes", availableParallelism()), Math.ceil(bounds.cases / casesMin));
  const found: Fuzzed[] = [];
  for (const what of wanted) {
    const one = processes > 1 ? together(await Promise.all(shares(bounds, processes).map((share) => elsewhere(what, share)))) : fuzzed(what, (targets[what] as () => Target)(), bounds);
    found.push(one);
    process.stderr.write(`${what.padEnd(10)} ${one.cases} cases, ${one.casesPerSecond}/s, ${one.accepted} were right, slowest ${one.slowestMs} ms, ${one.wrong.length === 0 ? "nothing wrong" : one.wrong.join("\n  ")}\n`);
  }
  return { ok: found.every(({ wrong }) => wrong.length === 0), seed: bounds.seed, cases: found.reduce((sum, { cases }) => sum + cases, 0), wrong: found.flatMap(({ wrong }) => wrong).length, processes, targets: found };
}

/** Fewer are not worth a process of their own. */
const casesMin = 20_000;

/** Side by side, each with cases of its own numbers: the same cases whatever the number of processes. */
export function shares({ cases, from = 0, ...bounds }: FuzzBounds, processes: number): readonly FuzzBounds[] {
  const size = Math.ceil(cases / processes);
  return Array.from({ length: processes }, (_, nth) => ({ ...bounds, from: from + nth * size, cases: Math.max(0, Math.min(size, cases - nth * size)) }));
}

/** One share in a process of its own: this program again, which answers with its last line. */
async function elsewhere(what: string, { cases, seed, from = 0, secondsMax }: FuzzBounds): Promise<Fuzzed> {
  const seconds = secondsMax === undefined || secondsMax === Number.POSITIVE_INFINITY ? [] : ["--seconds", String(secondsMax)];
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL("main.ts", import.meta.url)), "fuzz", "--what", what, "--cases", String(cases), "--seed", String(seed), "--from", String(from), "--processes", "1", ...seconds], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await Promise.all([text(child.stdout), once(child, "close")]);
  const last = said.trim().split("\n").at(-1) ?? "";
  const { targets: [one] } = JSON.parse(last) as { readonly targets: readonly Fuzzed[] };
  if (one === undefined) throw new Error(`the share of ${what} from case ${from} did not answer: ${last.slice(0, 300)}`);
  return one;
}

/** All shares of one target as one. */
function together(shares: readonly Fuzzed[]): Fuzzed {
  const [first] = shares;
  if (first === undefined) throw new Error("there is no share");
  const sum = (of: (one: Fuzzed) => number): number => shares.reduce((all, one) => all + of(one), 0);
  const slowest = shares.toSorted((a, b) => b.slowestMs - a.slowestMs)[0] ?? first;
  return {
    what: first.what,
    cases: sum(({ cases }) => cases),
    accepted: sum(({ accepted }) => accepted),
    refused: sum(({ refused }) => refused),
    wrong: shares.flatMap(({ wrong }) => wrong),
    slowestMs: slowest.slowestMs,
    slowestCase: slowest.slowestCase,
    heapGrownMb: Math.max(...shares.map(({ heapGrownMb }) => heapGrownMb)),
    casesPerSecond: sum(({ casesPerSecond }) => casesPerSecond),
    coreSeconds: Math.round(sum(({ coreSeconds }) => coreSeconds)),
  };
}
