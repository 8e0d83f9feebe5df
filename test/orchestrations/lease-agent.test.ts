import { describe, expect, test } from "vitest";
import { agentClosed, agentOpened, askAgent, releaseAgent } from "../../functions/activities/lease-agent.ts";
import { type AgentState, type Lease, leaseName, type Wish, wishName } from "../../shared/domain/lease.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { allGoesWell, fails, type Play, stage, type Works } from "./stage.ts";

const { play } = stage();

const example = examplePlan("shop-replicated");
const planWith = (enough: readonly string[]) => planSchema.parse({ ...example, fence: { ...example.fence, enough, agent: {} } });
const plan = planWith(["fenced", "self-fenced"]);
/** The app's own steps; the agent is a test's. */
const agentSteps = { askAgent, agentClosed, releaseAgent, agentOpened };
const played = (works: Partial<Works> = {}, more: Parameters<typeof play>[1] = {}) => play({ ...agentSteps, ...works }, { plan, ...more });
const renews = async ({ home }: Pick<Play, "home">, state: AgentState) => home.put(leaseName("shop"), JSON.stringify({ format: 1, plan: "shop", agent: "a", leaseSeconds: 60, clusterSilent: null, state } satisfies Lease));
const wishOf = ({ home }: Pick<Play, "home">) => JSON.parse(home.blobs.get(wishName("shop"))?.body ?? "null") as Wish | null;
const after = <K extends keyof Works>(key: K, then: (duty: Parameters<Works[K]>[1]) => Promise<unknown>): Partial<Works> => ({
  [key]: async (input: never, duty: never) => {
    const value = await (allGoesWell[key] as (input: never, duty: never) => Promise<unknown>)(input, duty);
    await then(duty);
    return value;
  },
});

describe("a primary that does not answer, with an agent in it", () => {
  test("is self-fenced by the agent's word, and nobody is asked", async () => {
    const run = await played(after("closePrimary", async ({ world, call }) => renews(world as never, { kind: "closed", epoch: call.ref.epoch, at: world.clock.now() })));
    const { outcome, report } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(report?.fence).toEqual({ level: "self-fenced", about: expect.stringContaining("the agent in the primary says that it has stopped the application there") });
    expect(run.trace.indexOf("ask-agent")).toBeLessThan(run.trace.indexOf("close-primary"));
    expect(wishOf(run)).toMatchObject({ kind: "close", epoch: 1 });
  });

  test("is self-fenced by its silence, after the whole of its time and before anything is restored", async () => {
    const run = await played(after("closePrimary", async ({ world }) => renews(world as never, { kind: "serving" })));
    const { outcome, report } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(report?.fence).toEqual({ level: "self-fenced", about: expect.stringContaining("which nobody has seen") });
    const fence = report?.steps.find(({ name }) => name === "fence");
    expect(fence?.seconds).toBeGreaterThanOrEqual(211);
    expect(fence?.seconds).toBeLessThan(225);
  });

  test.each<[string, AgentState | null, string]>([
    ["none was ever heard", null, "no agent has ever renewed a lease"],
    ["it renews on and does not say that it has closed", { kind: "serving" }, "has not said yet that the application is closed"],
    ["it says what it could not stop", { kind: "partly", epoch: 1, at: 0, left: ["pod shop/debug still runs"] }, "could not stop everything: pod shop/debug still runs"],
  ])("is a question to a person where %s", async (_, state, why) => {
    const run = await played({
      async agentClosed(input, duty) {
        if (state !== null) await renews(duty.world as never, state);
        return agentClosed(input, duty);
      },
      ...after("closePrimary", async ({ world }) => (state === null ? undefined : renews(world as never, state))),
    });
    await run.until(async () => (await run.head()).run?.question?.about === "fence");
    expect((await run.head()).run?.question?.text).toContain(why);
    await run.decide("Grace", "approve", "fence");
    const { outcome, report } = await run.ended();
    expect([outcome.kind, report?.fence?.level]).toEqual(["recovered", "forced by Grace"]);
  });

  test("waits for no agent where what is reached is enough for the plan, and asks it all the same", async () => {
    const run = await played({}, { plan: planWith(["fenced", "traffic-only"]) });
    const { report } = await run.ended();
    expect(report?.fence?.level).toBe("traffic-only");
    expect(run.trace).not.toContain("agent-closed");
    expect(wishOf(run)).toMatchObject({ kind: "close" });
  });
});

test("a plan without an agent asks none, and takes the same steps as ever", async () => {
  const run = await play(agentSteps);
  const { report } = await run.ended();
  expect(report?.fence?.level).toBe("traffic-only");
  expect([wishOf(run), run.trace.filter((step) => step.includes("agent"))]).toEqual([null, []]);
});

describe("a run with an agent that stands down", () => {
  const stopsAfterTheFence = { chooseRestorePoint: fails("no") } satisfies Partial<Works>;
  const closes = after("closePrimary", async ({ world, call }) => renews(world as never, { kind: "closed", epoch: call.ref.epoch, at: world.clock.now() }));

  test("takes the wish back before it wakes anything, and ends when the agent says that it has opened", async () => {
    const run = await played({
      ...stopsAfterTheFence,
      ...closes,
      async agentOpened(input, duty) {
        await renews(duty.world as never, { kind: "serving" });
        return agentOpened(input, duty);
      },
    });
    const { outcome } = await run.ended();
    expect(outcome).toMatchObject({ kind: "halted", next: expect.not.stringContaining("agent") });
    expect(wishOf(run)).toMatchObject({ kind: "taken-back", epoch: 1 });
    expect(run.trace.filter((step) => ["release-agent", "wake-primary", "agent-opened", "reopen-primary"].includes(step))).toEqual(["release-agent", "wake-primary", "agent-opened", "reopen-primary"]);
  });

  test("lets users in before it waits for the agent, where the primary's cluster answered us", async () => {
    const run = await played({ ...stopsAfterTheFence, ...closes, quietPrimary: async () => ({ kind: "quiet", suspended: [] }) });
    const { outcome } = await run.ended();
    expect(run.trace.filter((step, at, all) => ["release-agent", "wake-primary", "agent-opened", "reopen-primary"].includes(step) && all.indexOf(step) === at)).toEqual(["release-agent", "wake-primary", "reopen-primary", "agent-opened"]);
    expect(outcome).toMatchObject({ kind: "halted", next: expect.stringContaining("the agent in the primary has not said") });
  });

  test("says what is left where the agent is cut off", async () => {
    const run = await played({ ...stopsAfterTheFence, ...closes });
    const { outcome } = await run.ended();
    expect(outcome).toMatchObject({ kind: "halted", next: expect.stringMatching(/Left: the agent in the primary has not said that the application is open there \(it renewed its lease last at .*\); it opens what it closed as soon as it reaches home/) });
  });

  test("says that it still asks where the wish could not be taken back", async () => {
    const run = await played({ ...stopsAfterTheFence, ...closes, releaseAgent: fails("no answer") });
    const { outcome } = await run.ended();
    expect(outcome).toMatchObject({ kind: "halted", next: expect.stringContaining("the agent in the primary was not told to open (no answer); it opens what it closed when it reads that this run is over") });
    expect(run.trace).not.toContain("agent-opened");
  });

  test("has nothing to say of one that never was there", async () => {
    const run = await played({ ...stopsAfterTheFence }, { plan: planWith(["fenced", "traffic-only"]) });
    expect((await run.ended()).outcome).toMatchObject({ kind: "halted", next: expect.not.stringContaining("agent") });
  });

  test("by an abort in the wait for it says so, and takes the wish back", async () => {
    const run = await played(after("closePrimary", async ({ world }) => renews(world as never, { kind: "serving" })));
    await run.until(() => run.trace.includes("agent-closed"));
    expect(await run.abort()).toBe("changed");
    const { outcome } = await run.ended();
    expect(outcome).toMatchObject({ kind: "aborted", left: expect.arrayContaining([expect.stringContaining("the agent in the primary has not said that the application is open there")]) });
    expect(wishOf(run)).toMatchObject({ kind: "taken-back" });
  });
});
