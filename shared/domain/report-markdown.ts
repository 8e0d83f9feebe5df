/** The report as Markdown, for a ticket or a chat. */
import { type Block, evidenceOf, type Section, urgentOf } from "./report-contents.ts";
import { aboutRate, type Figure, figuresOf } from "./report-figures.ts";
import type { Report } from "./report.ts";
import { timelineRows } from "./timeline-text.ts";

export function reportMarkdown(report: Report): string {
  const rate = aboutRate(report);
  const { recovery, loss, users } = figuresOf(report);
  return `${[
    `# ${safe(`${report.plan}: ${report.outcome} (${report.runId})`)}`,
    safe(report.summary),
    rows(["", "", ""], [recovery, loss, users].map(figure)),
    ...(rate === null ? [] : [safe(rate)]),
    ...urgentOf(report).map(section),
    "## Course",
    course(report),
    ...evidenceOf(report).map(section),
  ].join("\n\n")}\n`;
}

const figure = ({ name, value, exact, objective, about }: Figure): readonly string[] => [safe(name), `**${safe(value)}**${exact === null ? "" : ` (${exact})`}`, [...(objective === null ? [] : [`${objective.met ? "✓" : "✗"} ${objective.words}`]), ...about].map(safe).join("<br>")];

const section = ({ title, blocks, alarming }: Section): string => [`## ${alarming ? "✗ " : ""}${safe(title)}`, ...blocks.map(block)].join("\n\n");

function block(what: Block): string {
  switch (what.kind) {
    case "paragraph":
      return safe(what.text);
    case "list":
      return what.items.map((item) => `- ${safe(item)}`).join("\n");
    case "facts":
      return what.items.map(({ name, about }) => `- **${safe(name)}**: ${safe(about)}`).join("\n");
    case "table":
      return what.summary === null ? table(what) : `<details><summary>${safe(what.summary)}</summary>\n\n${table(what)}\n\n</details>`;
  }
}

const table = ({ head, rows: body }: Extract<Block, { kind: "table" }>): string => rows(head.map(safe), body.map((cells) => cells.map(safe)));

function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...body.map(row)].join("\n");
}

const nameLetters = 14;
const pictureLetters = 60;

/** Bars in a code block, where every letter is equally wide. */
function course(report: Report): string {
  const lines = timelineRows(report, pictureLetters).map(({ name, picture, took }) => `${name.padEnd(nameLetters)}${picture.padEnd(pictureLetters)} ${took}`.trimEnd());
  return ["```text", ...lines.map((line) => line.replaceAll("`", "'")), "```"].join("\n");
}

const special = /[\\`*_[\]|~<>&]|\s\s|[^\S ]|^\s*(?:[-+#=]|\d+[.)])/;

/** Everything that comes from outside passes through here: on one line, and no letter of it means anything to Markdown or HTML. */
function safe(text: string): string {
  // Most texts are: asked once instead of changed five times.
  if (!special.test(text)) return text;
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|~>]/g, String.raw`\$&`)
    .replace(/^(\s*)([-+#=]|\d+[.)])(?=\s|$)/, String.raw`$1\$2`);
}
