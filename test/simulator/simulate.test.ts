import { beforeAll, describe, expect, test } from "vitest";
import { playBatch } from "../../lab/simulator/batch.ts";
import { base } from "../../lab/simulator/explore.ts";
import { loadSimulator, type Simulator } from "../../lab/simulator/load.ts";
import { labStart } from "../../lab/clock.ts";
import type { Scenario } from "../../lab/simulator/scenario.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await loadSimulator();
});

/** A region that is lost for good, an automatic plan, one alert: nothing else goes wrong. */
const lost: Scenario = { ...base, seed: 7, stopped: false, hosts: 1 };

describe("the app's own runbooks and activities in virtual time", () => {
  test.each(["replicated", "shared"] as const)("bring a lost region's shop back: %s storage", async (topology) => {
    const played = await simulator.playOut({ ...lost, plan: { ...lost.plan, topology } });
    expect(played).toMatchObject({ outcomes: ["recovered"], violations: [] });
  });

  test("are replayed from their history before every turn, and say the same each time", async () => {
    const [once, always] = [await simulator.playOut(lost), await simulator.playOut({ ...lost, replaysAlways: true })];
    expect(always).toMatchObject({ outcomes: ["recovered"], violations: [] });
    expect(always.story.digest()).toBe(once.story.digest());
  });

  test("go on where a host died, wherever it did", async () => {
    for (const moment of ["turn-played", "turn-sent", "work-taken", "work-done", "call-sent", "call-answered"] as const) {
      const played = await simulator.playOut({ ...lost, troubles: [{ kind: "crash", moment, nth: 40, downMs: 20_000 }] });
      expect(played.story.lines.filter(({ what }) => what.startsWith("dies"))).toHaveLength(1);
      expect(played, moment).toMatchObject({ outcomes: ["recovered"], violations: [] });
    }
  });

  test("do nothing any more where a host goes on half an hour later in the middle of a fence that was undone", async () => {
    const aborted: Scenario = { ...lost, hosts: 2, deeds: [...lost.deeds, { kind: "abort", when: "fence", afterMs: 500, who: "Ada Operator" }] };
    const { story } = await simulator.playOut(aborted);
    const closing = story.lines.find(({ what }) => what.startsWith("begins close-primary"));
    const host = closing?.who === "host-2" ? 1 : 0;
    const paused = await simulator.playOut({ ...aborted, troubles: [{ kind: "pause", at: (closing?.at ?? 0) - labStart + 100, host, forMs: 1_800_000 }] });
    expect(paused.story.lines.filter(({ what }) => what.startsWith("stands still"))).toHaveLength(1);
    expect(paused).toMatchObject({ outcomes: ["aborted"], violations: [] });
  });

  test("leave a region alone that is only called lost", async () => {
    const played = await simulator.playOut({ ...lost, loss: { kind: "liars", at: 60_000, liars: ["public-probe", "backend-probe", "traffic-manager"] } });
    expect(played).toMatchObject({ outcomes: ["not-failed-over"], violations: [] });
  });
});

describe("the lease agent in the primary", () => {
  const plan = { ...lost.plan, trafficOnly: false, agent: true };

  test.each([
    ["goes down with its region", "dies", /its lease ran out|could not renew/],
    ["is cut off, and closes by itself", "cut-off", /its lease ran out|could not renew/],
    ["is heard, and closes when it is told to", "hears-home", /says that it has stopped/],
  ] as const)("%s: users are sent away from it when it has closed, and no earlier", async (_, inside, why) => {
    const played = await simulator.playOut({ ...lost, plan, agent: { inside } });
    expect(played).toMatchObject({ outcomes: ["recovered"], violations: [] });
    const said = played.story.lines.find(({ what }) => why.test(what));
    const opened = played.story.lines.find(({ what }) => what.startsWith("traffic.endpoint-updated secondary"));
    expect(said?.at).toBeLessThanOrEqual(opened?.at ?? 0);
  });

  test("opens what it closed by itself when it reaches home again, and the run it would have served was stopped", async () => {
    const loss = { kind: "region", at: 60_000, reach: "reset", forMs: 340_000 } as const;
    const played = await simulator.playOut({ ...lost, plan, agent: { inside: "cut-off" }, loss, deeds: [...lost.deeds, { kind: "abort", when: "fence", afterMs: 60_000, who: "Ada Operator" }] });
    expect(played).toMatchObject({ outcomes: ["aborted"], violations: [] });
    const lastSaid = (event: string): number => played.story.lines.findLast(({ who, what }) => who.startsWith("agent-") && what.startsWith(event))?.at ?? 0;
    expect(lastSaid("agent.closed")).toBeGreaterThan(labStart + loss.at);
    expect(lastSaid("agent.opened")).toBeGreaterThan(labStart + loss.at + loss.forMs);
  });
});

describe("seeds", () => {
  test("violate nothing, and are the same when they are played again", async () => {
    const { failing, runs, twice } = await playBatch({ from: 1, runs: 24, twiceEvery: 8 }, simulator);
    expect(failing).toEqual([]);
    expect([runs, twice]).toEqual([24, 3]);
  });

  test("that fail are made smaller and fail the same way", async () => {
    const careless = await loadSimulator([{ file: "functions/activities/open-secondary.ts", find: "  if (before.primary.open) await world.traffic.closePrimary(plan.traffic);\n", put: "  await world.traffic.reopenPrimary(plan.traffic);\n" }]);
    const scenario: Scenario = { ...lost, hosts: 2, troubles: [{ kind: "again", nth: 10, afterMs: 0 }] };
    const { violations } = await careless.playOut(scenario);
    expect(violations).toContainEqual(expect.objectContaining({ invariant: "S1" }));
    expect(await careless.shrink(scenario, "S1")).toEqual(lost);
  });
});

describe("with the real library's replay", () => {
  test("the same scenarios end the same way, with nothing violated", async () => {
    const sdk = await playBatch({ from: 1, runs: 10, twiceEvery: 5, driver: "sdk" }, simulator);
    const { outcomes } = await playBatch({ from: 1, runs: 10, twiceEvery: 1_000 }, simulator);
    expect(sdk).toMatchObject({ failing: [], twice: 2, outcomes });
  });

  test("hosts die wherever they die", async () => {
    for (const moment of ["turn-played", "turn-sent", "work-done"] as const) {
      // The second one: before the first child was asked for on record, so that its answer comes too early.
      for (const nth of [1, 30]) {
        const played = await simulator.playOut({ ...lost, driver: "sdk", hosts: 2, troubles: [{ kind: "crash", moment, nth, downMs: 20_000 }] });
        expect(played, `${moment} ${nth}`).toMatchObject({ outcomes: ["recovered"], violations: [] });
      }
    }
  });

  test("a runbook that asks chance what to do next is found out", async () => {
    const find = "    return (yield context.df.callActivity(step, call)) as StepAnswer;";
    const careless = await loadSimulator([{ file: "orchestrations/runbook.ts", find, put: `    if (Math.random() < 0.3) yield context.df.createTimer(new Date(0));\n${find}` }]);
    const { violations } = await careless.playOut({ ...lost, driver: "sdk" });
    expect(violations).toContainEqual(expect.objectContaining({ invariant: "S21" }));
  });
});

test("a patch that does not fit the source any more is refused by name", async () => {
  await expect(loadSimulator([{ file: "functions/ledger.ts", find: "nothing of the kind", put: "" }])).rejects.toThrow("functions/ledger.ts does not hold this text exactly once");
});
