import type { Turn } from "./episode.ts";
import { takeOps } from "./mailbox.ts";
import { isFinished, newId, startMessage, startOps } from "./new-instance.ts";
import { eventType, stamp, type Arrival, type ParentInstance } from "./protocol.ts";
import type { Outgoing } from "./scheduler.ts";
import type { ActivityMessage, InboxMessage, InstanceRow, Op, Snapshot } from "./store.ts";

/** What the ops of a turn are made from. */
export interface TurnGround {
  readonly snapshot: Snapshot;
  /** The messages that the episode played. */
  readonly played: readonly InboxMessage[];
  /** All that the instance has in its mailbox, for when it ends. */
  readonly mail: readonly InboxMessage[];
  readonly at: number;
  readonly newMessageId: () => string;
}

/** Everything that one episode changes, to be committed as one. */
export function turnOps(row: InstanceRow, turn: Turn, ground: TurnGround): Op[] {
  const { at, played, mail, newMessageId } = ground;
  const customStatus = turn.customStatus ?? row.customStatus;
  const next = { ...row, customStatus, updatedAt: at };
  const { ending } = turn;
  switch (ending.kind) {
    case "running":
      return [
        ...takeOps(played),
        { op: "append", instanceId: row.instanceId, events: turn.events },
        { op: "row", row: { ...next, status: "Running" } },
        ...outgoingOps(row, turn.outgoing, ground),
      ];
    case "continued": {
      // The history goes, and with it every event that was delivered and not consumed, as the extension's default has it.
      const again: InstanceRow = { ...next, status: "ContinuedAsNew", executionId: newId(), input: ending.input };
      return [
        ...takeOps(played),
        { op: "reset", instanceId: row.instanceId },
        { op: "row", row: again },
        { op: "put", message: startMessage(again, at, newMessageId()) },
      ];
    }
    case "completed":
    case "failed": {
      const ended: InstanceRow = { ...next, status: ending.kind === "completed" ? "Completed" : "Failed", output: ending.output };
      return [
        ...takeOps(mail),
        { op: "append", instanceId: row.instanceId, events: turn.events },
        { op: "row", row: ended },
        ...answerParent(ended, ending.kind === "failed" ? ending.failureDetails : null, at, newMessageId),
      ];
    }
  }
}

/** Ends an instance from outside. Its activities and sub-orchestrations go on and are not heard, as on Azure. */
export function terminateOps(row: InstanceRow, reason: string, { at, mail, newMessageId }: TurnGround): Op[] {
  const ended: InstanceRow = { ...row, status: "Terminated", output: reason, updatedAt: at };
  const event = { EventType: eventType.executionTerminated, ...stamp(at), Input: reason } as const;
  return [
    ...takeOps(mail),
    { op: "append", instanceId: row.instanceId, events: [event] },
    { op: "row", row: ended },
    ...answerParent(ended, null, at, newMessageId),
  ];
}

/** Names the timer's message so that a later cancel finds it. */
export function timerMessageId(row: InstanceRow, taskId: number): string {
  return `${row.instanceId}|${row.executionId}|timer ${taskId}`;
}

function outgoingOps(row: InstanceRow, outgoing: readonly Outgoing[], ground: TurnGround): Op[] {
  const taken = new Set<string>();
  return outgoing.flatMap((each): Op[] => {
    switch (each.kind) {
      case "activity":
        return [{ op: "put", message: activityMessage(row, each) }];
      case "timer":
        return [{ op: "put", message: timerMessage(row, each.taskId, each.fireAt) }];
      case "cancel-timer":
        return [{ op: "take", id: timerMessageId(row, each.taskId) }];
      case "sub-orchestration": {
        const existing = ground.snapshot.rows.get(each.childId);
        const isLive = taken.has(each.childId) || (existing !== undefined && !isFinished(existing));
        taken.add(each.childId);
        return isLive ? [refuseChild(row, each, existing, ground)] : startChild(row, each, ground);
      }
    }
  });
}

type ChildStart = Extract<Outgoing, { kind: "sub-orchestration" }>;

function startChild(row: InstanceRow, { taskId, name, childId, input, version }: ChildStart, { at, newMessageId }: TurnGround): Op[] {
  const parent: ParentInstance = {
    Name: row.name,
    TaskScheduleId: taskId,
    OrchestrationInstance: { InstanceId: row.instanceId, ExecutionId: row.executionId },
  };
  return startOps({ instanceId: childId, name, version, input, parent }, at, newMessageId());
}

function refuseChild(row: InstanceRow, child: ChildStart, existing: InstanceRow | undefined, { at, newMessageId }: TurnGround): Op {
  const event: Arrival = {
    EventType: eventType.subOrchestrationFailed,
    ...stamp(at),
    TaskScheduledId: child.taskId,
    Reason: `An Orchestration instance with the status ${existing?.status ?? "Pending"} already exists: ${child.childId}`,
    Details: "a sub-orchestration may use the id of a finished instance, not of a live one",
  };
  return inbox(row.instanceId, row.executionId, event, newMessageId());
}

function answerParent(child: InstanceRow, failureDetails: unknown, at: number, newMessageId: () => string): Op[] {
  const { parent } = child;
  if (!parent) return [];
  const { InstanceId: instanceId, ExecutionId: executionId } = parent.OrchestrationInstance;
  const base = { ...stamp(at), TaskScheduledId: parent.TaskScheduleId };
  const failure = { Reason: child.output ?? "", Details: `Message: ${child.output ?? ""}, StackTrace: ` };
  const event: Arrival =
    child.status === "Completed"
      ? { EventType: eventType.subOrchestrationCompleted, ...base, Result: child.output }
      : { EventType: eventType.subOrchestrationFailed, ...base, ...failure, ...(failureDetails ? { FailureDetails: failureDetails } : {}) };
  return [inbox(instanceId, executionId, event, newMessageId())];
}

function activityMessage(row: InstanceRow, { taskId, name, input }: Extract<Outgoing, { kind: "activity" }>): ActivityMessage {
  const { instanceId, executionId } = row;
  return { kind: "activity", id: `${instanceId}|${executionId}|activity ${taskId}`, instanceId, executionId, taskId, name, input };
}

function timerMessage(row: InstanceRow, taskId: number, fireAt: number): InboxMessage {
  const event: Arrival = { EventType: eventType.timerFired, ...stamp(fireAt), TimerId: taskId, FireAt: new Date(fireAt).toISOString() };
  const { instanceId, executionId } = row;
  return { kind: "inbox", id: timerMessageId(row, taskId), instanceId, executionId, event, dueAt: fireAt };
}

function inbox(instanceId: string, executionId: string, event: Arrival, id: string): Op {
  return { op: "put", message: { kind: "inbox", id, instanceId, executionId, event } };
}
