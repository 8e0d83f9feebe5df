/** What has been opened, and is closed again in the opposite order. */
export interface Closing {
  /** Closed already: the step is taken at once, for an abort may overtake what is just being opened. */
  add(step: () => unknown): void;
  /** What is just being opened: who closes meanwhile waits for it and closes it too; what fails to open has closed itself. */
  opening<T>(opened: Promise<T>, close: (thing: T) => unknown): Promise<T>;
  /** Takes every step, whatever another one did. Closing twice is closing once. Throws the first failure, at the end. */
  close(): Promise<void>;
}

export function openClosing(): Closing {
  const steps: (() => unknown)[] = [];
  let closed: Promise<void> | null = null;
  const add = (step: () => unknown): void => {
    if (closed === null) steps.push(step);
    else closed = Promise.all([closed, step()]).then(() => undefined);
  };
  return {
    add,
    opening(opened, close) {
      add(async () => opened.then(close, () => undefined));
      return opened;
    },
    close: () => (closed ??= closeAll(steps)),
  };
}

async function closeAll(steps: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** The work's own end, or the abort's reason if that comes first. The work goes on for as long as what it uses is open. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
