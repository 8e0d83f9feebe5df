import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alertOf } from "../../lab/run/azure-monitor.ts";
import { accounts, primary } from "../../lab/world/pair.ts";
import { changed, openStage, type Answer, patience, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  // Long enough that the run is still looking when the storm is over.
  stage = await openStage({ topology: "replicated", changePlan: (plan) => changed(plan, { soakSeconds: 600 }) });
  stage.pair.lose(primary.region);
}, patience.up);
afterAll(() => stage.close(), patience.down);

const copies = 20;
/** Decides in which order the storm comes. */
const seed = 20261121;

test("twenty copies of one alert, shuffled, mixed with resolved and foreign ones, all at once, open one run", { timeout: patience.test }, async () => {
  const at = stage.pair.world.clock.now();
  const fired = alertOf("Fired", { id: "storm", at });
  const resolved = alertOf("Resolved", { id: "storm", at }, at + 60_000);
  const foreign = ["of-another-team", "of-a-third"].map((plan) => alertOf("Fired", { id: `foreign-${plan}`, at }, undefined, plan));
  const answers = await storm([
    ...times(copies, { of: "fired", alert: fired }),
    ...times(copies, { of: "resolved", alert: resolved }),
    ...foreign.flatMap((alert) => times(copies / 4, { of: "foreign", alert })),
  ]);

  expect(new Set(answers.map(({ answer }) => answer.status))).toEqual(new Set([202]));
  const opened = answers.filter(({ of }) => of === "fired").flatMap(({ answer }) => answer.body.runs ?? []);
  expect(opened.map(({ plan, runId }) => `${plan} ${runId}`)).toEqual(times(copies, "shop shop-1"));
  expect(opened.map(({ kind }) => kind).toSorted()).toEqual([...times(copies - 1, "joined"), "opened"]);
  for (const { answer } of answers.filter(({ of }) => of === "resolved")) expect(answer.body.ignored).toContain("resolved");
  for (const { answer } of answers.filter(({ of }) => of === "foreign")) expect(answer.body.ignored).toContain("there is no such plan here");

  const { head } = await stage.app.plan("shop");
  expect(head).toMatchObject({ epoch: 1, run: { id: "shop-1" } });
  expect(head.alerts).toHaveLength(1);
  expect(await failovers()).toEqual(["shop-1"]);
  expect(await stage.container(accounts.home.name, "lifeboat").list("alerts/foreign/"), "each foreign alert is counted once").toHaveLength(foreign.length);
});

test("another alert of the same loss joins the open run", { timeout: patience.test }, async () => {
  const { body } = await stage.post(alertOf("Fired", { id: "of-another-rule", at: stage.pair.world.clock.now() }));
  expect(body.runs).toMatchObject([{ kind: "joined", runId: "shop-1" }]);
});

test("copies that come after the run has ended open none", { timeout: patience.test }, async () => {
  stage.pair.giveBack(primary.region);
  const report = await stage.ended("shop-1");
  expect(report.outcome).toBe("not-failed-over");
  const fired = alertOf("Fired", { id: "storm", at: stage.pair.world.clock.now() });
  const answers = await storm(times(5, { of: "late", alert: fired }));
  expect(answers.flatMap(({ answer }) => answer.body.runs ?? []).map(({ kind, runId }) => `${kind} ${runId}`)).toEqual(times(5, "joined shop-1"));
  expect((await stage.app.plan("shop")).head).toMatchObject({ epoch: 1, run: null });
  expect(await failovers()).toEqual(["shop-1"]);
});

/** Sends all of them at once, in an order that the seed decides, and gives back who was answered what. */
async function storm<Sent extends { readonly alert: unknown }>(alerts: readonly Sent[]): Promise<readonly (Sent & { readonly answer: Answer })[]> {
  const [shuffled = []] = fc.sample(fc.shuffledSubarray([...alerts.keys()], { minLength: alerts.length }), { seed, numRuns: 1 });
  const inOrder = shuffled.flatMap((at) => alerts[at] ?? []);
  return Promise.all(inOrder.map(async (sent) => ({ ...sent, answer: await stage.post(sent.alert) })));
}

/** Instances of the runbook itself; its children have ids and names of their own. */
const failovers = async () => (await stage.instances("")).filter(({ name }) => name === "failover").map(({ instanceId }) => instanceId);

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
