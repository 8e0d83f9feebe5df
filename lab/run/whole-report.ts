import { type Phase, phases } from "../../shared/domain/outcome.ts";
import type { Report } from "../../shared/domain/report.ts";

/** A run that recovers stands down from nothing. */
const notTaken: readonly Phase[] = ["stand-down"];

/** What the report of a recovered failover lacks: each phase, the question and the card it was decided by, the verdict and its witnesses, the checks, the points that were passed. */
export function lacking(report: Report): readonly string[] {
  const lacks: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) lacks.push(`the report lacks ${what}`);
  };
  const missing = phases.filter((phase) => !notTaken.includes(phase) && !report.steps.some(({ name }) => name === phase));
  must(missing.length === 0, `the phases ${missing.join(", ")}`);
  must(report.decision.asked !== null, "the question that was decided");
  must(report.decision.card !== null, "the card by which it was decided");
  if (report.opened.door === "alert") {
    must(report.confirmation?.kind === "lost" && report.confirmation.readings.length > 0, "the verdict and the readings that it rests on");
    must(report.decision.card?.restorePoint === report.restorePoint?.name, `one restore point: decided was ${report.decision.card?.restorePoint}, restored is ${report.restorePoint?.name}`);
  }
  must(report.fence !== null, "the level of the fence");
  must(report.checks.length > 0, "what was verified");
  must(report.pointsOfNoReturn.traffic !== null, "the traffic point of no return");
  must(report.topology === "shared" || report.pointsOfNoReturn.data !== null, "the data point of no return");
  return lacks;
}
