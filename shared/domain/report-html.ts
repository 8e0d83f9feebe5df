/** The report as one self-contained page: no script, nothing from elsewhere, readable on a phone, in the dark, on paper and aloud. */
import { spoken } from "./decision.ts";
import { type Block, evidenceOf, type Section, urgentOf } from "./report-contents.ts";
import { aboutRate, type Figure, figuresOf, timesOf } from "./report-figures.ts";
import { reportStyle } from "./report-style.ts";
import type { Report } from "./report.ts";
import { type Lane, type Mark, type Stretch, timelineOf, wentWell } from "./timeline.ts";

export function reportHtml(report: Report): string {
  const { recovery, loss, users } = figuresOf(report);
  const rate = aboutRate(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`${report.plan}: ${report.outcome} (${report.runId})`)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header>
<p class="run">${text(report.kind)} ${text(report.runId)}, ${text(report.opened.at.slice(0, 10))}, times in UTC</p>
<h1>${text(report.plan)}: ${outcome(report)}</h1>
<p class="summary">${text(report.summary)}</p>
</header>
<div class="figures">${[recovery, loss, users].map(figure).join("")}</div>
${rate === null ? "" : `<p class="note">${text(rate)}</p>`}
${urgentOf(report).map(section).join("\n")}
<section><h2>Course</h2>${course(report)}</section>
${evidenceOf(report).map(section).join("\n")}
</main>
</body>
</html>
`;
}

/** In words and with a sign, for those who see no colour. */
function outcome({ outcome: how }: Report): string {
  const good = how === "recovered" || how === "not-failed-over";
  return `<span class="${good ? "good" : "bad"}">${good ? "✓" : "✗"} ${text(how)}</span>`;
}

function figure({ name, value, exact, seconds, objective, about }: Figure): string {
  const held =
    objective === null || seconds === null
      ? ""
      : `<p class="${objective.met ? "good" : "bad"}">${objective.met ? "✓" : "✗"} ${text(objective.words)}</p><div class="meter ${objective.met ? "met" : "missed"}" aria-hidden="true"><span style="width:${percent(Math.min(1, seconds / objective.seconds))}"></span></div>`;
  const shown = seconds === null ? text(value) : `<data value="${seconds}">${text(value)}</data>${exact === null ? "" : ` <small>${text(exact)}</small>`}`;
  return `<section class="figure"><h2>${text(name)}</h2><p class="value">${shown}</p>${held}${about.map((line) => `<p class="about">${text(line)}</p>`).join("")}</section>`;
}

const section = ({ title, blocks, alarming }: Section): string => `<section${alarming ? ' class="urgent"' : ""}><h2>${alarming ? '<span class="bad">✗</span> ' : ""}${text(title)}</h2>${blocks.map(block).join("")}</section>`;

function block(what: Block): string {
  switch (what.kind) {
    case "paragraph":
      return `<p>${text(what.text)}</p>`;
    case "list":
      return `<ul>${what.items.map((item) => `<li>${text(item)}</li>`).join("")}</ul>`;
    case "facts":
      return `<dl>${what.items.map(({ name, about }) => `<div><dt>${text(name)}</dt><dd>${text(about)}</dd></div>`).join("")}</dl>`;
    case "table":
      return what.summary === null ? table(what) : `<details><summary>${text(what.summary)}</summary>${table(what)}</details>`;
  }
}

/** Roles are said in full: a narrow page lays rows out as lines, and a browser would then forget that this is a table. */
function table({ head, rows }: Extract<Block, { kind: "table" }>): string {
  const row = ([first = "", ...others]: readonly string[]) => `<tr role="row"><th scope="row" role="rowheader">${text(first)}</th>${others.map((cell) => `<td role="cell">${text(cell)}</td>`).join("")}</tr>`;
  return `<table role="table"><thead role="rowgroup"><tr role="row">${head.map((name) => `<th scope="col" role="columnheader">${text(name)}</th>`).join("")}</tr></thead><tbody role="rowgroup">${rows.map(row).join("")}</tbody></table>`;
}

/** Bars to scale, each step in a lane of its own; read aloud it is a list of steps with their times. */
function course(report: Report): string {
  const { lanes, dark, marks, fromAt, toAt } = timelineOf(report);
  const time = timesOf(report);
  const lane = (css: string, name: string, beside: string, at: string, stretch: Stretch, how: string) =>
    `<li class="lane ${css}"><span class="name">${text(name)}${beside === "" ? "" : ` <small>${beside}</small>`}</span><span class="began">${text(time(at))}</span><span class="took"><data value="${stretch.seconds}">${text(spoken(stretch.seconds))}</data>${how}</span><span class="track" aria-hidden="true"><span class="bar" style="left:${percent(stretch.from)};width:${percent(stretch.to - stretch.from)}"></span>${marks.map(({ name: mark, where }) => `<span class="tick ${mark}" style="left:${percent(where)}"></span>`).join("")}</span></li>`;
  const how = ({ outcome: ended }: Lane) => (wentWell(ended) ? ` <small>${text(ended)}</small>` : ` <strong class="bad">✗ ${text(ended)}</strong>`);
  const items = [
    ...(dark === null ? [] : [lane("dark", "users go without", "", dark.fromAt, dark, "")]),
    ...lanes.map((each) => lane(wentWell(each.outcome) ? "" : "ended-here", each.name, each.parallel ? "side by side" : "", each.startedAt, each, how(each))),
  ];
  return `<div class="course${marks.length === 0 ? "" : " marked"}"><div class="over" aria-hidden="true">${marks.map(flag).join("")}</div><ol>${items.join("")}</ol><div class="scale" aria-hidden="true"><span>${text(time(fromAt))}</span><span>${text(time(toAt))}</span></div></div>${marks.length === 0 ? "<p>No point of no return was passed.</p>" : `<p>Points of no return: ${marks.map(({ name, at }) => `${name} at ${text(time(at))}`).join(", ")}.</p>`}`;
}

/** A line through all lanes; its words are on the side where there is room. */
const flag = ({ name, where }: Mark): string => `<span class="mark ${name}${where > 0.5 ? " late" : ""}" style="left:${percent(where)}"><span>${where > 0.5 ? `${name} ▼` : `▼ ${name}`}</span></span>`;

const percent = (fraction: number): string => `${Math.round(fraction * 10_000) / 100}%`;

/** Everything that comes from outside passes through here. */
const text = (value: string): string => value.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
