/**
 * Crashes at a named place: a step of the run, and one of the eight modes in which a host can die around what the step does. Drawn troubles
 * strike the n-th moment; these strike the same place in every run, so that all places can be gone through.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Asked } from "./network.ts";
import type { Trouble } from "./scenario.ts";

/** The eight crash modes, in the order of what has already happened. */
export const crashModes = {
  1: "taken, before its intent",
  2: "intent written, call not sent",
  3: "call sent, lost on its way",
  4: "effect, no answer",
  5: "answer, before it is read back",
  6: "outcome in the ledger, result not recorded",
  7: "result recorded, the turn that takes it is not",
  8: "a second delivery comes later",
} as const;
export type CrashMode = keyof typeof crashModes;

export type Strike = Extract<Trouble, { kind: "strike" }>;

/** One call that a step made, for whoever chooses which of them is its main one. */
export interface StepCallMade {
  readonly step: string;
  readonly about: string;
  readonly mutating: boolean;
}

const stepOf = new AsyncLocalStorage<string>();

export interface Strikes {
  /** Does a step's work so that its calls are known to be its own. */
  within<T>(step: string, work: () => T): T;
  /** What becomes of this call. */
  call(asked: Asked): Extract<CrashMode, 2 | 3 | 4 | 5> | null;
  /** For how long a host is down that dies at this moment of a step. */
  taken(step: string): number | null;
  done(step: string, instanceId: string): number | null;
  turnSent(instanceId: string): number | null;
  again(step: string): number | null;
  readonly downMs: number;
}

/** How long after the first one its second delivery comes. */
const againMs = 30_000;

export function openStrikes(troubles: readonly Trouble[], made: ((call: StepCallMade) => void) | null): Strikes | null {
  const strikes = troubles.filter((trouble) => trouble.kind === "strike").map((strike) => ({ strike, struck: false, calls: 0, waitsFor: null as string | null }));
  if (strikes.length === 0 && made === null) return null;
  const due = (step: string, mode: CrashMode) => strikes.find((one) => !one.struck && one.strike.step === step && one.strike.mode === mode);
  const strike = (one: (typeof strikes)[number] | undefined): number | null => {
    if (one === undefined) return null;
    one.struck = true;
    return one.strike.downMs;
  };
  return {
    downMs: strikes[0]?.strike.downMs ?? 0,
    within: (step, work) => stepOf.run(step, work),
    call({ port, op, thing, mutating }) {
      const step = stepOf.getStore();
      if (step === undefined) return null;
      made?.({ step, about: `${port}.${op} ${thing}`, mutating: mutating && port !== "home" && port !== "hub" });
      for (const one of strikes) {
        const { mode, call } = one.strike;
        if (one.struck || one.strike.step !== step || mode < 2 || mode > 5) continue;
        if (one.calls++ !== call) continue;
        one.struck = true;
        return mode as 2 | 3 | 4 | 5; // by the line above
      }
      return null;
    },
    taken: (step) => strike(due(step, 1)),
    done(step, instanceId) {
      const waits = due(step, 7);
      if (waits) waits.waitsFor = instanceId;
      return strike(due(step, 6));
    },
    turnSent: (instanceId) => strike(strikes.find((one) => !one.struck && one.waitsFor === instanceId)),
    again(step) {
      const one = due(step, 8);
      if (one === undefined) return null;
      one.struck = true;
      return againMs;
    },
  };
}
