import type { DurableClientBinding, Engine, EngineEvent, EngineOptions } from "../contract.ts";
import { ActivityPool, answerEvent } from "./activity-pool.ts";
import { clientBinding } from "./client-binding.ts";
import { DueQueue } from "./due-queue.ts";
import type { Turn } from "./episode.ts";
import { durableHttpApi } from "./http-api.ts";
import { Instances } from "./instances.ts";
import { Mailbox, nextStep, takeOps } from "./mailbox.ts";
import { isFinished } from "./new-instance.ts";
import { Player } from "./player.ts";
import { eventType, stamp, type Arrival, type HistoryEvent } from "./protocol.ts";
import { JsonlStore } from "./store-jsonl.ts";
import { MemoryStore } from "./store-memory.ts";
import type { ActivityMessage, InboxMessage, InstanceRow, Message, Op, Snapshot, Store } from "./store.ts";
import { terminateOps, turnOps } from "./turn-ops.ts";

/** What tests and tools may set beside the host's options. */
export interface EngineTestOptions {
  /** Instead of the journal file. */
  readonly store?: Store;
  /** How many of the messages that are there one episode takes at most; asked again for each. The default is 100. */
  readonly batchMax?: () => number;
}

/** The engine, with what tools and tests look at. */
export interface DurableEngine extends Engine {
  readonly instances: Instances;
  /** Of this generation, oldest first; empty for an unknown instance. */
  history(instanceId: string): readonly HistoryEvent[];
  /** History events of each instance that is kept. */
  eventCounts(): ReadonlyMap<string, number>;
}

/** Activities at once when host.json says nothing: ten for each of two cores, as on Azure. */
const activityConcurrencyDefault = 20;
const batchMaxDefault = 100;

/** Opens the engine over its journal. Nothing runs before `start`. */
export async function openEngine(options: EngineOptions & EngineTestOptions): Promise<DurableEngine> {
  const store = options.store ?? (options.journalFile === null ? new MemoryStore() : new JsonlStore({ file: options.journalFile }));
  return new Runner(options, store);
}

class Runner implements DurableEngine {
  readonly instances: Instances;
  readonly mount: Engine["mount"];
  readonly #options: EngineOptions & EngineTestOptions;
  readonly #store: Store;
  readonly #snapshot: Snapshot;
  readonly #mailbox = new Mailbox();
  readonly #due: DueQueue<InboxMessage>;
  readonly #pool: ActivityPool;
  readonly #player: Player;
  /** Instances whose mail is being worked off. */
  readonly #busy = new Set<string>();
  /** By generation the rules that were reported: every replay finds them again. */
  readonly #reported = new Map<string, Set<string>>();
  #idleWaiters: (() => void)[] = [];
  #messageCount: number;
  #state: "opened" | "running" | "closing" | "closed" = "opened";

  constructor(options: EngineOptions & EngineTestOptions, store: Store) {
    this.#options = options;
    this.#store = store;
    this.#snapshot = store.open();
    this.#messageCount = lastMessageNumber(this.#snapshot);
    this.#due = new DueQueue(options.clock, (message) => this.#arrive(message));
    this.#pool = new ActivityPool(options.activityConcurrency ?? activityConcurrencyDefault, (activity) => this.#runActivity(activity));
    this.#player = new Player(options);
    this.instances = new Instances({
      snapshot: this.#snapshot,
      commit: (ops) => this.#commit(ops),
      now: () => options.clock.now(),
      newMessageId: this.#newMessageId,
      kindOf: (name) => options.app.kindOf(name),
      defaultVersion: options.defaultVersion ?? null,
    });
    this.mount = durableHttpApi({
      instances: this.instances,
      snapshot: this.#snapshot,
      taskHub: this.#taskHub,
      code: options.code ?? null,
    });
  }

  start(): void {
    if (this.#state !== "opened") throw new Error(`the durable engine was started before: it is ${this.#state}`);
    this.#state = "running";
    for (const message of this.#snapshot.messages.values()) this.#deliver(message);
  }

  durableClient(baseUrl: string): DurableClientBinding {
    return clientBinding({ baseUrl, taskHub: this.#taskHub, code: this.#options.code ?? null });
  }

  history(instanceId: string): readonly HistoryEvent[] {
    return this.#snapshot.histories.get(instanceId) ?? [];
  }

  eventCounts(): ReadonlyMap<string, number> {
    return new Map([...this.#snapshot.histories].map(([instanceId, events]) => [instanceId, events.length]));
  }

  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#state === "closed" || this.#state === "closing") return;
    this.#state = "closing";
    this.#due.close();
    await this.#pool.close();
    if (this.#busy.size > 0) await this.idle();
    this.#state = "closed";
    this.#store.close();
    this.#settleIdle();
  }

  get #taskHub(): string {
    return this.#options.taskHub ?? "LocalHub";
  }

  readonly #newMessageId = (): string => `m${++this.#messageCount}`;

  /** All or nothing, on disk first; then what was put goes on its way. */
  #commit(ops: readonly Op[]): void {
    if (this.#state === "closed") throw new Error("the durable engine is closed and takes nothing");
    const taken = ops.flatMap((op) => this.#leaving(op));
    this.#store.commit(ops);
    this.#mailbox.remove(taken);
    if (this.#state !== "running") return;
    for (const op of ops) if (op.op === "put") this.#deliver(op.message);
  }

  #leaving(op: Op): readonly InboxMessage[] {
    if (op.op === "purge") return this.#mailbox.all(op.instanceId);
    if (op.op !== "take") return [];
    const message = this.#snapshot.messages.get(op.id);
    return message?.kind === "inbox" ? [message] : [];
  }

  #deliver(message: Message): void {
    if (message.kind === "activity") return this.#pool.put(message);
    if (message.dueAt === undefined || message.dueAt <= this.#options.clock.now()) {
      if (message.dueAt !== undefined) this.#mailbox.expect(message);
      return this.#arrive(message);
    }
    this.#mailbox.expect(message);
    this.#due.put(message.dueAt, message);
  }

  #arrive(message: InboxMessage): void {
    if (!this.#mailbox.arrive(message) || this.#state !== "running" || this.#busy.has(message.instanceId)) return;
    this.#busy.add(message.instanceId);
    // An error that escapes here is a fault of the host's own, or of the disk: it ends the process rather than hide.
    void this.#work(message.instanceId);
  }

  async #work(instanceId: string): Promise<void> {
    for (;;) {
      // One turn of the event loop: sockets get theirs, and what arrives together is played together.
      await new Promise(setImmediate);
      if (this.#state !== "running" || !(await this.#step(instanceId))) break;
    }
    this.#busy.delete(instanceId);
    this.#settleIdle();
  }

  /** False: there is nothing to do for the instance now. */
  async #step(instanceId: string): Promise<boolean> {
    const row = this.#snapshot.rows.get(instanceId);
    const batchMax = this.#options.batchMax?.() ?? batchMaxDefault;
    const step = nextStep(row, this.history(instanceId), this.#mailbox.ready(instanceId), batchMax);
    if (step.kind === "wait") return false;
    if (step.kind === "drop" || !row) {
      this.#commit(takeOps(step.kind === "drop" ? step.messages : []));
      return step.kind === "drop";
    }
    if (step.kind === "control") this.#control(row, step.message);
    else return await this.#play(row, step.messages);
    return true;
  }

  async #play(row: InstanceRow, messages: readonly InboxMessage[]): Promise<boolean> {
    const answer = await this.#player.play(row, this.history(row.instanceId), messages);
    if (answer.kind === "refused") this.#report(row, "version", `${answer.why}: it stays where it is until a host comes that may run it`);
    else this.#commitTurn(row, answer.turn, answer.played);
    return answer.kind === "turn";
  }

  #commitTurn(row: InstanceRow, turn: Turn, played: readonly InboxMessage[]): void {
    for (const { rule, message } of turn.findings) this.#report(row, rule, message);
    this.#commit(turnOps(row, turn, this.#turnGround(row.instanceId, played)));
    for (const { event } of played) this.#tellArrival(row, event);
    if (turn.ending.kind !== "running") this.#reported.delete(row.executionId);
    switch (turn.ending.kind) {
      case "running":
        return;
      case "continued":
        return this.#tell("instance-continued", row.instanceId, row.name);
      case "completed":
        return this.#tell("instance-completed", row.instanceId, row.name);
      case "failed":
        return this.#tell("instance-failed", row.instanceId, row.name);
    }
  }

  #control(row: InstanceRow, message: InboxMessage): void {
    const { event } = message;
    const { instanceId, name } = row;
    const at = this.#options.clock.now();
    switch (event.EventType) {
      case eventType.executionTerminated:
        this.#commit(terminateOps(row, event.Input, this.#turnGround(instanceId, [])));
        return this.#tell("instance-terminated", instanceId, name);
      case eventType.executionSuspended:
      case eventType.executionResumed: {
        const suspends = event.EventType === eventType.executionSuspended;
        this.#commit([
          ...takeOps([message]),
          { op: "append", instanceId, events: [{ ...event, ...stamp(at) }] },
          { op: "row", row: { ...row, status: suspends ? "Suspended" : "Running", updatedAt: at } },
        ]);
        return this.#tell(suspends ? "instance-suspended" : "instance-resumed", instanceId, name);
      }
      default:
        throw new Error(`event type ${event.EventType} is no control message`);
    }
  }

  #turnGround(instanceId: string, played: readonly InboxMessage[]) {
    return {
      snapshot: this.#snapshot,
      played,
      mail: this.#mailbox.all(instanceId),
      at: this.#options.clock.now(),
      newMessageId: this.#newMessageId,
    };
  }

  async #runActivity(activity: ActivityMessage): Promise<void> {
    const { instanceId, executionId, taskId, name, input } = activity;
    this.#tell("activity-started", instanceId, name);
    const answer = await this.#options.app.activity(name, input ?? undefined);
    const event = answerEvent(taskId, answer, this.#options.clock.now());
    const row = this.#snapshot.rows.get(instanceId);
    const isHeard = row !== undefined && row.executionId === executionId && !isFinished(row);
    this.#commit([
      { op: "take", id: activity.id },
      ...(isHeard ? [{ op: "put", message: { kind: "inbox", id: this.#newMessageId(), instanceId, executionId, event } } as const] : []),
    ]);
    this.#tell(answer.kind === "completed" ? "activity-completed" : "activity-failed", instanceId, name);
    // The pool counts this activity as running until this returns.
    setImmediate(() => this.#settleIdle());
  }

  #report({ instanceId, executionId }: InstanceRow, rule: string, message: string): void {
    const rules = this.#reported.get(executionId) ?? new Set();
    if (rules.has(rule)) return;
    this.#reported.set(executionId, rules.add(rule));
    this.#options.problems({ rule, instanceId, message });
  }

  #tellArrival({ instanceId, name }: InstanceRow, event: Arrival): void {
    if (event.EventType === eventType.executionStarted) this.#tell("instance-started", instanceId, name);
    if (event.EventType === eventType.timerFired) this.#tell("timer-fired", instanceId, name);
    if (event.EventType === eventType.eventRaised) this.#tell("event-raised", instanceId, event.Name);
  }

  #tell(kind: EngineEvent["kind"], instanceId: string, name: string): void {
    this.#options.onEvent?.({ kind, instanceId, name });
  }

  #isIdle(): boolean {
    if (this.#state === "closing") return this.#busy.size === 0;
    return this.#state !== "running" || (this.#busy.size === 0 && this.#pool.isIdle() && !this.#due.isDue());
  }

  #settleIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.#isIdle()) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** Message ids go on where the last process stopped counting. */
function lastMessageNumber(snapshot: Snapshot): number {
  let last = 0;
  for (const id of snapshot.messages.keys()) if (/^m\d+$/.test(id)) last = Math.max(last, Number(id.slice(1)));
  return last;
}
