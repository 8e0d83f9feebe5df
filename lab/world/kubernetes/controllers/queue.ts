/** A controller's work queue: names of things to look at, each at most once at a time, on the lab's clock. */
import type { LabClock } from "../../../clock.ts";
import { ApiError } from "../api-error.ts";

export interface WorkQueue {
  /** Looks at this thing after a while, or sooner when it is due sooner already. */
  readonly add: (key: string, afterMs?: number) => void;
}

export function openQueue(clock: LabClock, look: (key: string) => void): WorkQueue {
  const due = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  return {
    add(key, afterMs = 0) {
      const at = clock.now() + afterMs;
      const before = due.get(key);
      if (before && before.at <= at) return;
      before?.cancel();
      const cancel = clock.after(afterMs, () => {
        due.delete(key);
        try {
          look(key);
        } catch (error) {
          // What it wanted to write to went away meanwhile: the change that took it away brings the next look, if one is needed.
          if (!(error instanceof ApiError)) throw error;
        }
      });
      due.set(key, { at, cancel });
    },
  };
}

/** `namespace/name` of a queue, taken apart. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
