/** How a lab run ends on a terminal: the course to scale, the figures against the objectives, and where the report is. */
import { spoken } from "../../../shared/domain/decision.ts";
import type { Report } from "../../../shared/domain/report.ts";
import { aboutRate, type Figure, figuresOf, timesOf } from "../../../shared/domain/report-figures.ts";
import { type Stretch, timelineOf } from "../../../shared/domain/timeline.ts";
import { columnsOf, cut, padded, tame, tameButPainted, wrapped } from "./columns.ts";
import type { Paint } from "./paint.ts";

export interface EndingOptions {
  readonly paint: Paint;
  readonly columns: number;
  /** What did not come out as the scenario says. */
  readonly failures: readonly string[];
}

const nameColumns = 14;
const tookColumns = 12;
/** Wider than this, bars say nothing more. */
const columnsMax = 110;
const barColumnsMin = 8;

export function ending({ report, directory }: { readonly report: Report; readonly directory: string | null }, { paint, columns: wide, failures }: EndingOptions): readonly string[] {
  const columns = Math.min(wide, columnsMax);
  const { recovery, loss, users } = figuresOf(report);
  const row = (name: string, lines: readonly string[]) => rowOf(name, lines, columns, paint);
  const rate = aboutRate(report);
  return [
    ...wrapped(`${paint.bold(report.outcome)}  ${tame(report.summary)}`, columns),
    "",
    ...course(report, columns, paint),
    "",
    ...row(recovery.name, figureLines(recovery, paint)),
    ...row(loss.name, figureLines(loss, paint)),
    ...row(users.name, figureLines(users, paint)),
    ...row("Passed over", report.passedOver.map(({ name, reason }) => `${name}: ${reason}`)),
    ...row("Rate", rate === null ? [] : [rate]),
    ...row("Report", directory === null ? [] : [`${directory}/report.html`, `${directory}/report.md`, `${directory}/report.json`]),
    "",
    ...(failures.length === 0 ? [paint.green("It ended as this scenario must end, and the report agrees with what was seen from outside.")] : failures.map((why) => paint.red(`WRONG: ${tame(why)}`))).flatMap((line) => wrapped(line, columns)),
  ];
}

function figureLines({ value, objective, about }: Figure, paint: Paint): readonly string[] {
  const held = objective === null ? "" : `, ${objective.met ? paint.green(objective.words) : paint.red(objective.words)}`;
  return [`${paint.bold(value)}${held}`, ...about];
}

/** A name in the margin, and its lines beside it; on a narrow terminal below it. */
function rowOf(name: string, lines: readonly string[], columns: number, paint: Paint): readonly string[] {
  if (lines.length === 0) return [];
  const narrow = columns < 60;
  const margin = narrow ? 2 : nameColumns + 6;
  const body = lines.flatMap((line) => wrapped(tameButPainted(line), columns - margin, "  ")).map((line) => " ".repeat(margin) + line);
  return narrow ? [paint.dim(name), ...body] : [paint.dim(padded(name, margin)) + (body[0] ?? "").slice(margin), ...body.slice(1)];
}

/** One bar for each step, all on one scale, with the time that users went without and the points of no return. */
function course(report: Report, columns: number, paint: Paint): readonly string[] {
  const { lanes, dark, marks, fromAt, toAt } = timelineOf(report);
  const time = timesOf(report);
  const width = Math.max(barColumnsMin, columns - nameColumns - tookColumns);
  const line = (name: string, bar: string, took: string) => cut(`${padded(name, nameColumns)}${padded(bar, width)} ${took}`, columns);
  const ends = `${time(fromAt)}${" ".repeat(Math.max(1, width - 16))}${time(toAt)}`;
  return [
    paint.dim(line("", width >= 18 ? ends : time(fromAt), "UTC")),
    ...(dark === null ? [] : [line("users dark", paint.red(bar(dark, width, "▒")), spoken(dark.seconds))]),
    ...lanes.map((lane) => line(`${lane.name}${lane.parallel ? ` ${lane.name === "promote" ? "╮" : "╯"}` : ""}`, paint.cyan(bar(lane, width, "█")), lane.outcome === "done" || lane.outcome === "accepted" ? spoken(lane.seconds) : `${spoken(lane.seconds)} ${lane.outcome}`)),
    ...marks.map(({ name, at, where }) => line("no return", paint.yellow(flag(`${name} ${time(at)}`, where, width)), "")),
  ];
}

/** At least one column long, so that nothing is invisible. */
function bar({ from, to }: Stretch, width: number, letter: string): string {
  const first = Math.min(width - 1, Math.floor(from * width));
  const last = Math.max(first + 1, Math.min(width, Math.round(to * width)));
  return " ".repeat(first) + letter.repeat(last - first);
}

/** A point on the scale with its words on the side where there is room. */
function flag(words: string, where: number, width: number): string {
  const at = Math.min(width - 1, Math.floor(where * width));
  if (at + 2 + columnsOf(words) <= width) return `${" ".repeat(at)}▲ ${words}`;
  return `${padded(cut(words, Math.max(0, at - 1)), Math.max(0, at))}▲`;
}
