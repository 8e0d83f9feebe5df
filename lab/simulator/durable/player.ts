/**
 * Plays an orchestrator: a generator that is given what has come back and says what it wants next. The same body plays on in memory, or is
 * played anew from its recorded turns, and then must say the same again.
 */

/** Something that came to an instance. */
export type Message =
  | { readonly kind: "done"; readonly generation: number; readonly seq: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly generation: number; readonly seq: number; readonly reason: string }
  | { readonly kind: "event"; readonly name: string; readonly input: unknown };

/** Something that an instance asked for. A replay must say all of it again, to the letter. */
export interface Call {
  readonly kind: "activity" | "child" | "timer" | "event";
  readonly seq: number;
  readonly name: string;
  /** JSON: what crosses between an orchestrator and its host. */
  readonly json: string | undefined;
  /** `timer`: when it fires. */
  readonly at: number;
  /** `child`: the id of its instance. */
  readonly childId: string;
}

/** All of a call, to hold a replay against. */
export const callText = ({ kind, seq, name, json, at, childId }: Call): string => `${kind} ${seq} ${name} ${childId} ${at} ${json}`;

/** Whether a replay says what history says, to the letter. */
export const sameCalls = (said: readonly Call[], says: readonly Call[]): boolean =>
  said.length === says.length &&
  said.every(({ kind, seq, name, json, at, childId }, place) => {
    const other = says[place];
    return other !== undefined && kind === other.kind && seq === other.seq && name === other.name && json === other.json && at === other.at && childId === other.childId;
  });

export type End = { readonly kind: "completed"; readonly output: unknown } | { readonly kind: "failed"; readonly reason: string } | { readonly kind: "again"; readonly input: unknown };

export interface Turned {
  readonly calls: readonly Call[];
  readonly end: End | null;
}

/** A task as a runbook holds it. */
export interface PlayedTask {
  isCompleted: boolean;
  isFaulted: boolean;
  result: unknown;
  cancel(): void;
}

/** What the app's orchestrators are given: the part of the library's context that they use. */
export interface PlayedContext {
  readonly df: object;
}
export type OrchestratorBody = (context: PlayedContext) => Generator<PlayedTask, unknown, unknown>;

class Task implements PlayedTask {
  isCompleted = false;
  isFaulted = false;
  isCancelled = false;
  result: unknown = undefined;
  cancel(): void {
    this.isCancelled = true;
  }
  settle(faulted: boolean, result: unknown): void {
    if (this.isCompleted) return;
    this.isCompleted = true;
    this.isFaulted = faulted;
    this.result = result;
  }
  /** Looks again at what it is made of. */
  look(): void {}
}

class All extends Task {
  readonly parts: readonly Task[];
  constructor(parts: readonly Task[]) {
    super();
    this.parts = parts;
  }
  override look(): void {
    for (const part of this.parts) part.look();
    const broken = this.parts.find(({ isFaulted }) => isFaulted);
    if (broken) this.settle(true, broken.result);
    else if (this.parts.every(({ isCompleted }) => isCompleted)) this.settle(false, this.parts.map(({ result }) => result));
  }
}

class Any extends Task {
  readonly parts: readonly Task[];
  constructor(parts: readonly Task[]) {
    super();
    this.parts = parts;
  }
  override look(): void {
    for (const part of this.parts) part.look();
    const first = this.parts.find(({ isCompleted }) => isCompleted);
    if (first) this.settle(false, first);
  }
}

export class Player {
  readonly #body: Generator<PlayedTask, unknown, unknown>;
  readonly #generation: number;
  readonly #tasks: Task[] = [];
  readonly #waiters = new Map<string, Task[]>();
  readonly #early = new Map<string, unknown[]>();
  #calls: Call[] = [];
  #nowAt = 0;
  #waitsFor: Task | null = null;
  #begun = false;
  #again: { readonly input: unknown } | null = null;

  constructor(body: OrchestratorBody, instanceId: string, generation: number, input: unknown) {
    this.#generation = generation;
    this.#body = body({ df: this.#context(instanceId, input) });
  }

  /** One turn: what has come since the last one, in the order in which it came. */
  turn(at: number, messages: readonly Message[]): Turned {
    this.#nowAt = at;
    this.#calls = [];
    let end = this.#begun ? null : this.#goOn();
    for (const message of messages) {
      if (end !== null) break;
      this.#take(message);
      end = this.#goOn();
    }
    return { calls: this.#calls, end };
  }

  #goOn(): End | null {
    try {
      for (;;) {
        if (this.#begun) {
          this.#waitsFor?.look();
          if (this.#waitsFor === null || !this.#waitsFor.isCompleted) return null;
        }
        const waited = this.#waitsFor;
        this.#begun = true;
        const step = waited?.isFaulted ? this.#body.throw(new Error(String(waited.result))) : this.#body.next(waited?.result);
        if (step.done) return this.#again === null ? { kind: "completed", output: step.value } : { kind: "again", input: this.#again.input };
        this.#waitsFor = step.value as Task;
      }
    } catch (error) {
      return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #take(message: Message): void {
    if (message.kind === "event") {
      // To the oldest waiter, be it one that nobody waits for any more: so does the library.
      const waiter = this.#waiters.get(message.name)?.shift();
      if (waiter) waiter.settle(false, message.input);
      else this.#early.set(message.name, [...(this.#early.get(message.name) ?? []), message.input]);
      return;
    }
    // What an earlier generation asked for is nobody's any more.
    if (message.generation !== this.#generation) return;
    this.#tasks[message.seq]?.settle(message.kind === "failed", message.kind === "done" ? message.value : message.reason);
  }

  #call(kind: Call["kind"], name: string, input: unknown, at = 0, childId = ""): Task {
    const task = new Task();
    const seq = this.#tasks.length;
    this.#tasks.push(task);
    this.#calls.push({ kind, seq, name, json: JSON.stringify(input), at, childId });
    return task;
  }

  #context(instanceId: string, input: unknown): object {
    return Object.assign(new Clock(() => this.#nowAt), {
      instanceId,
      getInput: () => input,
      setCustomStatus: () => undefined,
      callActivity: (name: string, given: unknown) => this.#call("activity", name, given),
      callSubOrchestrator: (name: string, given: unknown, childId: string) => this.#call("child", name, given, 0, childId),
      createTimer: (fireAt: Date) => this.#call("timer", "timer", null, fireAt.getTime()),
      waitForExternalEvent: (name: string) => {
        const task = this.#call("event", name, null);
        const early = this.#early.get(name) ?? [];
        if (early.length > 0) task.settle(false, early.shift());
        else this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), task]);
        return task;
      },
      continueAsNew: (given: unknown) => void (this.#again = { input: plain(given) }),
      Task: { all: (parts: readonly Task[]) => new All(parts), any: (parts: readonly Task[]) => new Any(parts) },
    });
  }
}

/**
 * A class for its getter: one in an object literal makes a hidden class of its own for each object, which V8 keeps, with all that the getter
 * sees, until it goes through all memory. Whole runs lived on by it.
 */
class Clock {
  readonly #nowAt: () => number;
  constructor(nowAt: () => number) {
    this.#nowAt = nowAt;
  }
  get currentUtcDateTime(): Date {
    return new Date(this.#nowAt());
  }
}

/** A value as it arrives on the other side. */
export const plain = (value: unknown): unknown => arrived(JSON.stringify(value));
export const arrived = (json: string | undefined): unknown => (json === undefined ? undefined : (JSON.parse(json) as unknown));
