/** What lies in the backup store when the primary is lost, as far as it changes which point may be taken. */
import { labStart } from "../clock.ts";
import { backupName } from "./world/backup-files.ts";
import type { Shelved } from "./world/pair.ts";

const minute = 60_000;
const hour = 60 * minute;

function backup(minutesOld: number, more: Partial<Shelved> = {}): Shelved {
  const takenAt = labStart - minutesOld * minute;
  return { name: backupName(takenAt), takenAt, phase: "Completed", expiresAt: takenAt + 72 * hour, snapshot: `snapshot-${minutesOld}`, missing: [], cut: [], view: "all", ...more };
}

const older = backup(95);
/** Each with the newest first. The second one is whole in all but the last. */
export const shelves = {
  whole: [backup(35), older],
  "not arrived": [backup(35, { missing: ["/shop-hourly-"], view: "nothing" }), older],
  "archive missing": [backup(35, { missing: [".tar.gz"], view: "nothing" }), older],
  "data missing": [backup(35, { missing: ["psnapshot-35"] }), older],
  "cut archive": [backup(35, { cut: [".tar.gz"] }), older],
  unfinished: [backup(35, { phase: "Finalizing", view: "nothing" }), older],
  "partially failed": [backup(35, { phase: "PartiallyFailed" }), older],
  "about to expire": [backup(35, { expiresAt: labStart + hour }), older],
  "half in view": [backup(35, { view: "half" }), older],
  "not in view": [backup(35, { view: "nothing" }), older],
  "nothing whole": [backup(35, { missing: [".tar.gz"], view: "nothing" }), backup(95, { missing: ["psnapshot-95"] })],
} as const satisfies Record<string, readonly Shelved[]>;

export type ShelfName = keyof typeof shelves;

/** The newest point of a shelf that is whole at the replica, by what was laid there; `null`: none is. */
export function wholeOn(shelf: readonly Shelved[]): Shelved | null {
  return shelf.find(({ phase, missing, cut, expiresAt }) => phase === "Completed" && missing.length === 0 && cut.length === 0 && expiresAt > labStart + 4 * hour) ?? null;
}
