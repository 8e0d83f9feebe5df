import { labStart, type LabClock } from "../../lab/clock.ts";

/** A lab clock that stands still until it is told to go on; what becomes due on the way is called in order. */
export interface ManualClock extends LabClock {
  advance(labMs: number): Promise<void>;
  /** How many calls are waiting. */
  waiting(): number;
}

export function manualClock(startMs = labStart): ManualClock {
  let now = startMs;
  const due: { readonly at: number; readonly call: () => void }[] = [];
  let noticeArmed = () => {};
  const after: LabClock["after"] = (labMs, call) => {
    noticeArmed();
    const entry = { at: now + labMs, call };
    due.push(entry);
    return () => {
      if (due.includes(entry)) due.splice(due.indexOf(entry), 1);
    };
  };
  return {
    rate: 1,
    now: () => now,
    after,
    sleep: (labMs) => new Promise((resolve) => after(labMs, resolve)),
    toString: () => {
      throw new Error("a clock that is moved by hand cannot be joined by another process");
    },
    waiting: () => due.length,
    async advance(labMs) {
      const end = now + labMs;
      for (;;) {
        const [next] = due.toSorted((a, b) => a.at - b.at);
        if (!next || next.at > end) break;
        due.splice(due.indexOf(next), 1);
        now = Math.max(now, next.at);
        // What is called usually arms again, after it wrote a file; what does not is still at work after this long.
        const settled = new Promise<void>((resolve) => {
          noticeArmed = resolve;
          setTimeout(resolve, 300).unref();
        });
        next.call();
        await settled;
      }
      now = end;
      // Whatever should not have been called has the time to show itself.
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}
