/** Ctrl-C and its kin: closes everything in good order, or at once when that takes too long. */
import process from "node:process";

export interface Stop {
  /** Aborted by the first signal, unless somebody waits for it instead. */
  readonly signal: AbortSignal;
  /** The exit code that the signal means, as a shell reads it; `null`: there was none. */
  readonly code: number | null;
  /** From now on a signal aborts nothing; resolves at the first one. */
  instead(): Promise<void>;
}

export interface StopOptions {
  readonly onStop: (signal: string) => void;
  /** Last words before the process is ended without waiting any longer. Must not throw. */
  readonly giveUp: () => void;
  /** Wall time for closing in good order; default 10 s, on a machine with much else to do. */
  readonly closeMsMax?: number;
}

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** A second Ctrl-C waits for nothing. What still runs when the time is over dies with us: Azurite and the host hold on to this process. */
export function watchForStop({ onStop, giveUp, closeMsMax = 10_000 }: StopOptions): Stop {
  const abort = new AbortController();
  let code: number | null = null;
  let instead: (() => void) | null = null;
  const leave = (exitCode: number) => {
    giveUp();
    process.exit(exitCode);
  };
  const stop = (meaning: number, by: string) => {
    code = meaning;
    setTimeout(() => leave(meaning), closeMsMax).unref();
    if (instead === null) abort.abort(new Error(`stopped by ${by}`));
    else instead();
  };
  for (const [signal, meaning] of Object.entries(codes)) {
    process.on(signal, () => {
      if (code !== null) return leave(meaning);
      onStop(signal);
      stop(meaning, signal);
    });
  }
  // Whoever read our output has gone, as `head` does: nobody is left to run for, nor to tell. What was opened is closed all the same.
  process.stdout.on("error", () => {
    if (code === null) stop(codes.SIGHUP, "a closed pipe");
  });
  process.once("exit", giveUp);
  return {
    signal: abort.signal,
    get code() {
      return code;
    },
    instead: () => new Promise((resolve) => (instead = resolve)),
  };
}
