import { buildReport } from "../../shared/domain/report.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { putReport } from "../report-files.ts";
import { Superseded, type Work } from "./perform.ts";

/** Writes the report in its three forms. They follow from the ledger alone, the instant of its first try included, so writing them again writes the same. */
export const report: Work<typeof steps.report> = async ({ outcome }, { world, ledger, plan, call, startedAt }) => {
  const { runId, epoch } = call.ref;
  const [head, entries] = await Promise.all([ledger.head(plan.plan), ledger.entries(plan.plan, epoch)]);
  if (head.run === null || head.run.id !== runId) throw new Superseded(runId, head);
  const begun = entries.find(({ kind, step }) => kind === "intent" && step === call.step);
  const built = buildReport({ head, run: head.run, plan, entries, outcome, endedAt: begun?.startedAt ?? startedAt });
  return { report: await putReport(world.home, runId, built) };
};
