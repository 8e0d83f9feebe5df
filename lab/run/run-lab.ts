/** One lab run from start to end: the pair comes up, the application answers, something is lost, the app deals with it, the report is held against what was seen from outside. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Report } from "../../shared/domain/report.ts";
import { reportHtml } from "../../shared/domain/report-html.ts";
import { reportMarkdown } from "../../shared/domain/report-markdown.ts";
import { type AppHostOptions, caFileIn, functionKey, startAppHost } from "../app-host.ts";
import type { AgentLog } from "../../agent/parts.ts";
import type { LabClock } from "../clock.ts";
import type { HostProcess } from "../host/process.ts";
import { type LabPair, openPair, type PairOptions } from "../pair-in-a-box.ts";
import { demoName } from "../world/application.ts";
import { publicName, regions } from "../world/pair.ts";
import { type AppClient, appClient } from "./app-client.ts";
import { startAzureMonitor } from "./azure-monitor.ts";
import { type Closing, openClosing, untilAborted } from "../closing.ts";
import type { Tell } from "./events.ts";
import { writeCanary } from "./canary.ts";
import { lose } from "./lose.ts";
import { type LabAgent, type LabAgentOptions, startLabAgent } from "./lab-agent.ts";
import { makeBackup } from "./make-backup.ts";
import { observe } from "./observed.ts";
import { type Observer, startObserver } from "./observer.ts";
import { labPlan, type Topology, withAgent } from "./plans.ts";
import type { Scenario } from "./scenarios.ts";
import { shownBy } from "./shown.ts";
import { witnessFence } from "./witness-fence.ts";

export interface LabRunOptions {
  readonly scenario: Scenario;
  readonly topology: Topology;
  readonly rate: number;
  /** The clock to run by; without it one is started, at `rate`. */
  readonly clock?: LabClock;
  /** Port of the public page; without it any free one. */
  readonly port?: number;
  /** Aborted: everything is closed, and the run rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where the report goes; `null`: nowhere. */
  readonly reportDirectory: string | null;
  readonly tell: Tell;
  readonly latencies?: PairOptions["latencies"];
  /** Lab milliseconds between two looks of the observer, default one second; and of the blob trigger, the host's own without it. */
  readonly lookEveryMs?: number;
  readonly blobPollMs?: number;
  /** Another build of the app than the project's own. */
  readonly appDirectory?: string;
  readonly startFault?: AppHostOptions["startFault"];
  /** What makes the clusters run, and how Traffic Manager is set; without them the double, as in production. */
  readonly openEngines?: PairOptions["openEngines"];
  readonly traffic?: PairOptions["traffic"];
  /** The managed clusters as they are at the beginning; without it the lab's own two. */
  readonly aks?: PairOptions["aks"];
  /** How long the page is dark before the alert fires, lab milliseconds; and when backups are verified. Without them as in production. */
  readonly alertAfterMs?: number;
  readonly verificationSchedule?: string;
  /** What each host of the run writes, record by record. */
  readonly onLog?: AppHostOptions["onLog"];
  /** Another wording of the scenario's plan, before the app gets it. */
  readonly changePlan?: (text: string) => string;
  /** Called when the pair is up, before there is an app that could look at it. */
  readonly onPair?: (pair: LabPair) => Promise<void> | void;
  /** Called when the pair and the app are up, before anything is lost: a test arms its faults here. */
  readonly onUp?: (lab: RunningLab) => Promise<void> | void;
  /** How the scenario's lease agent reaches the world, where it has one. */
  readonly agent?: Pick<LabAgentOptions, "reachesHome">;
  /** Called at the very end, with everything still up. */
  readonly beforeClose?: (lab: RunningLab) => Promise<void> | void;
}

export interface RunningLab {
  readonly pair: LabPair;
  readonly app: AppClient;
  /** The host of now: killed and started again it is another one. */
  host(): HostProcess;
  restartHost(): Promise<void>;
  /** How long its restarts took in all, lab milliseconds: what it did not see meanwhile it cannot report. */
  restartingMs(): number;
  readonly observer: Observer;
  /** The one in the primary, where the scenario has it. */
  readonly agent: LabAgent | null;
  /** What the host keeps: its journal, keys and receipts. */
  readonly stateDirectory: string;
}

export interface LabResult {
  readonly report: Report;
  /** Empty: it ended as the scenario says, and the report agrees with what was seen. */
  readonly failures: readonly string[];
}

/** Deadlines of a run, lab time. A run takes minutes; an hour of lab time is three minutes of ours at the default rate. */
const runMsMax = 3_600_000;
const upMsMax = 600_000;

/** How long what was under way may take to come to its end after an abort, wall time. */
const lateMsMax = 1_500;

/** Throws what `openPair` and the host throw, in plain words, or the reason of the abort; nothing is left running then. */
export async function runLab(options: LabRunOptions): Promise<LabResult> {
  const stateDirectory = await mkdtemp(path.join(tmpdir(), "lifeboat-lab-"));
  const closing = openClosing();
  const running = run(options, stateDirectory, closing);
  try {
    return await untilAborted(running, options.signal);
  } finally {
    try {
      await closing.close();
      if (options.signal?.aborted) {
        await Promise.race([running.catch(() => undefined), sleep(lateMsMax)]);
        // What came too late has been added meanwhile.
        await closing.close();
      }
    } finally {
      await rm(stateDirectory, { recursive: true, force: true });
    }
  }
}

async function run(options: LabRunOptions, stateDirectory: string, closing: Closing): Promise<LabResult> {
  const { scenario, topology, tell, signal } = options;
  const onStage = (stage: string) => {
    signal?.throwIfAborted();
    tell({ event: "stage", stage });
  };
  const pair = await closing.opening(openPair({ ...pairOptions(options), onStage }), ({ close }) => close());
  await options.onPair?.(pair);
  onStage("app");
  // Who aborts does not wait for what the app is doing.
  const startHost = async () => closing.opening(startAppHost(hostOptions(options, pair, stateDirectory)), (started) => started.kill(signal?.aborted ? "SIGKILL" : "SIGTERM"));
  let host = await startHost();
  const app = appClient(pair, () => host.url);
  const { changePlan = (text: string) => text } = options;
  await app.putPlan(scenario.plan, changePlan(planText(await labPlan(scenario.plan, topology, pair.port), scenario)));
  const agent = scenario.agent ? await closing.opening(startLabAgent(pair, { log: tellAgent(tell), ...options.agent }), (started) => started.stop()) : null;
  const publicUrl = `https://${scenario.plan === "shop" ? publicName : demoName}:${pair.port}/`;
  tell({ event: "up", urls: { public: publicUrl, ...ingressUrls(pair), app: host.url, storage: pair.frontUrl, ca: pathToFileURL(caFileIn(stateDirectory)).href } });

  const observer = startObserver({
    clock: pair.world.clock,
    url: publicUrl,
    dns: pair.dns,
    caPem: pair.caPem,
    everyMs: options.lookEveryMs ?? 1_000,
    onChange: (look) => (look.ok ? tell({ event: "answer", from: regionAt(look.address), shows: shownBy(look.body) }) : tell({ event: "dark", why: look.why })),
  });
  closing.add(() => observer.stop());
  let restartingMs = 0;
  const restartHost = async () => {
    const from = pair.world.clock.now();
    host = await startHost();
    restartingMs += pair.world.clock.now() - from;
  };
  const lab: RunningLab = { pair, app, host: () => host, restartHost, restartingMs: () => restartingMs, observer, stateDirectory, agent };
  const serving = await observer.until((look) => look.ok, upMsMax, "the application to answer from the primary");
  tell({ event: "serving", from: regionAt(serving.address), shows: shownBy(serving.body) });
  const canary = await writeCanary(pair, scenario);
  // Where nothing was backed up before, there is nothing to verify until the first backup has been made.
  const isNew = scenario.seeding.recorded === false;
  if (!isNew) await verifiedOnce(lab, scenario.plan);
  if (scenario.freshBackup) await makeBackup(lab, scenario, tell);
  if (isNew) await verifiedOnce(lab, scenario.plan);
  const witness = scenario.agent ? witnessFence(pair) : null;
  await options.onUp?.(lab);

  const report = await loseAndRecover(lab, options);
  const result = await observe({ lab, scenario, report, canary, ...(witness === null ? {} : { fenceSeen: witness() }) });
  if (options.reportDirectory !== null) await writeReport(options.reportDirectory, result.report);
  for (const why of result.failures) tell({ event: "failed", why });
  tell({ event: "report", directory: options.reportDirectory, report: result.report });
  await options.beforeClose?.(lab);
  return result;
}

/** On a quiet day every plan was verified long before anything is lost: its register holds what the source had while it was alive. */
async function verifiedOnce({ pair: { world }, app }: RunningLab, plan: string): Promise<void> {
  const giveUpAt = world.clock.now() + upMsMax;
  while (Object.keys((await app.plan(plan)).register.points).length === 0) {
    if (world.clock.now() > giveUpAt) throw new Error(`the plan ${plan} was not verified within ${upMsMax / 60_000} minutes of lab time`);
    await world.clock.sleep(100 * world.clock.rate);
  }
}

function pairOptions({ scenario, topology, rate, clock, port, latencies, openEngines, traffic, aks }: LabRunOptions): PairOptions {
  return {
    topology,
    rate,
    seeding: scenario.seeding,
    ...(clock === undefined ? {} : { clock }),
    ...(port === undefined ? {} : { port }),
    ...(latencies === undefined ? {} : { latencies }),
    ...(openEngines === undefined ? {} : { openEngines }),
    ...(traffic === undefined ? {} : { traffic }),
    ...(aks === undefined ? {} : { aks }),
  };
}

function hostOptions({ topology, appDirectory, blobPollMs, verificationSchedule, startFault, onLog }: LabRunOptions, pair: LabPair, stateDirectory: string): AppHostOptions {
  return {
    pair,
    stateDirectory,
    topology,
    ...(appDirectory === undefined ? {} : { appDirectory }),
    ...(blobPollMs === undefined ? {} : { blobPollMs }),
    ...(verificationSchedule === undefined ? {} : { verificationSchedule }),
    ...(startFault === undefined ? {} : { startFault }),
    ...(onLog === undefined ? {} : { onLog }),
  };
}

/** The public page as each region's own ingress serves it: an address, for whoever brings the name. */
const ingressUrls = ({ port }: LabPair) => Object.fromEntries(Object.values(regions).map(({ region, ingressAddress }) => [region, `https://${ingressAddress}:${port}/`]));

/** The plan as it is, but for what the scenario makes it select, and for the agent that it has there. */
function planText(text: string, { alsoBackups, agent }: Scenario): string {
  const selecting = alsoBackups.length === 0 ? text : text.replace(/^backups:$/m, `backups:\n  names: [${alsoBackups.join(", ")}]`);
  return agent ? withAgent(selecting) : selecting;
}

/** Its log as events of the run. */
const tellAgent =
  (tell: Tell): AgentLog =>
  (said, { why = "", left = [] }) =>
    tell({ event: "agent", said, why: typeof why === "string" ? why : "", left: Array.isArray(left) ? left.map(String) : [] });

const regionAt = (address: string | null): string => Object.values(regions).find(({ ingressAddress }) => ingressAddress === address)?.region ?? "nowhere";

async function loseAndRecover(lab: RunningLab, { scenario, tell, alertAfterMs }: Pick<LabRunOptions, "scenario" | "tell" | "alertAfterMs">): Promise<Report> {
  const { pair, observer } = lab;
  const monitor = startAzureMonitor({ clock: pair.world.clock, plan: scenario.plan, ...(alertAfterMs === undefined ? {} : { darkMsMin: alertAfterMs }), observer, door: () => ({ url: `${lab.host().url}/api/alerts`, key: functionKey }), onDelivered: ({ status, body }) => tell({ event: "alert", status, answer: valueOf(body) }) });
  try {
    await lose(lab, scenario, tell, monitor);
    return await followRun(lab, `${scenario.plan}-1`, tell);
  } finally {
    monitor.stop();
  }
}

/** A body as the value it is; what is no JSON stays text. */
function valueOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Tells each step as it begins and ends, until the run has its report. */
async function followRun({ pair, app }: RunningLab, runId: string, tell: Tell): Promise<Report> {
  const told = new Map<string, "began" | "ended">();
  const tellStep = (step: string, startedAt: string, endedAt: string | null, outcome: string | null) => {
    if (!told.has(step)) {
      told.set(step, "began");
      tell({ event: "step", step, state: "began", startedAt, seconds: null, outcome: null });
    }
    if (endedAt !== null && told.get(step) === "began") {
      told.set(step, "ended");
      tell({ event: "step", step, state: "ended", startedAt, seconds: Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000), outcome });
    }
  };
  const giveUpAt = pair.world.clock.now() + runMsMax;
  while (pair.world.clock.now() < giveUpAt) {
    // A host that is just being started again does not answer: ask again.
    const seen = await app.run(runId).catch(() => null);
    if (seen?.state === "open") for (const { phase, startedAt, endedAt, outcome } of seen.run.phases) tellStep(phase, instant(startedAt), endedAt === null ? null : instant(endedAt), outcome);
    if (seen?.state === "ended") {
      for (const { name, startedAt, endedAt, outcome } of seen.report.steps) tellStep(name, startedAt, endedAt, outcome);
      tell({ event: "ended", outcome: seen.report.outcome, summary: seen.report.summary });
      return seen.report;
    }
    await pair.world.clock.sleep(pollMs(pair));
  }
  throw new Error(`the run ${runId} had not ended after ${runMsMax / 60_000} minutes of lab time`);
}

const instant = (at: number): string => new Date(at).toISOString();

/** Twice a second of ours, whatever the lab's rate. */
const pollMs = (pair: LabPair) => 250 * pair.world.clock.rate;

async function writeReport(directory: string, report: Report): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all([
    writeFile(path.join(directory, "report.json"), `${JSON.stringify(withTopLevel(report), null, 2)}\n`),
    writeFile(path.join(directory, "report.md"), reportMarkdown(report)),
    writeFile(path.join(directory, "report.html"), reportHtml(report)),
  ]);
}

/** The observer's figures stand at the top of the file too, where a pipeline looks for them. */
const withTopLevel = (report: Report) => ({ ...report, rate: report.observed?.rate ?? 1, writesToPrimary: report.observed?.writesToPrimary ?? null });
