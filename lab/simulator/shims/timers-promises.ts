/** `node:timers/promises` by virtual time. */
import { now } from "../time/virtual.ts";

export function setTimeout<T = void>(ms?: number, value?: T, options: { readonly signal?: AbortSignal } = {}): Promise<T | undefined> {
  const { scheduler } = now();
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const aborted = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = scheduler.after(ms ?? 0, scheduler.owner, () => {
      signal?.removeEventListener("abort", aborted);
      resolve(value);
    });
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
