/**
 * Plays turns with the real library: the `durable-functions` of the app's package.json replays the orchestrator from its history before
 * each turn, and the embedded host's own engine reads what it answers, as in the lab. Hub, hosts and what strikes them stay the simulator's.
 */
import { Orchestrator } from "durable-functions/lib/src/orchestrations/Orchestrator.js";
import type { EngineApp } from "../../host/contract.ts";
import { startMessage } from "../../host/durable/new-instance.ts";
import { Player } from "../../host/durable/player.ts";
import { type Arrival, eventType, type HistoryEvent, stamp, type SubOrchestrationCreated, type TaskScheduled, type TimerCreated, type TriggerValue } from "../../host/durable/protocol.ts";
import type { Outgoing } from "../../host/durable/scheduler.ts";
import type { InboxMessage, InstanceRow } from "../../host/durable/store.ts";
import type { Turn as EngineTurn } from "../../host/durable/episode.ts";
import type { Registered } from "../shims/functions.ts";
import { clockOf } from "../time/clock.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Instance, Turn } from "./hub.ts";
import { arrived, type Call, type End, type Message } from "./player.ts";

export interface LibraryTurn {
  readonly turn: Turn;
  readonly end: End | null;
  /** What works otherwise on Azure, and how a replay differed from its history: the engine's own words. */
  readonly problems: readonly string[];
}

export class LibraryPlayer {
  readonly #player: Player;
  /** Of the turn that is played now. */
  readonly #replays: Replay[] = [];
  readonly #scheduler: Scheduler;
  readonly #rows = new WeakMap<Instance, InstanceRow>();
  readonly #read = new WeakMap<readonly Turn[], Read>();

  constructor(registered: () => Registered, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#player = new Player({ app: appOf(registered, this.#replays), clock: clockOf(scheduler), journalFile: null, strict: "fail", problems: () => undefined });
  }

  /** One turn over these messages, or over the first of them where they lead to a new generation. Records nothing. */
  async play(instance: Instance, waiting: readonly Message[]): Promise<LibraryTurn> {
    const { now } = this.#scheduler;
    const { history, open, asked } = this.#recordedIn(instance.turns);
    const row = this.#rowOf(instance);
    const messages = inOrder(waiting, asked, instance.generation);
    const inbox = inboxOf(messages, open, row, now);
    const begins = history.length === 0 ? [startMessage(row, now, "start")] : [];
    // Results of timers that were cancelled, and second copies: there is nothing to play.
    if (begins.length + inbox.length === 0) return { turn: { at: now, messages, calls: [], events: [] }, end: null, problems: [] };
    const played = await this.#player.play(row, history, [...begins, ...inbox]);
    for (const replay of this.#replays.splice(0)) letGo(replay);
    if (played.kind === "refused") throw new Error(played.why);
    const { turn } = played;
    const last = played.played.at(-1)?.id ?? "start";
    const taken = turn.ending.kind === "continued" ? messages.slice(0, last === "start" ? 0 : Number(last) + 1) : messages;
    return { turn: { at: now, messages: taken, calls: turn.outgoing.flatMap(callOf), events: turn.events }, end: endOf(turn), problems: problemsOf(instance, turn) };
  }

  /** Of each generation one: its input is text here. */
  #rowOf(instance: Instance): InstanceRow {
    const known = this.#rows.get(instance);
    if (known?.executionId === executionOf(instance.id, instance.generation)) return known;
    const row = newRow(instance);
    this.#rows.set(instance, row);
    return row;
  }

  /** Read on where it was read to: turns are only added to. */
  #recordedIn(turns: readonly Turn[]): Recorded {
    const known = this.#read.get(turns) ?? { turns: 0, asked: -1, history: [], open: new Map<number, Scheduled>() };
    this.#read.set(turns, known);
    for (; known.turns < turns.length; known.turns++) readOn(known, turns[known.turns]?.events ?? []);
    // Another turn may be recorded while this one is played.
    return { history: known.history.slice(), open: known.open, asked: known.asked };
  }
}

/** What the library is given for one replay. */
interface Replay {
  readonly trigger: { readonly history: object[] };
  readonly context: Invocation;
}

/**
 * Empties what the library made for a replay that is over. Its closures are generators, made anew for each replay: V8 keeps such a one with all
 * that it sees until it goes through all memory, and half of all collecting was for them.
 */
function letGo({ trigger, context: { df } }: Replay): void {
  trigger.history.length = 0;
  for (const made of [df?.taskOrchestratorExecutor, df]) for (const key in made) made[key] = undefined;
}

function appOf(registered: () => Registered, replays: Replay[]): EngineApp {
  return {
    kindOf: (name) => (registered().orchestrators.has(name) ? "orchestrator" : registered().activities.has(name) ? "activity" : null),
    orchestrate(name, trigger, onContext) {
      const body = registered().orchestrators.get(name);
      if (!body) throw new Error(`the app has no orchestrator ${name}`);
      const { history, ...rest } = trigger as TriggerValue; // the engine's own
      const replay = { trigger: { ...rest, history: history.map(replayed) }, context: new Invocation(onContext) };
      replays.push(replay);
      return new Orchestrator(body).listen()(replay.trigger, replay.context);
    },
    activity: (name) => Promise.reject(new Error(`the hub gives ${name} out, not the engine`)),
  };
}

const asReplayed = Symbol("as the library has it");

/** An event as the library has it: it makes an instant of the text at each replay; made once, it stays with the event. Frozen: nothing else may be noted in it. */
function replayed(event: HistoryEvent & { [asReplayed]?: object }): object {
  return (event[asReplayed] ??= Object.freeze({ ...event, Timestamp: new Date(event.Timestamp) }));
}

/** The library's context of an orchestrator, and its own work on it. */
interface Df extends Record<string, unknown> {
  readonly taskOrchestratorExecutor?: Record<string, unknown>;
}

/** The invocation's context, on which the library puts its own. A class for its getter, as `Clock` in player.ts is one. */
class Invocation {
  readonly #onContext: ((df: object) => void) | undefined;
  #df: Df | undefined;
  readonly log = nothing;
  readonly warn = nothing;
  readonly error = nothing;
  readonly debug = nothing;
  constructor(onContext: ((df: object) => void) | undefined) {
    this.#onContext = onContext;
  }
  get df(): Df | undefined {
    return this.#df;
  }
  set df(given: Df) {
    this.#df = given;
    this.#onContext?.(given);
  }
}
const nothing = (): void => undefined;

const executionOf = (id: string, generation: number): string => `${id}:${generation}`;

function newRow({ id, orchestrator, generation, input, parent }: Instance): InstanceRow {
  const waits = parent === null ? null : { Name: "", TaskScheduleId: parent.seq, OrchestrationInstance: { InstanceId: parent.id, ExecutionId: executionOf(parent.id, parent.generation) } };
  return { instanceId: id, name: orchestrator, version: null, executionId: executionOf(id, generation), status: "Running", input: JSON.stringify(input) ?? null, output: null, customStatus: null, createdAt: 0, updatedAt: 0, parent: waits };
}

/** What the recorded turns of a generation come to. */
interface Recorded {
  readonly history: readonly HistoryEvent[];
  /** What was asked for and has not answered, by its id. */
  readonly open: ReadonlyMap<number, Scheduled>;
  /** The last id that was given out; -1: none. */
  readonly asked: number;
}
type Scheduled = TaskScheduled | SubOrchestrationCreated | TimerCreated;

/** The same while it is read. */
interface Read extends Recorded {
  /** How many of them. */
  turns: number;
  asked: number;
  readonly history: HistoryEvent[];
  readonly open: Map<number, Scheduled>;
}

function readOn(read: Read, events: readonly HistoryEvent[]): void {
  for (const event of events) {
    read.history.push(event);
    if (event.EventType === eventType.taskScheduled || event.EventType === eventType.subOrchestrationCreated || event.EventType === eventType.timerCreated) {
      read.asked = Math.max(read.asked, event.EventId);
      read.open.set(event.EventId, event);
    } else if ("TaskScheduledId" in event) read.open.delete(event.TaskScheduledId);
    else if (event.EventType === eventType.timerFired) read.open.delete(event.TimerId);
    else if (event.EventType === eventType.orchestratorCompleted) for (const id of event.cancelled) read.open.delete(id);
  }
}

/** Messages as the engine takes them, each by its place: what belongs to this generation, and each result once. */
function inboxOf(messages: readonly Message[], open: Recorded["open"], { instanceId, executionId }: InstanceRow, at: number): readonly InboxMessage[] {
  const answered = new Set<number>();
  return messages.flatMap((message, place) => {
    if (message.kind !== "event" && executionOf(instanceId, message.generation) !== executionId) return [];
    const event = message.kind === "event" ? ({ EventType: eventType.eventRaised, ...stamp(at), Name: message.name, Input: JSON.stringify(message.input ?? null) } as const) : answered.has(message.seq) ? null : resultOf(message, open.get(message.seq), at);
    if (message.kind !== "event") answered.add(message.seq);
    return event === null ? [] : [{ kind: "inbox", id: String(place), instanceId, executionId: null, event }];
  });
}

/**
 * As many of the messages as history leads up to. A host that died before its turn was recorded may have had sent what it asked for: an answer
 * to that stays where it is until a turn that asks again is recorded, as with the extension's own storage.
 */
function inOrder(messages: readonly Message[], asked: number, generation: number): readonly Message[] {
  const early = messages.findIndex((message) => message.kind !== "event" && message.generation === generation && message.seq > asked);
  return early === -1 ? messages : messages.slice(0, early);
}

function resultOf(message: Exclude<Message, { kind: "event" }>, task: Scheduled | undefined, at: number): Arrival | null {
  const { seq } = message;
  if (task === undefined) return null;
  switch (task.EventType) {
    case eventType.timerCreated:
      return { EventType: eventType.timerFired, ...stamp(at), TimerId: seq, FireAt: task.FireAt };
    case eventType.taskScheduled:
    case eventType.subOrchestrationCreated: {
      const isActivity = task.EventType === eventType.taskScheduled;
      if (message.kind === "done") return { EventType: isActivity ? eventType.taskCompleted : eventType.subOrchestrationCompleted, ...stamp(at), TaskScheduledId: seq, Result: JSON.stringify(message.value) ?? null };
      return { EventType: isActivity ? eventType.taskFailed : eventType.subOrchestrationFailed, ...stamp(at), TaskScheduledId: seq, Reason: message.reason, Details: "" };
    }
  }
}

function callOf(outgoing: Outgoing): readonly Call[] {
  switch (outgoing.kind) {
    case "activity":
      return [{ kind: "activity", seq: outgoing.taskId, name: outgoing.name, json: outgoing.input ?? undefined, at: 0, childId: "" }];
    case "timer":
      return [{ kind: "timer", seq: outgoing.taskId, name: "timer", json: undefined, at: outgoing.fireAt, childId: "" }];
    case "sub-orchestration":
      return [{ kind: "child", seq: outgoing.taskId, name: outgoing.name, json: outgoing.input ?? undefined, at: 0, childId: outgoing.childId }];
    // It fires all the same, and nobody takes it.
    case "cancel-timer":
      return [];
  }
}

function endOf({ ending }: EngineTurn): End | null {
  switch (ending.kind) {
    case "running":
      return null;
    case "completed":
      return { kind: "completed", output: arrived(ending.output ?? undefined) };
    case "failed":
      return { kind: "failed", reason: ending.output };
    case "continued":
      return { kind: "again", input: arrived(ending.input ?? undefined) };
  }
}

function problemsOf({ id }: Instance, { findings, ending }: EngineTurn): readonly string[] {
  const broken = ending.kind === "failed" && /determinis/i.test(ending.output) ? [`${id}: ${ending.output}`] : [];
  return [...findings.filter(({ fails }) => fails).map(({ rule, message }) => `${id}: ${rule}: ${message}`), ...broken];
}
