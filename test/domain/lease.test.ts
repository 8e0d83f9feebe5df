import { describe, expect, test } from "vitest";
import { fenceLevel } from "../../shared/domain/fence.ts";
import { type AgentState, darkByAgent, judgeLease, type Lease, leaseName, leaseTrouble, leftMax, readLease, readWish, type SelfFence, type Wish, wishAfter, wishName } from "../../shared/domain/lease.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { examplePlan } from "./example-plans.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const terms = { renewSeconds: 10, leaseSeconds: 60, closingSeconds: 90, marginSeconds: 60, noticeSeconds: 900, silenceCounts: true };
const wish = (kind: Wish["kind"], epoch: number): Wish => ({ format: 1, plan: "shop", epoch, runId: `shop-${epoch}`, kind, at });
const lease = (state: AgentState = { kind: "serving" }, more: Partial<Lease> = {}): Lease => ({ format: 1, plan: "shop", agent: "a", leaseSeconds: 60, clusterSilent: null, state, ...more });
const judged = (found: Lease | null, { silentSeconds, noticedAt = at, more = {} }: { silentSeconds: number; noticedAt?: number; more?: Partial<typeof terms> }) => judgeLease({ lease: found, writtenAt: at, storeNowAt: at + silentSeconds * 1_000 }, 7, { ...terms, ...more }, noticedAt);

describe("a lease", () => {
  test("proves that the primary is closed where the agent says so for this run, however long ago", () => {
    const closed = lease({ kind: "closed", epoch: 7, at });
    expect(judged(closed, { silentSeconds: 0 })).toEqual({ kind: "done", value: { kind: "closed", about: "the agent in the primary says that it has stopped the application there, at 2026-11-21 06:05:00 UTC" } });
    expect(judged(closed, { silentSeconds: 9_999, noticedAt: at + 9_999_000 })).toMatchObject({ value: { kind: "closed" } });
    for (const epoch of [6, null]) expect(judged(lease({ kind: "closed", epoch, at }), { silentSeconds: 0 })).toMatchObject({ kind: "not-yet" });
  });

  test("proves nothing before the whole of its time is over, to the second", () => {
    for (const silentSeconds of [0, 60, 150, 210]) expect(judged(lease(), { silentSeconds }).kind, `${silentSeconds} s`).toBe("not-yet");
    expect(judged(lease(), { silentSeconds: 211 })).toMatchObject({ kind: "done", value: { kind: "expired" } });
    expect(judged(lease(), { silentSeconds: 0 })).toMatchObject({ about: "the agent in the primary has not said yet that the application is closed; it renewed its lease last at 2026-11-21 06:05:00 UTC, and must have closed the application by 2026-11-21 06:08:31 UTC" });
  });

  test("runs as long as the agent was told when it renewed, whatever the plan has come to say since", () => {
    expect(judged(lease({ kind: "serving" }, { leaseSeconds: 600 }), { silentSeconds: 211 }).kind).toBe("not-yet");
    expect(judged(lease({ kind: "serving" }, { leaseSeconds: 30 }), { silentSeconds: 181 })).toMatchObject({ value: { kind: "expired" } });
  });

  test.each<[string, Lease | null, Parameters<typeof judged>[1], string]>([
    ["that was not renewed any more when the loss began", lease(), { silentSeconds: 9_999, noticedAt: at + 900_001 }, "silent before the loss was noticed"],
    ["whose agent could not reach its own cluster", lease({ kind: "serving" }, { clusterSilent: "no route" }), { silentSeconds: 9_999 }, "its own cluster did not answer it then: no route"],
    ["whose agent could not stop everything", lease({ kind: "partly", epoch: 7, at, left: ["pod shop/orders-0 still runs"] }), { silentSeconds: 9_999 }, "could not stop everything then: pod shop/orders-0 still runs"],
    ["of a plan that takes the agent's word alone", lease(), { silentSeconds: 9_999, more: { silenceCounts: false } }, "takes nothing but its word"],
    ["that is none", null, { silentSeconds: 9_999 }, "no lease of this plan"],
  ])("%s proves nothing when it runs out, and says why", (_, found, silence, why) => {
    expect(judged(found, silence)).toEqual({ kind: "done", value: { kind: "no", about: expect.stringContaining(why) } });
  });

  test("counts up to the very moment that the plan gives a loss to be noticed", () => {
    expect(judged(lease(), { silentSeconds: 9_999, noticedAt: at + 900_000 })).toMatchObject({ value: { kind: "expired" } });
  });

  test("that was never there is no agent", () => {
    expect(judgeLease(null, 7, terms, at)).toEqual({ kind: "done", value: { kind: "no", about: "no agent has ever renewed a lease for this plan" } });
  });

  test("says what could not be stopped while the agent still tries, and only of what it tries for this run", () => {
    const left = ["pod shop/orders-0 is still being ended", "pod shop/debug still runs"];
    expect(judged(lease({ kind: "partly", epoch: 7, at, left }), { silentSeconds: 1 })).toMatchObject({ kind: "not-yet", about: expect.stringContaining("could not stop everything: pod shop/orders-0 is still being ended, pod shop/debug still runs; ") });
    expect(judged(lease({ kind: "partly", epoch: 6, at, left }), { silentSeconds: 1 })).toMatchObject({ about: expect.stringContaining("has not said yet") });
    expect(judged(lease({ kind: "partly", epoch: 7, at, left }), { silentSeconds: 9_999 })).toMatchObject({ value: { about: expect.stringContaining("could not stop everything then: pod shop/orders-0 is still being ended, pod shop/debug still runs") } });
  });
});

describe("a primary that was agreed to be dark", () => {
  const dark = (state: AgentState | null) => darkByAgent(at, state === null ? null : lease(state));

  test("lived until its agent closed it, where that was later", () => {
    expect(dark({ kind: "closed", epoch: 7, at: at + 55_000 })).toBe(at + 55_000);
    expect(dark({ kind: "closed", epoch: null, at: at + 1 })).toBe(at + 1);
  });

  test("is dark since it was agreed where its agent says nothing of the time after that", () => {
    for (const state of [null, { kind: "serving" }, { kind: "closed", epoch: 6, at: at - 1 }, { kind: "partly", epoch: 6, at, left: ["deployment shop/web"] }] as const) expect(dark(state)).toBe(at);
  });

  test("may live where its agent could not close all of it", () => {
    expect(dark({ kind: "partly", epoch: 7, at: at + 1, left: ["deployment shop/web"] })).toBeNull();
  });
});

describe("a wish", () => {
  test("of a later run takes the place of an earlier one's, and never the other way round", () => {
    expect(wishAfter(null, wish("close", 1))).toEqual(wish("close", 1));
    expect(wishAfter(wish("close", 6), wish("close", 7))).toEqual(wish("close", 7));
    expect(wishAfter(wish("taken-back", 6), wish("close", 7))).toEqual(wish("close", 7));
    expect(wishAfter(wish("close", 6), wish("taken-back", 7))).toEqual(wish("taken-back", 7));
    for (const before of [wish("close", 8), wish("taken-back", 8)]) for (const kind of ["close", "taken-back"] as const) expect(wishAfter(before, wish(kind, 7))).toBeNull();
  });

  test("that its own run has taken back is not made again by a repeat that comes late", () => {
    expect(wishAfter(wish("close", 7), wish("taken-back", 7))).toEqual(wish("taken-back", 7));
    expect(wishAfter(wish("taken-back", 7), wish("close", 7))).toBeNull();
  });

  test("is not taken back where there is none", () => {
    expect(wishAfter(null, wish("taken-back", 7))).toBeNull();
    expect(wishAfter(wish("taken-back", 6), wish("taken-back", 7))).toBeNull();
  });
});

test("what lies at home is read as what it is, of this plan, or as nothing", () => {
  expect([wishName("shop"), leaseName("shop")]).toEqual(["agents/shop/wish.json", "agents/shop/lease.json"]);
  expect(leftMax).toBe(20);
  for (const found of [wish("close", 7), wish("taken-back", 1)]) expect(readWish(JSON.stringify(found), "shop")).toEqual(found);
  const partly = lease({ kind: "partly", epoch: null, at, left: Array.from({ length: leftMax + 1 }, (_, n) => `pod ${n}`) });
  for (const found of [lease(), lease({ kind: "closed", epoch: 7, at }), lease({ kind: "closed", epoch: null, at: 0 }, { leaseSeconds: 1 }), partly]) expect(readLease(JSON.stringify(found), "shop")).toEqual(found);
  for (const text of ["", "{", "null", "[]", "{}", JSON.stringify({ ...wish("close", 7), epoch: 0 }), JSON.stringify({ ...wish("close", 7), plan: "pay" })]) expect([readWish(text, "shop"), readLease(text, "shop")]).toEqual([null, null]);
  for (const wrong of [{ ...lease(), leaseSeconds: 0 }, { ...lease(), state: { kind: "closed", epoch: -1, at } }, { ...partly, state: { kind: "partly", epoch: 1, at, left: Array<string>(leftMax + 2).fill("pod") } }]) expect(readLease(JSON.stringify(wrong), "shop")).toBeNull();
});

test("on a quiet day a lease is in order while it lasts, and its agent reaches its own cluster", () => {
  const trouble = (found: Lease | null, ageMs: number) => leaseTrouble({ lease: found, writtenAt: at, storeNowAt: at + ageMs });
  expect([trouble(lease(), 0), trouble(lease(), 60_000)]).toEqual([null, null]);
  expect(trouble(lease(), 60_001)).toBe("the agent in the primary renewed its lease last at 2026-11-21 06:05:00 UTC, and it lasts 60 s");
  expect(trouble(lease({ kind: "serving" }, { clusterSilent: "no route" }), 0)).toBe("the agent in the primary renewed its lease last at 2026-11-21 06:05:00 UTC, and its own cluster did not answer it: no route");
  expect(trouble(lease({ kind: "partly", epoch: null, at, left: ["deployments in shop (403)", "pods in shop (403)"] }), 0)).toBe("the agent in the primary renewed its lease last at 2026-11-21 06:05:00 UTC, and says what it could not do: deployments in shop (403), pods in shop (403)");
  expect(trouble(lease({ kind: "closed", epoch: 7, at }), 0)).toBeNull();
  expect(trouble(null, 0)).toBe("what lies in the place of the agent's lease is no lease of this plan");
  expect(leaseTrouble(null)).toBe("the plan declares a lease agent, and none has ever renewed a lease");
});

test("the fence is self-fenced by the agent's word or silence, never over an open endpoint, and fenced where we saw it ourselves", () => {
  const suspend = ["workloads"] as const;
  const agent = (kind: SelfFence["kind"]): SelfFence => ({ kind, about: "so it says" });
  const silent = { kind: "unreachable", why: "no answer" } as const;
  for (const kind of ["closed", "expired"] as const) expect(fenceLevel({ kind: "closed" }, silent, [...suspend], agent(kind))).toEqual({ kind: "level", level: "self-fenced", about: "the primary's public endpoint is closed; its cluster does not answer: no answer; so it says" });
  expect(fenceLevel({ kind: "closed" }, silent, [...suspend], agent("no"))).toEqual({ kind: "level", level: "traffic-only", about: "the primary's public endpoint is closed; its cluster does not answer: no answer; so it says" });
  expect(fenceLevel({ kind: "open", why: "it reads back as open" }, silent, [...suspend], agent("closed")).kind).toBe("none");
  expect(fenceLevel({ kind: "closed" }, { kind: "quiet", suspended: [] }, [...suspend], agent("no"))).toMatchObject({ level: "fenced" });
});

describe("a plan with an agent", () => {
  const problems = (change: (plan: { fence: Record<string, unknown> }) => void) => {
    const copy = structuredClone(examplePlan("shop-replicated"));
    change(copy);
    return planSchema.safeParse(copy).error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`) ?? [];
  };

  test("has figures for all that it leaves out", () => {
    const plan = structuredClone(examplePlan("shop-replicated"));
    expect(planSchema.parse({ ...plan, fence: { ...plan.fence, enough: ["self-fenced"], agent: {} } }).fence.agent).toEqual(terms);
    expect(planSchema.parse(plan).fence).not.toHaveProperty("agent");
  });

  test("is the only one that may list self-fenced, and one lost renewal ends no lease", () => {
    expect(problems(({ fence }) => (fence["enough"] = ["fenced", "self-fenced"]))).toEqual(["fence.agent is missing, and `self-fenced` is listed in `enough`"]);
    expect(problems(({ fence }) => Object.assign(fence, { enough: ["fenced", "self-fenced"], agent: { renewSeconds: 10, leaseSeconds: 29 } }))).toEqual(["fence.agent.leaseSeconds must be at least 3 times renewSeconds, which is 10"]);
    expect(problems(({ fence }) => Object.assign(fence, { agent: { renewSeconds: 10, leaseSeconds: 30 } }))).toEqual([]);
    expect(problems(({ fence }) => Object.assign(fence, { agent: { renewSeconds: 0 } }))).toHaveLength(1);
  });
});
