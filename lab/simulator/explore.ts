/**
 * Everything there is of one kind, gone through in order: a crash in every step and mode, all pairs of them, an abort after every event.
 * Nothing is drawn: the scenarios follow from a play in which nothing goes wrong.
 */
import type { Simulator } from "./load.ts";
import type { Scenario } from "./scenario.ts";
import { type CrashMode, crashModes, type Strike, type StepCallMade } from "./strikes.ts";

export type Exploration = "crashes" | "pairs" | "aborts";

/** One scenario, what it is called, and which ends are right. */
export interface Explored {
  /** The table that it belongs to. */
  readonly of: string;
  /** Row and column in it. */
  readonly row: string;
  readonly column: string;
  readonly scenario: Scenario;
  readonly ends: readonly string[];
}

export interface Found {
  readonly of: string;
  readonly row: string;
  readonly column: string;
  readonly end: string;
  /** What was asked for did not happen: the host did not die there, or nobody was there to be asked to stop. */
  readonly missed: boolean;
  /** Why it is wrong; `null`: it is right. */
  readonly wrong: string | null;
}

/** A region that is lost for good, an automatic plan, one alert, two hosts. */
export const base: Scenario = {
  seed: 1,
  plan: { topology: "replicated", approval: "automatic", agree: 5, trafficOnly: true },
  loss: { kind: "region", at: 60_000, reach: "reset", forMs: null },
  shelf: "whole",
  stopped: true,
  hosts: 2,
  replaysAlways: false,
  quietDay: "laid",
  driver: "bare",
  deeds: [{ kind: "alert", at: 90_000, alertId: "alert-1" }],
  troubles: [],
};

const topologies = ["replicated", "shared"] as const;
const downMs = 20_000;
const stories = {
  failover: { deeds: base.deeds, end: "recovered" },
  // Between the first restore and the traffic point: most of what a run can undo has been done.
  abort: { deeds: [...base.deeds, { kind: "abort", when: "restore", afterMs: 1_500, who: "Ada Operator" }], end: "aborted" },
} as const satisfies Record<string, { readonly deeds: Scenario["deeds"]; readonly end: string }>;

/** Around which of a step's calls a host dies in modes 2 to 5: each that it waits for, or the one that the step is there for. */
type Calls = "each" | "main";

/** Every place in which a host can die while this scenario is played: the steps in their order, and the modes that each of them has. */
async function placesIn(simulator: Simulator, scenario: Scenario, which: Calls): Promise<readonly Strike[]> {
  const made = new Map<string, StepCallMade[]>();
  const { story } = await simulator.playOut(scenario, (call) => void made.set(call.step, [...(made.get(call.step) ?? []), call]));
  const steps = new Set(story.lines.flatMap(({ what }) => /^begins (.+?)(?: \(delivery \d+\))?$/.exec(what)?.[1] ?? []));
  const modes = Object.keys(crashModes).map(Number) as CrashMode[];
  return [...steps].flatMap((step) => {
    const calls = made.get(step) ?? [];
    const struck = which === "main" ? [mainCall(calls)] : [...calls.keys()];
    return modes.flatMap((mode) => (mode < 2 || mode > 5 ? [0] : calls.length === 0 ? [] : struck).map((call): Strike => ({ kind: "strike", step, mode, call, downMs })));
  });
}

/** The call that a step is there for: what it changes, else what it looks at, else what it writes down. */
function mainCall(calls: readonly StepCallMade[]): number {
  const changes = calls.findIndex(({ mutating }) => mutating);
  if (changes !== -1) return changes;
  const looks = calls.findIndex(({ about }) => !about.startsWith("home.") && !about.startsWith("hub."));
  if (looks !== -1) return looks;
  return Math.max(0, calls.findIndex(({ about }) => about.startsWith("home.create") || about.startsWith("home.replace")));
}

async function crashes(simulator: Simulator, which: Calls): Promise<readonly Explored[]> {
  const all: Explored[] = [];
  for (const topology of topologies)
    for (const [story, { deeds, end }] of Object.entries(stories)) {
      const scenario: Scenario = { ...base, plan: { ...base.plan, topology }, deeds };
      for (const strike of await placesIn(simulator, scenario, which)) all.push({ of: `${story}, ${topology} storage`, row: strike.step, column: String(strike.mode), scenario: { ...scenario, troubles: [strike] }, ends: [end] });
    }
  return all;
}

/** Two crashes in one run, the second one anywhere behind the first: each around what its step is there for. */
async function pairs(simulator: Simulator): Promise<readonly Explored[]> {
  const singles = await crashes(simulator, "main");
  return singles.flatMap((one, at) =>
    singles.slice(at + 1).filter(({ of }) => of === one.of).map((other) => ({ ...one, row: `${one.row} ${one.column}`, column: `${other.row} ${other.column}`, scenario: { ...one.scenario, troubles: [...one.scenario.troubles, ...other.scenario.troubles] } })),
  );
}

/** Scenarios of which each event is followed by somebody who asks the run to stop. */
const abortedStories: Readonly<Record<string, Partial<Scenario>>> = {
  "a region is lost": {},
  "its cluster does not stand still": { stopped: false },
  "a person may stop it before it begins": { plan: { ...base.plan, approval: "veto" } },
  "one person says yes": { plan: { ...base.plan, approval: "one" }, deeds: [...base.deeds, { kind: "decide", about: "decision", afterMs: 30_000, who: "Grace Approver", verdict: "approve", times: 1 }] },
  "a person says that the fence is enough": { plan: { ...base.plan, trafficOnly: false }, deeds: [...base.deeds, { kind: "decide", about: "fence", afterMs: 30_000, who: "Grace Approver", verdict: "approve", times: 1 }] },
  "the newest point is not whole": { shelf: "archive missing" },
  "nothing is whole": { shelf: "nothing whole" },
  "the region comes back meanwhile": { loss: { kind: "region", at: 60_000, reach: "black-hole", forMs: 150_000 } },
  "there is no room": { troubles: [{ kind: "capacity", nodes: 0 }] },
  "a restore breaks off": { troubles: [{ kind: "restore", nth: 1, trouble: "server-restarts" }] },
  "answers are lost": { troubles: [{ kind: "call", port: "arm", op: "*", nth: 5, times: 1, fault: { kind: "lost-answer" } }, { kind: "call", port: "kubernetes", op: "create", nth: 1, times: 1, fault: { kind: "lost-answer" } }] },
};

async function aborts(simulator: Simulator): Promise<readonly Explored[]> {
  const all: Explored[] = [];
  for (const topology of topologies)
    for (const [name, more] of Object.entries(abortedStories)) {
      const scenario: Scenario = { ...base, ...more, plan: { ...base.plan, ...more.plan, topology } };
      const { logged, outcomes } = await simulator.playOut(scenario);
      for (let when = 0; when < logged; when++)
        all.push({ of: `${name}, ${topology} storage`, row: name, column: String(when), scenario: { ...scenario, deeds: [...scenario.deeds, { kind: "abort", when, afterMs: 0, who: "Ada Operator" }] }, ends: [...outcomes, "aborted", "halted"] });
    }
  return all;
}

const lists: Readonly<Record<Exploration, (simulator: Simulator) => Promise<readonly Explored[]>>> = { crashes: async (simulator) => crashes(simulator, "each"), pairs, aborts };

/** Lists that were made in this process, which plays many shares of one. */
const made = new WeakMap<Simulator, Map<Exploration, ReturnType<typeof crashes>>>();

async function listOf(exploration: Exploration, simulator: Simulator): Promise<readonly Explored[]> {
  const known = made.get(simulator) ?? new Map<Exploration, ReturnType<typeof crashes>>();
  made.set(simulator, known);
  const list = known.get(exploration) ?? lists[exploration](simulator);
  known.set(exploration, list);
  return list;
}

export interface Share {
  readonly exploration: Exploration;
  /** Of so many shares, this one: every so manieth scenario. */
  readonly share: number;
  readonly shares: number;
  /** Takes every so manieth scenario only: 1 is all of them. */
  readonly every: number;
  /** Which of them: from 1. */
  readonly nth: number;
  /** Only this row of the tables. */
  readonly row?: string;
}

/** Plays one share of an exploration. */
export async function explore({ exploration, share, shares, every, nth, row }: Share, simulator: Simulator): Promise<readonly Found[]> {
  const list = (await listOf(exploration, simulator)).filter((one, at) => at % every === nth - 1 && (row === undefined || one.row === row));
  const found: Found[] = [];
  for (const [at, explored] of list.entries()) if (at % shares === share) found.push(await judged(explored, simulator));
  return found;
}

async function judged({ of, row, column, scenario, ends }: Explored, simulator: Simulator): Promise<Found> {
  try {
    const { outcomes, violations, story, aborts: told } = await simulator.playOut(scenario);
    const end = outcomes.join(", ");
    const [violation] = violations;
    const wrong = violation !== undefined ? `${violation.invariant}: ${violation.what}` : ends.includes(outcomes.at(-1) ?? "") ? null : `it ends as ${end || "nothing"}`;
    const strikes = scenario.troubles.filter(({ kind }) => kind === "strike").length;
    const struck = story.lines.filter(({ what }) => what.startsWith("dies (") || /^begins .*\(delivery 2\)/.test(what)).length;
    const asked = scenario.deeds.some(({ kind }) => kind === "abort");
    return { of, row, column: asked && strikes === 0 ? `${column}: ${told.join(" ") || "not asked"}` : column, end, missed: strikes > 0 ? struck < strikes : asked && told.length === 0, wrong };
  } catch (error) {
    return { of, row, column, end: "", missed: false, wrong: error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 3).join(" | ") : String(error) };
  }
}
