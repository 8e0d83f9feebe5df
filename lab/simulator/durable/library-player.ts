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
  readonly #scheduler: Scheduler;

  constructor(registered: () => Registered, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#player = new Player({ app: appOf(registered), clock: clockOf(scheduler), journalFile: null, strict: "fail", problems: () => undefined });
  }

  /** One turn over these messages, or over the first of them where they lead to a new generation. Records nothing. */
  async play(instance: Instance, waiting: readonly Message[]): Promise<LibraryTurn> {
    const { now } = this.#scheduler;
    const { history, open, asked } = recordedIn(instance.turns);
    const row = rowOf(instance);
    const messages = inOrder(waiting, asked, instance.generation);
    const inbox = inboxOf(messages, open, row, now);
    const begins = history.length === 0 ? [startMessage(row, now, "start")] : [];
    // Results of timers that were cancelled, and second copies: there is nothing to play.
    if (begins.length + inbox.length === 0) return { turn: { at: now, messages, calls: [], events: [] }, end: null, problems: [] };
    const played = await this.#player.play(row, history, [...begins, ...inbox]);
    if (played.kind === "refused") throw new Error(played.why);
    const { turn } = played;
    const last = played.played.at(-1)?.id ?? "start";
    const taken = turn.ending.kind === "continued" ? messages.slice(0, last === "start" ? 0 : Number(last) + 1) : messages;
    return { turn: { at: now, messages: taken, calls: turn.outgoing.flatMap(callOf), events: turn.events }, end: endOf(turn), problems: problemsOf(instance, turn) };
  }
}

function appOf(registered: () => Registered): EngineApp {
  return {
    kindOf: (name) => (registered().orchestrators.has(name) ? "orchestrator" : registered().activities.has(name) ? "activity" : null),
    orchestrate(name, trigger, onContext) {
      const body = registered().orchestrators.get(name);
      if (!body) throw new Error(`the app has no orchestrator ${name}`);
      const { history, ...rest } = trigger as TriggerValue; // the engine's own
      return new Orchestrator(body).listen()({ ...rest, history: history.map(replayed) }, contextOf(onContext));
    },
    activity: (name) => Promise.reject(new Error(`the hub gives ${name} out, not the engine`)),
  };
}

const seen = new WeakMap<HistoryEvent, object>();

/** An event as the library has it: it makes an instant of the text at each replay; made once, it stays. Frozen: nothing else may be noted in it. */
function replayed(event: HistoryEvent): object {
  const known = seen.get(event) ?? Object.freeze({ ...event, Timestamp: new Date(event.Timestamp) });
  seen.set(event, known);
  return known;
}

/** The invocation's context, on which the library puts its own. */
function contextOf(onContext: ((df: object) => void) | undefined): object {
  let df: object | undefined;
  return Object.defineProperty({ log: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }, "df", {
    get: () => df,
    set(given: object) {
      df = given;
      onContext?.(given);
    },
  });
}

const executionOf = (id: string, generation: number): string => `${id}:${generation}`;

const rows = new WeakMap<Instance, InstanceRow>();

/** Of each generation one: its input is text here. */
function rowOf(instance: Instance): InstanceRow {
  const known = rows.get(instance);
  if (known?.executionId === executionOf(instance.id, instance.generation)) return known;
  const row = newRow(instance);
  rows.set(instance, row);
  return row;
}

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

const readOn = new WeakMap<readonly Turn[], { turns: number; asked: number; readonly history: HistoryEvent[]; readonly open: Map<number, Scheduled> }>();

/** Read on where it was read to: turns are only added to. */
function recordedIn(turns: readonly Turn[]): Recorded {
  const known = readOn.get(turns) ?? { turns: 0, asked: -1, history: [], open: new Map<number, Scheduled>() };
  readOn.set(turns, known);
  for (; known.turns < turns.length; known.turns++)
    for (const event of turns[known.turns]?.events ?? []) {
      known.history.push(event);
      if (event.EventType === eventType.taskScheduled || event.EventType === eventType.subOrchestrationCreated || event.EventType === eventType.timerCreated) {
        known.asked = Math.max(known.asked, event.EventId);
        known.open.set(event.EventId, event);
      } else if ("TaskScheduledId" in event) known.open.delete(event.TaskScheduledId);
      else if (event.EventType === eventType.timerFired) known.open.delete(event.TimerId);
      else if (event.EventType === eventType.orchestratorCompleted) for (const id of event.cancelled) known.open.delete(id);
    }
  // Another turn may be recorded while this one is played.
  return { history: known.history.slice(), open: known.open, asked: known.asked };
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
