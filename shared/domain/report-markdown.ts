/** The report as Markdown, for a ticket or a chat. */
import { spoken } from "./decision.ts";
import type { Report } from "./report.ts";

export function reportMarkdown(report: Report): string {
  const { restorePoint: point, traffic, fence } = report;
  const lines = [
    `# ${report.plan}: ${report.outcome} (${report.runId})`,
    "",
    report.summary,
    "",
    table(["", ""], facts(report)),
    "",
    "## Steps",
    "",
    table(["Step", "Began", "Took", "Outcome"], report.steps.map(({ name, startedAt, seconds, outcome }) => [name, clock(startedAt), seconds === null ? "" : spoken(seconds), outcome])),
  ];
  const section = (title: string, body: readonly string[]) => {
    if (body.length > 0) lines.push("", `## ${title}`, "", ...body);
  };
  section("What the signals said", report.confirmation?.readings.map(({ signal, says, about }) => `- **${signal}**: ${says} (${about})`) ?? []);
  section("Restore point", point === null ? [] : [`${point.name}, taken ${point.takenAt}; at most ${spoken(point.lossSeconds)} of changes lost; ${point.items} objects, ${point.volumeBytes} bytes of volume data.`]);
  section("Passed over", report.passedOver.map(({ name, reason }) => `- **${name}**: ${reason}`));
  section("Fence", fence === null ? [] : [`**${fence.level}**: ${fence.about}`]);
  section("Checks", report.checks.map(({ check, saw }) => `- ${check}: ${saw}`));
  section("Traffic", traffic === null ? [] : [table(["Endpoint", "Before", "After"], (["primary", "secondary"] as const).map((end) => [end, open(traffic.before[end]), open(traffic.after[end])]))]);
  section("Decisions", decisions(report));
  section("Next", report.next.map((next) => `- ${next}`));
  section("What was recorded", [table(["At", "Phase", "Step", "Took"], report.acts.map(({ at, phase, step, key, seconds }) => [clock(at), phase, key === "" ? step : `${step} (${key})`, `${seconds} s`]))]);
  lines.push("", `Ledger digest \`${report.digest}\`, plan version \`${report.planHash}\`.`, "");
  return lines.join("\n");
}

/** The head of the report, the same in every form. */
export function facts(report: Report): readonly (readonly [string, string])[] {
  const { restorePoint: point, rtoSeconds, objectives } = report;
  return [
    ["Outcome", report.outcome],
    ["Plan", `${report.plan} (${report.topology} storage), epoch ${report.epoch}`],
    ["Opened", `${report.opened.at} by ${report.opened.by} (${report.opened.door}): ${report.opened.reason}`],
    ["Ended", report.endedAt],
    ["Recovery time", rtoSeconds === null ? "users were not moved" : `${spoken(rtoSeconds)} of ${spoken(objectives.rtoSeconds)} allowed`],
    ["Loss", point === null ? "nothing was restored" : `at most ${spoken(point.lossSeconds)} of ${spoken(objectives.rpoSeconds)} allowed, from ${point.name}`],
  ];
}

/** Who was asked what, and what they said. */
export function decisions({ decision }: Report): readonly string[] {
  const { asked, answers, abort } = decision;
  return [
    ...(asked === null ? [] : [`- Asked: ${asked}`]),
    ...answers.map(({ by, verdict, about, reason }) => `- ${by}: ${verdict} (${about}): ${reason}`),
    ...(abort === null ? [] : [`- ${abort.by} asked to abort: ${abort.reason}`]),
  ];
}

export const open = (is: boolean): string => (is ? "open" : "closed");
export const clock = (instant: string): string => instant.slice(11, 19);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}
