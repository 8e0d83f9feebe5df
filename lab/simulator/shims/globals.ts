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
class VirtualDate extends RealDate {
  constructor(...args: readonly unknown[]) {
    // Whatever `Date` takes; nothing means now. One argument is nearly always all.
    if (args.length > 1) super(...(args as [number, number]));
    else super(args.length === 0 ? now().scheduler.now : (args[0] as number));
  }
  static override now(): number {
    return now().scheduler.now;
  }
}

export { virtualSetTimeout as setTimeout, virtualClearTimeout as clearTimeout, VirtualDate as Date };
