/** What stands in a report below its figures, section by section, before anybody decides how it looks. Pure. */
import { spoken } from "./decision.ts";
import type { Report } from "./report.ts";
import { exactly, timesOf } from "./report-figures.ts";

/** One line: a name and what is said of it. */
export interface Item {
  readonly name: string;
  readonly about: string;
}

export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  /** Name and value, side by side. */
  | { readonly kind: "facts"; readonly items: readonly Item[] }
  /** `summary` given: long and seldom read, to be unfolded. */
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[]; readonly summary: string | null };

export interface Section {
  readonly title: string;
  /** Whether the report itself is in doubt. */
  readonly alarming: boolean;
  readonly blocks: readonly Block[];
}

/** Before the course of the run: what a reader must not miss. */
export function urgentOf({ observed, next }: Report): readonly Section[] {
  return [section("What does not fit together", list(observed?.disagrees ?? []), true), section("Next", list(next))].flat();
}

/** After it: what the run stands on. */
export function evidenceOf(report: Report): readonly Section[] {
  return [
    section("What the signals said", signals(report)),
    section("Restore points passed over", facts(report.passedOver.map(({ name, reason }) => ({ name, about: reason })))),
    section("Findings about the restore points", table(["Finding", "Fact", "What to do"], report.findings.map(({ kind, point, fact, remedy }) => [point === null ? kind : `${kind} (${point})`, fact, remedy]))),
    section("Fence", facts(report.fence === null ? [] : [{ name: report.fence.level, about: report.fence.about }])),
    section("Checks", table(["Check", "Seen"], report.checks.map(({ check, saw }) => [check, saw]))),
    section("Decisions", decisions(report)),
    section("The run", facts(run(report))),
    section("What was recorded", acts(report)),
  ].flat();
}

const section = (title: string, blocks: readonly Block[], alarming = false): readonly Section[] => (blocks.length === 0 ? [] : [{ title, blocks, alarming }]);
const paragraph = (text: string): readonly Block[] => [{ kind: "paragraph", text }];
const list = (items: readonly string[]): readonly Block[] => (items.length === 0 ? [] : [{ kind: "list", items }]);
const facts = (items: readonly Item[]): readonly Block[] => (items.length === 0 ? [] : [{ kind: "facts", items }]);
const table = (head: readonly string[], rows: readonly (readonly string[])[], summary: string | null = null): readonly Block[] => (rows.length === 0 ? [] : [{ kind: "table", head, rows, summary }]);

function signals(report: Report): readonly Block[] {
  const { confirmation } = report;
  if (confirmation === null) return [];
  const verdict = confirmation.kind === "lost" ? `Confirmed: the ${confirmation.scope} is lost, since ${timesOf(report)(new Date(confirmation.since).toISOString())} at the latest.` : `Not confirmed: ${confirmation.why}.`;
  return [...paragraph(verdict), ...table(["Signal", "Says", "Why"], confirmation.readings.map(({ signal, says, about }) => [signal, says, about]))];
}

/** What was laid before people, and what they said. */
function decisions(report: Report): readonly Block[] {
  const { card, by, answers, abort } = report.decision;
  // What was known then stands in tables of its own: said here again, nobody finds who decided.
  const above = [...(report.confirmation === null ? [] : ["what the signals said"]), ...(report.passedOver.length === 0 ? [] : ["why newer restore points were passed over"])];
  return [
    ...facts([
      ...(by === null ? [] : [{ name: "Decided by", about: by }]),
      ...(card === null ? [] : [{ name: "Predicted recovery time", about: `${exactly(card.predictedRtoSeconds)} after the loss` }, { name: "Loss when it was decided", about: `at most ${exactly(card.lossSeconds)}${card.withinRpo ? "" : `, more than the objective of ${spoken(report.objectives.rpoSeconds)}`}` }]),
    ]),
    ...list([...answers.map(({ by, verdict, about, reason, at }) => `${timesOf(report)(new Date(at).toISOString())} ${by}: ${verdict} (${about}): ${reason}`), ...(abort === null ? [] : [`${timesOf(report)(new Date(abort.at).toISOString())} ${abort.by} asked to abort: ${abort.reason}`])]),
    ...(by === null || above.length === 0 ? [] : paragraph(`Above: ${above.join(", and ")}.`)),
  ];
}

function run(report: Report): readonly Item[] {
  const { opened, pointsOfNoReturn: passed } = report;
  const time = timesOf(report);
  const point = (at: string | null) => (at === null ? "not passed" : `passed at ${time(at)}`);
  return [
    { name: "Kind", about: `${report.kind}, ${report.topology} storage, epoch ${report.epoch}` },
    { name: "Opened", about: `${opened.at} by ${opened.by} (${opened.door}): ${opened.reason}` },
    { name: "Ended", about: report.endedAt },
    { name: "Data point of no return", about: point(passed.data) },
    { name: "Traffic point of no return", about: point(passed.traffic) },
    { name: "Plan version", about: report.planHash },
    { name: "Ledger digest", about: report.digest },
  ];
}

function acts(report: Report): readonly Block[] {
  const time = timesOf(report);
  return table(
    ["At", "Phase", "Step", "Took"],
    report.acts.map(({ at, phase, step, key, seconds }) => [time(at), phase, key === "" ? step : `${step} (${key})`, seconds === "unknown" ? "unknown" : spoken(seconds)]),
    `${report.acts.length} ${report.acts.length === 1 ? "record" : "records"} of the ledger`,
  );
}
