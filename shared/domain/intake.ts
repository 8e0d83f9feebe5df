/** Every notification that was ever taken for a plan: `accepted` is the sum of the others, in every head that is ever written. */
export interface Intake {
  readonly accepted: number;
  /** Opened a run. */
  readonly started: number;
  /** Belongs to a run that was open, or that answered a copy of it before. */
  readonly merged: number;
  /** Waits for the plan to be free, or tells that the trouble is over. */
  readonly suppressed: number;
  /** Nothing is started for it, and it was told why. */
  readonly rejected: number;
}

export const noIntake: Intake = { accepted: 0, started: 0, merged: 0, suppressed: 0, rejected: 0 };
