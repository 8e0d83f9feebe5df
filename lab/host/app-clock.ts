import type { LabClock } from "../clock.ts";

/**
 * Gives this process lab time: `new Date()`, `Date.now()` and `Date()` read the clock, all else stays the real Date, and a Date made
 * before or inside Node is still `instanceof Date`. Timers, `performance.now()` and `Intl.DateTimeFormat#format()` without an argument
 * stay on wall time. Returns what puts the real Date back.
 */
export function installAppClock(clock: Pick<LabClock, "now">): () => void {
  const RealDate = globalThis.Date;
  const now = () => clock.now();
  const AppDate: DateConstructor = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      // The target, or a class that extends Date and calls super().
      Reflect.construct(target, args.length === 0 ? [clock.now()] : args, newTarget === AppDate ? target : newTarget) as Date,
    apply: () => new RealDate(clock.now()).toString(),
    get: (target, key, receiver) => (key === "now" ? now : (Reflect.get(target, key, receiver) as unknown)),
  });
  // One prototype for both, so that instanceof holds either way; `date.constructor === Date` must hold for the app's Date.
  const setConstructor = (value: DateConstructor) =>
    Object.defineProperty(RealDate.prototype, "constructor", { value, writable: true, configurable: true, enumerable: false });
  globalThis.Date = AppDate;
  setConstructor(AppDate);
  return () => {
    globalThis.Date = RealDate;
    setConstructor(RealDate);
  };
}
