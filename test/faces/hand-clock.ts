/** A lab clock that a test moves by hand: what is due happens at `advance`, in its order, and at no other moment. */
import { labStart, type LabClock } from "../../lab/clock.ts";

export interface HandClock extends LabClock {
  /** Moves on, calling everything that becomes due on the way, and lets what follows from it happen. */
  advance(labMs: number): Promise<void>;
}

export function handClock(rate = 20): HandClock {
  let nowMs = labStart;
  const due: { readonly at: number; readonly call: () => void }[] = [];
  const clock: HandClock = {
    rate,
    now: () => nowMs,
    after(labMs, call) {
      const entry = { at: nowMs + labMs, call };
      due.push(entry);
      return () => {
        const at = due.indexOf(entry);
        if (at >= 0) due.splice(at, 1);
      };
    },
    sleep: (labMs) => new Promise((resolve) => clock.after(labMs, resolve)),
    async advance(labMs) {
      const until = nowMs + labMs;
      // What was begun before the first move arms its timers first.
      await new Promise((resolve) => setImmediate(resolve));
      for (;;) {
        const next = due.toSorted((a, b) => a.at - b.at)[0];
        if (!next || next.at > until) break;
        due.splice(due.indexOf(next), 1);
        nowMs = Math.max(nowMs, next.at);
        next.call();
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = until;
    },
    toString: () => "a clock moved by hand",
  };
  return clock;
}
