import type { Quieted, Suspended } from "../../shared/domain/fence.ts";
import type { Cluster, KubeObject, World } from "../../shared/ports.ts";
import type { RunRef } from "../../orchestrations/step.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Ledger } from "../ledger.ts";
import { namespacesOf, ownUndo, placeOf, type Rule, rulesFor, undoDone, undoNote } from "./fence/rules.ts";
import { runningPods } from "./fence/running-pods.ts";
import { messageOf, readySeconds, type Task, walk } from "./fence/walk.ts";
import type { Work } from "./perform.ts";

/** Closes the primary's public endpoint. The secondary's stays closed, so Traffic Manager cannot jump by itself. */
export const closePrimary: Work<typeof steps.closePrimary> = async (_, { world, plan, call, ledger }) => {
  await inheritClosing(world, ledger, call.ref);
  if ((await world.traffic.read(plan.traffic)).primary.open) {
    // Before the act, and never taken back: a repeat finds the endpoint closed and must still know who closed it.
    await world.home.create(closedByUs(call.ref), JSON.stringify({ closing: plan.traffic.publicUrl }));
    await world.traffic.closePrimary(plan.traffic);
  }
  const after = await world.traffic.read(plan.traffic);
  return after.primary.open ? { kind: "open", why: "it reads back as open" } : { kind: "closed" };
};

/** Opens what this run closed, or may have closed. What a person had closed before it stays closed. */
export const reopenPrimary: Work<typeof steps.reopenPrimary> = async (_, { world, plan, call, ledger }) => {
  await inheritClosing(world, ledger, call.ref);
  if ((await world.traffic.read(plan.traffic)).primary.open) return { kind: "reopened" };
  if ((await world.home.read(closedByUs(call.ref))) === null) return { kind: "left-closed", why: "it was closed before this run" };
  await world.traffic.reopenPrimary(plan.traffic);
  if (!(await world.traffic.read(plan.traffic)).primary.open) throw new Error("the primary's endpoint reads back as closed");
  return { kind: "reopened" };
};

/** What the run before closed is this run's to open again, if it took that one's place. */
async function inheritClosing({ home }: World, ledger: Ledger, ref: RunRef): Promise<void> {
  const { run } = await ledger.head(ref.plan);
  if (run?.takenOver === undefined || run.id !== ref.runId) return;
  const before = await home.read(closedByUs({ plan: ref.plan, epoch: run.takenOver.epoch }));
  if (before !== null) await home.create(closedByUs(ref), before.body);
}

/** Exists when the run found the endpoint open and went on to close it. */
const closedByUs = ({ plan, epoch }: Pick<RunRef, "plan" | "epoch">) => `runs/${plan}/${String(epoch).padStart(6, "0")}/primary-endpoint-closed.json`;

export interface FenceLimits {
  /** For the whole step: an ailing cluster must not hold up the run. */
  readonly seconds: number;
  /** Pauses between looks at the pods that are left, quick first. */
  readonly podPausesMs: readonly number[];
}

/** Pods get 20 s in all: most end at once, and one that ends slower is named to a person rather than waited for. */
const limits: FenceLimits = { seconds: 30, podPausesMs: [100, 250, 500, 1_000, ...Array<number>(9).fill(2_000)] };

/**
 * Stops what takes writes in the primary, and what would start it again: GitOps first, then the plan's Velero schedule, then the
 * workloads; and looks whether their pods are gone. What is already stopped is left alone, so running it again finds nothing to do. The
 * undo is also written on each object, as an annotation, because the answer may be lost.
 */
export const quietWithin =
  ({ seconds, podPausesMs }: FenceLimits): Work<typeof steps.quietPrimary> =>
  async (_, { world, plan, call, triedBefore }) => {
    const suspended: Suspended[] = [];
    const running: string[] = [];
    // Told once, though a task that failed is run again and finds what it did.
    const note = (one: Suspended) => {
      if (!suspended.some((known) => known.apiVersion === one.apiVersion && known.plural === one.plural && known.namespace === one.namespace && known.name === one.name)) suspended.push(one);
    };
    // An object, because tasks write it while this function waits.
    const state = { asked: triedBefore };

    const suspendAll = (rule: Rule): Task => ({
      about: placeOf(rule),
      async run(cluster, signal) {
        for (const object of (await cluster.list(rule.kind, rule.namespace)) ?? []) {
          signal.throwIfAborted();
          // Noted one by one: what was stopped before one refused is ours to give back.
          const one = await suspend(cluster, rule, object, call.ref, { asking: () => (state.asked = true), done: note });
          if (one === "not-stopped") throw new Error(`${object.metadata.name} reads back as not stopped`);
        }
      },
    });
    const look = (namespace: string): Task => ({
      about: `pods in ${namespace}`,
      run: async (cluster, signal) => void running.push(...(await runningPods(cluster, namespace, podPausesMs, signal))),
    });

    const suspending = rulesFor(plan).map((stage) => stage.map((lane) => lane.map(suspendAll)));
    const walked = await walk(async () => world.clusters.of(plan.primary.cluster), [...suspending, namespacesOf(plan).map((namespace) => [look(namespace)])], seconds);
    const unreachable = (why: string): Quieted => ({ kind: "unreachable", why, ...(state.asked ? { maybeSuspended: true } : {}) });
    if (walked.kind === "no-answer") return unreachable(walked.why);
    const { failed, stopped, rest } = walked;
    if (stopped !== null && suspended.length === 0 && failed.length === 0) return unreachable(stopped);
    const left = [...failed.map(({ about, why }) => `${about} (${why})`), ...running, ...(stopped === null ? [] : [`${rest.join(", ")} (${stopped})`])];
    return left.length === 0 ? { kind: "quiet", suspended: [...suspended] } : { kind: "partly", suspended: [...suspended], left };
  };

export const quietPrimary = quietWithin(limits);

interface Telling {
  /** A change is about to be asked for: from here on it may have happened. */
  readonly asking: () => void;
  readonly done: (suspended: Suspended) => void;
}

async function suspend(cluster: Cluster, { kind, stop }: Rule, object: KubeObject, ref: RunRef, { asking, done }: Telling): Promise<"stopped" | "not-stopped"> {
  const at = { apiVersion: kind.apiVersion, plural: kind.plural, namespace: object.metadata.namespace ?? "", name: object.metadata.name };
  const stopping = stop(object);
  if (stopping === null) {
    // Stopped before, by this step or by a run that halted: its undo is written on the object.
    const ours = ownUndo(object, ref.plan);
    if (ours !== null) done({ ...at, undo: ours });
    return "stopped";
  }
  asking();
  const patched = await cluster.patch(kind, at.namespace, at.name, { ...stopping.patch, ...undoNote(ref.runId, stopping.undo) });
  if (patched === null) return "stopped";
  done({ ...at, undo: stopping.undo });
  return stop(patched) === null ? "stopped" : "not-stopped";
}

/**
 * Gives back what this run changed, newest first. The objects themselves are looked at, because the answer of quietPrimary may have been
 * lost. What does not answer is told of, not retried for ever.
 */
export const wakeWithin =
  ({ seconds }: Pick<FenceLimits, "seconds">): Work<typeof steps.wakePrimary> =>
  async ({ quieted }, { world, plan, call }) => {
    const left: string[] = [];
    const wakeAll = (rule: Rule): Task => ({
      about: placeOf(rule),
      async run(cluster, signal) {
        let gone: unknown = null;
        for (const object of (await cluster.list(rule.kind, rule.namespace)) ?? []) {
          signal.throwIfAborted();
          const undo = ownUndo(object, call.ref.plan);
          if (undo === null) continue;
          const { namespace = "", name } = object.metadata;
          await cluster.patch(rule.kind, namespace, name, { ...undo, ...undoDone }).catch((error: unknown) => {
            left.push(`${rule.kind.plural} ${namespace}/${name} is still suspended (${messageOf(error)})`);
            gone = error;
          });
          // One refusal must not keep the others asleep; a cluster that is gone must not be waited for object by object.
          if (gone !== null && (await cluster.ready(readySeconds)).kind === "no-answer") throw gone;
          gone = null;
        }
      },
    });
    const waking = rulesFor(plan).map((stage) => stage.map((lane) => lane.map(wakeAll).toReversed())).toReversed();
    const walked = await walk(async () => world.clusters.of(plan.primary.cluster), waking, seconds);
    if (walked.kind === "no-answer") return { left: unseen(quieted, walked.why) };
    const { failed, stopped, rest } = walked;
    return { left: [...left, ...failed.map(({ about, why }) => `what is suspended of ${about} (${why})`), ...(stopped === null ? [] : [`what is suspended of ${rest.join(", ")} (${stopped})`])] };
  };

export const wakePrimary = wakeWithin(limits);

/** What may be suspended in a cluster that does not answer now. */
function unseen(quieted: Quieted | null, why: string): string[] {
  const whatever = `whatever is suspended in the primary's cluster, which does not answer: ${why}`;
  if (quieted === null) return [whatever];
  // It never answered when it was to be quieted: nothing was changed there.
  if (quieted.kind === "unreachable") return quieted.maybeSuspended ? [whatever] : [];
  const known = quieted.suspended.map(({ plural, namespace, name }) => `${plural} ${namespace}/${name} is still suspended (the primary's cluster does not answer: ${why})`);
  return quieted.kind === "partly" ? [...known, `what else was being suspended when the primary's cluster was left: ${quieted.left.join(", ")}`] : known;
}
