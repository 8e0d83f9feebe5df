import { buildReport } from "../../shared/domain/report.ts";
import { reportHtml } from "../../shared/domain/report-html.ts";
import { reportMarkdown } from "../../shared/domain/report-markdown.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { Superseded, type Work } from "./perform.ts";

/** Writes the report in its three forms. They follow from the ledger alone, the instant of its first try included, so writing them again writes the same. */
export const report: Work<typeof steps.report> = async ({ outcome }, { world, ledger, plan, call, startedAt }) => {
  const { runId, epoch } = call.ref;
  const [head, entries] = await Promise.all([ledger.head(plan.plan), ledger.entries(plan.plan, epoch)]);
  if (head.run === null || head.run.id !== runId) throw new Superseded(runId, head);
  const begun = entries.find(({ kind, step }) => kind === "intent" && step === call.step);
  const built = buildReport({ head, run: head.run, plan, entries, outcome, endedAt: begun?.startedAt ?? startedAt });
  await Promise.all([
    world.home.put(`reports/${runId}/report.json`, JSON.stringify(built, null, 2), "application/json"),
    world.home.put(`reports/${runId}/report.md`, reportMarkdown(built), "text/markdown; charset=utf-8"),
    world.home.put(`reports/${runId}/report.html`, reportHtml(built), "text/html; charset=utf-8"),
  ]);
  return { report: `reports/${runId}/report.json` };
};
