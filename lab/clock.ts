/**
 * The lab's one clock: world, host and app read it. It starts at an instant of our choosing, where the recorded backups are
 * fresh, and runs `rate` times as fast as the wall clock. It is a pure function of the wall clock, so a process that is
 * killed and started again reads the same time as everyone else.
 */
export interface LabClock {
  /** Lab seconds per wall second. */
  readonly rate: number;
  /** UTC milliseconds, lab time. */
  now(): number;
  /** Resolves after that much lab time. */
  sleep(labMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back after that much lab time; returns the cancel. Never keeps the process alive by itself. */
  after(labMs: number, call: () => void): () => void;
  /** How another process opens the same clock: the value of the variable LAB_CLOCK. */
  toString(): string;
}

/** Where the recorded backups of `lab/velero-1.18.3` are minutes old. */
export const labStart = Date.parse("2026-11-21T06:05:00Z");

interface Origin {
  readonly startMs: number;
  readonly wallMs: number;
  readonly rate: number;
}

// Bound at load: a host that gives its app lab time replaces the global Date, and this clock must go on reading the wall.
const wallNow = Date.now.bind(Date);
/** The longest wait that setTimeout takes. */
const timeoutMsMax = 2_147_483_647;

export function startClock({ startMs = labStart, rate = 20 }: { startMs?: number; rate?: number } = {}): LabClock {
  return clockFrom({ startMs, wallMs: wallNow(), rate });
}

/** Opens the clock that another process started, from its `toString()`. */
export function joinClock(text: string): LabClock {
  const origin = JSON.parse(text) as Origin;
  if (![origin.startMs, origin.wallMs, origin.rate].every(Number.isFinite)) throw new Error(`not a lab clock: ${text}`);
  return clockFrom(origin);
}

function clockFrom(origin: Origin): LabClock {
  const { startMs, wallMs, rate } = origin;
  const clock: LabClock = {
    rate,
    now: () => Math.floor(startMs + (wallNow() - wallMs) * rate),
    after(labMs, call) {
      const dueAt = clock.now() + labMs;
      let timer: NodeJS.Timeout;
      const arm = () => {
        const leftMs = (dueAt - clock.now()) / rate;
        if (leftMs <= 0) return call();
        timer = setTimeout(arm, Math.min(Math.ceil(leftMs), timeoutMsMax));
        timer.unref();
      };
      timer = setTimeout(arm, 0);
      timer.unref();
      return () => clearTimeout(timer);
    },
    sleep(labMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const dueAt = clock.now() + labMs;
        let timer: NodeJS.Timeout;
        const stop = () => {
          clearTimeout(timer);
          reject(signal?.reason as Error);
        };
        const arm = () => {
          const leftMs = (dueAt - clock.now()) / rate;
          if (leftMs <= 0) {
            signal?.removeEventListener("abort", stop);
            return resolve();
          }
          timer = setTimeout(arm, Math.min(Math.ceil(leftMs), timeoutMsMax));
        };
        signal?.addEventListener("abort", stop, { once: true });
        arm();
      });
    },
    toString: () => JSON.stringify(origin satisfies Origin),
  };
  return clock;
}
