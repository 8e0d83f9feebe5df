/** What `npm run simulate` takes on its command line. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Driver } from "./durable/host.ts";

export const usage = `npm run simulate -- [what] [options]

What, without anything: seeds, one failover after the other
  --seed N --trace    the story of one seed, made as small as it gets where it fails
  --matrix            a host dies around every call of every step, and somebody asks to stop after every event
  --pairs             two crashes in one run, in all pairs of places
  --faults            the catalogue of 114 faults: its scenarios, and the tests that it names
                      (--deep: those that take minutes too; --real: those on real clusters, which are started for it)

Options
  --runs N            how many seeds; default 200
  --seed N            the first of them; default 1
  --twice-every N     every so manieth seed is played twice, and must be the same; default 50
  --driver bare|sdk   who plays turns: the simulator's own player, or the real durable-functions; default bare
  --every N           of --matrix and --pairs every so manieth only; default 1
  --nth N             of each so many this one, so that a long exploration is made in parts; default 1
  --cores N           processes; default one for each core
  --write             --matrix and --faults write their page in docs/; seeds and --pairs add theirs to docs/simulator-records.json

The last line is JSON. The exit code is 0 when nothing is violated, 1 when something is, 2 when the command line is not understood.
`;

const number = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const config = { options: { runs: number, seed: number, "twice-every": number, cores: number, every: number, nth: number, driver: { type: "string", default: "bare" }, trace: flag, matrix: flag, pairs: flag, faults: flag, deep: flag, real: flag, write: flag, help: flag } } as const satisfies ParseArgsConfig;

export interface Options {
  readonly what: "seeds" | "trace" | "matrix" | "pairs" | "faults";
  readonly runs: number;
  readonly seed: number;
  readonly twiceEvery: number;
  readonly every: number;
  /** From 1 to `every`. */
  readonly nth: number;
  /** `undefined`: as many as the machine has. */
  readonly cores: number | undefined;
  readonly driver: Driver;
  readonly deep: boolean;
  readonly real: boolean;
  readonly write: boolean;
}

/** The options; or what is to be said instead, `wrong` where they are not understood. */
export function optionsOf(args: readonly string[]): Options | { readonly say: string; readonly wrong: boolean } {
  try {
    const { values } = parseArgs({ ...config, args: [...args] });
    if (values.help) return { say: usage, wrong: false };
    const { driver, deep, real, write } = values;
    if (driver !== "bare" && driver !== "sdk") throw new Error("--driver is bare, the simulator's own player, or sdk, the real library");
    const whats = (["trace", "matrix", "pairs", "faults"] as const).filter((name) => values[name]);
    if (whats.length > 1) throw new Error(`one of ${whats.map((name) => `--${name}`).join(" and ")} at a time`);
    const [every, nth] = [countOf("every", values.every, 1), countOf("nth", values.nth, 1)];
    if (nth > every) throw new Error(`--nth ${nth} is more than --every ${every}`);
    return { what: whats[0] ?? "seeds", runs: countOf("runs", values.runs, 200), seed: countOf("seed", values.seed, 1), twiceEvery: countOf("twice-every", values["twice-every"], 50), every, nth, cores: values.cores === undefined ? undefined : countOf("cores", values.cores, 1), driver, deep, real, write };
  } catch (error) {
    return { say: `${error instanceof Error ? error.message : String(error)}\nnpm run simulate -- --help says what there is\n`, wrong: true };
  }
}

function countOf(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0, and is ${text}`);
  return value;
}
