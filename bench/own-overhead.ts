/**
 * `own-overhead`: what Lifeboat itself costs. A whole failover in a world that answers at once, through HTTP, with the journal on, at
 * a rate where waits weigh little; the figure is wall time from the run's opening to its end, less the plan's own soak. Without
 * `--topology` it runs once for each.
 */
import path from "node:path";
import { JsonlStore } from "../lab/host/durable/store-jsonl.ts";
import type { Topology } from "../lab/run/plans.ts";
import { quickRun, quickSoakSeconds } from "../lab/run/quick.ts";
import { runLab } from "../lab/run/run-lab.ts";

/** As fast as waits can run without the lab's own watching becoming the work. */
const rate = 100;
const secondsMax = 3;
const eventsMax = 500;

export async function ownOverhead(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const asked = options.get("topology");
  const topologies: readonly Topology[] = asked === "shared" || asked === "replicated" ? [asked] : ["replicated", "shared"];
  const measured: Readonly<Record<string, unknown>>[] = [];
  for (const topology of topologies) measured.push(await measure(topology));
  return { ok: measured.every(({ ok }) => ok === true), secondsMax, eventsMax, measured };
}

async function measure(topology: Topology): Promise<Readonly<Record<string, unknown>>> {
  let histories: readonly { readonly instanceId: string; readonly events: number }[] = [];
  const { report, failures } = await runLab({
    ...quickRun,
    rate,
    lookEveryMs: 5_000,
    topology,
    beforeClose: async (lab) => {
      await lab.host().kill("SIGTERM");
      histories = longestHistories(path.join(lab.stateDirectory, "durable.jsonl"));
    },
  });
  const wallSeconds = (Date.parse(report.endedAt) - Date.parse(report.opened.at)) / 1_000 / rate - quickSoakSeconds / rate;
  const [largest] = histories;
  return {
    ok: failures.length === 0 && wallSeconds <= secondsMax && (largest?.events ?? Infinity) <= eventsMax,
    topology,
    outcome: report.outcome,
    failures,
    wallSeconds: round(wallSeconds),
    // Where the time goes, in wall milliseconds, the soak included.
    stepsMs: Object.fromEntries(report.steps.map(({ name, seconds }) => [name, Math.round(((seconds ?? 0) * 1_000) / rate)])),
    largestHistory: largest ?? null,
    instances: histories.length,
    rate,
  };
}

function longestHistories(file: string) {
  const { histories } = new JsonlStore({ file }).open();
  return [...histories].map(([instanceId, history]) => ({ instanceId, events: history.length })).sort((a, b) => b.events - a.events);
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;
