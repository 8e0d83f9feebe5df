import type { Arrival, HistoryEvent, ParentInstance } from "./protocol.ts";

export type RuntimeStatus = "Pending" | "Running" | "ContinuedAsNew" | "Suspended" | "Completed" | "Failed" | "Terminated";

/** What is known of an instance without reading its history. Texts are as the extension keeps them. */
export interface InstanceRow {
  readonly instanceId: string;
  readonly name: string;
  readonly version: string | null;
  /** Of this generation: results that belong to another are dropped. */
  readonly executionId: string;
  readonly status: RuntimeStatus;
  /** JSON text. */
  readonly input: string | null;
  /** JSON text of a result; plain text of a failure or of a reason for termination. */
  readonly output: string | null;
  /** JSON text. */
  readonly customStatus: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly parent: ParentInstance | null;
}

/** Something for an instance; with `dueAt`, not before then. `executionId` null: for whichever generation is there. */
export interface InboxMessage {
  readonly kind: "inbox";
  readonly id: string;
  readonly instanceId: string;
  readonly executionId: string | null;
  readonly event: Arrival;
  readonly dueAt?: number;
}

/** An activity to run. It stays until its result is committed with its removal, so it runs at least once. */
export interface ActivityMessage {
  readonly kind: "activity";
  readonly id: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** What the app sees; null: no input. */
  readonly input: string | null;
}

export type Message = InboxMessage | ActivityMessage;

/** Everything there is. Maps keep their order, so messages stay first in, first out. */
export interface Snapshot {
  readonly rows: ReadonlyMap<string, InstanceRow>;
  readonly histories: ReadonlyMap<string, readonly HistoryEvent[]>;
  readonly messages: ReadonlyMap<string, Message>;
}

/** One change. `reset` starts a history anew; `purge` forgets an instance, its history and its inbox. */
export type Op =
  | { readonly op: "row"; readonly row: InstanceRow }
  | { readonly op: "append"; readonly instanceId: string; readonly events: readonly HistoryEvent[] }
  | { readonly op: "reset"; readonly instanceId: string }
  | { readonly op: "put"; readonly message: Message }
  | { readonly op: "take"; readonly id: string }
  | { readonly op: "purge"; readonly instanceId: string };

/**
 * Where the engine keeps its state. A commit is all or nothing and visible in the snapshot when it returns; what was
 * committed is there again after the process was killed (where a file stands behind the store).
 */
export interface Store {
  /** The living state; the same object for the life of the store. */
  open(): Snapshot;
  commit(ops: readonly Op[]): void;
  close(): void;
}

/** The state in memory: what both stores keep, and the one place where an op means something. */
export class StoreState implements Snapshot {
  readonly rows = new Map<string, InstanceRow>();
  readonly histories = new Map<string, HistoryEvent[]>();
  readonly messages = new Map<string, Message>();

  apply(ops: readonly Op[]): void {
    for (const op of ops) this.#applyOne(op);
  }

  /** The shortest list of ops that makes this state from nothing. */
  *asOps(): Generator<Op> {
    for (const row of this.rows.values()) yield { op: "row", row };
    for (const [instanceId, events] of this.histories) yield { op: "append", instanceId, events };
    for (const message of this.messages.values()) yield { op: "put", message };
  }

  #applyOne(op: Op): void {
    switch (op.op) {
      case "row":
        this.rows.set(op.row.instanceId, op.row);
        return;
      case "append": {
        const events = this.histories.get(op.instanceId);
        if (events) for (const event of op.events) events.push(event);
        else this.histories.set(op.instanceId, [...op.events]);
        return;
      }
      case "reset":
        this.histories.delete(op.instanceId);
        return;
      case "put":
        this.messages.set(op.message.id, op.message);
        return;
      case "take":
        this.messages.delete(op.id);
        return;
      case "purge":
        if (!this.rows.delete(op.instanceId)) return;
        this.histories.delete(op.instanceId);
        for (const message of this.messages.values()) {
          if (message.kind === "inbox" && message.instanceId === op.instanceId) this.messages.delete(message.id);
        }
        return;
    }
  }
}
