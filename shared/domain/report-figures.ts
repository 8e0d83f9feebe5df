/** The figures of a report in words, each once: every form shows these, so that no two can say different things. Pure. */
import { spoken } from "./decision.ts";
import type { Report } from "./report.ts";

/** One of the three things that a reader looks for first. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  /** The same to the tenth of a second, where `value` rounds. */
  readonly exact: string | null;
  /** The figure itself, in seconds; `null`: there is none. */
  readonly seconds: number | null;
  /** What it is held against; `null`: nothing. */
  readonly objective: { readonly seconds: number; readonly met: boolean; readonly words: string } | null;
  /** Where it comes from, one sentence a line. */
  readonly about: readonly string[];
}

export interface Figures {
  readonly recovery: Figure;
  readonly loss: Figure;
  readonly users: Figure;
}

export function figuresOf(report: Report): Figures {
  return { recovery: recoveryOf(report), loss: lossOf(report), users: usersOf(report) };
}

function recoveryOf(report: Report): Figure {
  const { rtoSeconds, objectives, observed, outcome } = report;
  const time = timesOf(report);
  const seen = observed?.lastGoodAt == null ? [] : [`last good answer ${time(observed.lastGoodAt)}, ${observed.firstGoodAt === null ? "none since" : `next good answer ${time(observed.firstGoodAt)}`}, seen from outside by ${observed.by}`];
  if (outcome !== "recovered" || rtoSeconds === null)
    return rtoSeconds === null
      ? { name: "Recovery time", value: "users were not moved", exact: null, seconds: null, objective: null, about: seen }
      : { name: "Users went without", ...figured(rtoSeconds), objective: null, about: ["it ended without a failover", ...seen] };
  return {
    name: "Recovery time",
    ...figured(rtoSeconds),
    objective: heldAgainst(rtoSeconds, objectives.rtoSeconds),
    about: seen.length > 0 ? seen : ["from when the loss was first seen to the first good answer seen from outside"],
  };
}

function lossOf(report: Report): Figure {
  const { restorePoint: point, objectives, outcome } = report;
  if (point === null) return { name: "Loss", value: "nothing was restored", exact: null, seconds: null, objective: null, about: [] };
  return {
    name: "Loss",
    ...figured(point.lossSeconds, "at most "),
    objective: heldAgainst(point.lossSeconds, objectives.rpoSeconds),
    about: [`${outcome === "recovered" ? "restored" : "chosen"}: ${point.name}, taken ${timesOf(report)(point.takenAt)}`, upperBound(report, point), `${grouped(point.items)} objects, ${grouped(point.volumeBytes)} bytes of volume data`],
  };
}

/** The loss ends when the primary was seen to be dark by enough witnesses or, where nobody saw that, when the point was chosen: later than when it fell dark. */
function upperBound(report: Report, { takenAt, lossSeconds }: NonNullable<Report["restorePoint"]>): string {
  const untilAt = Date.parse(takenAt) + lossSeconds * 1_000;
  const { confirmation } = report;
  // Whole seconds, rounded up.
  const confirmed = confirmation?.kind === "lost" && Math.abs(untilAt - confirmation.agreedSince) < 1_000;
  const why = confirmed ? "when enough signals first said down together: it may have taken writes until then" : "when the point was chosen: nobody saw when the last write was taken";
  return `an upper bound: all that was written from then until ${timesOf(report)(new Date(untilAt).toISOString())}, ${why}`;
}

function usersOf({ traffic, observed }: Report): Figure {
  const shows = observed?.shows ?? null;
  const sent = traffic.before === traffic.after ? `sent to ${traffic.after}, as before` : `sent to ${traffic.after}; before: ${traffic.before}`;
  return {
    name: "Users see now",
    value: shows === null ? (traffic.after === "nobody" ? "nothing" : `what ${traffic.after} answers`) : `"${shows}"`,
    exact: null,
    seconds: null,
    objective: null,
    about: [sent, ...(observed === null ? [] : [`writes that the primary accepted after the fence: ${observed.writesToPrimary}`])],
  };
}

const figured = (seconds: number, before = ""): Pick<Figure, "value" | "exact" | "seconds"> => ({ value: `${before}${spoken(seconds)}`, exact: spoken(seconds) === `${seconds} s` ? null : `${seconds} s`, seconds });

const heldAgainst = (seconds: number, objective: number): Figure["objective"] => {
  const met = seconds <= objective;
  return { seconds: objective, met, words: met ? `within the objective of ${spoken(objective)}` : `over the objective of ${spoken(objective)} by ${spoken(seconds - objective)}` };
};

/** As a person says it, and the figure itself where that rounds. */
export const exactly = (seconds: number): string => (spoken(seconds) === `${seconds} s` ? `${seconds} s` : `${spoken(seconds)} (${seconds} s)`);

/** What a rate other than 1 means for the reader; `null`: times are what a clock on the wall would have shown. */
export function aboutRate({ observed }: Report): string | null {
  if (observed === null || observed.rate === 1) return null;
  return `Times are lab time, which runs ${observed.rate} times as fast as the wall clock: whatever our own code and this machine took counts ${observed.rate} times in them.`;
}

/** `2,500,048` */
const grouped = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");

/** The time of day of an instant in UTC; with its date on another day than the run was opened. */
export function timesOf({ opened }: Report): (instant: string) => string {
  const day = opened.at.slice(0, 10);
  return (instant) => (instant.startsWith(day) ? instant.slice(11, 19) : `${instant.slice(0, 10)} ${instant.slice(11, 19)}`);
}
