import type fc from "fast-check";
import type { Home } from "../../shared/ports.ts";

/** A home whose calls are answered in the order that chance likes. */
export function inAnyOrder(home: Home, scheduler: fc.Scheduler): Home {
  const slow = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => scheduler.scheduleFunction(method);
  return {
    read: slow(async (...args: Parameters<Home["read"]>) => home.read(...args)),
    create: slow(async (...args: Parameters<Home["create"]>) => home.create(...args)),
    replace: slow(async (...args: Parameters<Home["replace"]>) => home.replace(...args)),
    put: slow(async (...args: Parameters<Home["put"]>) => home.put(...args)),
    list: slow(async (...args: Parameters<Home["list"]>) => home.list(...args)),
  };
}
