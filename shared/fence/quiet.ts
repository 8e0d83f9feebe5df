/** Stops what takes writes in a cluster, and what would start it again: what a run does from outside, and the lease agent from within. */
import type { Quieted, Suspended } from "../domain/fence.ts";
import type { Plan } from "../domain/plan.ts";
import type { Cluster, KubeObject } from "../ports.ts";
import { namespacesOf, placeOf, type Rule, rulesFor } from "./rules.ts";
import { runningPods } from "./running-pods.ts";
import { ownUndo, undoNote } from "./undo-note.ts";
import { type Task, walk } from "./walk.ts";

export interface FenceLimits {
  /** For all of it: an ailing cluster must not hold up whoever asks. */
  readonly seconds: number;
  /** Pauses between looks at the pods that are left, quick first. */
  readonly podPausesMs: readonly number[];
}

/** Pods get 20 s in all: most end at once, and one that ends slower is named to a person rather than waited for. */
export const fenceLimits: FenceLimits = { seconds: 30, podPausesMs: [100, 250, 500, 1_000, ...Array<number>(9).fill(2_000)] };

export interface Quieting extends FenceLimits {
  readonly plan: Plan;
  /** Who stops it: a run, or the plan's agent. Written on each object beside its undo. */
  readonly closer: string;
  readonly open: () => Promise<Cluster>;
  /** An earlier try may have stopped something, though nothing is known of it. */
  readonly triedBefore: boolean;
}

/**
 * GitOps first, then the plan's Velero schedule, then the workloads; and then it looks whether their pods are gone. What is already stopped is
 * left alone, so running it again finds nothing to do. The undo is also written on each object, because the answer may be lost.
 */
export async function quiet({ plan, closer, open, seconds, podPausesMs, triedBefore }: Quieting): Promise<Quieted> {
  const suspended: Suspended[] = [];
  const running: string[] = [];
  // Told once, though a task that failed is run again and finds what it did.
  const note = (one: Suspended) => {
    if (!suspended.some((known) => known.apiVersion === one.apiVersion && known.plural === one.plural && known.namespace === one.namespace && known.name === one.name)) suspended.push(one);
  };
  // An object, because tasks write it while this function waits.
  const state = { asked: triedBefore, unanswered: 0 };

  const asking = async <T>(change: Promise<T>): Promise<T> => {
    state.asked = true;
    state.unanswered += 1;
    const answer = await change;
    state.unanswered -= 1;
    return answer;
  };

  const suspendAll = (rule: Rule): Task => ({
    about: placeOf(rule),
    async run(cluster, signal) {
      for (const object of (await cluster.list(rule.kind, rule.namespace)) ?? []) {
        signal.throwIfAborted();
        // Noted one by one: what was stopped before one refused is ours to give back.
        const one = await suspend(cluster, rule, object, { plan: plan.plan, closer, asking, done: note });
        if (one === "not-stopped") throw new Error(`${object.metadata.name} reads back as not stopped`);
      }
    },
  });
  const look = (namespace: string): Task => ({
    about: `pods in ${namespace}`,
    run: async (cluster, signal) => void running.push(...(await runningPods(cluster, namespace, podPausesMs, signal))),
  });

  const suspending = rulesFor(plan).map((stage) => stage.map((lane) => lane.map(suspendAll)));
  const walked = await walk(open, [...suspending, namespacesOf(plan).map((namespace) => [look(namespace)])], seconds);
  const unanswered = state.unanswered > 0 ? ({ unanswered: true } as const) : {};
  const unreachable = (why: string): Quieted => ({ kind: "unreachable", why, ...(state.asked ? { maybeSuspended: true } : {}), ...unanswered });
  if (walked.kind === "no-answer") return unreachable(walked.why);
  const { failed, stopped, rest } = walked;
  if (stopped !== null && suspended.length === 0 && failed.length === 0) return unreachable(stopped);
  const left = [...failed.map(({ about, why }) => `${about} (${why})`), ...running, ...(stopped === null ? [] : [`${rest.join(", ")} (${stopped})`])];
  return left.length === 0 ? { kind: "quiet", suspended: [...suspended], ...unanswered } : { kind: "partly", suspended: [...suspended], left, ...unanswered };
}

interface Suspending {
  readonly plan: string;
  readonly closer: string;
  /** Is told of each change that is asked for: from there on it may have happened. */
  readonly asking: <T>(change: Promise<T>) => Promise<T>;
  readonly done: (suspended: Suspended) => void;
}

async function suspend(cluster: Cluster, { kind, stop }: Rule, object: KubeObject, { plan, closer, asking, done }: Suspending): Promise<"stopped" | "not-stopped"> {
  const at = { apiVersion: kind.apiVersion, plural: kind.plural, namespace: object.metadata.namespace ?? "", name: object.metadata.name };
  const stopping = stop(object);
  if (stopping === null) {
    // Stopped before, by this very act, by a run that halted, or by the agent: its undo is written on the object.
    const ours = ownUndo(object, plan);
    if (ours !== null) done({ ...at, undo: ours.undo });
    return "stopped";
  }
  const patched = await asking(cluster.patch(kind, at.namespace, at.name, { ...stopping.patch, ...undoNote(closer, stopping.undo) }));
  if (patched === null) return "stopped";
  done({ ...at, undo: stopping.undo });
  return stop(patched) === null ? "stopped" : "not-stopped";
}
