/** One question whether a restore point would come up in the secondary, answered. Pure. */
import type { Evidence } from "./evidence.ts";
import type { FindingKind } from "./findings.ts";

export type FitLevel = "api" | "classes" | "images" | "quota" | "hosts" | "admission" | "network" | "identity" | "vaults" | "certificates" | "actors";

export interface FitAnswer {
  readonly level: FitLevel;
  readonly ok: Evidence["ok"];
  readonly about: string;
  /** What kind of finding a "no" is. */
  readonly kind: FindingKind;
}

/** Answers of one question. */
export const answersOf =
  (level: FitLevel, kind: FindingKind) =>
  (ok: FitAnswer["ok"], about: string): FitAnswer => ({ level, ok, about, kind });
