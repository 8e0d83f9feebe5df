/** How a lab run ends on a terminal: the course to scale, the figures against the objectives, and where the report is. */
import type { Report } from "../../../shared/domain/report.ts";
import { aboutRate, type Figure, figuresOf } from "../../../shared/domain/report-figures.ts";
import { type TextRow, timelineRows } from "../../../shared/domain/timeline-text.ts";
import { cut, padded, tame, tameButPainted, wrapped } from "./columns.ts";
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

function figureLines({ value, exact, objective, about }: Figure, paint: Paint): readonly string[] {
  const held = objective === null ? "" : `, ${objective.met ? paint.green(objective.words) : paint.red(objective.words)}`;
  return [`${paint.bold(value)}${exact === null ? "" : ` (${exact})`}${held}`, ...about];
}

/** A name in the margin, and its lines beside it; on a narrow terminal below it. */
function rowOf(name: string, lines: readonly string[], columns: number, paint: Paint): readonly string[] {
  if (lines.length === 0) return [];
  const narrow = columns < 60;
  const margin = narrow ? 2 : nameColumns + 6;
  const body = lines.flatMap((line) => wrapped(tameButPainted(line), columns - margin, "  ")).map((line) => " ".repeat(margin) + line);
  return narrow ? [paint.dim(name), ...body] : [paint.dim(padded(name, margin)) + (body[0] ?? "").slice(margin), ...body.slice(1)];
}

const colours = { scale: "dim", dark: "red", step: "cyan", mark: "yellow" } as const satisfies Record<TextRow["kind"], keyof Paint>;

function course(report: Report, columns: number, paint: Paint): readonly string[] {
  const width = Math.max(barColumnsMin, columns - nameColumns - tookColumns);
  return timelineRows(report, width).map(({ kind, name, picture, took }) => cut(`${padded(name, nameColumns)}${paint[colours[kind]](padded(picture, width))} ${took}`.trimEnd(), columns));
}
