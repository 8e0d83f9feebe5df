import type { Progress, RetryStep } from "./fold.ts";
import { eventType, stamp, type Action, type HistoryEvent, type LeafOf } from "./protocol.ts";
import { leavesOf, slotDone, type ActionList } from "./slots.ts";
import type { InstanceRow } from "./store.ts";

/** What an episode sets going outside of its instance. */
export type Outgoing =
  | { readonly kind: "activity"; readonly taskId: number; readonly name: string; readonly input: string | null }
  | { readonly kind: "timer"; readonly taskId: number; readonly fireAt: number }
  | { readonly kind: "cancel-timer"; readonly taskId: number }
  | {
      readonly kind: "sub-orchestration";
      readonly taskId: number;
      readonly name: string;
      readonly childId: string;
      /** JSON text. */
      readonly input: string | null;
      readonly version: string | null;
    };

interface Ground {
  readonly row: InstanceRow;
  readonly progress: Progress;
  readonly list: ActionList;
  readonly at: number;
  readonly surroundings: { readonly kindOf: (name: string) => string | null; readonly defaultVersion: string | null };
}

/**
 * Gives ids to what the episode asks for, in the library's own order: first what a retried task needs (its id was taken while the
 * event was processed, before the orchestrator went on), then new leaves, depth first in list order, as far as the extension starts them.
 */
export class Scheduler {
  readonly events: HistoryEvent[] = [];
  readonly outgoing: Outgoing[] = [];
  /** Ids of timers cancelled in this episode. */
  readonly cancelled: number[] = [];
  readonly #ground: Ground;
  #refusal: string | null = null;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Null, or why the extension would refuse one of the actions, which fails the instance. */
  run(): string | null {
    const { progress, list } = this.#ground;
    if (progress.retry) this.#retry(progress.retry);
    this.#cancelTimers();
    for (const slot of list.slots) {
      for (const leaf of leavesOf(slot)) if (!progress.begun.has(leaf)) this.#begin({ leaf, attempt: 1 });
      this.#cancelTimers();
      if (!slotDone(slot, progress)) break;
    }
    return this.#refusal;
  }

  #retry(step: RetryStep): void {
    if (step.need === "run") return this.#begin({ leaf: step.leaf, attempt: step.attempt });
    const retryOptions = this.#action(step.leaf).retryOptions;
    const isLast = step.attempt >= (retryOptions?.maxNumberOfAttempts ?? 1);
    const {
      firstRetryIntervalInMilliseconds: firstMs = 0,
      backoffCoefficient = 1,
      maxRetryIntervalInMilliseconds: mostMs = Number.POSITIVE_INFINITY,
    } = retryOptions ?? {};
    // After the last attempt the library still waits for a timer; the extension fires it at once.
    const delayMs = isLast ? 0 : Math.min(firstMs * backoffCoefficient ** (step.attempt - 1), mostMs);
    this.#timer(step, this.#ground.at + delayMs, true);
  }

  #begin(of: LeafOf): void {
    const action = this.#action(of.leaf);
    const note = this.#ground.progress.leaves[of.leaf];
    switch (note?.kind) {
      case "activity":
        return this.#activity(of, note.name, action);
      case "sub-orchestration":
        return this.#subOrchestration(of, note.name, action);
      case "timer":
        return this.#timer(of, new Date(action.fireAt ?? this.#ground.at).getTime(), false);
      // A wait takes no id and began when it was noted.
      case "event":
      case undefined:
        return;
    }
  }

  #activity(of: LeafOf, name: string, { input }: Action): void {
    if (!this.#exists(name, "activity")) return;
    const taskId = this.#schedule({
      EventType: eventType.taskScheduled,
      ...this.#stampTask(),
      ...of,
      Name: name,
      Version: null,
      Input: JSON.stringify([input ?? null]),
    });
    this.outgoing.push({ kind: "activity", taskId, name, input: activityInput(input) });
  }

  #subOrchestration(of: LeafOf, name: string, action: Action): void {
    if (!this.#exists(name, "orchestrator")) return;
    const { row, progress, surroundings } = this.#ground;
    const childId = action.instanceId || `${row.executionId}:${progress.nextId}`;
    const version = action.version ?? surroundings.defaultVersion;
    const input = action.input === undefined ? null : JSON.stringify(action.input);
    const taskId = this.#schedule({
      EventType: eventType.subOrchestrationCreated,
      ...this.#stampTask(),
      ...of,
      Name: name,
      Version: version,
      InstanceId: childId,
      Input: input,
    });
    this.outgoing.push({ kind: "sub-orchestration", taskId, name, childId, input, version });
  }

  #timer(of: LeafOf, fireAt: number, retry: boolean): void {
    const taskId = this.#schedule({
      EventType: eventType.timerCreated,
      ...this.#stampTask(),
      leaf: of.leaf,
      attempt: of.attempt,
      FireAt: new Date(fireAt).toISOString(),
      retry,
    });
    this.outgoing.push({ kind: "timer", taskId, fireAt });
  }

  /** A timer that is cancelled already still takes its id. */
  #cancelTimers(): void {
    const { progress } = this.#ground;
    for (const [taskId, task] of progress.open) {
      if (task.role !== "timer" || this.#action(task.leaf).isCanceled !== true) continue;
      progress.cancel(taskId);
      this.cancelled.push(taskId);
      this.outgoing.push({ kind: "cancel-timer", taskId });
    }
  }

  #schedule(event: HistoryEvent): number {
    this.events.push(event);
    this.#ground.progress.apply(event);
    return event.EventId;
  }

  #stampTask(): ReturnType<typeof stamp> {
    return { ...stamp(this.#ground.at), EventId: this.#ground.progress.nextId };
  }

  #exists(name: string, kind: "activity" | "orchestrator"): boolean {
    if (this.#ground.surroundings.kindOf(name) === kind) return true;
    this.#refusal ??= `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function`;
    return false;
  }

  #action(leaf: number): Action {
    const action = this.#ground.list.actions[leaf];
    if (!action) throw new Error(`leaf ${leaf} has no action: the history and the action list were read apart`);
    return action;
  }
}

/** The library made a string input into JSON text already, so a string goes as it is; no input and null are both none. */
function activityInput(input: unknown): string | null {
  if (input === undefined || input === null) return null;
  return typeof input === "string" ? input : JSON.stringify(input);
}
