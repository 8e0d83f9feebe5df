/**
 * The runbooks on the durable engine with the real library, over scripted activities. The ledger, its entries and the desk's own steps are
 * the app's own, on a home in memory; what a test says of a step takes the place of its work.
 */
import { fileURLToPath } from "node:url";
import { type Work, perform } from "../../functions/activities/perform.ts";
import { closeRun, putQuestion, readPoints, turnPhase } from "../../functions/activities/phases.ts";
import { pass } from "../../functions/activities/gate.ts";
import { passDataPoint } from "../../functions/activities/promote.ts";
import { report } from "../../functions/activities/report.ts";
import { openLedger } from "../../functions/ledger.ts";
import { keepVersion, refOf } from "../../functions/runs.ts";
import type { EngineProblem } from "../../lab/host/contract.ts";
import { isFinished } from "../../lab/host/durable/new-instance.ts";
import type { Store } from "../../lab/host/durable/store.ts";
import type { RunInput } from "../../orchestrations/failover.ts";
import { type Started, askInstance, bell } from "../../orchestrations/runbook.ts";
import type { Step, StepCall, StepAnswer } from "../../orchestrations/step.ts";
import { steps } from "../../orchestrations/steps.ts";
import { type Decision, type Head, type Opening, abort, decide, openRun } from "../../shared/domain/ledger.ts";
import type { Outcome } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { Report } from "../../shared/domain/report.ts";
import { type MemoryWorld, memoryWorld } from "../activities/memory-world.ts";
import { digest, examplePlan } from "../domain/example-plans.ts";
import { type Run, stage as durableStage } from "../durable/stage.ts";
import { VirtualClock } from "../durable/virtual-clock.ts";

type StepKey = keyof typeof steps;
export type Works = { readonly [K in StepKey]: Work<(typeof steps)[K]> };

export const point = { name: "shop-hourly-20261121055825", takenAt: Date.parse("2026-11-21T05:58:25Z"), expiresAt: Date.parse("2026-12-21T05:58:25Z"), lossSeconds: 400, items: 60, volumeBytes: 1_000 };
const card = { restorePoint: point.name, takenAt: point.takenAt, lossSeconds: 400, withinRpo: true, items: 60, volumeBytes: 1_000, predictedRtoSeconds: 120, withinRto: true, passedOver: [], waitingCosts: "Waiting costs." };
const readings = [{ signal: "public-probe", says: "down", about: "no answer" }] as const;

/** A loss that goes well, each step at once. */
export const allGoesWell: Works = {
  turnPhase,
  putQuestion,
  readPoints,
  passDataPoint,
  closeRun,
  report,
  confirmLoss: async (_, { world }) => ({ kind: "done", value: { kind: "lost", scope: "region", since: world.clock.now(), agreedSince: world.clock.now(), readings } }),
  stillLost: async (_, { world }) => ({ kind: "done", value: { kind: "lost", scope: "region", since: world.clock.now(), agreedSince: world.clock.now(), readings } }),
  confirmGone: async () => ({ kind: "gone", applications: ["shop"] }),
  assessTarget: async () => ({ kind: "able" }),
  warmTarget: async () => ({ kind: "able" }),
  targetWarm: async () => ({ kind: "done", value: { kind: "able" } }),
  weighRestorePoints: async () => ({ kind: "weighed", card, text: "Restore the newest." }),
  // The gates look whether it is still so.
  async closePrimary(_, { world, plan }) {
    await world.traffic.closePrimary(plan.traffic);
    return { kind: "closed" };
  },
  quietPrimary: async () => ({ kind: "unreachable", why: "no answer" }),
  async reopenPrimary(_, { world, plan }) {
    await world.traffic.reopenPrimary(plan.traffic);
    return { kind: "reopened" };
  },
  wakePrimary: async () => ({ left: [] }),
  askAgent: async () => ({ kind: "asked" }),
  agentClosed: async () => ({ kind: "done", value: { kind: "closed", about: "the agent says so" } }),
  releaseAgent: async () => ({ kind: "taken-back" }),
  agentOpened: async () => ({ kind: "done", value: { kind: "open" } }),
  chooseRestorePoint: async () => ({ kind: "chosen", point, passedOver: [] }),
  readPolicy: async () => ({ kind: "policy", policyId: "policy-1" }),
  deletePolicy: async () => ({ kind: "deleted" }),
  storeTakesWrites: async () => ({ kind: "done", value: { kind: "writable" } }),
  veleroAlive: async () => ({ kind: "done", value: { version: "v1.18.3" } }),
  storageLocationReady: async () => ({ kind: "done", value: { storageLocation: "replica" } }),
  alignView: async () => ({ imported: 0, replaced: 0 }),
  repositoriesReady: async () => ({ kind: "done", value: { repositories: 1 } }),
  checkTarget: async () => ({ kind: "able" }),
  startRestore: async ({ application, part }) => ({ application, part, name: `restore-${application}-${part}`, volumes: 1, turns: 2 }),
  restoreEnded: async () => ({ kind: "done", value: { kind: "whole", warnings: 1, items: 60 } }),
  verifyApplications: async () => ({ kind: "done", value: { checks: [{ check: "GET /", saw: "status 200" }] } }),
  async openSecondary(_, duty) {
    const passed = await pass("traffic", duty);
    if (passed.kind === "abort-asked") return passed;
    return { kind: "open", before: { primary: false, secondary: false }, after: { primary: false, secondary: true } };
  },
  seenFromOutside: async (_, { world }) => ({ kind: "done", value: { at: world.clock.now(), saw: "200" } }),
  releaseConsumers: async () => ({ released: [] }),
  startBackups: async () => ({ backup: "first" }),
  firstBackupCompleted: async (_, { world }) => ({ kind: "done", value: { kind: "completed", completedAt: world.clock.now() } }),
  checkAllBackups: async () => ({ checked: 3, usable: 3 }),
  checkBackup: async () => ({ kind: "done", value: { state: "whole" } }),
  holdAgainstSecondary: async () => ({ point: "shop-hourly-20261121055825", findings: 0, imported: [] }),
  guardRetention: async () => ({ kind: "nothing-due" }),
  learnClusters: async () => ({ learnt: ["westeurope", "northeurope"], silent: [] }),
};

export interface PlayOptions {
  readonly plan?: Plan;
  readonly door?: Opening["door"];
  readonly kind?: Opening["kind"];
  /** Where the engine keeps its state, and which version of the app it says it runs. */
  readonly engine?: { readonly store?: Store; readonly defaultVersion?: string };
  /** Steps whose activity the host itself cannot run. */
  readonly hostFails?: ReadonlySet<string>;
  /** Instead of the runbook of this kind of run, with this input. */
  readonly runbook?: { readonly name: string; readonly input: unknown };
}

/** One run of a runbook, from its opening in the ledger to its end. */
export interface Play extends MemoryWorld {
  readonly run: Run;
  readonly runId: string;
  readonly plan: Plan;
  /** The names of the steps that were taken, the desk's own left out, one for each call. */
  readonly trace: string[];
  readonly problems: EngineProblem[];
  /** The largest history of any generation of any instance. */
  readonly eventsMost: () => number;
  readonly head: () => Promise<Head>;
  readonly decide: (by: string, verdict: Decision["verdict"], about?: Decision["about"]) => Promise<string>;
  readonly abort: (by?: string) => Promise<string>;
  readonly ring: () => void;
  /** Lets time go on until the run has ended. Fails when nothing is due any more, or a day has passed. */
  readonly ended: () => Promise<{ readonly outcome: Outcome; readonly report: Report | null; readonly tookMs: number }>;
  /** The same for a runbook that is not reported: how its instance ended. */
  readonly answered: () => Promise<unknown>;
  /** Lets time go on until something is so. */
  readonly until: (so: () => boolean | Promise<boolean>) => Promise<void>;
}

const dayMs = 86_400_000;
const runbooksApp = fileURLToPath(new URL("app", import.meta.url));

/** Call once in a test file, while it is read. */
export function stage() {
  const { activity, app, open: openEngine } = durableStage(runbooksApp);
  let current: { works: Works; world: MemoryWorld; trace: string[]; hostFails: ReadonlySet<string> };
  for (const [key, step] of Object.entries(steps) as [StepKey, Step<unknown, unknown>][]) {
    activity(step.name, async (call: StepCall): Promise<StepAnswer> => {
      const { works, world, trace, hostFails } = current;
      if (key !== "turnPhase" && key !== "putQuestion") trace.push(step.name);
      if (hostFails.has(step.name)) throw new Error("the worker died");
      // The table holds step and work together, key by key; a loop over it cannot say so.
      return perform(step, works[key] as Work<Step<unknown, unknown>>, call, world.world, () => undefined);
    });
  }

  async function begin(works: Partial<Works>, { plan = examplePlan("shop-replicated"), door = "alert", kind = "failover", hostFails = new Set(), runbook, engine = {} }: PlayOptions): Promise<Omit<Play, "ended" | "answered" | "until">> {
    const world = memoryWorld();
    const clock = new VirtualClock(world.time.now);
    Object.defineProperty(world.time, "now", { get: () => clock.now() });
    const trace: string[] = [];
    current = { works: { ...allGoesWell, ...works }, world, trace, hostFails };
    const run = await openEngine({ clock, strict: "fail", ...engine });
    const ledger = openLedger(world.home);
    const hash = digest(JSON.stringify(plan));
    await keepVersion(world.home, plan, hash);
    const opened = await ledger.change(plan.plan, (head) => openRun(head, { kind, door, by: "Ada Operator", reason: "the region is dark", alertId: null, applications: [] }, hash, clock.now()));
    if (opened.kind === "refused" || opened.head.run === null) throw new Error("the run was not opened");
    const runId = opened.head.run.id;
    const ref = refOf(opened.head.run, plan.plan);
    const input: RunInput = { plan, door, by: "Ada Operator", applications: [] };
    run.start(runbook?.name ?? { failover: "failover", recovery: "recover" }[kind], { ref, phase: runbook === undefined ? null : "confirm", input: runbook === undefined ? input : runbook.input } satisfies Started<unknown>, runId);
    let eventsMost = 0;
    const said = (made: { kind: string; why?: string }) => made.why ?? made.kind;
    return {
      ...world,
      run,
      runId,
      plan,
      trace,
      problems: run.problems,
      eventsMost: () => (eventsMost = Math.max(eventsMost, ...run.engine.eventCounts().values())),
      head: () => ledger.head(plan.plan),
      decide: async (by, verdict, about = "decision") => said(await ledger.change(plan.plan, (head) => decide(head, runId, { about, question: head.run?.question?.id ?? null, verdict, personId: `id of ${by}`, by, at: clock.now(), reason: "because" }))),
      abort: async (by = "Grace Approver") => said(await ledger.change(plan.plan, (head) => abort(head, runId, by, "enough", clock.now()))),
      ring: () => run.raise(askInstance(runId), bell, null),
    };
  }

  return {
    activity,
    app,
    openEngine,
    play: async (works: Partial<Works> = {}, options: PlayOptions = {}): Promise<Play> => {
      const play = await begin(works, options);
      const { run, runId, home } = play;
      const startedAt = run.clock.now();
      const step = async (): Promise<void> => {
        await run.engine.idle();
        play.eventsMost();
        if (isFinished(run.row(runId))) return;
        if (!run.clock.advanceToNext()) throw new Error(`${runId} is ${run.row(runId).status} and nothing is due`);
        if (run.clock.now() - startedAt > dayMs) throw new Error(`${runId} still runs after a day`);
      };
      const answered = async (): Promise<unknown> => {
        while (!isFinished(run.row(runId))) await step();
        const { status, output } = run.row(runId);
        if (status !== "Completed") throw new Error(`${runId} is ${status}: ${output}`);
        return JSON.parse(output ?? "null");
      };
      return {
        ...play,
        async until(so) {
          for (;;) {
            await run.engine.idle();
            if (await so()) return;
            if (isFinished(run.row(runId))) throw new Error(`${runId} ended before: ${run.row(runId).output}`);
            await step();
          }
        },
        answered,
        async ended() {
          const end = (await answered()) as { kind: string; value?: Outcome } | null;
          if (end?.kind !== "done" || end.value === undefined) throw new Error(`${runId} ended ${JSON.stringify(end)}`);
          const stored = home.blobs.get(`reports/${runId}/report.json`);
          return { outcome: end.value, report: stored === undefined ? null : (JSON.parse(stored.body) as Report), tookMs: run.clock.now() - startedAt };
        },
      };
    },
  };
}

/** A work that always says "try again". */
export const fails = (because: string) => async (): Promise<never> => {
  throw new Error(because);
};
