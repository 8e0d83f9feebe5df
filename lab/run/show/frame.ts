/** One picture of a run under way, as the lines of a terminal. Pure: the same state, time and size give the same lines. */
import { spoken } from "../../../shared/domain/decision.ts";
import type { Phase } from "../../../shared/domain/outcome.ts";
import { wentOn } from "../../../shared/domain/timeline.ts";
import { columnsOf, cut, padded, tame } from "./columns.ts";
import type { Paint } from "./paint.ts";
import type { PageState, Progress, StepState } from "./progress.ts";
import { quoted } from "./sentence.ts";

export interface FrameOptions {
  readonly paint: Paint;
  readonly columns: number;
  readonly rows: number;
  /** Lab time, UTC milliseconds. */
  readonly now: number;
  /** Counts up with every picture: turns the spinner. */
  readonly turn: number;
  /** Host name that users have. */
  readonly page: string;
  /** What runs here: scenario, topology, rate. */
  readonly title: string;
}

const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const nameColumns = 11;
/** Room for two steps beside each other. */
const pairColumns = 62;
const sideBySide: readonly (readonly [Phase, Phase])[] = [["promote", "make-ready"]];

export function frame(progress: Progress, options: FrameOptions): readonly string[] {
  const { columns, rows, paint, now, title, page } = options;
  const head = [
    paint.dim(`${new Date(now).toISOString().slice(11, 19)}  ${title}`),
    ...(progress.stage === null ? pageLines(progress.page, page, options) : [`${turning(options)} ${tame(progress.stage)}`]),
  ];
  const steps = stepLines(progress.steps, options);
  // The last row stays empty: writing into it would scroll the picture away under the cursor.
  const lines = head.length + 1 + steps.length < rows ? ["", ...head, "", ...steps].slice(head.length + 2 + steps.length < rows ? 0 : 1) : [...head, summaryLine(progress.steps, options)].slice(-Math.max(1, rows - 1));
  return lines.map((line) => cut(line, columns));
}

/** One line, or two where one has no room for what matters: who answers, and what. */
function pageLines(state: PageState, page: string, options: FrameOptions): readonly string[] {
  const said = pageSays(state, options);
  return columnsOf(page) + 2 + columnsOf(said) <= options.columns || state.kind === "dark" ? [`${page}  ${said}`] : [page, `  ${said}`];
}

function pageSays(state: PageState, { paint, now }: FrameOptions): string {
  switch (state.kind) {
    case "not-yet":
      return paint.dim("does not answer yet");
    case "answering":
      return paint.green(`answers from ${state.from}: ${quoted(state.shows)}`);
    case "dark":
      return `${paint.red(`dark for ${minutes(now - state.since)}`)}  ${paint.dim(tame(state.why))}`;
  }
}

function stepLines(steps: Progress["steps"], options: FrameOptions): readonly string[] {
  const lines: string[] = [];
  for (const [phase, state] of steps) {
    const pair = sideBySide.find((both) => both.includes(phase));
    if (pair === undefined) {
      lines.push(`  ${stepCell(phase, state, options)}`);
      continue;
    }
    const [left, right] = pair;
    if (options.columns >= pairColumns) {
      if (phase === left) lines.push(`  ${padded(stepCell(left, state, options), 28)} ${stepCell(right, steps.get(right) ?? { kind: "waiting" }, options)}`);
    } else lines.push(`${phase === left ? "╭" : "╰"} ${stepCell(phase, state, options)}`);
  }
  return lines;
}

function stepCell(phase: Phase, state: StepState, options: FrameOptions): string {
  const { paint, now } = options;
  const name = padded(phase, nameColumns);
  switch (state.kind) {
    case "waiting":
      return paint.dim(`· ${name}`);
    case "running":
      return `${turning(options)} ${paint.bold(name)} ${spoken((now - state.since) / 1_000)}`;
    case "done":
      return `${paint.green("✓")} ${name} ${spoken(state.seconds)}${wentOn(state.outcome) ? "" : ` ${state.outcome}`}`;
    case "failed":
      return `${paint.red("✗")} ${name} ${spoken(state.seconds)} ${paint.red(state.outcome)}`;
  }
}

/** For a terminal of few rows: what runs now, and how much is behind and ahead. */
function summaryLine(steps: Progress["steps"], options: FrameOptions): string {
  const all = [...steps];
  const count = (kind: StepState["kind"]) => all.filter(([, state]) => state.kind === kind).length;
  const shown = all.filter(([, { kind }]) => kind === "running" || kind === "failed").map(([phase, state]) => stepCell(phase, state, options));
  return [`${options.paint.green("✓")} ${count("done")}`, ...shown, options.paint.dim(`· ${count("waiting")}`)].join("  ");
}

const turning = ({ turn, paint }: FrameOptions): string => paint.cyan(spinner[turn % spinner.length] ?? "·");

/** `0:42`, as a stop-watch shows it. */
const minutes = (ms: number): string => `${Math.floor(Math.max(0, ms) / 60_000)}:${String(Math.floor(Math.max(0, ms) / 1_000) % 60).padStart(2, "0")}`;
