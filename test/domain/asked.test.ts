import { describe, expect, test } from "vitest";
import { decisionAsked, fenceAsked, lossAsked } from "../../shared/domain/asked.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { examplePlan } from "./example-plans.ts";

const by = (approval: Plan["approval"]): Plan => ({ ...examplePlan("shop-replicated"), approval });
const automatic = by({ mode: "automatic", because: "the lab runs by itself" });
const veto = by({ mode: "veto", windowSeconds: 300 });
const two = by({ mode: "approval", approvals: 2, expiresSeconds: 1_800 });
const nobody = { approvalsNeeded: 0, silence: "go", expiresSeconds: 0 };
const window = { approvalsNeeded: 0, silence: "go", expiresSeconds: 300 };
const people = { approvalsNeeded: 2, silence: "decline", expiresSeconds: 1_800 };

describe("whether to fail over is asked as the plan says:", () => {
  test.each([
    [automatic, "alert", { ...nobody, text: "The card. Nobody is asked: the lab runs by itself" }],
    [automatic, "http", { ...nobody, text: "The card. Decided by Ada, who started it." }],
    [veto, "alert", { ...window, text: "The card." }],
    [veto, "http", { ...nobody, text: "The card. Decided by Ada, who started it." }],
    [two, "alert", { ...people, text: "The card." }],
    [two, "http", { ...people, text: "The card." }],
  ] as const)("%#", (plan, door, question) => {
    expect(decisionAsked(plan, door, "Ada", "The card.")).toEqual({ about: "decision", ...question });
  });

  test("after what is down", () => {
    expect(decisionAsked(veto, "alert", "rule", "The card.", { kind: "not-lost", why: "nobody could see", readings: [] }).text).toBe("The loss is not confirmed: nobody could see. The card.");
  });
});

describe("whether a greater loss than was shown is taken is asked as the plan says:", () => {
  const shown = { name: "shop-2", takenAt: Date.parse("2026-11-21T05:58:25Z") };
  const found = { name: "shop-1", takenAt: Date.parse("2026-11-21T05:48:15Z") };
  const text = "More is lost than was decided upon: shop-2, taken 2026-11-21 05:58:25 UTC, cannot be used any more, and shop-1, taken 2026-11-21 05:48:15 UTC, loses 10 min 10 s of changes more. Go on with it?";
  test.each([
    [automatic, "alert", nobody],
    [automatic, "http", nobody],
    [veto, "alert", window],
    [veto, "http", nobody],
    [two, "alert", people],
    [two, "http", people],
  ] as const)("%#", (plan, door, question) => {
    expect(lossAsked(plan, door, shown, found)).toEqual({ about: "loss", ...question, text });
  });
});

test("whether a weaker fence is enough is one person's word within the hour, and silence is a no", () => {
  expect(fenceAsked({ kind: "none", about: "it is open" })).toEqual({ about: "fence", approvalsNeeded: 1, silence: "decline", expiresSeconds: 3_600, text: "The primary may still take writes: it is open. Go on all the same? Recorded as forced by whoever says so." });
});
