/**
 * `real-failover`: on real Kubernetes and real Velero, in one run,
 * - from the decision to the first good answer through the public name, held against a failover by hand. By hand begins as long after its
 *   backup as the app decided after its own, so that Velero's sync has had the same time in both. The restore by itself is held against
 *   the same Restores made by hand; the time of a single one, whose consumers act at once, stands beside it;
 * - many failovers of the shop on each topology, with Velero's server killed in the middle of each so-manieth restore: all must be
 *   recovered, with what was on the volume;
 * - the seconds of each phase beside the double's, at the same settings;
 * - the restore of a thousand objects, the double's time beside the real one's.
 */
import { openDoubles } from "../lab/engine/double.ts";
import { openReals } from "../lab/engine/real.ts";
import { realHurdles } from "../lab/real/needs.ts";
import { type RealPrograms, realPrograms } from "../lab/real/programs.ts";
import type { Topology } from "../lab/run/plans.ts";
import { realRun } from "../lab/run/real-run.ts";
import { runLab } from "../lab/run/run-lab.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";
import { typicalLatencies } from "../lab/world/latencies.ts";
import type { ByHand } from "./by-hand.ts";
import { byHand, byTheApp, type Case, cases, type Ending, oneOfMany, type Ours, phasesOf, say } from "./real-runs.ts";
import { thousandObjects } from "./thousand-objects.ts";

/** What the figures may be at most. */
const restoreTimesMax = 1.15;
const paceApartMax = 0.2;

/** `--times 1 --runs 0 --kill-every 2 --topology both --only shop --double yes --thousand yes` */
export async function realFailover(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const hurdles = await realHurdles();
  if (hurdles.length > 0) throw new Error(hurdles.join("\n"));
  const programs = await realPrograms({ tell: say });
  const times = Number(options.get("times") ?? 1);
  const runs = Number(options.get("runs") ?? 0);
  const killEvery = Number(options.get("kill-every") ?? 2);
  const topologies: readonly Topology[] = (["replicated", "shared"] as const).filter((topology) => ["both", topology].includes(options.get("topology") ?? "both"));
  const figures: Record<string, unknown> = {};
  const verdicts: boolean[] = [];
  const keep = (name: string, figure: { readonly ok: boolean } & Readonly<Record<string, unknown>>) => {
    figures[name] = figure;
    verdicts.push(figure.ok);
    say(`${name}: ${JSON.stringify(figure)}`);
  };
  for (const one of cases.filter(({ plan }) => times > 0 && (options.get("only") ?? plan) === plan)) keep(one.plan, await raced(programs, one, topologies[0] ?? "replicated", times));
  for (const topology of topologies) if (runs > 0) keep(`many-${topology}`, await many(programs, topology, runs, killEvery));
  if (options.get("double") !== "no") figures["phasesOfTheDouble"] = await phasesOfTheDouble(topologies[0] ?? "replicated");
  if (options.get("thousand") !== "no") keep("thousandObjects", await pace(programs));
  return { ok: verdicts.every(Boolean), times, runs, killEvery, topologies, ...figures };
}

/** The app and somebody by hand, in turns. */
async function raced(programs: RealPrograms, one: Case, topology: Topology, times: number) {
  const ours: Ours[] = [];
  const theirs: ByHand[] = [];
  const same: ByHand[] = [];
  for (let time = 1; time <= times; time++) {
    const app = await byTheApp(programs, one, topology);
    const hand = await byHand(programs, one, topology, app.decidedAfterBackupMs, "at-once");
    // The demo has nothing to hold back: its one Restore is the same either way.
    const alike = one.plan === "demo" ? hand : await byHand(programs, one, topology, app.decidedAfterBackupMs, "the-same");
    ours.push(app);
    theirs.push(hand);
    same.push(alike);
    say(`${one.plan}: the app ${app.totalSeconds} s (restore ${app.restoreSeconds} s), by hand ${hand.totalSeconds} s (listed ${hand.listedSeconds} s, restore ${hand.restoreSeconds} s; the same Restores ${alike.restoreSeconds} s)`);
  }
  const app = { totalSeconds: median(ours, "totalSeconds"), restoreSeconds: median(ours, "restoreSeconds"), fromConfirmedSeconds: median(ours, "fromConfirmedSeconds") };
  const hand = { totalSeconds: median(theirs, "totalSeconds"), listedSeconds: median(theirs, "listedSeconds"), restoreSeconds: median(theirs, "restoreSeconds") };
  const sameRestoresSeconds = median(same, "restoreSeconds");
  const timesOf = (seconds: number) => Math.round((100 * app.restoreSeconds) / seconds) / 100;
  const restoreTimes = timesOf(sameRestoresSeconds);
  return { ok: app.totalSeconds < hand.totalSeconds && restoreTimes <= restoreTimesMax, topology, app, byHand: { ...hand, sameRestoresSeconds }, restoreTimes, restoreTimesMax, timesOfOneRestoreThatHoldsNothingBack: timesOf(hand.restoreSeconds), phases: ours.at(-1)?.phases };
}

async function many(programs: RealPrograms, topology: Topology, runs: number, killEvery: number) {
  const ended: Ending[] = [];
  const wrong: string[] = [];
  let killsAsked = 0;
  for (let run = 1; run <= runs; run++) {
    const kills = killEvery > 0 && run % killEvery === 0;
    if (kills) killsAsked += 1;
    // In turns, as the restore begins and when there is a volume to be filled.
    const moment = killsAsked % 2 === 0 ? "begun" : "pods";
    const ending = await oneOfMany(programs, topology, kills ? moment : null).catch((error: unknown): Ending => ({ outcome: "broke off", failures: [String(error)], canary: false, killedIn: null, rtoSeconds: null }));
    ended.push(ending);
    const isRight = ending.outcome === "recovered" && ending.failures.length === 0 && ending.canary && (!kills || ending.killedIn !== null);
    if (!isRight) wrong.push(`run ${run}: ${JSON.stringify(ending)}`);
    say(`${topology} ${run} of ${runs}: ${ending.outcome}, canary ${ending.canary ? "equal" : "NOT EQUAL"}${ending.killedIn === null ? "" : `, Velero killed in ${ending.killedIn} (${moment})`}${ending.failures.length > 0 ? `; ${ending.failures.join("; ")}` : ""}`);
  }
  const killed = ended.filter(({ killedIn }) => killedIn !== null).length;
  return { ok: wrong.length === 0, of: runs, recovered: ended.filter(({ outcome, failures }) => outcome === "recovered" && failures.length === 0).length, canaryEqual: ended.filter(({ canary }) => canary).length, killed, killsAsked, rtoSeconds: ended.map(({ rtoSeconds }) => rtoSeconds), wrong };
}

/** A lab run of the double at the settings of the real one, its Velero and its pods as slow as the table of latencies says. */
async function phasesOfTheDouble(topology: Topology) {
  const settings = realRun(openDoubles);
  const { veleroRestoreItem, veleroBackup, volumeRestore, podStart, veleroValidation, veleroSyncPeriod } = typicalLatencies;
  const { report, failures } = await runLab({ ...settings, latencies: { ...settings.latencies, veleroRestoreItem, veleroBackup, volumeRestore, podStart, veleroValidation, veleroSyncPeriod }, scenario: scenarioNamed("region-lost"), topology, reportDirectory: null, tell: () => undefined });
  return { topology, outcome: report.outcome, failures, phases: phasesOf(report) };
}

async function pace(programs: RealPrograms) {
  const realSeconds = await thousandObjects(openReals({ programs }));
  const doubleSeconds = await thousandObjects(openDoubles);
  const apart = Math.round(100 * Math.abs(doubleSeconds / realSeconds - 1)) / 100;
  return { ok: apart <= paceApartMax, realSeconds, doubleSeconds, apart, apartMax: paceApartMax };
}

function median<K extends string>(all: readonly Readonly<Record<K, number>>[], field: K): number {
  const sorted = all.map((one) => one[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
