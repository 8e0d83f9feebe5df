/** What one application's restore is made of, and how its end is judged. Pure. */
import { fingerprint } from "./fingerprint.ts";
import type { PassedOver } from "./outcome.ts";

/** The restore point a run took, as it travels through the runbook; everything else about it lies in the run's record. */
export interface ChosenPoint {
  readonly name: string;
  /** When the backup began: its data is as of then. */
  readonly takenAt: number;
  readonly expiresAt: number;
  readonly lossSeconds: number;
  readonly items: number;
  readonly volumeBytes: number;
}

export type Choice =
  | { readonly kind: "chosen"; readonly point: ChosenPoint; readonly passedOver: readonly PassedOver[] }
  | { readonly kind: "nothing-restorable"; readonly passedOver: readonly PassedOver[] };

/** One Velero restore of ours: a part of an application, by a name that is the same however often it is asked for. */
export interface RestorePart {
  readonly application: string;
  readonly part: "main" | "consumers";
  readonly name: string;
  /** Volumes that must come back with it: counted from the backup, never from what Velero says. */
  readonly volumes: number;
}

/** How a restore ended. `degraded` is whole, with its log missing because the store refuses writes. */
export type RestoreEnd =
  | { readonly kind: "whole"; readonly warnings: number; readonly items: number }
  | { readonly kind: "degraded"; readonly why: string; readonly warnings: number; readonly items: number }
  | { readonly kind: "broken"; readonly why: string };

/** Velero's own words for a restore that will not move any more. Everything else, unknown words included, reads as "not finished". */
const terminal: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed", "FailedValidation"]);
const moverTerminal: ReadonlySet<string> = new Set(["Completed", "Failed", "Canceled"]);

export interface RestoreSeen {
  readonly phase: string;
  readonly errors: number;
  readonly warnings: number;
  readonly itemsRestored: number;
  readonly failureReason: string;
  readonly validationErrors: readonly string[];
}

export interface MoverSeen {
  readonly name: string;
  readonly phase: string;
  readonly message: string;
  readonly bytesDone: number;
}

/**
 * The end of a restore, or `null` while something still moves. Terminal by Velero's word is not enough: on a store that refuses writes it
 * says so while data movers still run, and with a mover's result lost it says `Completed` over an empty volume (velero-1.18.3, README).
 */
export function judgeRestore(seen: RestoreSeen, movers: readonly MoverSeen[], expected: number, storeTakesWrites: boolean): RestoreEnd | null {
  if (!terminal.has(seen.phase)) return null;
  if (seen.phase === "FailedValidation") return { kind: "broken", why: `Velero refused it: ${seen.validationErrors.join("; ") || "no reason given"}` };
  if (seen.phase === "Failed") return { kind: "broken", why: `Velero gave up: ${seen.failureReason || "no reason given"}` };
  if (movers.some(({ phase }) => !moverTerminal.has(phase))) return null;
  const lost = movers.filter(({ phase }) => phase !== "Completed");
  if (lost.length > 0) return { kind: "broken", why: `volume data did not come back: ${lost.map(({ name, phase, message }) => `${name} ${phase}${message ? ` (${message})` : ""}`).join(", ")}` };
  if (movers.length < expected) return { kind: "broken", why: `${movers.length} of ${expected} volumes came back: the backup says there are ${expected}` };
  const counts = { warnings: seen.warnings, items: seen.itemsRestored };
  if (seen.phase === "Completed") return { kind: "whole", ...counts };
  if (seen.errors === 1 && !storeTakesWrites) return { kind: "degraded", why: "Velero could not upload the restore's log to a store that refuses writes; everything else is there", ...counts };
  return { kind: "broken", why: `Velero counts ${seen.errors} errors` };
}

/** The longest label value that Kubernetes takes: Velero labels what it restores with the name of the Restore. */
const labelMax = 63;

/**
 * The name of a Restore: the same whenever it is asked for, another for every run. One that is too long for a label ends in a digest of the
 * whole name; cutting alone would take the epoch off, and a run would find the Restore of an earlier one and call it its own.
 */
export function restoreName(runId: string, application: string, part: RestorePart["part"]): string {
  const whole = `lifeboat-${runId}-${application}${part === "main" ? "" : "-held"}`;
  return whole.length <= labelMax ? whole : `${whole.slice(0, labelMax - 9)}-${fingerprint(whole).toString(16).padStart(8, "0")}`;
}

/** Both Restores of these applications in one run: their names are on every object they bring. */
export const restoreNames = (runId: string, applications: readonly string[]): string[] => applications.flatMap((application) => [restoreName(runId, application, "main"), restoreName(runId, application, "consumers")]);

/** The label by which an object says which Restore brought it (Velero 1.18, pkg/restore). */
export const restoredByLabel = "velero.io/restore-name";
