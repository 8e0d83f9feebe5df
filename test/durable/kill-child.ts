/**
 * One process of the kill test: opens the engine over the journal, starts what is not there yet, and when all has ended prints the outputs.
 * Arguments: the app's directory, the journal, the clock.
 */
import { joinClock } from "../../lab/clock.ts";
import { loadApp } from "../../lab/host/core-api.ts";
import { openEngine } from "../../lab/host/durable/engine.ts";
import { isFinished } from "../../lab/host/durable/new-instance.ts";
import { engineApp } from "../../lab/host/engine-app.ts";
import { killPlan } from "./kill-plan.ts";

const [appDirectory = "", journalFile = "", clockText = ""] = process.argv.slice(2);
const problems: unknown[] = [];
const app = engineApp(await loadApp({ appDirectory, log: () => {} }), { inputsFor: () => [] });
const engine = await openEngine({
  app,
  journalFile,
  clock: joinClock(clockText),
  strict: "fail",
  problems: (problem) => problems.push(problem),
  activityConcurrency: 4,
});
(globalThis as unknown as { ring: (id: string) => void }).ring = (instanceId) => void engine.instances.raise(instanceId, "bell", "1");
engine.start();
for (const { instanceId, name, input } of killPlan) {
  if (!engine.instances.row(instanceId)) engine.instances.start({ instanceId, name, input: JSON.stringify(input), version: null });
}
process.stdout.write("ready\n");
const rows = () => killPlan.map(({ instanceId }) => engine.instances.row(instanceId));
// An instance that was lost would be waited for in vain: what there is after that long is the report.
const giveUpAt = performance.now() + 15_000;
while (!rows().every((row) => row && isFinished(row)) && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 5));
const outputs = rows().map((row) => [row?.instanceId, row?.status, row?.output]);
await engine.close();
process.stdout.write(`${JSON.stringify({ outputs, problems })}\n`);
