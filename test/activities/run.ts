/** An open run in a world in memory, and its steps taken as the host takes them. */
import { keepPoint, type PointRecord } from "../../functions/activities/chosen-point.ts";
import { perform, type Work } from "../../functions/activities/perform.ts";
import { openLedger } from "../../functions/ledger.ts";
import { keepVersion, refOf } from "../../functions/runs.ts";
import type { Step, StepAnswer, StepCall } from "../../orchestrations/step.ts";
import type { Contents } from "../../shared/domain/contents.ts";
import { type GateRecord, gateRecords } from "../../shared/domain/gate.ts";
import { abort, type Entry, openRun, type RunKind, turnPhase } from "../../shared/domain/ledger.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { World } from "../../shared/ports.ts";
import { digest, examplePlan } from "../domain/example-plans.ts";
import { memoryWorld, testStart } from "./memory-world.ts";

export const point = { name: "shop-hourly-20261121055825", takenAt: testStart - 400_000, expiresAt: testStart + 86_400_000, lossSeconds: 400, items: 60, volumeBytes: 1_000 };

/** What the gates ask for before anything is verified. */
export const fencedAndChosen = {
  decided: { verdict: { kind: "go", by: ["nobody objected within the window"] } },
  closed: { kind: "closed" },
  quieted: { kind: "quiet", suspended: [] },
  chosen: { kind: "chosen", point, passedOver: [] },
} as const;

export interface RunOptions {
  readonly plan?: Plan;
  readonly kind?: RunKind;
  readonly phase?: Phase;
  /** As if runs had been before it. */
  readonly epoch?: number;
}

export interface Taking {
  readonly key?: string;
  /** What the step said at its last look. */
  readonly state?: unknown;
  /** Instead of the run's own world: one that loses an answer, for example. */
  readonly world?: World;
}

export async function openedRun({ plan = examplePlan("shop-replicated"), kind = "failover", phase = "confirm", epoch = 1 }: RunOptions = {}) {
  const memory = memoryWorld();
  const { world } = memory;
  const ledger = openLedger(world.home);
  const hash = digest(JSON.stringify(plan));
  await keepVersion(world.home, plan, hash);
  const made = await ledger.change(plan.plan, (head) => openRun({ ...head, epoch: epoch - 1 }, { kind, door: "alert", by: "region-down", reason: "dark", alertId: null, applications: [] }, hash, world.clock.now()));
  if (made.kind === "refused" || made.head.run === null) throw new Error("not opened");
  const ref = refOf(made.head.run, plan.plan);
  const turn = async (end: Phase | null, begin: Phase | null, grown: string | null = null) => ledger.change(plan.plan, (head) => turnPhase(head, { epoch, end: end === null ? null : { phase: end, outcome: "done" }, begin }, world.clock.now(), grown));
  await turn(null, phase);

  /** What the host would hand back to the runbook. */
  async function take<In, Out>(step: Step<In, Out>, work: Work<Step<In, Out>>, input: NoInfer<In>, { key = "", state, world: instead = world }: Taking = {}): Promise<StepAnswer> {
    const call: StepCall = { ref, phase, step: step.name, key, input: state === undefined ? input : { ...input, state } };
    return perform(step, work, call, instead, () => undefined);
  }

  return {
    ...memory,
    plan,
    ref,
    ledger,
    take,
    /** The same, where only an answer will do. */
    async answer<In, Out>(step: Step<In, Out>, work: Work<Step<In, Out>>, input: NoInfer<In>, taking?: Taking): Promise<Out> {
      const answered = await take(step, work, input, taking);
      if (answered.kind !== "answer") throw new Error(`${answered.kind}: ${"because" in answered ? answered.because : answered.by}`);
      return answered.value as Out;
    },
    entries: async (): Promise<readonly Entry[]> => ledger.entries(plan.plan, ref.epoch),
    abort: async () => ledger.change(plan.plan, (head) => abort(head, ref.runId, "Grace", "enough", world.clock.now())),
    /** Another run takes the plan over. */
    async supersede(): Promise<void> {
      const head = await ledger.head(plan.plan);
      await world.home.put(`ledger/${plan.plan}/head.json`, JSON.stringify({ ...head, epoch: ref.epoch + 1, run: null }));
    },
    /** Puts answers of steps into the ledger, as a run has them there by the time of its gates: their phases have ended, under the chain. */
    async onRecord(values: { readonly [R in GateRecord]?: unknown }): Promise<void> {
      const { plan: name, epoch, runId, planHash } = ref;
      for (const [record, value] of Object.entries(values) as [GateRecord, unknown][]) {
        const at = gateRecords[record];
        await ledger.write({ plan: name, epoch, ...at }, { runId, epoch, planHash, ...at, kind: "outcome", startedAt: testStart, at: testStart, value });
      }
      for (const ends of new Set(Object.keys(values).map((record) => gateRecords[record as GateRecord].phase))) {
        await turn(null, ends);
        await turn(ends, null, await ledger.link(await ledger.head(name), ends));
      }
    },
    keep: async (record: Partial<PointRecord> = {}) => keepPoint(world.home, ref, { name: point.name, takenAt: point.takenAt, contents: contents(), volumes: [], spec: {}, ...record }),
  };
}

export type OpenedRun = Awaited<ReturnType<typeof openedRun>>;

export const contents = (more: Partial<Contents> = {}): Contents => ({ objects: 0, namespaces: {}, cluster: { objects: 0, kinds: {}, images: [], storageClasses: [] }, consumers: [], claims: [], dataUploads: [], customKinds: [], cut: [], ...more });

/** A Kubernetes object with just what a test says of it. */
export const object = (name: string, namespace: string | null, more: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string>; readonly spec?: unknown; readonly status?: unknown } = {}) => {
  const { labels, annotations, ...rest } = more;
  return { metadata: { name, ...(namespace === null ? {} : { namespace }), ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) }, ...rest };
};
