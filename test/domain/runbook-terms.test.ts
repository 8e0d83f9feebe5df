import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pauseMs } from "../../orchestrations/runbook.ts";
import { decisionAsked, fenceAsked } from "../../shared/domain/asked.ts";
import { cardText, predictRtoSeconds, slowerThanFiguresSeconds, spoken, warmUpSeconds } from "../../shared/domain/decision.ts";
import { type Closed, fenceLevel, isEnough, type Quieted } from "../../shared/domain/fence.ts";
import { confirmWaiting, waits, wavesOf } from "../../shared/domain/runbook-terms.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "./example-plans.ts";

const plan = examplePlan("shop-replicated");
const closed: Closed = { kind: "closed" };
const open: Closed = { kind: "open", why: "it reads back as open" };
const quiet: Quieted = { kind: "quiet", suspended: [] };
const dark: Quieted = { kind: "unreachable", why: "no route" };
const partly: Quieted = { kind: "partly", suspended: [], left: ["deployments in shop (403)"] };

describe("the fence", () => {
  test.each([
    [closed, quiet, "fenced"],
    [closed, dark, "traffic-only"],
    [closed, partly, "traffic-only"],
    [open, quiet, "none"],
    [open, dark, "none"],
    [open, partly, "none"],
  ])("%j and %j is %s", (endpoint, inside, level) => {
    const found = fenceLevel(endpoint, inside, ["workloads", "velero", "gitops"]);
    expect(found.kind === "level" ? found.level : "none").toBe(level);
    expect(isEnough(found, { ...plan.fence, enough: ["fenced"] })).toBe(level === "fenced");
    expect(isEnough(found, { ...plan.fence, enough: ["traffic-only"] })).toBe(level === "traffic-only");
  });

  test("that is weaker asks one person, and silence declines", () => {
    const asked = fenceAsked(fenceLevel(closed, dark, ["workloads"]));
    expect(asked).toMatchObject({ about: "fence", approvalsNeeded: 1, silence: "decline" });
    expect(asked.text).toContain("its cluster does not answer: no route");
  });
});

describe("the decision", () => {
  const weighed = { text: "The card.", card: { lossSeconds: 400 } };
  test.each([
    ["automatic", { mode: "automatic", because: "the lab runs unattended" }, "alert", { approvalsNeeded: 0, silence: "go", expiresSeconds: 0 }],
    ["a veto window", { mode: "veto", windowSeconds: 300 }, "alert", { approvalsNeeded: 0, silence: "go", expiresSeconds: 300 }],
    ["a veto window, started by a person", { mode: "veto", windowSeconds: 300 }, "http", { approvalsNeeded: 0, silence: "go", expiresSeconds: 0 }],
    ["an approval", { mode: "approval", approvals: 2, expiresSeconds: 900 }, "alert", { approvalsNeeded: 2, silence: "decline", expiresSeconds: 900 }],
    ["an approval, whoever started it", { mode: "approval", approvals: 2, expiresSeconds: 900 }, "http", { approvalsNeeded: 2, silence: "decline", expiresSeconds: 900 }],
  ] as const)("%s", (_, approval, door, question) => {
    expect(decisionAsked({ ...plan, approval }, door, "Ada", weighed)).toMatchObject({ about: "decision", ...question, text: expect.stringContaining("The card.") });
  });

  test("says first what is down, who could not see, and what each of them saw", () => {
    const readings = [{ signal: "public-probe", says: "down", about: "ECONNRESET" }, { signal: "kubernetes-api", says: "down", about: "no route" }, { signal: "resource-health", says: "unknown", about: "no answer within 3 s" }] as const;
    const { text } = decisionAsked(plan, "alert", "region-down", weighed, { kind: "lost", scope: "cluster", since: Date.parse("2026-11-21T06:05:00Z"), agreedSince: Date.parse("2026-11-21T06:05:10Z"), readings });
    expect(text).toMatch(/^The primary cluster is lost since 2026-11-21 06:05:00 UTC. down: public-probe \(ECONNRESET\), kubernetes-api \(no route\). unknown: resource-health \(no answer within 3 s\). The card. /);
    expect(decisionAsked(plan, "http", "Ada", weighed, { kind: "not-lost", why: "every signal says the primary is up", readings }).text).toMatch(/^The loss is not confirmed: every signal says the primary is up. The card. Decided by Ada/);
  });

  const card = { restorePoint: "shop-1", takenAt: Date.parse("2026-11-21T05:58:25Z"), lossSeconds: 401, withinRpo: true, items: 1_000, volumeBytes: 0, predictedRtoSeconds: 130, withinRto: true, passedOver: [{ name: "shop-2", reason: "not arrived" }], waitingCosts: "Each second costs." };
  test("reads as one paragraph, with the loss, the time and what is newer and cannot be used", () => {
    expect(cardText(card)).toBe("Restore shop-1, taken 2026-11-21 05:58:25 UTC: at most 6 min 41 s of changes are lost. Back in about 2 min 10 s after the loss. 1 newer point cannot be used: shop-2: not arrived. Each second costs.");
    expect(cardText({ ...card, withinRpo: false })).toContain("at most 6 min 41 s of changes are lost, more than the objective allows. Back");
  });

  test("predicts from items and bytes: a thousand items take the twenty seconds that were measured", () => {
    expect(predictRtoSeconds(1_000, 0, 0) - predictRtoSeconds(0, 0, 0)).toBe(20);
    expect(predictRtoSeconds(0, 200 * 1024 * 1024, 0) - predictRtoSeconds(0, 0, 0)).toBe(10);
    expect([warmUpSeconds({ stopped: false, small: false }), warmUpSeconds({ stopped: false, small: true }), warmUpSeconds({ stopped: true, small: true })]).toEqual([0, 90, 270]);
    expect(predictRtoSeconds(0, 0, 61.2)).toBe(Math.ceil(61.2 + predictRtoSeconds(0, 0, 0)));
  });

  test("goes by the plan's own history where that was slower than the figures, and never below them", () => {
    const thousand = { items: 3_000, volumeBytes: 0 }; // a minute by the figures
    expect(slowerThanFiguresSeconds(1_000, 0, [])).toBe(0);
    expect(slowerThanFiguresSeconds(1_000, 0, [{ ...thousand, seconds: 30 }])).toBe(0);
    expect(slowerThanFiguresSeconds(1_000, 0, [{ ...thousand, seconds: 120 }])).toBe(20);
    expect(slowerThanFiguresSeconds(1_000, 0, [{ ...thousand, seconds: 60 }, { ...thousand, seconds: 180 }])).toBe(40);
    // Three seconds for sixty objects is twice the figure, and says nothing of an hour.
    expect(slowerThanFiguresSeconds(180_000, 0, [{ items: 60, volumeBytes: 0, seconds: 3 }])).toBe(0);
    expect(slowerThanFiguresSeconds(0, 200 * 1024 * 1024, [{ items: 0, volumeBytes: 1_200 * 1024 * 1024, seconds: 90 }])).toBe(5);
  });

  test.each([
    [0, "0 s"],
    [119.4, "119 s"],
    [119.6, "2 min"],
    [7_199, "119 min 59 s"],
    [7_200, "2 h"],
    [90_061, "25 h 1 min"],
  ])("%d seconds are said as %s", (seconds, said) => {
    expect(spoken(seconds)).toBe(said);
  });
});

describe("waiting", () => {
  test("for the confirmation keeps the plan's pace, an hour longer than its give-up time for a machine and one soak for a person", () => {
    expect(confirmWaiting(plan, "alert")).toEqual({ pauseMsFirst: 10_000, pauseMsMax: 10_000, deadlineMs: 4_500_000 });
    expect(confirmWaiting(plan, "http")).toEqual({ pauseMsFirst: 10_000, pauseMsMax: 10_000, deadlineMs: 60_000 });
  });

  test("has a bound everywhere, and a first pause that is the shortest", () => {
    for (const waiting of Object.values(waits)) {
      expect(waiting.pauseMsFirst).toBeGreaterThanOrEqual(1_000);
      expect(waiting.pauseMsMax).toBeGreaterThanOrEqual(waiting.pauseMsFirst);
      expect(waiting.deadlineMs).toBeGreaterThan(waiting.pauseMsMax);
    }
  });

  test("before a repeat doubles from half a second to a second, up to half a minute, and at least as long as was asked for", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), fc.option(fc.integer({ min: 0, max: 600 })), (seed, attempt, retryAfterSeconds) => {
        const full = Math.min(1_000 * 2 ** (attempt - 1), 30_000);
        const pause = pauseMs(seed, attempt, retryAfterSeconds);
        const asked = (retryAfterSeconds ?? 0) * 1_000;
        expect(pause).toBeGreaterThanOrEqual(Math.max(full / 2, asked));
        expect(pause).toBeLessThanOrEqual(Math.max(full, asked));
        expect(pauseMs(seed, attempt, retryAfterSeconds)).toBe(pause);
      }),
    );
  });

  test("is spread: a hundred instances do not come back together", () => {
    const pauses = Array.from({ length: 100 }, (_, number) => pauseMs(`shop-${number}/warm-target/`, 3, null));
    expect(new Set(pauses).size).toBeGreaterThan(80);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(1_500);
  });
});

test("waves are the applications by number, in the plan's order inside one", () => {
  const [first, second] = plan.applications;
  if (!first || !second) throw new Error("the example has two applications");
  expect(wavesOf({ ...plan, applications: [{ ...first, name: "c", wave: 10 }, { ...first, name: "a", wave: 2 }, { ...second, name: "b", wave: 2 }] })).toEqual([["a", "b"], ["c"]]);
});

test("a failover restores into the secondary from the replica, a recovery into the primary from its own backups", () => {
  expect(targetOf(plan, "failover")).toMatchObject({ region: "northeurope", cluster: plan.secondary.cluster, storageLocation: "replica", backups: { container: "velero", url: expect.stringContaining("stshopneu") }, source: { url: expect.stringContaining("stshopweu") } });
  expect(targetOf(plan, "recovery")).toMatchObject({ region: "westeurope", cluster: plan.primary.cluster, backups: { url: expect.stringContaining("stshopweu") }, source: null });
  expect(targetOf(examplePlan("shop-shared"), "failover").backups.url).toContain("-secondary.");
  expect(targetOf(examplePlan("shop-shared"), "recovery").backups.url).not.toContain("-secondary.");
});
