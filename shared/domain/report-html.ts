/** The report as one self-contained page: no script, no outside resource, readable on a phone and in the dark. */
import { spoken } from "./decision.ts";
import type { Report } from "./report.ts";
import { clock, decisions, facts, open } from "./report-markdown.ts";

export function reportHtml(report: Report): string {
  const good = report.outcome === "recovered" || report.outcome === "not-failed-over";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`${report.plan}: ${report.outcome} (${report.runId})`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${text(report.plan)} <span class="outcome ${good ? "good" : "bad"}">${text(report.outcome)}</span></h1>
<p class="summary">${text(report.summary)}</p>
<dl>${facts(report).map(([name, value]) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`).join("")}</dl>
${section("Steps", timeline(report))}
${section("What the signals said", list(report.confirmation?.readings.map(({ signal, says, about }) => `<b>${text(signal)}</b> ${text(says)}: ${text(about)}`) ?? []))}
${section("Passed over", list(report.passedOver.map(({ name, reason }) => `<b>${text(name)}</b> ${text(reason)}`)))}
${section("Fence", report.fence === null ? "" : `<p><b>${text(report.fence.level)}</b>: ${text(report.fence.about)}</p>`)}
${section("Checks", list(report.checks.map(({ check, saw }) => `<b>${text(check)}</b> ${text(saw)}`)))}
${section("Traffic", traffic(report))}
${section("Decisions", list(decisions(report).map((line) => text(line.replace(/^- /, "")))))}
${section("Next", list(report.next.map(text)))}
${section("What was recorded", records(report))}
<footer>Ledger digest <code>${text(report.digest)}</code>, plan version <code>${text(report.planHash)}</code></footer>
</main>
</body>
</html>
`;
}

const section = (title: string, body: string): string => (body === "" ? "" : `<section><h2>${text(title)}</h2>${body}</section>`);
const list = (items: readonly string[]): string => (items.length === 0 ? "" : `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`);

/** One bar for each step, to scale; steps side by side overlap. Drawn by widths alone, so that it prints and scales. */
function timeline(report: Report): string {
  const from = Date.parse(report.opened.at);
  const whole = Math.max(1, Date.parse(report.endedAt) - from);
  const percent = (at: string) => Math.round(((Date.parse(at) - from) / whole) * 1_000) / 10;
  const rows = report.steps.map(({ name, startedAt, endedAt, seconds, outcome }) => {
    const left = percent(startedAt);
    const width = Math.max(0.6, percent(endedAt ?? report.endedAt) - left);
    return `<tr><th scope="row">${text(name)}</th><td>${text(clock(startedAt))}</td><td class="num">${seconds === null ? "" : text(spoken(seconds))}</td><td class="track"><span class="bar" style="margin-left:${Math.min(left, 99.4)}%;width:${Math.min(width, 100 - Math.min(left, 99.4))}%"></span></td><td>${text(outcome)}</td></tr>`;
  });
  return `<div class="wide"><table class="steps"><thead><tr><th>Step</th><th>Began</th><th>Took</th><th aria-hidden="true"></th><th>Outcome</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function traffic({ traffic: ends }: Report): string {
  if (ends === null) return "";
  const rows = (["primary", "secondary"] as const).map((end) => `<tr><th scope="row">${end}</th><td>${open(ends.before[end])}</td><td>${open(ends.after[end])}</td></tr>`);
  return `<table><thead><tr><th>Endpoint</th><th>Before</th><th>After</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function records({ acts }: Report): string {
  const rows = acts.map(({ at, phase, step, key, seconds }) => `<tr><td>${text(clock(at))}</td><td>${text(phase)}</td><td>${text(key === "" ? step : `${step} (${key})`)}</td><td class="num">${seconds} s</td></tr>`);
  return `<details><summary>${acts.length} records</summary><div class="wide"><table><thead><tr><th>At</th><th>Phase</th><th>Step</th><th>Took</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></details>`;
}

/** Everything that comes from outside passes through here. */
const text = (value: string): string => value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--bar:#0a63c9;--good:#116329;--bad:#a40e26}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--line:#3d444d;--paper:#0d1117;--bar:#4c9aff;--good:#56d364;--bad:#ff7b72}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
.outcome{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
.summary{font-size:1.1rem}
dl{margin:0;border-top:1px solid var(--line)}dl div{display:flex;flex-wrap:wrap;gap:0 1rem;border-bottom:1px solid var(--line);padding:.35rem 0}
dt{color:var(--soft);flex:0 0 9rem}dd{margin:0;flex:1 1 16rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);font-weight:400;white-space:nowrap}
thead th{color:var(--soft)}.num{text-align:right;font-variant-numeric:tabular-nums}
.track{width:45%;min-width:9rem}.bar{display:block;height:.7rem;border-radius:.2rem;background:var(--bar)}
li{overflow-wrap:anywhere}footer{color:var(--soft);margin-top:2rem;font-size:.8rem;overflow-wrap:anywhere}code{font-size:.95em}
`;
