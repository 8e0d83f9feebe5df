import type { Finding } from "./strict.ts";

/** The parts of the library's orchestration context that are watched. */
interface WatchedContext {
  callActivity(...args: unknown[]): WatchedTask;
  callActivityWithRetry(...args: unknown[]): WatchedTask;
  callSubOrchestrator(...args: unknown[]): WatchedTask;
  callSubOrchestratorWithRetry(...args: unknown[]): WatchedTask;
  createTimer(...args: unknown[]): WatchedTask;
  waitForExternalEvent(...args: unknown[]): WatchedTask;
  setCustomStatus(status: unknown): void;
  readonly Task: { all: (tasks: unknown[]) => unknown; any: (tasks: unknown[]) => WatchedTask };
  /** Private: read as a check only, never as a source. */
  readonly taskOrchestratorExecutor?: { readonly sequenceNumber?: unknown };
}

interface WatchedTask {
  readonly alreadyScheduled?: boolean;
  /** The library's own name for "failed", which it reads itself; `isFaulted` is for the orchestrator. */
  readonly stateObj?: number;
  result?: unknown;
}

const failedState = 1;
const creators = [
  "callActivity",
  "callActivityWithRetry",
  "callSubOrchestrator",
  "callSubOrchestratorWithRetry",
  "createTimer",
  "waitForExternalEvent",
] as const;

/**
 * Watches one replay from within, for what the returned state does not show: tasks that were made and never yielded (P5), a failed
 * winner that nobody asked about and empty groups (P6), a custom status that will be dropped (P12). One watch for one episode.
 */
export class SdkWatch {
  readonly #made: { readonly by: string; readonly task: WatchedTask }[] = [];
  readonly #races: WatchedTask[] = [];
  readonly #asked = new Set<WatchedTask>();
  #emptyGroup = false;
  #droppedStatus: string | null = null;
  #context: WatchedContext | null = null;

  /** To be called with the library's context before any user code. */
  readonly onContext = (df: object): void => {
    const context = df as WatchedContext;
    this.#context = context;
    for (const name of creators) this.#watchCreator(context, name);
    this.#watchGroups(context);
    const setCustomStatus = context.setCustomStatus.bind(context);
    context.setCustomStatus = (status) => {
      // The library sends the status only when it is truthy; a later truthy one makes up for it.
      this.#droppedStatus = status || status === undefined ? null : JSON.stringify(status);
      setCustomStatus(status);
    };
  };

  /** The library's count of ids; null where this version does not show it. */
  sequenceNumber(): number | null {
    const count = this.#context?.taskOrchestratorExecutor?.sequenceNumber;
    return typeof count === "number" ? count : null;
  }

  /** To be called when the episode was played. `isDone`: the orchestrator returned. */
  findings(isDone: boolean): Finding[] {
    const found: (Finding | false)[] = [
      isDone && this.#neverYielded(),
      isDone && this.#unaskedWinner(),
      this.#emptyGroup && finding("P6", "Task.all or Task.any got an empty list, and throws; ask whether there is anything first"),
      this.#droppedStatus !== null && finding("P12", `setCustomStatus(${this.#droppedStatus}) is dropped: the status before it stays; set an object`),
    ];
    return found.filter((each) => each !== false);
  }

  #watchCreator(context: WatchedContext, name: (typeof creators)[number]): void {
    const create = context[name].bind(context);
    context[name] = (...args) => {
      const task = create(...args);
      this.#made.push({ by: `${name}(${typeof args[0] === "string" ? args[0] : ""})`, task });
      return task;
    };
  }

  #watchGroups(context: WatchedContext): void {
    const { all, any } = context.Task;
    context.Task.all = (tasks) => {
      this.#emptyGroup ||= tasks.length === 0;
      return all(tasks);
    };
    context.Task.any = (tasks) => {
      this.#emptyGroup ||= tasks.length === 0;
      const race = any(tasks);
      for (const task of tasks) noteQuestions(task as WatchedTask, this.#asked);
      this.#races.push(race);
      return race;
    };
  }

  #neverYielded(): Finding | false {
    const idle = this.#made.find(({ task }) => task.alreadyScheduled === false && task.stateObj === 0);
    return idle !== undefined && finding("P5", `${idle.by} was made and never yielded, so it never ran: a task starts when it is yielded`);
  }

  #unaskedWinner(): Finding | false {
    const unasked = this.#races.find(({ result }) => {
      const winner = result as WatchedTask | undefined;
      return winner?.stateObj === failedState && !this.#asked.has(winner);
    });
    return unasked !== undefined && finding("P6", "a Task.any was won by a task that failed, and nobody asked: check `isFaulted` of the winner");
  }
}

function finding(rule: string, message: string): Finding {
  return { rule, message, fails: true };
}

/** Whoever wants to know that a task was asked how it ended. */
const askedBy = Symbol("asked by");
interface NotedTask extends WatchedTask {
  [askedBy]?: Set<WatchedTask>;
}

/** One for all tasks: a getter of its own gives each task a hidden class of its own, which outlives it by far. */
const questions = Object.fromEntries(
  ([["isFaulted", 1], ["isCompleted", 2]] as const).map(([question, state]) => [
    question,
    {
      configurable: true,
      get(this: NotedTask) {
        this[askedBy]?.add(this);
        return this.stateObj === state;
      },
    },
  ]),
);

/** Notes when somebody asks a task how it ended. The library itself asks by other names. */
function noteQuestions(task: NotedTask, asked: Set<WatchedTask>): void {
  task[askedBy] = asked;
  Object.defineProperties(task, questions);
}
