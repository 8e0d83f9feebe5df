import { eventType, type Arrival, type ExecutionStarted, type HistoryEvent, type LeafNote, type LeafOf } from "./protocol.ts";

/** A scheduled thing that has not answered. */
export interface OpenTask extends LeafOf {
  readonly role: "activity" | "sub-orchestration" | "timer" | "retry-timer";
}

/** What a retried leaf needs next: its timer (after a failure), or its next run (after the timer). */
export interface RetryStep extends LeafOf {
  readonly need: "timer" | "run";
}

/**
 * Where an orchestration stands, read off its history and nothing else. Leaves are the tasks in the library's action list,
 * depth first, each once however often it was yielded.
 */
export class Progress {
  started: ExecutionStarted | null = null;
  /** The last OrchestratorStarted, in UTC ms; 0 before the first. */
  at = 0;
  /** The id that the next scheduled thing gets. */
  nextId = 0;
  readonly leaves: LeafNote[] = [];
  /** Position in the action list, depth first, to the number of its leaf. */
  readonly positions: number[] = [];
  /** Leaves that were given an id, or wait for an event. */
  readonly begun = new Set<number>();
  readonly done = new Set<number>();
  readonly open = new Map<number, OpenTask>();
  /** At most one, because such an event is the first of its episode (see `takesIds`). */
  retry: RetryStep | null = null;
  /** Open waits by lower-case event name; the last one is served first. */
  readonly #waits = new Map<string, number[]>();
  /** Events by lower-case name for which nothing waited. */
  readonly #unclaimed = new Map<string, number>();

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case eventType.executionStarted:
        this.started = event;
        return;
      case eventType.orchestratorStarted:
        this.at = Date.parse(event.Timestamp);
        return;
      case eventType.taskScheduled:
        return this.#begin(event.EventId, event, "activity");
      case eventType.subOrchestrationCreated:
        return this.#begin(event.EventId, event, "sub-orchestration");
      case eventType.timerCreated:
        return this.#begin(event.EventId, event, event.retry ? "retry-timer" : "timer");
      case eventType.taskCompleted:
      case eventType.subOrchestrationCompleted:
        return this.#completed(event.TaskScheduledId);
      case eventType.taskFailed:
      case eventType.subOrchestrationFailed:
        return this.#failed(event.TaskScheduledId);
      case eventType.timerFired:
        return this.#fired(event.TimerId);
      case eventType.eventRaised:
        return this.#raised(event.Name.toLowerCase());
      case eventType.orchestratorCompleted:
        this.noteLeaves(event.leaves);
        for (const id of event.cancelled) this.cancel(id);
        return;
      case eventType.executionCompleted:
      case eventType.executionTerminated:
      case eventType.executionSuspended:
      case eventType.executionResumed:
        return;
    }
  }

  /** New positions of the action list, in order. A wait takes the oldest event that nothing claimed. */
  noteLeaves(notes: readonly (LeafNote | number)[]): void {
    for (const note of notes) {
      if (typeof note === "number") {
        this.positions.push(note);
        continue;
      }
      const leaf = this.leaves.push(note) - 1;
      this.positions.push(leaf);
      if (note.kind === "event") this.#wait(leaf, note.name.toLowerCase());
    }
  }

  /** The orchestrator cancelled a timer: its fire will not come, and nothing waits for it. */
  cancel(taskId: number): void {
    this.#completed(taskId);
  }

  /** Leaves that the library has numbered and we have not, because an earlier action is not complete (see `Slot`). */
  heldLeaves(): number {
    return this.leaves.reduce((held, _, leaf) => held + Number(!this.begun.has(leaf)), 0);
  }

  #begin(taskId: number, { leaf, attempt }: LeafOf, role: OpenTask["role"]): void {
    this.nextId = taskId + 1;
    this.retry = null;
    this.begun.add(leaf);
    this.open.set(taskId, { leaf, attempt, role });
  }

  #completed(taskId: number): void {
    const task = this.#close(taskId);
    if (task) this.done.add(task.leaf);
  }

  #failed(taskId: number): void {
    const task = this.#close(taskId);
    if (!task) return;
    if (this.#attemptsOf(task) === 0) this.done.add(task.leaf);
    else this.retry = { leaf: task.leaf, attempt: task.attempt, need: "timer" };
  }

  #fired(timerId: number): void {
    const task = this.#close(timerId);
    if (!task) return;
    if (task.role === "retry-timer" && task.attempt < this.#attemptsOf(task)) {
      this.retry = { leaf: task.leaf, attempt: task.attempt + 1, need: "run" };
    } else this.done.add(task.leaf);
  }

  #close(taskId: number): OpenTask | undefined {
    const task = this.open.get(taskId);
    this.open.delete(taskId);
    return task;
  }

  #attemptsOf({ leaf }: LeafOf): number {
    return this.leaves[leaf]?.attempts ?? 0;
  }

  #wait(leaf: number, name: string): void {
    this.begun.add(leaf);
    const unclaimed = this.#unclaimed.get(name) ?? 0;
    if (unclaimed > 0) {
      this.#unclaimed.set(name, unclaimed - 1);
      this.done.add(leaf);
    } else this.#waits.set(name, [...(this.#waits.get(name) ?? []), leaf]);
  }

  #raised(name: string): void {
    const leaf = this.#waits.get(name)?.pop();
    if (leaf === undefined) this.#unclaimed.set(name, (this.#unclaimed.get(name) ?? 0) + 1);
    else this.done.add(leaf);
  }
}

/** Reads a history from its start. */
export function fold(history: readonly HistoryEvent[]): Progress {
  const progress = new Progress();
  for (const event of history) progress.apply(event);
  return progress;
}

/**
 * Whether the library gives out task ids while it processes this event, before the orchestrator goes on: the failure of a retried
 * task (for the timer), and that timer's fire with attempts left (for the next run). Such an event must be the first of its episode,
 * or nobody can tell its ids from those of actions that the other events led to.
 */
export function takesIds(progress: Progress, event: Arrival): boolean {
  switch (event.EventType) {
    case eventType.taskFailed:
    case eventType.subOrchestrationFailed: {
      const task = progress.open.get(event.TaskScheduledId);
      return task !== undefined && (progress.leaves[task.leaf]?.attempts ?? 0) > 0;
    }
    case eventType.timerFired: {
      const task = progress.open.get(event.TimerId);
      return task?.role === "retry-timer" && task.attempt < (progress.leaves[task.leaf]?.attempts ?? 0);
    }
    default:
      return false;
  }
}
