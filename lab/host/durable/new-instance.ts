import { randomUUID } from "node:crypto";
import { eventType, stamp, type ParentInstance } from "./protocol.ts";
import type { InboxMessage, InstanceRow, Op, RuntimeStatus } from "./store.ts";

/** What a new instance, or a new generation of one, is started with. */
export interface NewInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | null;
  /** JSON text. */
  readonly input: string | null;
  readonly parent: ParentInstance | null;
}

/** Statuses from which an instance does not go on, so that its id is free again. */
const finishedStatuses: ReadonlySet<RuntimeStatus> = new Set(["Completed", "Failed", "Terminated"]);

/** Whether the instance has ended. A finished id can be used again, a live one cannot. */
export function isFinished(row: InstanceRow): boolean {
  return finishedStatuses.has(row.status);
}

/** Ids as the extension makes them when none is given. */
export function newId(): string {
  return randomUUID().replaceAll("-", "");
}

/** Ops that put an instance at its start; what an earlier, finished one of that id left behind goes. */
export function startOps(instance: NewInstance, at: number, messageId: string): Op[] {
  const { instanceId, name, version, input, parent } = instance;
  const row: InstanceRow = {
    instanceId,
    name,
    version,
    executionId: newId(),
    status: "Pending",
    input,
    output: null,
    customStatus: null,
    createdAt: at,
    updatedAt: at,
    parent,
  };
  return [
    { op: "purge", instanceId },
    { op: "row", row },
    { op: "put", message: startMessage(row, at, messageId) },
  ];
}

/** The message that begins the generation which the row names. */
export function startMessage(row: InstanceRow, at: number, id: string): InboxMessage {
  const { instanceId, executionId, name, version, input, parent } = row;
  return {
    kind: "inbox",
    id,
    instanceId,
    executionId,
    event: {
      EventType: eventType.executionStarted,
      ...stamp(at),
      Name: name,
      Version: version,
      Input: input,
      ParentInstance: parent,
      OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
      Tags: null,
    },
  };
}
