import type { LabClock } from "../../clock.ts";

/** The shortest pause between two looks, wall time: at a high rate the other side would be asked without end. */
const pauseWallMsMin = 100;

/**
 * Looks at once and then again and again, with a pause of lab time in between, until it is closed. A failing look is told in one line
 * when the trouble begins, not at each look, and once more when it is over.
 */
export function poll(options: {
  readonly clock: LabClock;
  readonly pauseMs: number;
  readonly look: (closing: AbortSignal) => Promise<void>;
  readonly tell: (level: "information" | "warning", message: string) => void;
}): { readonly closing: AbortSignal; close(): Promise<void> } {
  const { clock, look, tell } = options;
  const closing = new AbortController();
  const pauseMs = Math.max(options.pauseMs, pauseWallMsMin * clock.rate);
  let trouble = "";
  let cancel = () => {};

  const turn = async () => {
    try {
      await look(closing.signal);
      if (trouble !== "") tell("information", `over again: ${trouble}`);
      trouble = "";
    } catch (error) {
      const found = whatIsWrong(error);
      if (found !== trouble && !closing.signal.aborted) tell("warning", `cannot look: ${found}`);
      trouble = found;
    }
    if (!closing.signal.aborted) cancel = clock.after(pauseMs, () => void (looking = turn()));
  };
  let looking = turn();

  return {
    closing: closing.signal,
    async close() {
      closing.abort();
      cancel();
      await looking;
    },
  };
}

/** The service's word for it, or the first line: what follows there are ids and times, new at each look. */
function whatIsWrong(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message?.split("\n")[0] ?? String(error);
}
