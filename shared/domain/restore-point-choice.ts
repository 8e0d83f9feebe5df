/** The choice of a failover: the newest restore point that is whole and proven as far as the plan asks. Never merely the newest. */
import type { PassedOver } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import { atLeast, type RestorePoint, untimely } from "./restore-point.ts";

export type Choice =
  | {
      readonly kind: "chosen";
      readonly point: RestorePoint;
      /** Every newer point, newest first, each with its reason. */
      readonly passedOver: readonly PassedOver[];
      /** What is lost at most: all that was written since the point was taken until now. Who knows since when nothing is written any more may say less. */
      readonly lossUpperBoundSeconds: number;
    }
  | { readonly kind: "nothing-restorable"; readonly passedOver: readonly PassedOver[] };

/** Chooses among a plan's points as they are judged; age and expiry are judged anew at `nowAt`. */
export function choose(points: readonly RestorePoint[], plan: Plan, nowAt: number): Choice {
  const passedOver: PassedOver[] = [];
  for (const point of newestFirst(points)) {
    const reason = whyNot(point, plan, nowAt);
    if (reason === null) {
      // A point without a time is never usable: it is no backup, or did not end.
      return { kind: "chosen", point, passedOver, lossUpperBoundSeconds: Math.max(0, Math.ceil((nowAt - (point.takenAt ?? nowAt)) / 1000)) };
    }
    passedOver.push({ name: point.name, reason });
  }
  return { kind: "nothing-restorable", passedOver };
}

/** What the choice asks of a point. */
export interface Candidate extends Pick<RestorePoint, "name" | "usable" | "takenAt" | "expiresAt" | "reached"> {
  readonly findings: readonly { readonly ok: boolean | "unknown"; readonly about: string }[];
}

/** Why a failover would not take this point now; `null` when it would. */
export function whyNot(point: Candidate, plan: Plan, nowAt: number): string | null {
  if (point.usable.kind === "unusable") return point.usable.reason;
  const late = untimely(point, plan, nowAt);
  if (late !== null) return late;
  if (point.takenAt === null) return "it does not say when it was taken";
  const { provenFrom } = plan.backups;
  if (atLeast(point.reached, provenFrom)) return null;
  const open = point.findings.filter(({ ok }) => ok === "unknown").map(({ about }) => about);
  return `it is proven as far as "${point.reached ?? "nothing"}" and the plan asks for "${provenFrom}"${open.length > 0 ? `: ${open.slice(0, 2).join("; ")}` : ""}`;
}

/** Points without any time come first: they may be the newest, and then people want to know why they were not taken. */
export function newestFirst<P extends Pick<RestorePoint, "name" | "takenAt">>(points: readonly P[]): P[] {
  const dated = points.map((point) => ({ point, at: point.takenAt ?? timeInName(point.name) ?? Number.MAX_SAFE_INTEGER }));
  return dated.sort((a, b) => b.at - a.at || (a.point.name < b.point.name ? 1 : -1)).map(({ point }) => point);
}

/** A schedule names its backups `<schedule>-YYYYMMDDhhmmss`, in UTC: when it was asked for, UTC ms. `null`: no schedule named it. */
export function timeInName(name: string): number | null {
  const found = /-(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(name)?.slice(1).map(Number);
  if (!found) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
