import { describe, expect, test } from "vitest";
import { decisionAsked, fenceAsked, isGreater, lossAsked } from "../../shared/domain/asked.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { examplePlan } from "./example-plans.ts";

const by = (approval: Plan["approval"]): Plan => ({ ...examplePlan("shop-replicated"), approval });
const automatic = by({ mode: "automatic", because: "the lab runs by itself" });
const veto = by({ mode: "veto", windowSeconds: 300 });
const two = by({ mode: "approval", approvals: 2, expiresSeconds: 1_800 });
const nobody = { approvalsNeeded: 0, silence: "go", expiresSeconds: 0 };
const window = { approvalsNeeded: 0, silence: "go", expiresSeconds: 300 };
const { rpoSeconds } = veto.objectives;
const within = { text: "The card.", card: { lossSeconds: rpoSeconds } };
const above = { text: "The card.", card: { lossSeconds: rpoSeconds + 1 } };
const onePerson = { approvalsNeeded: 1, silence: "decline", expiresSeconds: 3_600 };
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
    expect(decisionAsked(plan, door, "Ada", within)).toEqual({ about: "decision", ...question });
  });

  const needs = "That is 1 s more than the objective of 75 min: it needs a person's yes.";
  test.each([
    [automatic, "alert", { ...onePerson, text: `The card. ${needs}` }],
    [automatic, "timer", { ...onePerson, text: `The card. ${needs}` }],
    [automatic, "http", { ...onePerson, text: `The card. ${needs} Ada started it.` }],
    [veto, "alert", { ...onePerson, text: `The card. ${needs}` }],
    [veto, "http", { ...onePerson, text: `The card. ${needs} Ada started it.` }],
    [two, "alert", { ...people, text: `The card. ${needs}` }],
    [two, "http", { ...people, text: `The card. ${needs}` }],
  ] as const)("and of a person where more is lost than the objective allows, whatever the plan says: %#", (plan, door, question) => {
    expect(decisionAsked(plan, door, "Ada", above)).toEqual({ about: "decision", ...question });
  });

  test("after what is down", () => {
    expect(decisionAsked(veto, "alert", "rule", within, { kind: "not-lost", why: "nobody could see", readings: [] }).text).toBe("The loss is not confirmed: nobody could see. The card.");
  });
});

describe("whether a greater loss than was shown is taken is asked as the plan says:", () => {
  const shown = { name: "shop-2", takenAt: Date.parse("2026-11-21T05:58:25Z"), lossSeconds: 400 };
  const found = { name: "shop-1", takenAt: Date.parse("2026-11-21T05:48:15Z"), lossSeconds: 1_010 };
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

  test.each([
    [automatic, "alert", onePerson],
    [automatic, "http", onePerson],
    [veto, "alert", onePerson],
    [veto, "http", onePerson],
    [two, "alert", people],
  ] as const)("and of a person where it is above the objective: %#", (plan, door, question) => {
    const grown = { ...shown, lossSeconds: rpoSeconds + 60 };
    expect(lossAsked(plan, door, shown, grown)).toEqual({
      about: "loss",
      ...question,
      text: "More is lost than was decided upon: shop-2 loses at most 76 min of changes by now; 6 min 40 s were shown. That is 60 s more than the objective of 75 min: it needs a person's yes. Go on with it?",
    });
    expect(lossAsked(plan, door, shown, { ...found, lossSeconds: rpoSeconds + 60 }).text).toBe(text.replace("Go on", "That is 60 s more than the objective of 75 min: it needs a person's yes. Go on"));
  });
});

test("a loss is greater than the one that was shown when the point is older, or when it grew above the objective", () => {
  const shown = { takenAt: 1_000, lossSeconds: rpoSeconds };
  const greater = (found: Partial<typeof shown>, of = shown) => isGreater(veto, of, { ...of, ...found });
  expect([greater({}), greater({ takenAt: 1_001 }), greater({ lossSeconds: rpoSeconds - 1 })]).toEqual([false, false, false]);
  expect([greater({ takenAt: 999 }), greater({ lossSeconds: rpoSeconds + 1 })]).toEqual([true, true]);
  // Who agreed to more than the objective was told that it may grow.
  expect(greater({ lossSeconds: rpoSeconds + 2 }, { ...shown, lossSeconds: rpoSeconds + 1 })).toBe(false);
});

test("whether a weaker fence is enough is one person's word within the hour, and silence is a no", () => {
  expect(fenceAsked({ kind: "none", about: "it is open" })).toEqual({ about: "fence", approvalsNeeded: 1, silence: "decline", expiresSeconds: 3_600, text: "The primary may still take writes: it is open. Go on all the same? Recorded as forced by whoever says so." });
});
