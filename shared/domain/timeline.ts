/** The course of a run as a picture to scale: what every drawing of it, in whatever form, takes its lengths from. Pure. */
import type { Phase } from "./outcome.ts";
import type { Report } from "./report.ts";

/** A stretch of the picture; `from` and `to` are fractions of the whole, 0 to 1. `seconds` is the report's own figure. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
}

export interface Lane extends Stretch {
  readonly name: Phase;
  readonly startedAt: string;
  readonly outcome: string;
  /** Whether it ran side by side with a lane beside it. */
  readonly parallel: boolean;
}

/** An instant of the picture. */
export interface Mark {
  readonly name: "data" | "traffic";
  readonly at: string;
  readonly where: number;
}

export interface Timeline {
  readonly fromAt: string;
  readonly toAt: string;
  /** Steps in the order of the runbook, each in a lane of its own. */
  readonly lanes: readonly Lane[];
  /** From the last good answer to the next one, where somebody looked from outside. */
  readonly dark: (Stretch & { readonly fromAt: string; readonly toAt: string }) | null;
  /** The points of no return that were passed. */
  readonly marks: readonly Mark[];
}

export function timelineOf(report: Report): Timeline {
  const { steps, observed, pointsOfNoReturn } = report;
  const instants = [report.opened.at, report.endedAt, observed?.lastGoodAt, observed?.firstGoodAt, ...steps.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt])].filter((at) => at != null).map((at) => Date.parse(at));
  const from = Math.min(...instants);
  const to = Math.max(...instants);
  const where = (at: string) => (to === from ? 0 : (Date.parse(at) - from) / (to - from));
  const stretch = (fromAt: string, toAt: string, seconds: number | null): Stretch => ({ from: where(fromAt), to: where(toAt), seconds: seconds ?? Math.round((Date.parse(toAt) - Date.parse(fromAt)) / 100) / 10 });
  const overlap = (a: Stretch, b: Stretch) => Math.min(a.to, b.to) > Math.max(a.from, b.from);
  const lanes = steps.map(({ name, startedAt, endedAt, seconds, outcome }) => ({ name, startedAt, outcome, ...stretch(startedAt, endedAt ?? report.endedAt, seconds) }));
  return {
    fromAt: new Date(from).toISOString(),
    toAt: new Date(to).toISOString(),
    lanes: lanes.map((lane, at) => ({ ...lane, parallel: [lanes[at - 1], lanes[at + 1]].some((beside) => beside !== undefined && overlap(lane, beside)) })),
    dark: observed?.lastGoodAt != null && observed.firstGoodAt != null ? { fromAt: observed.lastGoodAt, toAt: observed.firstGoodAt, ...stretch(observed.lastGoodAt, observed.firstGoodAt, observed.rtoSeconds) } : null,
    marks: (["data", "traffic"] as const).flatMap((name) => {
      const at = pointsOfNoReturn[name];
      return at === null ? [] : [{ name, at, where: where(at) }];
    }),
  };
}

/** Outcomes of a step after which the run went on; any other names the ending that the run took in it. */
export const wentOn = (outcome: string): boolean => outcome === "done" || outcome === "accepted";

/** Whether nobody has to do anything about a step. A run that rightly touched nothing ends well. */
export const wentWell = (outcome: string): boolean => wentOn(outcome) || outcome === "not-failed-over";
