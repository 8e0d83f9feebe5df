/** What one application's restore is made of, and how its end is judged. Pure. */
import type { ToldFinding } from "./findings.ts";
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
  | { readonly kind: "chosen"; readonly point: ChosenPoint; readonly passedOver: readonly PassedOver[]; readonly findings?: readonly ToldFinding[] }
  | { readonly kind: "nothing-restorable"; readonly passedOver: readonly PassedOver[]; readonly findings?: readonly ToldFinding[] };

/** One Velero restore of ours: a part of an application, by a name that is the same however often it is asked for. */
export interface RestorePart {
  readonly application: string;
  readonly part: "main" | "consumers";
  readonly name: string;
  /** Volumes that must come back with it: counted from the backup, never from what Velero says. */
  readonly volumes: number;
  /** How many restores Velero may have to take, one after the other, until this one has ended. */
  readonly turns: number;
  /** Restores of the same part that Velero gave up because its server ended; not there: none. What they brought stays, and counts. */
  readonly earlier?: readonly string[];
}

/**
 * How a restore ended. `degraded` is whole, with its log missing because the store refuses writes. `interrupted`: Velero's server ended in the
 * middle of it, and the next one does not go on with it; another restore does.
 */
export type RestoreEnd =
  | { readonly kind: "whole"; readonly warnings: number; readonly items: number }
  | { readonly kind: "degraded"; readonly why: string; readonly warnings: number; readonly items: number }
  | { readonly kind: "interrupted"; readonly why: string }
  | { readonly kind: "broken"; readonly why: string };

/** What a server says, when it starts, of each restore that was under way (Velero 1.18, cmd/server, markInProgressRestoresFailed). */
const serverEnded = /during the server starting/;

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
  // Its movers are cancelled, and another may fill their volumes once they have let go.
  if (seen.phase === "Failed" && serverEnded.test(seen.failureReason)) return movers.some(isMoving) ? null : { kind: "interrupted", why: seen.failureReason };
  if (seen.phase === "Failed") return { kind: "broken", why: `Velero gave up: ${seen.failureReason || "no reason given"}` };
  if (movers.some(isMoving)) return null;
  const lost = movers.filter(({ phase }) => phase !== "Completed");
  if (lost.length > 0) return { kind: "broken", why: `volume data did not come back: ${lost.map(({ name, phase, message }) => `${name} ${phase}${message ? ` (${message})` : ""}`).join(", ")}` };
  if (movers.length < expected) return { kind: "broken", why: `${movers.length} of ${expected} volumes came back: the backup says there are ${expected}` };
  const counts = { warnings: seen.warnings, items: seen.itemsRestored };
  if (seen.phase === "Completed") return { kind: "whole", ...counts };
  if (seen.errors === 1 && !storeTakesWrites) return { kind: "degraded", why: "Velero could not upload the restore's log to a store that refuses writes; everything else is there", ...counts };
  return { kind: "broken", why: `Velero counts ${seen.errors} errors` };
}

/** Whether a mover may still write to its volume. */
export const isMoving = ({ phase }: Pick<MoverSeen, "phase">): boolean => !moverTerminal.has(phase);

/** Velero takes one Restore at a time; those it has not taken yet say `New`, or nothing (Velero 1.18, restore_controller.go). */
export const isQueued = ({ phase }: Pick<RestoreSeen, "phase">): boolean => phase === "" || phase === "New";

/** Whether Velero is at work on it, so that others wait. */
export const isUnderWay = (seen: Pick<RestoreSeen, "phase">): boolean => !isQueued(seen) && !terminal.has(seen.phase);

/**
 * How many turns a restore may have to wait for, its own counted: each application of its wave has two parts, of which its own is
 * one, and one turn is for a restore of somebody else's.
 */
export const turnsIn = (applicationsInWave: number): number => 2 * applicationsInWave;

/** What is carried from one look at a restore to the next. */
export interface RestoreProgress {
  /** All that was seen of it; another text is progress. */
  readonly made: string;
  readonly sinceAt: number;
  /** When Velero was first seen to have taken it; null: it waits for its turn. */
  readonly takenAt: number | null;
}

/** How long Velero itself lets a mover prepare before it gives it up (node agent, `--resource-timeout` of exposed pods: 30 min). */
const preparingMsMax = 1_800_000;
const preparing: ReadonlySet<string> = new Set(["Accepted", "Prepared"]);

/** Whether a restore that is not at its end still gets on. Waiting for its turn is no stall, and no time of its own; nor is a mover that prepares. */
export function restoreProgress(before: RestoreProgress | null, seen: RestoreSeen, movers: readonly MoverSeen[], otherUnderWay: boolean, nowAt: number, limits: { readonly stallSeconds: number; readonly deadlineSeconds: number }): { readonly kind: "goes-on"; readonly state: RestoreProgress } | { readonly kind: "broken"; readonly why: string } {
  const made = JSON.stringify([seen.phase, seen.itemsRestored, ...movers.map(({ name, phase, bytesDone }) => [name, phase, bytesDone])]);
  const takenAt = isQueued(seen) ? null : (before?.takenAt ?? nowAt);
  const waitsItsTurn = takenAt === null && otherUnderWay;
  const state: RestoreProgress = { made, sinceAt: before !== null && before.made === made && !waitsItsTurn ? before.sinceAt : nowAt, takenAt };
  if (takenAt !== null && nowAt - takenAt > limits.deadlineSeconds * 1_000) return { kind: "broken", why: `it is not at its end ${limits.deadlineSeconds} s after Velero took it` };
  const stillMsMax = Math.max(limits.stallSeconds * 1_000, movers.some(({ phase }) => preparing.has(phase)) ? preparingMsMax : 0);
  if (nowAt - state.sinceAt > stillMsMax) return { kind: "broken", why: `no progress for ${stillMsMax / 1_000} s` };
  return { kind: "goes-on", state };
}

/** The longest label value that Kubernetes takes: Velero labels what it restores with the name of the Restore. */
const labelMax = 63;

/** How often a part is restored: once, and again when Velero's server ended in the middle. A server that ends a third time will end a fourth time. */
export const restoreTriesMax = 3;

const partSuffix = { main: "", consumers: "-held" } as const;

/**
 * The name of a Restore: the same whenever it is asked for, another for every run and try. One that is too long for a label ends in a digest
 * of the whole name; cutting alone would take the epoch off, and a run would find the Restore of an earlier one and call it its own.
 */
export function restoreName(runId: string, application: string, part: RestorePart["part"], attempt = 1): string {
  const whole = `lifeboat-${runId}-${application}${partSuffix[part]}${attempt === 1 ? "" : `-again${attempt}`}`;
  return whole.length <= labelMax ? whole : `${whole.slice(0, labelMax - 9)}-${fingerprint(whole).toString(16).padStart(8, "0")}`;
}

/** All Restores of one part, in the order in which they would be tried. */
export const namesOfPart = (runId: string, application: string, part: RestorePart["part"]): string[] => Array.from({ length: restoreTriesMax }, (_, at) => restoreName(runId, application, part, at + 1));

/** All Restores of these applications in one run: their names are on every object they bring. */
export const restoreNames = (runId: string, applications: readonly string[]): string[] => applications.flatMap((application) => [...namesOfPart(runId, application, "main"), ...namesOfPart(runId, application, "consumers")]);

/** The label by which an object says which Restore brought it (Velero 1.18, pkg/restore). */
export const restoredByLabel = "velero.io/restore-name";

/** Selects what any of these Restores brought. */
export const broughtBy = (restores: readonly string[]): string => `${restoredByLabel} in (${restores.join(", ")})`;
