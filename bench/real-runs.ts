/** One lab on real regions, for `real-failover`: the app at work in it, or somebody else by hand. */
import { parseDocument } from "yaml";
import { startClock } from "../lab/clock.ts";
import type { OpenEngines } from "../lab/engine/engine.ts";
import { openReals } from "../lab/engine/real.ts";
import type { RealPrograms } from "../lab/real/programs.ts";
import type { Tell } from "../lab/run/events.ts";
import { killVeleroInRestore, type RestoreMoment } from "../lab/run/kill-velero.ts";
import type { Topology } from "../lab/run/plans.ts";
import { realRun, realScenario } from "../lab/run/real-run.ts";
import { type LabResult, type RunningLab, runLab } from "../lab/run/run-lab.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";
import { sentence } from "../lab/run/show/sentence.ts";
import type { Report } from "../shared/domain/report.ts";
import { type ByHand, failOverByHand, loseIt, type Way } from "./by-hand.ts";

export const cases = [
  { plan: "demo", namespace: "disaster-demo" },
  { plan: "shop", namespace: "shop" },
] as const;
export type Case = (typeof cases)[number];

export interface Ours {
  /** From the end of the decision to the first good answer. */
  readonly totalSeconds: number;
  /** The same from the verdict that the region is lost. */
  readonly fromConfirmedSeconds: number;
  readonly restoreSeconds: number;
  readonly decidedAfterBackupMs: number;
  readonly phases: Readonly<Record<string, number>>;
}

/** A failover by the app. Throws where it does not end as it must. */
export async function byTheApp(programs: RealPrograms, one: Case, topology: Topology): Promise<Ours> {
  const { report, failures, backup } = await realLab(openReals({ programs }), one, topology);
  if (failures.length > 0) throw new Error(`a run of ${one.plan} went wrong: ${failures.join("; ")}`);
  const firstGoodAt = Date.parse(report.observed?.firstGoodAt ?? "");
  const decide = stepOf(report, "decide");
  const restore = stepOf(report, "restore");
  return {
    totalSeconds: seconds(decide.endedAt, firstGoodAt),
    fromConfirmedSeconds: seconds(decide.startedAt, firstGoodAt),
    restoreSeconds: seconds(restore.startedAt, restore.endedAt),
    decidedAfterBackupMs: decide.endedAt - backup.at,
    phases: phasesOf(report),
  };
}

/** The seconds of each phase, in their order. */
export const phasesOf = ({ steps }: Report): Readonly<Record<string, number>> => Object.fromEntries(steps.map(({ name, startedAt, endedAt }) => [name, seconds(Date.parse(startedAt), Date.parse(endedAt ?? startedAt))]));

const seconds = (from: number, to: number): number => Math.round((to - from) / 100) / 10;

function stepOf({ steps }: Report, wanted: string): { readonly startedAt: number; readonly endedAt: number } {
  const step = steps.find(({ name }) => name === wanted);
  if (step?.endedAt == null) throw new Error(`the report has no end of the phase ${wanted}`);
  return { startedAt: Date.parse(step.startedAt), endedAt: Date.parse(step.endedAt) };
}

/** How one run of many ended. */
export interface Ending {
  readonly outcome: string;
  readonly failures: readonly string[];
  readonly canary: boolean;
  /** The restore in whose middle Velero's server was killed; `null`: none. */
  readonly killedIn: string | null;
  readonly rtoSeconds: number | null;
}

/** Long enough for whatever comes before the restore. */
const killGiveUpMs = 180_000;

/** A failover of the shop, in which Velero's server is killed in the middle of its restore, or is left alone. */
export async function oneOfMany(programs: RealPrograms, topology: Topology, kill: RestoreMoment | null): Promise<Ending> {
  let killing: Promise<string | null> = Promise.resolve(null);
  const arm = async (running: RunningLab) => {
    if (kill !== null) killing = killVeleroInRestore(running, kill, killGiveUpMs);
  };
  const { report, failures } = await realLab(openReals({ programs }), { plan: "shop", namespace: "shop" }, topology, arm);
  return { outcome: report.outcome, failures, canary: report.observed?.canary?.equal === true, killedIn: await killing, rtoSeconds: report.rtoSeconds };
}

/** Ends a lab in which somebody else was at work. */
class Measured extends Error {}

/** A failover by hand in one of its ways, begun as long after its backup as the app's was. */
export async function byHand(programs: RealPrograms, one: Case, topology: Topology, afterBackupMs: number, way: Way): Promise<ByHand> {
  let measured: ByHand | null = null;
  const act = async (running: RunningLab, backup: Backup) => {
    const { clock } = running.pair.world;
    loseIt(running);
    await clock.sleep(Math.max(0, backup.at + afterBackupMs - clock.now()));
    measured = await failOverByHand(running, programs, { ...one, backup: backup.name, way });
    throw new Measured();
  };
  await realLab(openReals({ programs }), one, topology, act).catch((error: unknown) => {
    if (!(error instanceof Measured)) throw error;
  });
  if (measured === null) throw new Error(`the failover of ${one.plan} by hand was not measured`);
  return measured;
}

interface Backup {
  readonly name: string;
  readonly at: number;
}

/** A lab of its own at the pace of the wall; `act` before the region is lost. */
export async function realLab(openEngines: OpenEngines, { plan }: Case, topology: Topology, act?: (running: RunningLab, backup: Backup) => Promise<void>): Promise<LabResult & { readonly backup: Backup }> {
  const settings = realRun(openEngines);
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
  const result = await runLab({
    ...settings,
    clock,
    scenario: { ...realScenario(scenarioNamed("region-lost")), plan },
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

export const say = (line: string): void => void process.stderr.write(`${line}\n`);
