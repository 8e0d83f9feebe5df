/**
 * `own-overhead`: what Lifeboat itself costs. A whole failover in a world that answers at once, through HTTP, with the journal on, at
 * a rate where the plan's waits weigh little; the figure is wall time from the run's opening to its end, waits of the plan taken out.
 */
import path from "node:path";
import { JsonlStore } from "../lab/host/durable/store-jsonl.ts";
import { runLab } from "../lab/run/run-lab.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";
import { noLatencies } from "../lab/world/latencies.ts";

const rate = 100;

export async function ownOverhead(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const topology = options.get("topology") === "shared" ? "shared" : "replicated";
  let histories: readonly { readonly instanceId: string; readonly events: number }[] = [];
  const { report, failures } = await runLab({
    scenario: { ...scenarioNamed("region-lost"), freshBackup: false },
    topology,
    rate,
    reportDirectory: null,
    tell: () => undefined,
    latencies: noLatencies,
    changePlan: quick,
    beforeClose: async (lab) => {
      await lab.host().kill("SIGTERM");
      histories = longestHistories(path.join(lab.stateDirectory, "durable.jsonl"));
    },
  });
  const wallSeconds = (Date.parse(report.endedAt) - Date.parse(report.opened.at)) / 1_000 / rate;
  const confirmed = report.steps.find(({ name }) => name === "confirm");
  const [largest] = histories;
  return {
    ok: failures.length === 0 && wallSeconds <= 3 && (largest?.events ?? Infinity) <= 500,
    topology,
    outcome: report.outcome,
    failures,
    wallSeconds: round(wallSeconds),
    // Where the time goes, in wall milliseconds.
    stepsMs: Object.fromEntries(report.steps.map(({ name, seconds }) => [name, Math.round(((seconds ?? 0) * 1_000) / rate)])),
    confirmSecondsOfPlan: confirmed?.seconds ?? null,
    largestHistory: largest ?? null,
    instances: histories.length,
    rate,
  };
}

/** The plan's own waits, made short: they are the plan's choice and not our cost. */
function quick(plan: string): string {
  return plan.replace(/soakSeconds: \d+/, "soakSeconds: 5").replace(/everySeconds: \d+/, "everySeconds: 1");
}

function longestHistories(file: string) {
  const { histories } = new JsonlStore({ file }).open();
  return [...histories].map(([instanceId, history]) => ({ instanceId, events: history.length })).sort((a, b) => b.events - a.events);
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;
