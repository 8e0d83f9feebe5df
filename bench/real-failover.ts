/**
 * `real-failover`: on real Kubernetes and real Velero, from the decision to the first good answer through the public name, held against a
 * failover by hand in the same run. By hand begins as long after its backup as the app decided after its own, so that Velero's sync has had
 * the same time in both.
 */
import { parseDocument } from "yaml";
import { startClock } from "../lab/clock.ts";
import { openReals } from "../lab/engine/real.ts";
import { realHurdles } from "../lab/real/needs.ts";
import { type RealPrograms, realPrograms } from "../lab/real/programs.ts";
import type { Tell } from "../lab/run/events.ts";
import { realRun, realScenario } from "../lab/run/real-run.ts";
import { type LabResult, type RunningLab, runLab } from "../lab/run/run-lab.ts";
import { sentence } from "../lab/run/show/sentence.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";
import type { Report } from "../shared/domain/report.ts";
import { type ByHand, failOverByHand, loseIt } from "./by-hand.ts";

const cases = [
  { plan: "demo", namespace: "disaster-demo" },
  { plan: "shop", namespace: "shop" },
] as const;
type Case = (typeof cases)[number];

/** `--times 1 --topology replicated --only shop` */
export async function realFailover(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const hurdles = await realHurdles();
  if (hurdles.length > 0) throw new Error(hurdles.join("\n"));
  const programs = await realPrograms({ tell: say });
  const times = Number(options.get("times") ?? 1);
  const topology = options.get("topology") === "shared" ? "shared" : "replicated";
  const figures: Record<string, unknown> = {};
  let ok = true;
  for (const one of cases.filter(({ plan }) => (options.get("only") ?? plan) === plan)) {
    const ours: Ours[] = [];
    const theirs: ByHand[] = [];
    for (let time = 1; time <= times; time++) {
      const app = await byTheApp(programs, one, topology);
      const hand = await byHand(programs, one, topology, app.decidedAfterBackupMs);
      ours.push(app);
      theirs.push(hand);
      say(`${one.plan}: the app ${app.totalSeconds} s (restore ${app.restoreSeconds} s), by hand ${hand.totalSeconds} s (listed ${hand.listedSeconds} s, restore ${hand.restoreSeconds} s)`);
    }
    const app = { totalSeconds: median(ours, "totalSeconds"), restoreSeconds: median(ours, "restoreSeconds"), fromConfirmedSeconds: median(ours, "fromConfirmedSeconds") };
    const hand = { totalSeconds: median(theirs, "totalSeconds"), listedSeconds: median(theirs, "listedSeconds"), restoreSeconds: median(theirs, "restoreSeconds") };
    ok &&= app.totalSeconds < hand.totalSeconds && app.restoreSeconds <= 1.15 * hand.restoreSeconds;
    figures[one.plan] = { app, byHand: hand, phases: ours.at(-1)?.phases };
  }
  return { ok, topology, times, ...figures };
}

interface Ours {
  /** From the end of the decision to the first good answer. */
  readonly totalSeconds: number;
  /** The same from the verdict that the region is lost. */
  readonly fromConfirmedSeconds: number;
  readonly restoreSeconds: number;
  readonly decidedAfterBackupMs: number;
  readonly phases: Readonly<Record<string, number>>;
}

async function byTheApp(programs: RealPrograms, one: Case, topology: "shared" | "replicated"): Promise<Ours> {
  const { report, failures, backup } = await lab(programs, one, topology);
  if (failures.length > 0) throw new Error(`a run of ${one.plan} went wrong: ${failures.join("; ")}`);
  const firstGoodAt = Date.parse(report.observed?.firstGoodAt ?? "");
  const seconds = (from: number, to: number) => Math.round((to - from) / 100) / 10;
  const decide = stepOf(report, "decide");
  const restore = stepOf(report, "restore");
  return {
    totalSeconds: seconds(decide.endedAt, firstGoodAt),
    fromConfirmedSeconds: seconds(decide.startedAt, firstGoodAt),
    restoreSeconds: seconds(restore.startedAt, restore.endedAt),
    decidedAfterBackupMs: decide.endedAt - backup.at,
    phases: Object.fromEntries(report.steps.map(({ name, startedAt, endedAt }) => [name, seconds(Date.parse(startedAt), Date.parse(endedAt ?? startedAt))])),
  };
}

function stepOf({ steps }: Report, wanted: string): { readonly startedAt: number; readonly endedAt: number } {
  const step = steps.find(({ name }) => name === wanted);
  if (step?.endedAt == null) throw new Error(`the report has no end of the phase ${wanted}`);
  return { startedAt: Date.parse(step.startedAt), endedAt: Date.parse(step.endedAt) };
}

/** Ends a lab in which somebody else was at work. */
class Measured extends Error {}

async function byHand(programs: RealPrograms, one: Case, topology: "shared" | "replicated", afterBackupMs: number): Promise<ByHand> {
  let measured: ByHand | null = null;
  const act = async (running: RunningLab, backup: Backup) => {
    const { clock } = running.pair.world;
    loseIt(running);
    await clock.sleep(Math.max(0, backup.at + afterBackupMs - clock.now()));
    measured = await failOverByHand(running, programs, { ...one, backup: backup.name });
    throw new Measured();
  };
  await lab(programs, one, topology, act).catch((error: unknown) => {
    if (!(error instanceof Measured)) throw error;
  });
  if (measured === null) throw new Error(`the failover of ${one.plan} by hand was not measured`);
  return measured;
}

interface Backup {
  readonly name: string;
  readonly at: number;
}

/** A lab of its own; `act` in place of the loss and the app. */
async function lab(programs: RealPrograms, { plan }: Case, topology: "shared" | "replicated", act?: (running: RunningLab, backup: Backup) => Promise<void>): Promise<LabResult & { readonly backup: Backup }> {
  const settings = realRun(openReals({ programs }));
  const clock = startClock({ startMs: Date.now(), rate: 1 });
  let backup: Backup | null = null;
  const tell: Tell = (told) => {
    if (told.event !== "report") say(`  ${sentence({ at: "", ...told }, plan)}`);
    if (told.event === "backup") backup = { name: told.name, at: clock.now() };
  };
  const made = (): Backup => {
    if (backup === null) throw new Error(`no backup of ${plan} was made`);
    return backup;
  };
  const scenario = { ...realScenario(scenarioNamed("region-lost")), plan };
  const result = await runLab({
    ...settings,
    clock,
    scenario,
    topology,
    lookEveryMs: 100,
    reportDirectory: null,
    tell,
    changePlan: (text) => (plan === "demo" ? settled(settings.changePlan(text)) : settings.changePlan(text)),
    ...(act === undefined ? {} : { onUp: (running: RunningLab) => act(running, made()) }),
  });
  return { ...result, backup: made() };
}

/** The demo's plan waits for a person where its cluster is dark: here that person has said that nobody reaches it by another name. */
function settled(text: string): string {
  const plan = parseDocument(text);
  plan.setIn(["fence", "enough"], ["fenced", "traffic-only"]);
  plan.setIn(["fence", "trafficOnlyBecause"], "nobody knows the page by another name");
  plan.setIn(["traffic", "ttlSeconds"], 5);
  return plan.toString();
}

function median<K extends string>(all: readonly Readonly<Record<K, number>>[], field: K): number {
  const sorted = all.map((one) => one[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const say = (line: string) => void process.stderr.write(`${line}\n`);
