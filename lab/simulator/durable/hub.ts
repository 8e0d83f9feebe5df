/**
 * The task hub: what survives when hosts die. Instances with their turns, messages on their way, activities to be done. It keeps the rules
 * of the real back end that hurt: at least once, turns that are lost before they are recorded, two workers on one thing, results that
 * come late or never.
 */
import type { Random } from "../time/random.ts";
import type { HistoryEvent } from "../../host/durable/protocol.ts";
import { nature, type Scheduler } from "../time/scheduler.ts";
import { arrived, type Call, type End, type Message } from "./player.ts";

/** One recorded turn. Played again it must make the same calls. */
export interface Turn {
  readonly at: number;
  readonly messages: readonly Message[];
  readonly calls: readonly Call[];
  /** Where the library plays: what the turn adds to the history that it is replayed from. */
  readonly events?: readonly HistoryEvent[];
}

export interface Instance {
  readonly id: string;
  readonly orchestrator: string;
  input: unknown;
  readonly parent: { readonly id: string; readonly generation: number; readonly seq: number } | null;
  status: "Running" | "Completed" | "Failed";
  output: unknown;
  /** No other in the whole hub has it: what an earlier instance of the same id asked for is not this one's. */
  generation: number;
  turns: Turn[];
  inbox: Message[];
  /** Who plays a turn now, and until when nobody else does. */
  lease: { readonly host: string; readonly until: number } | null;
  looking: boolean;
}

/** One call of an activity, until its result is recorded. */
export interface Work {
  readonly id: number;
  readonly instanceId: string;
  readonly generation: number;
  readonly seq: number;
  readonly name: string;
  readonly input: unknown;
  /** Grows with each delivery; the result of a delivery that is not the last counts as well, whichever comes first. */
  deliveries: number;
  done: boolean;
}

/** What a host does with what the hub gives it. */
export interface Worker {
  readonly name: string;
  /** Whether it takes anything now. */
  readonly takes: boolean;
  playTurn(instance: Instance, messages: readonly Message[]): void;
  doWork(work: Work): void;
}

export interface HubOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly workers: () => readonly Worker[];
  /** After how long something that was given to a host and did not come back is given to another. */
  readonly leaseMs: number;
  /** Whether an activity that is done is given out once more, and how much later; `null`: it is not. */
  readonly again: (work: Work) => number | null;
}

export class Hub {
  readonly instances = new Map<string, Instance>();
  readonly #options: HubOptions;
  #works = 0;
  #generations = 0;
  /** Turns that were recorded. */
  turns = 0;
  deliveries = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** `false`: a live instance of that id is there already. One that has ended is replaced, as the extension does by default. */
  start(id: string, orchestrator: string, input: unknown, parent: Instance["parent"] = null): boolean {
    const known = this.instances.get(id);
    const sentAgain = parent !== null && known?.parent?.id === parent.id && known.parent.generation === parent.generation && known.parent.seq === parent.seq;
    if (known && (known.status === "Running" || sentAgain)) return false;
    const instance: Instance = { id, orchestrator, input, parent, status: "Running", output: null, generation: ++this.#generations, turns: [], inbox: [], lease: null, looking: false };
    this.instances.set(id, instance);
    this.#look(instance);
    return true;
  }

  /** A message for nobody, or for one that has ended, is lost. */
  post(id: string, message: Message): void {
    const instance = this.instances.get(id);
    if (instance?.status !== "Running") return;
    instance.inbox.push(message);
    this.#look(instance);
  }

  /** Records a turn and sends out what it asked for. `false`: somebody else has recorded one since, and this one never was. */
  record(instance: Instance, host: string, turn: Turn, end: End | null, turnsBefore: number): boolean {
    if (instance.status !== "Running" || instance.turns.length !== turnsBefore || instance.lease?.host !== host) return false;
    this.turns += 1;
    instance.turns.push(turn);
    instance.inbox.splice(0, turn.messages.length);
    instance.lease = null;
    this.send(instance, turn.calls);
    if (end === null) {
      if (instance.inbox.length > 0) this.#look(instance);
      return true;
    }
    switch (end.kind) {
      case "again":
        instance.generation = ++this.#generations;
        instance.turns = [];
        instance.input = end.input;
        instance.inbox = instance.inbox.filter(({ kind }) => kind === "event");
        this.#look(instance);
        return true;
      case "completed":
        instance.status = "Completed";
        instance.output = end.output;
        break;
      case "failed":
        instance.status = "Failed";
        instance.output = end.reason;
        break;
    }
    const { parent } = instance;
    if (parent === null) return true;
    const told = { generation: parent.generation, seq: parent.seq };
    this.#later(() => this.post(parent.id, end.kind === "completed" ? { kind: "done", ...told, value: end.output } : { kind: "failed", ...told, reason: end.reason }));
    return true;
  }

  /** Sends out what a turn asked for. Before it is recorded too, when a host dies in between. */
  send(instance: Instance, calls: readonly Call[]): void {
    const { scheduler } = this.#options;
    for (const call of calls) {
      const told = { generation: instance.generation, seq: call.seq };
      switch (call.kind) {
        case "activity":
          this.#give({ id: ++this.#works, instanceId: instance.id, ...told, name: call.name, input: arrived(call.json), deliveries: 0, done: false });
          break;
        case "child":
          if (!this.start(call.childId, call.name, arrived(call.json), { id: instance.id, ...told }) && this.instances.get(call.childId)?.parent?.id !== instance.id) throw new Error(`two parents want the instance ${call.childId}`);
          break;
        case "timer":
          scheduler.after(call.at - scheduler.now, nature, () => this.post(instance.id, { kind: "done", ...told, value: null }), false);
          break;
        case "event":
          break;
      }
    }
  }

  /** The result of one delivery. */
  done(work: Work, value: unknown): void {
    work.done = true;
    this.post(work.instanceId, { kind: "done", generation: work.generation, seq: work.seq, value });
    const again = this.#options.again(work);
    if (again !== null) this.#options.scheduler.after(again, nature, () => this.#deliver(work), false);
  }

  #give(work: Work): void {
    this.#later(() => this.#deliver(work));
  }

  #deliver(work: Work): void {
    const { scheduler, random, workers, leaseMs } = this.#options;
    const taking = workers().filter(({ takes }) => takes);
    const delivery = ++work.deliveries;
    // Nobody is there, or whoever took it does not come back: given out again.
    scheduler.after(leaseMs, nature, () => {
      if (!work.done && work.deliveries === delivery) this.#deliver(work);
    }, false);
    if (taking.length === 0) return;
    this.deliveries += 1;
    random.pick(taking).doWork(work);
  }

  #look(instance: Instance): void {
    if (instance.looking) return;
    instance.looking = true;
    this.#later(() => {
      instance.looking = false;
      this.#giveTurn(instance);
    });
  }

  #giveTurn(instance: Instance): void {
    const { scheduler, random, workers, leaseMs } = this.#options;
    if (instance.status !== "Running" || (instance.turns.length > 0 && instance.inbox.length === 0)) return;
    if (instance.lease !== null && instance.lease.until > scheduler.now) return;
    const taking = workers().filter(({ takes }) => takes);
    // While somebody plays it, whatever comes is looked at when the turn is recorded, or when the lease has run out.
    scheduler.after(leaseMs + 1, nature, () => this.#giveTurn(instance), false);
    if (taking.length === 0) return;
    const worker = random.pick(taking);
    instance.lease = { host: worker.name, until: scheduler.now + leaseMs };
    worker.playTurn(instance, [...instance.inbox]);
  }

  /** A message takes a while. */
  #later(call: () => void): void {
    const { scheduler, random } = this.#options;
    scheduler.after(random.between(2, 20), nature, call, false);
  }
}
