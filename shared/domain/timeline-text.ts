/** The course of a run as bars of letters, for wherever letters are all there is. Pure. */
import { spoken } from "./decision.ts";
import { type Stretch, timelineOf, wentOn } from "./timeline.ts";
import type { Report } from "./report.ts";
import { timesOf } from "./report-figures.ts";

export interface TextRow {
  readonly kind: "scale" | "dark" | "step" | "mark";
  readonly name: string;
  /** At most as wide as was asked for. */
  readonly picture: string;
  readonly took: string;
}

/** One row for each step, all on one scale of `width` letters, with the time that users went without and the points of no return. */
export function timelineRows(report: Report, width: number): readonly TextRow[] {
  const { lanes, dark, marks, fromAt, toAt } = timelineOf(report);
  const time = timesOf(report);
  const [from, to] = [time(fromAt), time(toAt)];
  const scale = from.length + to.length + 2 <= width ? `${from}${" ".repeat(width - from.length - to.length)}${to}` : from;
  return [
    { kind: "scale", name: "", picture: scale, took: "UTC" },
    ...(dark === null ? [] : [{ kind: "dark" as const, name: "users dark", picture: bar(dark, width, "▒"), took: spoken(dark.seconds) }]),
    ...lanes.map((lane) => ({ kind: "step" as const, name: `${lane.name}${lane.parallel ? " ∥" : ""}`, picture: bar(lane, width, "█"), took: `${spoken(lane.seconds)}${wentOn(lane.outcome) ? "" : ` ${lane.outcome}`}` })),
    ...marks.map(({ name, at, where }) => ({ kind: "mark" as const, name: "no return", picture: flag(name, time(at), where, width), took: "" })),
  ];
}

/** At least one letter long, so that nothing is invisible. */
function bar({ from, to }: Stretch, width: number, letter: string): string {
  const first = Math.min(width - 1, Math.floor(from * width));
  const last = Math.max(first + 1, Math.min(width, Math.round(to * width)));
  return " ".repeat(first) + letter.repeat(last - first);
}

/** A point on the scale, with its words on the side where there is room, or its name alone. */
function flag(name: string, time: string, where: number, width: number): string {
  const at = Math.min(width - 1, Math.floor(where * width));
  const words = [`${name} ${time}`, name].find(({ length }) => Math.max(at - 1, width - at - 2) >= length) ?? "";
  return at + 2 + words.length <= width && words !== "" ? `${" ".repeat(at)}▲ ${words}` : `${words.padEnd(at)}▲`;
}
