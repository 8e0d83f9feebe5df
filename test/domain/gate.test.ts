import { describe, expect, test } from "vitest";
import { gatedSteps, gateLacks, type GateRecord, gateRecords, looksCountSeconds, type Records } from "../../shared/domain/gate.ts";
import { steps } from "../../orchestrations/steps.ts";
import { type Decision, type Entry, newHead, type OpenRun, openRun } from "../../shared/domain/ledger.ts";
import { point } from "../activities/run.ts";
import { examplePlan } from "./example-plans.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const plan = examplePlan("shop-replicated");
const strict = { ...plan, fence: { ...plan.fence, enough: ["fenced" as const] } };
const made = openRun(newHead("shop"), { kind: "failover", door: "alert", by: "rule", reason: "dark", alertId: "a", applications: [] }, "hash", at);
const run = (made.kind === "changed" ? made.head.run : null) as OpenRun; // opened just above
const values: Readonly<Record<GateRecord, unknown>> = {
  decided: { verdict: { kind: "go", by: ["Grace"] } },
  weighed: { kind: "weighed", card: { takenAt: point.takenAt, lossSeconds: point.lossSeconds } },
  closed: { kind: "closed" },
  quieted: { kind: "quiet", suspended: [] },
  selfFenced: null,
  forced: null,
  chosen: { kind: "chosen", point, passedOver: [] },
  lossAgreed: null,
  verified: { kind: "done", value: { checks: [] } },
};
const entry = (record: GateRecord, value: unknown, more: Partial<Entry> = {}): Entry => ({ runId: run.id, epoch: run.epoch, planHash: run.planHash, ...gateRecords[record], kind: "outcome", startedAt: at, at, value, ...more });
const whole = Object.fromEntries((Object.keys(values) as GateRecord[]).map((record) => [record, values[record] === null ? null : entry(record, values[record])])) as Records;
const forced = entry("forced", { verdict: { kind: "go", by: ["Grace"] }, decisions: [{ verdict: "approve" }] });

describe("a gate", () => {
  test("stands in the two steps that pass a point of no return", () => {
    expect(gatedSteps).toEqual([steps.passDataPoint.name, steps.openSecondary.name]);
  });

  test.each(["data", "traffic"] as const)("before the %s point opens for the evidence of its own run", (which) => {
    expect(gateLacks(which, run, plan, whole, at)).toEqual([]);
  });

  test("asks for a verification before users are sent anywhere, and not before the data moves", () => {
    const unverified = { ...whole, verified: null };
    expect(gateLacks("traffic", run, plan, unverified, at)).toEqual(["there is no record of verify-applications"]);
    expect(gateLacks("data", run, plan, unverified, at)).toEqual([]);
    expect(gateLacks("traffic", run, plan, { ...whole, verified: entry("verified", { kind: "not-yet", about: "1 of 2" }) }, at)).toEqual(["nothing was verified in this run: users are not sent there"]);
  });

  const asked = { data: ["decided", "closed", "quieted", "chosen"], traffic: ["decided", "closed", "quieted", "chosen", "verified"] } as const;
  for (const which of ["data", "traffic"] as const)
    test.each(asked[which])(`before the ${which} point stays shut without %s, and with one of another run, epoch, plan version, or a mere intent`, (record) => {
      const shut = (instead: Entry | null, words: string) => expect(gateLacks(which, run, plan, { ...whole, [record]: instead }, at)).toEqual([expect.stringContaining(words)]);
      const { step, key } = gateRecords[record];
      const name = key === "" ? step : `${step} (${key})`;
      shut(null, `there is no record of ${name}`);
      shut(entry(record, values[record], { runId: "shop-9" }), `the record of ${name} is of shop-9, epoch 1, and this is shop-1, epoch 1`);
      shut(entry(record, values[record], { epoch: 9 }), "is of shop-1, epoch 9, and this is shop-1, epoch 1");
      shut(entry(record, values[record], { planHash: "another version" }), `the record of ${name} was made under another version of the plan (another vers, not hash)`);
      shut(entry(record, values[record], { kind: "intent" }), `the record of ${name} says what was meant, not what came of it`);
    });

  test("looks where the steps write their answers", () => {
    expect(Object.entries(gateRecords).map(([record, { phase, step, key }]) => `${record}: ${phase}/${step}${key === "" ? "" : `.${key}`}`)).toEqual([
      "decided: decide/put-question.decision",
      "weighed: decide/weigh-restore-points",
      "closed: fence/close-primary",
      "quieted: fence/quiet-primary",
      "forced: fence/put-question.fence",
      "selfFenced: fence/agent-closed",
      "chosen: choose/choose-restore-point",
      "lossAgreed: choose/put-question.loss",
      "verified: verify/verify-applications",
    ]);
  });

  test("names two versions of a plan by the beginning of their hashes", () => {
    const long = { ...run, planHash: "c515b88b2069ffff" };
    expect(gateLacks("data", long, plan, { ...whole, weighed: null, verified: null, closed: null, quieted: null, chosen: null }, at).at(-1)).toContain("(hash, not c515b88b2069)");
  });

  test("reads nothing of what is not its own: only that it is missing or foreign is said", () => {
    const both = { ...whole, closed: null, chosen: entry("chosen", { kind: "nothing-restorable", passedOver: [] }, { epoch: 2 }) };
    expect(gateLacks("data", run, plan, both, at)).toEqual([expect.stringContaining("no record of close-primary"), expect.stringContaining("epoch 2")]);
    expect(gateLacks("data", run, plan, { ...whole, weighed: entry("weighed", values.weighed, { runId: "shop-9" }) }, at)).toEqual([expect.stringContaining("weigh-restore-points is of shop-9")]);
  });

  test.each([
    ["declined", { verdict: { kind: "declined", why: "no" } }],
    ["nothing", { verdict: "go" }],
    ["nothing", null],
  ])("stays shut where the decision was %s", (said, value) => {
    expect(gateLacks("data", run, plan, { ...whole, decided: entry("decided", value) }, at)).toEqual([`the decision was ${said}, not go`]);
  });

  test("stays shut over a fence that is not enough for the plan, unless a person took it upon themselves", () => {
    const dark = { ...whole, quieted: entry("quieted", { kind: "unreachable", why: "no answer" }) };
    const said = [expect.stringMatching(/^the fence is not enough for this plan and nobody took it upon themselves: .*its cluster does not answer: no answer$/)];
    expect(gateLacks("traffic", run, strict, dark, at)).toEqual(said);
    for (const value of [{ verdict: { kind: "declined", why: "no" }, decisions: [{ verdict: "approve" }, { verdict: "deny" }] }, { verdict: { kind: "go" }, decisions: [{ verdict: "deny" }] }, { verdict: { kind: "go" }, decisions: [] }, { verdict: { kind: "go" } }, null])
      expect(gateLacks("traffic", run, strict, { ...dark, forced: entry("forced", value) }, at)).toEqual(said);
    expect(gateLacks("traffic", run, strict, { ...dark, forced }, at)).toEqual([]);
    // What the head says of it is under no link of the chain.
    const headSays: Decision = { about: "fence", question: "q", verdict: "approve", personId: "g", by: "Grace", at, reason: "go" };
    expect(gateLacks("traffic", { ...run, decisions: [headSays] }, strict, dark, at)).toEqual(said);
    for (const [record, value] of [["closed", null], ["quieted", null]] as const) expect(gateLacks("data", run, plan, { ...whole, [record]: entry(record, value) }, at)).toEqual(["nobody knows how far the primary is fenced"]);
  });

  test("takes what the agent in the primary says for what it proves, and only in its own run", () => {
    const trusting = { ...strict, fence: { ...strict.fence, enough: ["self-fenced" as const] } };
    const dark = { ...whole, quieted: entry("quieted", { kind: "unreachable", why: "no answer" }) };
    const lacks = (kind: string, more: Partial<Entry> = {}) => gateLacks("data", run, trusting, { ...dark, selfFenced: entry("selfFenced", { kind: "done", value: { kind, about: "so it says" } }, more) }, at);
    expect([lacks("closed"), lacks("expired")]).toEqual([[], []]);
    expect(lacks("no")).toEqual([expect.stringContaining("nobody took it upon themselves")]);
    expect(lacks("closed", { epoch: 9 })).toEqual([expect.stringContaining("the record of agent-closed is of shop-1, epoch 9")]);
    expect(gateLacks("data", run, trusting, { ...dark, selfFenced: entry("selfFenced", { kind: "not-yet" }) }, at)).toEqual([expect.stringContaining("nobody took it upon themselves")]);
  });

  describe("does not go by a decision of another day", () => {
    const dayMs = 86_400_000;
    const restoringMs = plan.applications.length * 2 * 3 * plan.restore.deadlineSeconds * 1_000;
    const lacks = (which: "data" | "traffic", later: number, records: Partial<Records> = {}) => gateLacks(which, run, plan, { ...whole, chosen: entry("chosen", { kind: "chosen", point: { ...point, expiresAt: 0 }, passedOver: [] }), ...records }, at + later);

    test("before the data moves after a day, before users are moved after a day more than restores may take", () => {
      expect(lacks("data", dayMs)).toEqual([]);
      expect(lacks("data", dayMs + 1)).toEqual(["the decision is of 2026-11-21 06:05:00 UTC, longer ago than the 24 h that it counts: the run stood still, start another"]);
      expect(lacks("traffic", dayMs + restoringMs)).toEqual([]);
      expect(lacks("traffic", dayMs + restoringMs + 1)).toEqual([expect.stringMatching(/^the decision is of 2026-11-21 06:05:00 UTC, longer ago than the 36 h that it counts/)]);
    });

    test("and looks count for a quarter of an hour", () => {
      expect(looksCountSeconds).toBe(900);
    });

    test("but by what people agreed to later on", () => {
      for (const record of ["forced", "lossAgreed"] as const) {
        const later = entry(record, forced.value, { at: at + 1 });
        expect(lacks("data", dayMs + 1, { [record]: later })).toEqual([]);
        expect(lacks("data", dayMs + 2, { [record]: later })).toHaveLength(1);
      }
    });
  });

  test("stays shut without a point that was chosen, and before the data moves for one that has expired", () => {
    for (const value of [null, { kind: "nothing-restorable", passedOver: [] }]) expect(gateLacks("data", run, plan, { ...whole, chosen: entry("chosen", value) }, at)).toEqual(["no restore point was chosen"]);
    const ending = (expiresAt: number) => ({ ...whole, chosen: entry("chosen", { kind: "chosen", point: { ...point, expiresAt }, passedOver: [] }) });
    expect(gateLacks("data", run, plan, ending(at), at)).toEqual([`restore point ${point.name} expired at 2026-11-21 06:05:00 UTC`]);
    for (const fine of [ending(at + 1), ending(0)]) expect(gateLacks("data", run, plan, fine, at)).toEqual([]);
    expect(gateLacks("traffic", run, plan, ending(at), at)).toEqual([]);
  });

  test("stays shut for a greater loss than was decided upon, unless that was agreed to", () => {
    const older = { ...whole, weighed: entry("weighed", { kind: "weighed", card: { takenAt: point.takenAt + 1, lossSeconds: 1 } }) };
    const said = [`with restore point ${point.name} more is lost than was decided upon, and nobody agreed to the greater loss`];
    expect(gateLacks("traffic", run, plan, older, at)).toEqual(said);
    expect(gateLacks("data", run, plan, { ...older, lossAgreed: entry("lossAgreed", { verdict: { kind: "declined", why: "no" } }) }, at)).toEqual(said);
    expect(gateLacks("data", run, plan, { ...older, lossAgreed: entry("lossAgreed", { verdict: { kind: "go", by: ["Grace"] } }) }, at)).toEqual([]);
    expect(gateLacks("data", run, plan, { ...whole, weighed: null }, at)).toEqual([]);
  });

  describe("over a loss above the plan's objective", () => {
    const { rpoSeconds } = plan.objectives;
    const chosen = entry("chosen", { kind: "chosen", point: { ...point, lossSeconds: rpoSeconds + 1 }, passedOver: [] });
    const shown = (lossSeconds: number) => entry("weighed", { kind: "weighed", card: { takenAt: point.takenAt, lossSeconds } });
    const said = (record: "decided" | "lossAgreed", ...decisions: readonly unknown[]) => entry(record, { verdict: { kind: "go", by: ["the plan"] }, decisions });
    const [yes, no] = [{ verdict: "approve" }, { verdict: "deny" }];
    const alone = `restore point ${point.name} loses more than the plan's objective allows, and no person agreed to it`;
    const lacks = (records: Partial<Records>) => gateLacks("data", run, plan, { ...whole, chosen, ...records }, at);

    test("stays shut for what a plan alone decided, and opens for a person's yes", () => {
      const weighed = shown(rpoSeconds + 1);
      for (const decided of [whole.decided, said("decided"), said("decided", no)]) expect(lacks({ weighed, decided })).toEqual([alone]);
      expect(lacks({ weighed, decided: said("decided", no, yes) })).toEqual([]);
      expect(lacks({ weighed: null, decided: said("decided", yes) })).toEqual([]);
      expect(lacks({ weighed: null })).toEqual([alone]);
      expect(gateLacks("data", run, { ...plan, objectives: { ...plan.objectives, rpoSeconds: rpoSeconds + 1 } }, { ...whole, chosen, weighed }, at)).toEqual([]);
    });

    test("asks for a yes to that very loss: one to a smaller loss is none", () => {
      const weighed = shown(rpoSeconds);
      const decided = said("decided", yes);
      expect(lacks({ weighed, decided })).toEqual([expect.stringContaining("nobody agreed to the greater loss"), alone]);
      expect(lacks({ weighed, decided, lossAgreed: said("lossAgreed") })).toEqual([alone]);
      expect(lacks({ weighed, decided, lossAgreed: said("lossAgreed", yes) })).toEqual([]);
    });
  });
});
