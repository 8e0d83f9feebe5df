import { eventType, type HistoryEvent } from "./protocol.ts";

const names = new Map<number, string>([
  [eventType.executionStarted, "ExecutionStarted"],
  [eventType.executionCompleted, "ExecutionCompleted"],
  [eventType.executionTerminated, "ExecutionTerminated"],
  [eventType.taskScheduled, "TaskScheduled"],
  [eventType.taskCompleted, "TaskCompleted"],
  [eventType.taskFailed, "TaskFailed"],
  [eventType.subOrchestrationCreated, "SubOrchestrationInstanceCreated"],
  [eventType.subOrchestrationCompleted, "SubOrchestrationInstanceCompleted"],
  [eventType.subOrchestrationFailed, "SubOrchestrationInstanceFailed"],
  [eventType.timerCreated, "TimerCreated"],
  [eventType.timerFired, "TimerFired"],
  [eventType.eventRaised, "EventRaised"],
  [eventType.executionSuspended, "ExecutionSuspended"],
  [eventType.executionResumed, "ExecutionResumed"],
]);

/** Our bookkeeping, and what the extension keeps to itself. */
const hidden: ReadonlySet<string> = new Set(["EventId", "IsPlayed", "TaskScheduledId", "TimerId", "leaf", "attempt", "retry"]);

/**
 * A history as the status API shows it: names for numbers, episodes' bounds left out, and what was scheduled folded into the row of its
 * completion. What has not completed keeps a row of its own. Inputs and results only `withOutput`.
 */
export function historyView(history: readonly HistoryEvent[], withOutput: boolean): Record<string, unknown>[] {
  const scheduled = new Map<number, { readonly row: number; readonly event: HistoryEvent }>();
  const rows: (Record<string, unknown> | null)[] = [];
  for (const event of history) {
    if (event.EventType === eventType.orchestratorStarted || event.EventType === eventType.orchestratorCompleted) continue;
    const row = visible(event, withOutput);
    if (event.EventId >= 0) scheduled.set(event.EventId, { row: rows.length, event });
    const earlier = scheduled.get(answeredId(event));
    if (earlier) {
      Object.assign(row, origin(earlier.event, withOutput));
      rows[earlier.row] = null;
    }
    rows.push(row);
  }
  return rows.filter((row) => row !== null);
}

function visible(event: HistoryEvent, withOutput: boolean): Record<string, unknown> {
  const members = Object.entries(event).filter(([key]) => !hidden.has(key) && (withOutput || (key !== "Result" && key !== "Input")));
  return { ...Object.fromEntries(members), EventType: names.get(event.EventType) };
}

function origin(event: HistoryEvent, withOutput: boolean): Record<string, unknown> {
  switch (event.EventType) {
    case eventType.taskScheduled:
    case eventType.subOrchestrationCreated:
      return { ScheduledTime: event.Timestamp, FunctionName: event.Name, ...(withOutput ? { Input: event.Input } : {}) };
    default:
      return { ScheduledTime: event.Timestamp };
  }
}

/** The id of what the event answers; -1 when it answers nothing. */
function answeredId(event: HistoryEvent): number {
  switch (event.EventType) {
    case eventType.taskCompleted:
    case eventType.taskFailed:
    case eventType.subOrchestrationCompleted:
    case eventType.subOrchestrationFailed:
      return event.TaskScheduledId;
    case eventType.timerFired:
      return event.TimerId;
    default:
      return -1;
  }
}
