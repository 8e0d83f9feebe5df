import { expect, test } from "vitest";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab } from "../../lab/run/run-lab.ts";
import { type Scenario, scenarioNamed, scenarios } from "../../lab/run/scenarios.ts";
import type { Topology } from "../../lab/run/plans.ts";
import { turnstile } from "../../lab/turnstile.ts";
import { secondary, primary } from "../../lab/world/pair.ts";
import { patience, quickRate } from "./stage.ts";

/** Two labs at once keep two cores busy; six would only wait for each other. */
const take = turnstile(2);
/** One lab takes a few seconds; the last one waits for the two rounds before it, on a machine with much else to do for minutes. */
const timeoutMs = 3 * patience.test;

/** The newest points that the recorded Velero left, and the banner that each was taken under. */
const newest = "shop-hourly-20261121055825";

// Each run is held by the lab itself against the world's effects and against an independent client: `failures` holds what did not fit.
async function play(scenario: Scenario, topology: Topology, rate = quickRate) {
  const { report, failures } = await take(() => runLab({ ...quickRun, scenario, topology, rate, blobPollMs: scenario.freshBackup ? 20_000 : quickRun.blobPollMs }));
  expect(failures).toEqual([]);
  expect(report.outcome).toBe(scenario.ends);
  expect(report.topology).toBe(topology);
  return report;
}

test.concurrent("a region is lost on replicated storage: the backup of minutes ago comes back in the other region", { timeout: timeoutMs }, async () => {
  const report = await play(scenarioNamed("region-lost"), "replicated");
  expect(report.restorePoint?.name).not.toBe(newest);
  expect(report.observed?.shows).toBe("Night market");
  expect(report.passedOver).toEqual([]);
  expect(report.traffic).toEqual({ before: primary.region, after: secondary.region });
  expect(report.observed?.writesToPrimary).toBe(0);
  expect(report.pointsOfNoReturn.data).not.toBeNull();
});

test.concurrent("a region is lost on shared storage: the same, read at the secondary endpoint, and no data point of no return", { timeout: timeoutMs }, async () => {
  const report = await play({ ...scenarioNamed("region-lost"), freshBackup: false }, "shared");
  expect(report.restorePoint?.name).toBe(newest);
  expect(report.traffic).toEqual({ before: primary.region, after: secondary.region });
  expect(report.pointsOfNoReturn).toMatchObject({ data: null, traffic: expect.any(String) as string });
});

test.concurrent("a namespace is deleted: it comes back in place, and nothing is fenced or switched", { timeout: timeoutMs }, async () => {
  const report = await play(scenarioNamed("namespace-lost"), "replicated");
  expect(report.kind).toBe("recovery");
  expect(report.restorePoint?.name).toBe("demo-backup");
  const took = report.steps.map(({ name }) => name);
  for (const untaken of ["fence", "promote", "open", "stand-down"]) expect(took).not.toContain(untaken);
  expect(report.fence).toBeNull();
  expect(report.traffic).toEqual({ before: primary.region, after: primary.region });
});

// At a rate at which forty seconds are long enough for the alert to come in while the region is still dark.
test.concurrent("a loss of 40 s: a run is opened, and nobody fails over", { timeout: timeoutMs }, async () => {
  const report = await play({ ...scenarioNamed("primary-blip"), freshBackup: false }, "replicated", 20);
  expect(report.steps.map(({ name }) => name)).toEqual(["accept", "confirm", "report"]);
  expect(report.traffic).toEqual({ before: primary.region, after: primary.region });
});

test.concurrent("the newest backup has not arrived whole: the next older whole one is restored, and the report says why", { timeout: timeoutMs }, async () => {
  const report = await play(scenarioNamed("backup-incomplete"), "replicated");
  expect(report.restorePoint?.name).toBe(newest);
  expect(report.passedOver).toHaveLength(1);
  const [{ name, reason } = { name: "", reason: "" }] = report.passedOver;
  expect(name).toMatch(/^shop-hourly-\d{14}$/);
  expect(reason).toContain(`${name}.tar.gz`);
  expect(reason).toContain("not at the replica");
});

test.concurrent("the newest point has no volume data: it is passed over, with the reason", { timeout: timeoutMs }, async () => {
  const report = await play(scenarioNamed("data-skipped"), "shared");
  expect(report.restorePoint?.name).toBe(newest);
  expect(report.passedOver).toEqual([{ name: "shop-no-data", reason: expect.stringContaining("data-orders-0 in shop was skipped by the backup") as string }]);
});

// At a rate at which the agent's lease is seconds of ours: a busy machine must not end it.
test.concurrent("a region is cut off and lives on: its agent gives up, and only then is the other region opened", { timeout: timeoutMs }, async () => {
  const report = await play(scenarioNamed("region-cut-off"), "replicated", 20);
  expect(report.fence).toEqual({ level: "self-fenced", about: expect.stringContaining("which nobody has seen") as string });
});

test("every scenario has its test above", () => {
  expect(scenarios.map(({ name }) => name)).toEqual(["region-lost", "namespace-lost", "primary-blip", "backup-incomplete", "data-skipped", "region-cut-off"]);
});
