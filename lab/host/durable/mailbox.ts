import { fold, takesIds } from "./fold.ts";
import { isFinished } from "./new-instance.ts";
import { eventType, type HistoryEvent } from "./protocol.ts";
import type { InboxMessage, InstanceRow, Op } from "./store.ts";

/** What has come for each instance and is due, in order of arrival, and what is on its way. */
export class Mailbox {
  readonly #ready = new Map<string, InboxMessage[]>();
  readonly #waiting = new Map<string, Map<string, InboxMessage>>();

  /** Notes a message that is not due yet. */
  expect(message: InboxMessage): void {
    const waiting = this.#waiting.get(message.instanceId);
    if (waiting) waiting.set(message.id, message);
    else this.#waiting.set(message.instanceId, new Map([[message.id, message]]));
  }

  /** The message is due. False: it was taken back in the meantime. */
  arrive(message: InboxMessage): boolean {
    const waiting = this.#waiting.get(message.instanceId);
    if (message.dueAt !== undefined && waiting?.delete(message.id) !== true) return false;
    const ready = this.#ready.get(message.instanceId);
    if (ready) ready.push(message);
    else this.#ready.set(message.instanceId, [message]);
    return true;
  }

  ready(instanceId: string): readonly InboxMessage[] {
    return this.#ready.get(instanceId) ?? [];
  }

  /** Everything for an instance, due or not. */
  all(instanceId: string): readonly InboxMessage[] {
    return [...this.ready(instanceId), ...(this.#waiting.get(instanceId)?.values() ?? [])];
  }

  remove(messages: readonly InboxMessage[]): void {
    const ids = new Set(messages.map(({ id }) => id));
    for (const instanceId of new Set(messages.map((message) => message.instanceId))) {
      const left = this.ready(instanceId).filter(({ id }) => !ids.has(id));
      if (left.length > 0) this.#ready.set(instanceId, left);
      else this.#ready.delete(instanceId);
      const waiting = this.#waiting.get(instanceId);
      if (!waiting) continue;
      for (const id of ids) waiting.delete(id);
      if (waiting.size === 0) this.#waiting.delete(instanceId);
    }
  }
}

/** What an instance does next with its mail. */
export type NextStep =
  | { readonly kind: "wait" }
  /** Messages for an instance or a generation that is gone. */
  | { readonly kind: "drop"; readonly messages: readonly InboxMessage[] }
  /** Terminate, suspend or resume: handled by the host alone. */
  | { readonly kind: "control"; readonly message: InboxMessage }
  /** An episode over these. */
  | { readonly kind: "play"; readonly messages: readonly InboxMessage[] };

/** Chooses the longest batch, at most `limit`, that one episode can take (see `takesIds`). */
export function nextStep(
  row: InstanceRow | undefined,
  history: readonly HistoryEvent[],
  ready: readonly InboxMessage[],
  limit: number,
): NextStep {
  if (ready.length === 0) return { kind: "wait" };
  const stale = ready.filter(({ executionId }) => !row || isFinished(row) || (executionId !== null && executionId !== row.executionId));
  if (stale.length > 0) return { kind: "drop", messages: stale };

  if (row?.status === "Suspended") {
    const control = ready.find((message) => isControl(message) && message.event.EventType !== eventType.executionSuspended);
    return control ? { kind: "control", message: control } : { kind: "wait" };
  }
  const begins = (message: InboxMessage): boolean => message.event.EventType === eventType.executionStarted;
  // A new generation's start was put behind events that it shall find, so it is looked for, not waited for.
  const queue = history.length > 0 ? ready : [...ready.filter(begins), ...ready.filter((message) => !begins(message))];
  const [first] = queue;
  if (!first || (history.length === 0 && !begins(first))) return { kind: "wait" };
  if (isControl(first)) return { kind: "control", message: first };
  return { kind: "play", messages: [first, ...followers(history, first, queue.slice(1, limit))] };
}

function followers(history: readonly HistoryEvent[], first: InboxMessage, queue: readonly InboxMessage[]): readonly InboxMessage[] {
  if (queue.length === 0) return [];
  const progress = fold(history);
  progress.apply(first.event);
  for (const [index, message] of queue.entries()) {
    if (isControl(message) || takesIds(progress, message.event)) return queue.slice(0, index);
    progress.apply(message.event);
  }
  return queue;
}

function isControl({ event: { EventType: type } }: InboxMessage): boolean {
  return type === eventType.executionTerminated || type === eventType.executionSuspended || type === eventType.executionResumed;
}

/** Takes messages out of the store. */
export function takeOps(messages: readonly InboxMessage[]): Op[] {
  return messages.map(({ id }) => ({ op: "take", id }));
}
