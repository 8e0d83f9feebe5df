/**
 * The simulated region pair: what is true in it, and nothing about how it is shown. Faces (`lab/faces`) translate it to HTTP and
 * DNS and decide nothing. Every part that changes is a file of its own beside this one; this file holds what they share: time,
 * which region answers, injected faults, and the log of effects that checks are made of.
 */
import type { LabClock } from "../clock.ts";
import type { RegionName } from "./pair.ts";

/** How everything in a region answers: normally, by closing connections, by never answering, or by 503. */
export type Reach = "up" | "reset" | "black-hole" | "unavailable";

/** One thing that happened in the world. `key` names the thing it happened to; the same act on the same thing has the same key. */
export interface Effect {
  readonly at: number;
  /** `traffic.endpoint-updated`, `velero.restore-created`, `storage.policy-deleted` … */
  readonly act: string;
  readonly key: string;
  readonly detail?: unknown;
}

/** A fault to inject, once or several times, at requests that match. */
export interface Fault {
  /** The call, as its face names it: `PATCH trafficManagerProfiles/externalEndpoints`, `POST velero.io/restores`. A prefix with `*` matches more. */
  readonly call: string;
  /**
   * `effect-without-answer`: done, then the connection closed. `refused-503`, `refused-403`: not done; the second is an
   * identity without the right, in ARM's words, and asking again does not help. `slow`: done after `delayMs` of lab time.
   * `blind`: for reads, not answered with what is true but as if it could not be seen (each face says how).
   */
  readonly kind: "effect-without-answer" | "refused-503" | "refused-403" | "slow" | "blind";
  /** Hits only requests about such a thing, as `Asked` names it, and only from callers whose name begins so. */
  readonly thing?: RegExp;
  readonly by?: string;
  readonly delayMs?: number;
  /** How many matching requests it hits; default 1; `Infinity` for all. */
  readonly times?: number;
}

/** A request, as faults see it. `thing`: the path of a resource, `container/blob`, `region/namespace/object`; `by`: the caller's user agent. */
export interface Asked {
  readonly call: string;
  readonly thing: string;
  readonly by: string;
}

export interface Request extends Asked {
  readonly at: number;
  /** Whether it was to change something. */
  readonly mutating: boolean;
}

const requestsMax = 100_000;

export interface LabWorld {
  readonly clock: LabClock;
  /** How each region answers now. Set by `loseRegion`, `returnRegion`. */
  reach(region: RegionName | null): Reach;
  setReach(region: RegionName, reach: Reach): void;
  /** Calls back whenever a region's reach changes. */
  onReach(call: (region: RegionName, reach: Reach) => void): void;

  /** Appends to the log of effects. Called by the world's rules at the moment a change becomes true, never by faces. */
  record(act: string, key: string, detail?: unknown): void;
  readonly effects: readonly Effect[];
  /** Calls back at each effect, at the moment it becomes true. */
  onEffect(call: (effect: Effect) => void): void;

  /** Arms a fault; returns what disarms it. */
  inject(fault: Fault): () => void;
  /** Faces ask at each request. Uses the fault up. */
  takeFault(asked: Asked): Fault | null;

  /** What was asked of the world, looks and acts, whether it was answered or not; what became of it is in `effects`. The last hundred thousand or so. */
  readonly requests: readonly Request[];
  /** Faces tell each request when it comes. */
  noteRequest(request: Omit<Request, "at">): void;

  /** Settings of the timing rules, from `lab/world/latencies.ts` (typical values, with sources) or all zero. */
  readonly latencies: import("./latencies.ts").Latencies;
}

export function openWorld(clock: LabClock, latencies: LabWorld["latencies"]): LabWorld {
  const reaches = new Map<RegionName, Reach>();
  const listeners: ((region: RegionName, reach: Reach) => void)[] = [];
  const effects: Effect[] = [];
  const witnesses: ((effect: Effect) => void)[] = [];
  const requests: Request[] = [];
  const faults: { readonly fault: Fault; left: number }[] = [];

  return {
    clock,
    latencies,
    effects,
    requests,
    noteRequest(request) {
      requests.push({ ...request, at: clock.now() });
      // Half at once: the oldest one by one would be a copy for each.
      if (requests.length > requestsMax) requests.splice(0, requestsMax / 2);
    },
    reach: (region) => (region === null ? "up" : (reaches.get(region) ?? "up")),
    setReach(region, reach) {
      if ((reaches.get(region) ?? "up") === reach) return;
      reaches.set(region, reach);
      this.record(reach === "up" ? "region.returned" : "region.lost", region, { reach });
      for (const call of listeners) call(region, reach);
    },
    onReach: (call) => void listeners.push(call),
    record(act, key, detail) {
      const effect: Effect = { at: clock.now(), act, key, ...(detail === undefined ? {} : { detail }) };
      effects.push(effect);
      for (const witness of witnesses) witness(effect);
    },
    onEffect: (call) => void witnesses.push(call),
    inject(fault) {
      const armed = { fault, left: fault.times ?? 1 };
      faults.push(armed);
      return () => void (armed.left = 0);
    },
    takeFault(asked) {
      const hit = faults.find(({ fault, left }) => left > 0 && hits(fault, asked));
      if (!hit) return null;
      hit.left -= 1;
      return hit.fault;
    },
  };
}

function hits(fault: Fault, { call, thing, by }: Asked): boolean {
  const named = fault.call.endsWith("*") ? call.startsWith(fault.call.slice(0, -1)) : call === fault.call;
  return named && (fault.thing?.test(thing) ?? true) && by.startsWith(fault.by ?? "");
}
