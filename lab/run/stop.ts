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
}

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Wall time for closing in good order. What still runs then dies with us: Azurite and the host hold on to this process. */
const closeMsMax = 2_500;

export function watchForStop({ onStop, giveUp }: StopOptions): Stop {
  const abort = new AbortController();
  let code: number | null = null;
  let instead: (() => void) | null = null;
  const leave = (exitCode: number) => {
    giveUp();
    process.exit(exitCode);
  };
  for (const [signal, meaning] of Object.entries(codes)) {
    process.on(signal, () => {
      if (code !== null) return leave(meaning);
      code = meaning;
      onStop(signal);
      setTimeout(() => leave(meaning), closeMsMax).unref();
      if (instead === null) abort.abort(new Error(`stopped by ${signal}`));
      else instead();
    });
  }
  // Whoever read our output has gone, as `head` does: nobody is left to run for.
  process.stdout.on("error", () => leave(codes.SIGHUP));
  process.once("exit", giveUp);
  return {
    signal: abort.signal,
    get code() {
      return code;
    },
    instead: () => new Promise((resolve) => (instead = resolve)),
  };
}
