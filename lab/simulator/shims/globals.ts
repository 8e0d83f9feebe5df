/** What takes the place of Node's globals in everything that is simulated: timers and instants of the run that is played. */
import { now } from "../time/virtual.ts";

const RealDate = Date;

class VirtualTimer {
  readonly #cancel: () => void;
  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }
  cancel(): void {
    this.#cancel();
  }
  unref(): this {
    return this;
  }
  ref(): this {
    return this;
  }
}

function virtualSetTimeout(call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): VirtualTimer {
  const { scheduler } = now();
  return new VirtualTimer(scheduler.after(ms, scheduler.owner, () => call(...args)));
}

function virtualClearTimeout(timer?: VirtualTimer): void {
  timer?.cancel();
}

/** `Date`, whose present is the run's. */
const VirtualDate = new Proxy(RealDate, {
  construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now().scheduler.now] : args) as object,
  get: (target, key, receiver) => (key === "now" ? () => now().scheduler.now : (Reflect.get(target, key, receiver) as unknown)),
});

export { virtualSetTimeout as setTimeout, virtualClearTimeout as clearTimeout, VirtualDate as Date };
