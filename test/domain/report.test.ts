import { describe, expect, test } from "vitest";
import type { Closed, Quieted } from "../../shared/domain/fence.ts";
import { type Decision, type Entry, newHead, openRun, type OpenRun } from "../../shared/domain/ledger.ts";
import type { Outcome, Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { decidedBy } from "../../shared/domain/report-decision.ts";
import { buildReport, type Report, summaryOf } from "../../shared/domain/report.ts";
import { examplePlan } from "./example-plans.ts";

const plan = examplePlan("shop-replicated");
const openedAt = Date.parse("2026-11-21T06:05:00Z");
const recovered: Outcome = { kind: "recovered", restorePoint: "shop-1", unprotected: true };
const halted: Outcome = { kind: "halted", phase: "restore", step: "restore-ended", cause: "2 errors", next: "mend it" };
const point = { name: "shop-1", takenAt: openedAt - 400_000, expiresAt: openedAt + 1, lossSeconds: 520, items: 60, volumeBytes: 1_000 };
const closed: Closed = { kind: "closed" };
const dark: Quieted = { kind: "unreachable", why: "no route" };
const open = { kind: "open", before: { primary: false, secondary: false }, after: { primary: false, secondary: true } };
const lost = { kind: "done", value: { kind: "lost", scope: "region", since: openedAt - 30_000, readings: [] } };
const seen = { kind: "done", value: { at: openedAt + 200_000, saw: "200" } };

interface Facts {
  readonly outcome?: Outcome;
  readonly answers?: readonly (readonly [phase: Phase, step: string, value: unknown, seconds?: number])[];
  readonly run?: Partial<OpenRun>;
  /** The run that passed the data point before this one. */
  readonly promotedBy?: string;
  /** Acts that were begun, and did not answer. */
  readonly begun?: readonly (readonly [phase: Phase, step: string])[];
}

/** A report of what the ledger holds; each answer came a second after the one before. */
function reportOf({ outcome = recovered, answers = [], run = {}, begun = [], promotedBy }: Facts): Report {
  const made = openRun({ ...newHead("shop"), promotedBy: promotedBy ?? null }, { kind: "failover", door: "alert", by: "region-down", reason: "dark", alertId: "a", applications: [] }, "hash", openedAt);
  if (made.kind === "refused" || made.head.run === null) throw new Error("not opened");
  const opened = { ...made.head.run, ...run };
  const entries = answers.flatMap(([phase, step, value, seconds = 1], index): Entry[] => {
    const at = openedAt + (index + 1) * 1_000;
    const common = { runId: "shop-1", epoch: 1, planHash: "hash", phase, step, key: "" };
    return [
      { ...common, kind: "intent", startedAt: at, at, value: {} },
      { ...common, kind: "outcome", startedAt: at - seconds * 1_000, at, value },
    ];
  });
  for (const [phase, step] of begun) entries.push({ runId: "shop-1", epoch: 1, planHash: "hash", phase, step, key: "", kind: "intent", startedAt: openedAt + 9_000, at: openedAt + 9_000, value: {} });
  // The ledger lists by name, not by time.
  return buildReport({ head: { ...made.head, run: opened }, run: opened, plan, entries: entries.toReversed(), outcome, endedAt: openedAt + 300_000 });
}

test("a restore that lacks its log, or was given up with Velero's server, stands among the checks; one that lacks nothing does not", () => {
  const interrupted = { kind: "done", value: { kind: "interrupted", why: "server starting" } };
  const degraded = { kind: "done", value: { kind: "degraded", why: "no log", warnings: 0, items: 60 } };
  const whole = { kind: "done", value: { kind: "whole", warnings: 1, items: 60 } };
  const verified = { kind: "done", value: { checks: [{ check: "GET /", saw: "status 200" }] } };
  const { checks } = reportOf({ answers: [["restore", "restore-ended", interrupted], ["restore", "restore-ended", whole], ["restore", "restore-ended", degraded], ["verify", "verify-applications", verified]] });
  expect(checks).toEqual([{ check: "restore ", saw: "Velero's server ended in the middle of it; the same was restored again" }, { check: "restore ", saw: "degraded: no log" }, { check: "GET /", saw: "status 200" }]);
});

describe("the figures", () => {
  test("of the time: from when the loss was first seen to the first green probe from outside", () => {
    expect(reportOf({ answers: [["confirm", "confirm-loss", lost], ["open", "seen-from-outside", seen]] }).rtoSeconds).toBe(230);
  });

  test("of the time begin with the asking, where a person asked and nothing was confirmed", () => {
    const notLost = { kind: "done", value: { kind: "not-lost", why: "up", readings: [] } };
    for (const answers of [[["open", "seen-from-outside", seen]], [["confirm", "confirm-loss", notLost], ["open", "seen-from-outside", seen]]] as const) expect(reportOf({ answers }).rtoSeconds).toBe(200);
  });

  test("of the time are absent where users were not moved", () => {
    expect(reportOf({ outcome: halted, answers: [["confirm", "confirm-loss", lost]] }).rtoSeconds).toBeNull();
  });

  test("of the loss are those of the point that was taken", () => {
    const report = reportOf({ answers: [["choose", "choose-restore-point", { kind: "chosen", point, passedOver: [{ name: "shop-2", reason: "not whole" }] }]] });
    expect(report.restorePoint).toEqual({ name: "shop-1", takenAt: "2026-11-21T05:58:20.000Z", lossSeconds: 520, items: 60, volumeBytes: 1_000 });
    expect(report.passedOver).toEqual([{ name: "shop-2", reason: "not whole" }]);
  });

  test("name what was passed over even where nothing was taken", () => {
    const nothing: Outcome = { kind: "nothing-restorable", passedOver: [] };
    const report = reportOf({ outcome: nothing, answers: [["decide", "weigh-restore-points", { kind: "nothing-restorable", passedOver: [{ name: "shop-2", reason: "expired" }] }]] });
    expect(report).toMatchObject({ restorePoint: null, passedOver: [{ name: "shop-2", reason: "expired" }] });
  });

  test("of an act that did not answer are unknown, and it is not left out; the report, which is being written, is no such act", () => {
    const { acts } = reportOf({ outcome: halted, answers: [["fence", "close-primary", closed]], begun: [["fence", "quiet-primary"], ["report", "report"]] });
    expect(acts.map(({ step, seconds }) => [step, seconds])).toEqual([["close-primary", 1], ["quiet-primary", "unknown"]]);
  });

  test("of each act are its own, in the order of time", () => {
    const { acts } = reportOf({ answers: [["fence", "close-primary", closed, 0.5], ["fence", "quiet-primary", dark, 5]] });
    expect(acts).toEqual([
      { at: "2026-11-21T06:05:01.000Z", step: "close-primary", key: "", phase: "fence", seconds: 0.5 },
      { at: "2026-11-21T06:05:02.000Z", step: "quiet-primary", key: "", phase: "fence", seconds: 5 },
    ]);
  });
});

describe("the steps", () => {
  const phases: OpenRun["phases"] = [
    { phase: "accept", startedAt: openedAt, endedAt: openedAt, outcome: "accepted" },
    { phase: "confirm", startedAt: openedAt, endedAt: openedAt + 61_250, outcome: "done" },
    { phase: "restore", startedAt: openedAt + 61_250, endedAt: null, outcome: null },
    { phase: "report", startedAt: openedAt + 299_000, endedAt: null, outcome: null },
  ];
  test("have their times; one that nobody ended is the one the run ended in; the report is being written", () => {
    expect(reportOf({ outcome: halted, run: { phases } }).steps.map(({ name, seconds, outcome }) => [name, seconds, outcome])).toEqual([
      ["accept", 0, "accepted"],
      ["confirm", 61.3, "done"],
      ["restore", 238.8, "halted"],
      ["report", 1, "done"],
    ]);
  });
});

describe("traffic is told as it was read back:", () => {
  const fenced = [["fence", "close-primary", closed]] as const;
  const cases: [string, Facts, string][] = [
    ["at the secondary after it was opened", { answers: [...fenced, ["open", "open-secondary", open]] }, "northeurope"],
    ["at the primary when nothing was done", { outcome: { kind: "not-failed-over", why: "a blip" } }, "westeurope"],
    ["nowhere behind a fence that stands", { outcome: halted, answers: fenced }, "nobody"],
    ["nowhere after an abort between the points", { outcome: { kind: "aborted", by: "Grace", left: ["a"] }, answers: fenced }, "nobody"],
    ["at the primary after the fence was undone", { outcome: halted, answers: [...fenced, ["stand-down", "reopen-primary", { kind: "reopened" }]] }, "westeurope"],
    ["at the primary when the fence could not be closed", { outcome: halted, answers: [["fence", "close-primary", { kind: "open", why: "it reads back as open" }]] }, "westeurope"],
    ["unknown when closing did not answer", { outcome: halted, begun: [["fence", "close-primary"]] }, "unknown"],
    ["unknown when reopening did not answer", { outcome: halted, answers: fenced, begun: [["stand-down", "reopen-primary"]] }, "unknown"],
    ["at the primary when closing did not answer and it was reopened all the same", { outcome: halted, answers: [["stand-down", "reopen-primary", { kind: "reopened" }]], begun: [["fence", "close-primary"]] }, "westeurope"],
    ["unknown when opening did not answer", { outcome: halted, answers: fenced, run: { pointsOfNoReturn: { data: null, traffic: openedAt } } }, "unknown"],
  ];
  test.each(cases)("%s", (_, facts, after) => {
    expect(reportOf(facts).traffic).toEqual({ before: "westeurope", after });
  });
});

test("where an earlier run left the primary closed, nobody says that users are there", () => {
  const blip: Outcome = { kind: "not-failed-over", why: "not confirmed" };
  expect(reportOf({ outcome: blip, promotedBy: "shop-6" }).traffic).toEqual({ before: "unknown", after: "unknown" });
});

describe("the fence", () => {
  const answers = [["fence", "close-primary", closed], ["fence", "quiet-primary", dark]] as const;
  test("has the level that was found, and what was seen", () => {
    expect(reportOf({ answers }).fence).toEqual({ level: "traffic-only", about: expect.stringContaining("no route") });
  });

  test("is forced by whoever let it pass, never by who refused it", () => {
    const decision = (verdict: Decision["verdict"]): Decision => ({ about: "fence", question: null, verdict, personId: "id of Grace", by: "Grace", at: openedAt, reason: "the region is on fire" });
    expect(reportOf({ answers, run: { decisions: [decision("approve")] } }).fence).toEqual({ level: "forced by Grace", about: expect.stringContaining("the region is on fire") });
    expect(reportOf({ answers, run: { decisions: [decision("deny")] } }).fence?.level).toBe("traffic-only");
  });

  test("is not claimed where only half of it was tried", () => {
    expect(reportOf({ answers: [["fence", "close-primary", closed]] }).fence).toBeNull();
  });
});

test.each<[Outcome, string]>([
  [recovered, "shop-1"],
  [{ kind: "not-failed-over", why: "a blip" }, "a blip"],
  [{ kind: "declined", why: "Grace said no" }, "Grace said no"],
  [{ kind: "aborted", by: "Grace", left: [] }, "Everything was undone"],
  [{ kind: "aborted", by: "Grace", left: ["the policy is deleted"] }, "the policy is deleted"],
  [{ kind: "nothing-restorable", passedOver: [] }, "traffic was not touched"],
  [{ kind: "target-not-ready", reasons: ["no class"] }, "no class"],
  [halted, "restore-ended: 2 errors"],
  [{ kind: "refused", why: "overtaken" }, "overtaken"],
])("every ending is told in a sentence: %j", (outcome, said) => {
  const report = reportOf({ outcome });
  expect(report.summary).toContain(said);
  expect(report.summary).toBe(summaryOf(outcome, "failover"));
  expect(report.outcome).toBe(outcome.kind);
});

test("a recovery of what is not lost speaks of no failover", () => {
  expect(summaryOf({ kind: "not-failed-over", why: "nothing is lost: shop still has shop/storefront" }, "recovery")).toBe("Nothing was restored: nothing is lost: shop still has shop/storefront.");
});

describe("who decided", () => {
  const answer = (verdict: "approve" | "deny", by: string) => ({ about: "decision", question: null, verdict, personId: by, by, at: 0, reason: "go" }) as const;
  const approval = { mode: "approval", approvals: 2, expiresSeconds: 900 } as const;
  const veto = { mode: "veto", windowSeconds: 300 } as const;
  test.each<[string, Parameters<typeof decidedBy>[0], Plan["approval"]]>([
    ["nobody was asked: the lab runs alone", { door: "alert", by: "rule", decisions: [] }, { mode: "automatic", because: "the lab runs alone" }],
    ["Ada, who started it", { door: "http", by: "Ada", decisions: [] }, veto],
    ["nobody objected; there were 5 min for it", { door: "alert", by: "rule", decisions: [] }, veto],
    ["Grace", { door: "alert", by: "rule", decisions: [answer("approve", "Grace")] }, veto],
    ["Grace: against it", { door: "alert", by: "rule", decisions: [answer("approve", "Ada"), answer("deny", "Grace")] }, approval],
    ["Ada, Grace; 2 had to agree", { door: "http", by: "Ada", decisions: [answer("approve", "Ada"), answer("approve", "Grace")] }, approval],
    ["nobody; 2 had to agree", { door: "alert", by: "rule", decisions: [{ ...answer("approve", "Ada"), about: "fence" }] }, approval],
  ])("%s", (said, run, mode) => {
    expect(decidedBy(run, { approval: mode })).toBe(said);
  });

  test.each<[string, Parameters<typeof decidedBy>[0], Plan["approval"]]>([
    ["Grace; one had to agree to a loss above the objective", { door: "alert", by: "rule", decisions: [answer("approve", "Grace")] }, { mode: "automatic", because: "the lab runs alone" }],
    ["nobody; one had to agree to a loss above the objective", { door: "alert", by: "rule", decisions: [] }, veto],
    ["Grace; one had to agree to a loss above the objective; Ada started it", { door: "http", by: "Ada", decisions: [answer("approve", "Grace")] }, veto],
    ["Grace: against it", { door: "http", by: "Ada", decisions: [answer("deny", "Grace")] }, veto],
    ["nobody; 2 had to agree", { door: "alert", by: "rule", decisions: [] }, approval],
  ])("%s, where more was lost than the objective allows", (said, run, mode) => {
    expect(decidedBy(run, { approval: mode }, true)).toBe(said);
  });
});

test("what is next is said where a person has something to do", () => {
  expect(reportOf({}).next).toEqual([expect.stringContaining("Reprotect"), expect.stringContaining("fenced")]);
  expect(reportOf({ outcome: halted }).next).toEqual(["mend it"]);
  expect(reportOf({ outcome: { kind: "target-not-ready", reasons: ["no class", "no pool"] } }).next).toHaveLength(2);
  expect(reportOf({ outcome: { kind: "not-failed-over", why: "a blip" } }).next).toEqual([]);
});
