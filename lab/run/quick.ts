/** What a run is given that is not about time: a world that answers at once, and a plan that waits no longer than it must. For tests and benches. */
import { noLatencies } from "../world/latencies.ts";
import type { LabRunOptions } from "./run-lab.ts";
import { scenarioNamed } from "./scenarios.ts";

/** A second of waiting is 25 milliseconds of ours; and a machine that is busy has 90 seconds of its own before an hour of the lab, which no run may take, is over. */
const rate = 40;

/** The run of a lost region, without the backup before it. Everything that looks again and again does so a few times a wall second. */
export const quickRun = {
  scenario: { ...scenarioNamed("region-lost"), freshBackup: false },
  rate,
  latencies: { ...noLatencies, veleroSyncPeriod: 60_000, veleroValidation: 60_000 },
  changePlan: quickPlan,
  lookEveryMs: 2_000,
  blobPollMs: 60_000,
  reportDirectory: null,
  tell: () => undefined,
} satisfies Omit<LabRunOptions, "topology">;

/** How long the witnesses must agree in a quick plan. */
export const quickSoakSeconds = 30;

/** The plan's own waits, made short: they are the plan's choice. Rounds stay far enough apart that a busy machine keeps their pace. */
export function quickPlan(plan: string): string {
  return plan.replace(/soakSeconds: \d+/, `soakSeconds: ${quickSoakSeconds}`).replace(/everySeconds: \d+/, "everySeconds: 5");
}
