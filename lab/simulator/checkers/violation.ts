import type { Sent, Told } from "../deeds.ts";
import type { Sim } from "../run.ts";
import type { Witness } from "./witness.ts";

/** What must never be, and was. `invariant` is its name in docs/simulator.md. */
export interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly what: string;
}

/** All that a checker may look at. */
export interface Evidence {
  readonly sim: Sim;
  readonly witness: Witness;
  readonly told: readonly Told[];
  readonly sent: readonly Sent[];
  readonly rested: boolean;
}

export type Checker = (evidence: Evidence) => readonly Violation[];

/** What is wrong at an instant. */
export const wrong = (invariant: string, at: number, what: string): Violation => ({ invariant, at, what });
