/** The hard end of every call that leaves the process. The SDKs have none of their own: a black hole would hang them for ever. */

/** Nothing came back in time. */
export class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed";
  constructor(seconds: number) {
    super(`no answer within ${seconds} s`);
  }
}

/**
 * Runs `work` for at most `seconds`, then aborts its signal and throws `DeadlinePassed`, also where the work does not heed the
 * signal (fetching a token does not).
 */
export async function withDeadline<T>(seconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // First say why, then abort: the work's own AbortError would say less.
      reject(new DeadlinePassed(seconds));
      controller.abort();
    }, seconds * 1000);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
