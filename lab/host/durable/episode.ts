import { readAnswer, type Answer } from "./answer.ts";
import { fold, type Progress } from "./fold.ts";
import type { SdkWatch } from "./sdk-watch.ts";
import { Scheduler, type Outgoing } from "./scheduler.ts";
import { readActions, slotDone, UnservedAction, type ActionList } from "./slots.ts";
import type { InstanceRow } from "./store.ts";
import { pitfallsOf, type Finding } from "./strict.ts";
import {
  actionType,
  customStatusBytesMax,
  eventType,
  stamp,
  triggerConstants,
  type Arrival,
  type HistoryEvent,
  type OrchestratorState,
  type TriggerValue,
} from "./protocol.ts";

/** An episode that is ready to be played: what is known, what arrived, and what the library gets to see. */
export interface Episode {
  readonly row: InstanceRow;
  readonly progress: Progress;
  readonly arrivals: readonly Arrival[];
  /** New events so far: the start of the episode and the arrivals. */
  readonly events: readonly HistoryEvent[];
  readonly at: number;
  readonly trigger: TriggerValue;
}

/** How the app stands to the episode, apart from its answer. */
export interface Surroundings {
  /** `fail`: a pitfall fails the instance. `warn`: it is only reported, and plays out as on Azure. */
  readonly strict: "fail" | "warn";
  readonly kindOf: (name: string) => string | null;
  readonly defaultVersion: string | null;
  /** What watched the library's context while the answer was made. */
  readonly watch: SdkWatch;
}

/** How an episode ended. */
export type Ending =
  | { readonly kind: "running" }
  /** `output` is JSON text. */
  | { readonly kind: "completed"; readonly output: string | null }
  /** `output` is the reason as text. */
  | { readonly kind: "failed"; readonly output: string; readonly failureDetails: unknown }
  /** `input` is JSON text. */
  | { readonly kind: "continued"; readonly input: string | null };

/** What an episode comes to: to be committed as one. */
export interface Turn {
  readonly events: readonly HistoryEvent[];
  readonly outgoing: readonly Outgoing[];
  /** JSON text; null: the episode set none, which leaves the one before. */
  readonly customStatus: string | null;
  readonly ending: Ending;
  readonly findings: readonly Finding[];
}

/**
 * Opens an episode over a batch of arrivals. Its clock never goes back and is at or after the fire time of every timer in it; without
 * that, "while now < deadline" loops and long timers would never end.
 */
export function openEpisode(row: InstanceRow, history: readonly HistoryEvent[], arrivals: readonly Arrival[], now: number): Episode {
  const progress = fold(history);
  const fireTimes = arrivals.flatMap((event) => (event.EventType === eventType.timerFired ? [Date.parse(event.FireAt)] : []));
  const at = Math.max(now, progress.at, ...fireTimes);
  const events: HistoryEvent[] = [{ EventType: eventType.orchestratorStarted, ...stamp(at) }, ...arrivals];
  for (const event of events) progress.apply(event);
  const input = progress.started?.Input ?? null;
  const trigger: TriggerValue = {
    history: forLibrary(history, events),
    input: input === null ? null : (JSON.parse(input) as unknown),
    instanceId: row.instanceId,
    parentInstanceId: row.parent?.OrchestrationInstance.InstanceId ?? null,
    isReplaying: history.length > 0,
    ...triggerConstants,
  };
  return { row, progress, arrivals, events, at, trigger };
}

/** What was played before, then what is new. A loop, because it is made for each replay. */
function forLibrary(history: readonly HistoryEvent[], events: readonly HistoryEvent[]): HistoryEvent[] {
  const all: HistoryEvent[] = [];
  for (const event of history) if (isForLibrary(event)) all.push(event);
  for (const event of events) if (isForLibrary(event)) all.push({ ...event, IsPlayed: false });
  return all;
}

/** What the library ignores stays in storage: it doubles the cost of a replay, and our bookkeeping rides on it. */
function isForLibrary({ EventType: type }: HistoryEvent): boolean {
  switch (type) {
    case eventType.taskScheduled:
    case eventType.subOrchestrationCreated:
    case eventType.timerCreated:
    case eventType.orchestratorCompleted:
      return false;
    default:
      return true;
  }
}

/** Closes an episode with the library's answer. */
export function closeEpisode(episode: Episode, answer: Answer, surroundings: Surroundings): Turn {
  const { row, progress, at } = episode;
  const read = readAnswer(answer);
  if (read.kind === "broken") return failedTurn(episode, read.message, null, []);
  const { state } = read;
  let list: ActionList;
  try {
    list = readActions(state.actions[0] ?? [], progress);
  } catch (error) {
    if (error instanceof UnservedAction) return failedTurn(episode, error.message, null, []);
    throw error;
  }
  if (list.difference !== null) return failedTurn(episode, nonDeterministic(list.difference), null, []);

  progress.noteLeaves(list.notes);
  const scheduler = new Scheduler({ row, progress, list, at, surroundings });
  const refusal = scheduler.run();
  const { watch } = surroundings;
  const findings = [...watch.findings(state.isDone), ...pitfallsOf({ episode, state, list, sequenceNumber: watch.sequenceNumber() })];
  const fatal = surroundings.strict === "fail" ? findings.find((finding) => finding.fails) : undefined;
  if (fatal) return failedTurn(episode, `${fatal.rule}: ${fatal.message}`, null, findings);
  if (refusal !== null) return failedTurn(episode, refusal, null, findings);

  const customStatus = state.customStatus === undefined ? null : JSON.stringify(state.customStatus);
  // UTF-16: two bytes for each unit.
  const statusBytes = 2 * (customStatus?.length ?? 0);
  if (statusBytes > customStatusBytesMax) return failedTurn(episode, customStatusTooLarge(statusBytes), null, findings);

  const ending = endingOf(episode, state, list);
  const events: HistoryEvent[] = [...episode.events, ...scheduler.events];
  if (ending.kind === "completed" || ending.kind === "failed") events.push(completedEvent(ending, at));
  events.push({
    EventType: eventType.orchestratorCompleted,
    ...stamp(at),
    leaves: list.notes,
    cancelled: scheduler.cancelled,
  });
  return { events, outgoing: scheduler.outgoing, customStatus, ending, findings };
}

/** An episode that ends in the failure of the instance, whatever is still open; also for reasons that lie outside of its code. */
export function failedTurn(episode: Episode, reason: string, failureDetails: unknown, findings: readonly Finding[]): Turn {
  const ending = { kind: "failed", output: failureText(episode.row.name, reason), failureDetails } as const;
  const end = { EventType: eventType.orchestratorCompleted, ...stamp(episode.at), leaves: [], cancelled: [] } as const;
  const events = [...episode.events, completedEvent(ending, episode.at), end];
  return { events, outgoing: [], customStatus: null, ending, findings };
}

/**
 * The extension withholds the end (completed, failed, continued as new) while any action is incomplete in its sense, or an activity, a
 * timer that was not cancelled or a sub-orchestration is open.
 */
function endingOf({ row, progress }: Episode, state: OrchestratorState, { slots }: ActionList): Ending {
  const isOver = state.isDone || state.error !== undefined;
  const isQuiet = progress.open.size === 0 && slots.every((slot) => slotDone(slot, progress));
  if (!isOver || !isQuiet) return { kind: "running" };
  if (state.error !== undefined) {
    return { kind: "failed", output: failureText(row.name, state.error), failureDetails: state.failureDetails ?? null };
  }
  const last = (state.actions[0] ?? []).at(-1);
  if (last?.actionType === actionType.continueAsNew) return { kind: "continued", input: jsonText(last.input) };
  return { kind: "completed", output: jsonText(state.output) };
}

function completedEvent(ending: Extract<Ending, { kind: "completed" | "failed" }>, at: number): HistoryEvent {
  return {
    EventType: eventType.executionCompleted,
    ...stamp(at),
    OrchestrationStatus: ending.kind === "completed" ? "Completed" : "Failed",
    Result: ending.output,
    FailureDetails: ending.kind === "failed" ? ending.failureDetails : null,
  };
}

function jsonText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function failureText(name: string, reason: string): string {
  return `Orchestrator function '${name}' failed: ${reason}`;
}

function nonDeterministic(difference: string): string {
  return (
    `Non-Deterministic workflow detected: ${difference}. Its code was changed while it ran, or it reads a clock, chance or ` +
    "the outside world: start new instances under a new version, and do such reading in activities"
  );
}

function customStatusTooLarge(bytes: number): string {
  return (
    `P12: The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload is ${Math.round(bytes / 1024)} KB. ` +
    "Keep the custom status small and put the rest where it can be read"
  );
}
