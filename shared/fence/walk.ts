/** Tasks in a cluster that may be dying: one deadline for all, and no second wait for what does not answer. */
import { setTimeout as sleep } from "node:timers/promises";
import { withDeadline } from "../deadline.ts";
import type { Cluster } from "../ports.ts";
import type { Stages } from "./rules.ts";

export interface Task {
  /** `deployments in shop` */
  readonly about: string;
  /** Asks `signal` before each change: past the deadline nothing may be begun. */
  readonly run: (cluster: Cluster, signal: AbortSignal) => Promise<void>;
}

export type Walked =
  /** It did not answer at all: no task was begun. */
  | { readonly kind: "no-answer"; readonly why: string }
  /** `failed`: it answers, and refused these. `stopped`: why the rest was not done; `rest` is empty when it is null. */
  | { readonly kind: "walked"; readonly failed: readonly { readonly about: string; readonly why: string }[]; readonly stopped: string | null; readonly rest: readonly string[] };

/** Pauses before a task that failed is run again. Short: users are without the shop meanwhile. */
const againMs = [100, 500] as const;

/** How long the cluster may take to say that it is there. A dark one must not hold up the run. */
export const readySeconds = 5;

/** Runs the tasks for at most `seconds` in all, opening the cluster included. After a task that fails the cluster is asked whether it is still there, and left if it is not. */
export async function walk(open: () => Promise<Cluster>, stages: Stages<Task>, seconds: number): Promise<Walked> {
  const failed: { about: string; why: string }[] = [];
  const rest = new Set(stages.flat(2));
  // An object, because the lanes write it while this function waits.
  const state = { begun: false, stopped: null as string | null };

  const lane = async (cluster: Cluster, tasks: readonly Task[], signal: AbortSignal) => {
    for (const task of tasks) {
      if (state.stopped !== null || signal.aborted) return;
      const tried = await triedAgain(cluster, task, signal);
      switch (tried.kind) {
        case "left":
          return;
        case "no-answer":
          state.stopped ??= `it stopped answering: ${tried.why}`;
          return;
        case "failed":
          failed.push({ about: task.about, why: tried.why });
          break;
        case "done":
      }
      rest.delete(task);
    }
  };

  try {
    const dark = await withDeadline(seconds, async (signal) => {
      const cluster = await open();
      const alive = await cluster.ready(readySeconds);
      if (alive.kind === "no-answer") return alive;
      signal.throwIfAborted();
      state.begun = true;
      for (const stage of stages) await Promise.all(stage.map(async (tasks) => lane(cluster, tasks, signal)));
      return null;
    });
    if (dark !== null) return dark;
  } catch (error) {
    if (!state.begun) return { kind: "no-answer", why: messageOf(error) };
    state.stopped ??= messageOf(error);
  }
  // Copies: what is under way past the deadline must not change an answer that was given.
  return { kind: "walked", failed: [...failed], stopped: state.stopped, rest: [...rest].map(({ about }) => about) };
}

type Tried = { readonly kind: "done" | "left" } | { readonly kind: "failed" | "no-answer"; readonly why: string };

/** A task that failed is run again as long as the cluster answers: what it had done it finds done, and one lost answer makes no weaker fence. */
async function triedAgain(cluster: Cluster, task: Task, signal: AbortSignal): Promise<Tried> {
  for (const pauseMs of [...againMs, null]) {
    try {
      await task.run(cluster, signal);
      return { kind: "done" };
    } catch (error) {
      const alive = signal.aborted ? null : await cluster.ready(readySeconds);
      if (alive === null || signal.aborted) return { kind: "left" };
      if (alive.kind === "no-answer") return { kind: "no-answer", why: alive.why };
      if (pauseMs === null) return { kind: "failed", why: messageOf(error) };
    }
    await sleep(pauseMs);
    if (signal.aborted) return { kind: "left" };
  }
  return { kind: "left" };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
