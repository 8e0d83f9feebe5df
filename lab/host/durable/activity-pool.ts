import type { ActivityAnswer } from "../contract.ts";
import { eventType, stamp, type Arrival } from "./protocol.ts";
import type { ActivityMessage } from "./store.ts";

/** Runs activities, at most so many at once, the others in order of arrival. */
export class ActivityPool {
  readonly #limit: number;
  readonly #run: (activity: ActivityMessage) => Promise<void>;
  readonly #queue: ActivityMessage[] = [];
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(limit: number, run: (activity: ActivityMessage) => Promise<void>) {
    this.#limit = limit;
    this.#run = run;
  }

  put(activity: ActivityMessage): void {
    this.#queue.push(activity);
    // Not within the commit that asks for it: what that commit is about is told first.
    queueMicrotask(() => this.#next());
  }

  isIdle(): boolean {
    return this.#running.size === 0 && this.#queue.length === 0;
  }

  /** Begins nothing more; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.length = 0;
    await Promise.all(this.#running);
  }

  #next(): void {
    while (!this.#closed && this.#running.size < this.#limit) {
      const activity = this.#queue.shift();
      if (!activity) return;
      const run = this.#run(activity).finally(() => {
        this.#running.delete(run);
        this.#next();
      });
      this.#running.add(run);
    }
  }
}

/** An activity's answer as the event that its instance gets. */
export function answerEvent(taskId: number, answer: ActivityAnswer, at: number): Arrival {
  const base = { ...stamp(at), TaskScheduledId: taskId };
  if (answer.kind === "completed") return { EventType: eventType.taskCompleted, ...base, Result: answer.result };
  const { reason, details, failureDetails } = answer;
  const structured = failureDetails === undefined ? {} : { FailureDetails: failureDetails };
  return { EventType: eventType.taskFailed, ...base, Reason: reason, Details: details, ...structured };
}
