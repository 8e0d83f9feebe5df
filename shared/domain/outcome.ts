/** Every way a run can end: a closed set, each with a report. */
export type Outcome =
  | { readonly kind: "recovered"; readonly restorePoint: string; readonly unprotected: boolean }
  | { readonly kind: "not-failed-over"; readonly why: string }
  | { readonly kind: "declined"; readonly why: string }
  | { readonly kind: "aborted"; readonly by: string; readonly left: readonly string[] }
  | { readonly kind: "nothing-restorable"; readonly passedOver: readonly PassedOver[] }
  | { readonly kind: "target-not-ready"; readonly reasons: readonly string[] }
  | { readonly kind: "halted"; readonly phase: Phase; readonly step: string; readonly cause: string; readonly next: string }
  | { readonly kind: "refused"; readonly why: string };

export const outcomeKinds = [
  "recovered",
  "not-failed-over",
  "declined",
  "aborted",
  "nothing-restorable",
  "target-not-ready",
  "halted",
  "refused",
] as const satisfies readonly Outcome["kind"][];

/** A restore point that was not taken, and the reason in words. */
export interface PassedOver {
  readonly name: string;
  readonly reason: string;
}

/** The steps of a run, in the order of docs/product.md; `promote` and `make-ready` run side by side. `stand-down` undoes the fence of a run that does not go on. */
export const phases = ["accept", "confirm", "decide", "fence", "choose", "promote", "make-ready", "restore", "verify", "open", "release", "stand-down", "report"] as const;
export type Phase = (typeof phases)[number];
