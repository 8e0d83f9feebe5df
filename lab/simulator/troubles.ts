/** Strikes when its moment has come: counts calls, moments and deliveries, and says which of them goes wrong. */
import type { Moment } from "./durable/host.ts";
import type { Asked, CallFault } from "./network.ts";
import type { Trouble } from "./scenario.ts";
import type { RestoreTrouble } from "./world/velero.ts";

export interface Troubles {
  call(asked: Asked): CallFault | null;
  /** For how long the host is down that dies now; `null`: it lives. */
  crash(moment: Moment): number | null;
  /** How much later an activity that is done is given out once more. */
  again(): number | null;
  restore(nth: number): RestoreTrouble | null;
  /** From now on things go wrong: what came before is the quiet day on which everything was made ready. */
  begin(): void;
  /** How many nodes the secondary's region can still give; `null`: enough. */
  readonly capacity: number | null;
}

export function openTroubles(troubles: readonly Trouble[]): Troubles {
  const calls = troubles.filter((trouble) => trouble.kind === "call").map((trouble) => ({ trouble, seen: 0 }));
  const crashes = troubles.filter((trouble) => trouble.kind === "crash");
  const moments = new Map<Moment, number>();
  let done = 0;
  let begun = false;
  return {
    begin: () => void (begun = true),
    call({ port, op }) {
      if (!begun) return null;
      let struck: CallFault | null = null;
      for (const one of calls) {
        if ((one.trouble.port !== "*" && one.trouble.port !== port) || (one.trouble.op !== "*" && one.trouble.op !== op)) continue;
        const nth = one.seen++;
        if (nth < one.trouble.nth || nth >= one.trouble.nth + one.trouble.times) continue;
        // Our own account does what it was asked while somebody waits for it, or not at all: docs/simulator.md says why.
        if (one.trouble.fault.kind === "late-effect" && (port === "home" || port === "hub")) continue;
        struck ??= one.trouble.fault;
      }
      return struck;
    },
    crash(moment) {
      if (!begun) return null;
      const nth = moments.get(moment) ?? 0;
      moments.set(moment, nth + 1);
      return crashes.find((trouble) => trouble.moment === moment && trouble.nth === nth)?.downMs ?? null;
    },
    again() {
      if (!begun) return null;
      const nth = done++;
      const found = troubles.find((trouble) => trouble.kind === "again" && trouble.nth === nth);
      return found?.kind === "again" ? found.afterMs : null;
    },
    restore(nth) {
      const found = troubles.find((trouble) => trouble.kind === "restore" && trouble.nth === nth);
      return found?.kind === "restore" ? found.trouble : null;
    },
    capacity: troubles.find((trouble) => trouble.kind === "capacity")?.nodes ?? null,
  };
}
