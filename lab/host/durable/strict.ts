/**
 * The pitfalls of `durable-functions` 3.x on Azure: code that reads well and behaves otherwise there. The README of this folder
 * has them all. Here are those that show in an episode's history and answer; `sdk-watch.ts` has those that show only in
 * the library's objects (P5, P6, P12).
 */
import type { Episode } from "./episode.ts";
import { actionType, eventType, type Action, type HistoryEvent, type OrchestratorState } from "./protocol.ts";
import { leavesOf, slotDone, type ActionList } from "./slots.ts";

/** A pitfall that was met, and what to do instead. */
export interface Finding {
  /** `P1` to `P14`, or `ids`: the host and the library disagree on task ids. */
  readonly rule: string;
  readonly message: string;
  /** Whether strict mode fails the instance for it; if not it only reports. */
  readonly fails: boolean;
}

interface Evidence {
  readonly episode: Episode;
  readonly state: OrchestratorState;
  readonly list: ActionList;
  readonly sequenceNumber: number | null;
}

/** What this episode shows, after its actions were scheduled. */
export function pitfallsOf(evidence: Evidence): Finding[] {
  // Causes before what they lead to: the first one that fails names the failure.
  const found = [
    numericEvent(evidence),
    yieldedAgain(evidence),
    leftOpen(evidence),
    wentOn(evidence),
    restartedWithText(evidence),
    retryTimeout(evidence),
    timestampInput(evidence),
    notATask(evidence),
    idsDiffer(evidence),
  ];
  return found.filter((finding) => finding !== null);
}

/** P1. What is lost in a Task.any still holds the instance open. */
function leftOpen({ episode: { progress }, state }: Evidence): Finding | null {
  if (!isOver(state) || progress.open.size === 0) return null;
  const hasTimer = [...progress.open.values()].some(({ role }) => role === "timer");
  const message = hasTimer
    ? "the orchestrator ended while a timer is open; the instance stays Running until it fires: cancel the timer that lost a Task.any"
    : `the orchestrator ended while ${progress.open.size} task(s) are open; the instance stays Running until they end`;
  return { rule: "P1", message, fails: hasTimer && state.error === undefined };
}

/** P2 and P3. The library goes on at the first failure of a Task.all, the extension when the last member has ended. */
function wentOn({ episode: { progress }, state, list: { slots } }: Evidence): Finding | null {
  const incomplete = slots.findIndex((slot) => !slotDone(slot, progress));
  const slot = slots[incomplete];
  if (!slot || (incomplete === slots.length - 1 && !isOver(state))) return null;
  const fails = state.error === undefined;
  const retrying = leavesOf(slot).some((leaf) => !progress.done.has(leaf) && (progress.leaves[leaf]?.attempts ?? 0) > 0);
  if (retrying && progress.heldLeaves() > 0) {
    const message =
      "a Task.all failed and the orchestrator went on while another member still retries: its next ids and those of the new tasks " +
      "cross, and a task gets another's result; retry inside of child orchestrations that answer with values";
    return { rule: "P3", message, fails };
  }
  const message =
    "a Task.all failed and the orchestrator went on while other members run: what comes next waits for the slowest of them; " +
    "let members answer with values instead of throwing";
  return { rule: "P2", message, fails };
}

/** P4. The protocol has no ids, so a task in a new Task.any or Task.all is scheduled a second time on Azure. */
function yieldedAgain({ list: { repeated } }: Evidence): Finding | null {
  const [first] = repeated;
  if (!first) return null;
  const what = first.functionName ?? first.externalEventName ?? "a timer";
  const message = `a task that was scheduled already (${what}) went into a new Task.any or Task.all and would be scheduled again; use one Task.all, or a sub-orchestration for the group`;
  return { rule: "P4", message, fails: true };
}

/** P7. */
function restartedWithText({ state }: Evidence): Finding | null {
  const last = (state.actions[0] ?? []).at(-1);
  if (last?.actionType !== actionType.continueAsNew || typeof last.input !== "string") return null;
  return { rule: "P7", message: "continueAsNew with a string arrives with quotes around it; pass an object", fails: true };
}

/** P8. */
function retryTimeout({ list: { actions } }: Evidence): Finding | null {
  const given = actions.find((action) => action.retryOptions?.retryTimeoutInMilliseconds !== undefined);
  if (!given) return null;
  const message = `retryTimeoutInMilliseconds is set for ${given.functionName}: when it expires the instance hangs; bound retries by attempts`;
  return { rule: "P8", message, fails: true };
}

/** P9. */
function numericEvent({ episode: { arrivals }, list: { actions } }: Evidence): Finding | null {
  const names = [
    ...arrivals.flatMap((event) => (event.EventType === eventType.eventRaised ? [event.Name] : [])),
    ...actions.flatMap((action: Action) => action.externalEventName ?? []),
  ];
  const name = names.find((each) => /^\d+$/.test(each));
  if (name === undefined) return null;
  return { rule: "P9", message: `an external event named "${name}" completes the task with that id; name events with words`, fails: true };
}

/** P10. The library turns the texts into Dates, at any depth of the input. */
function timestampInput({ episode: { arrivals, trigger } }: Evidence): Finding | null {
  const isStart = arrivals.some((event: HistoryEvent) => event.EventType === eventType.executionStarted);
  if (!isStart || !hasTimestamp(trigger.input)) return null;
  return { rule: "P10", message: "the input has a property called Timestamp, which arrives as a Date; call it `at`", fails: true };
}

/** P14. The library says so itself; the instance fails in any case. */
function notATask({ state }: Evidence): Finding | null {
  if (!state.error?.startsWith("Durable Functions programming constraint violation")) return null;
  const message = `the orchestrator yielded something that is no task: it must be a plain function* that yields tasks only, never signalEntity or continueAsNew, and no async generator (${state.error})`;
  return { rule: "P14", message, fails: true };
}

/** The host's ids must be the library's: results are matched by nothing else. */
function idsDiffer({ episode: { progress }, state, sequenceNumber }: Evidence): Finding | null {
  // After its end the library looks at no more events, so its count stands still.
  if (sequenceNumber === null || isOver(state)) return null;
  const expected = progress.nextId + progress.heldLeaves();
  if (sequenceNumber === expected) return null;
  return { rule: "ids", message: `the library has given ${sequenceNumber} task ids and the host ${expected}; results would go astray`, fails: true };
}

function isOver(state: OrchestratorState): boolean {
  return state.isDone || state.error !== undefined;
}

function hasTimestamp(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (typeof (value as { Timestamp?: unknown }).Timestamp === "string") return true;
  return Object.values(value).some(hasTimestamp);
}
