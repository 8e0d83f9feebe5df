import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Changed, type Decision, type Head, type Opening, type Question, abort, askQuestion, closeRun, decide, dropAlert, entriesPrefix, entryName, headName, joinAlert, judge, keepAlert, newHead, type OpenRun, openRun, passPoint, turnPhase } from "../../shared/domain/ledger.ts";
import type { Outcome } from "../../shared/domain/outcome.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const byAlert: Opening = { kind: "failover", door: "alert", by: "region-down", reason: "the region is dark", alertId: "alert-1", applications: [] };
const byHand: Opening = { ...byAlert, door: "http", by: "Ada Operator", alertId: null };
const recovered: Outcome = { kind: "recovered", restorePoint: "shop-1", unprotected: true };
const declined: Outcome = { kind: "declined", why: "no" };

function headOf(made: Changed): Head {
  if (made.kind === "refused") throw new Error(made.why);
  return made.head;
}
const why = (made: Changed): string => (made.kind === "refused" ? made.why : "changed");
function runOf(head: Head): OpenRun {
  if (head.run === null) throw new Error("no run is open");
  return head.run;
}
const opened = (opening: Opening = byAlert, before: Head = newHead("shop")): Head => headOf(openRun(before, opening, "hash", at));
const closed = (head: Head, outcome: Outcome, cooldownSeconds = 3_600): Head => headOf(closeRun(head, head.epoch, outcome, at + 60_000, cooldownSeconds, "f".repeat(64)));
const moved = (): Head => closed(headOf(passPoint(opened(), 1, "traffic", at)), recovered);

describe("opening a run", () => {
  test("takes the next epoch, which names it, and is accepted by that very write", () => {
    const head = opened();
    expect(head).toMatchObject({ epoch: 1, active: "primary", alerts: [{ alertId: "alert-1", runId: "shop-1" }] });
    expect(runOf(head)).toMatchObject({ id: "shop-1", epoch: 1, openedAt: at, planHash: "hash", phases: [{ phase: "accept", startedAt: at, endedAt: at, outcome: "accepted" }] });
    expect(opened(byHand, closed(head, declined))).toMatchObject({ epoch: 2, run: { id: "shop-2" } });
  });

  const refusals: [string, Head, Opening, number | null, string][] = [
    ["by the same alert, while its run is open", opened(), byAlert, null, "alert-handled"],
    ["by the same alert, after its run has ended", closed(opened(), declined), byAlert, null, "alert-handled"],
    ["by another alert, while a run is open", opened(), { ...byAlert, alertId: "alert-2" }, null, "run-open"],
    ["by a person, while a run is open", opened(), byHand, null, "run-open"],
    ["by a person who saw another epoch", closed(opened(), declined), byHand, 0, "stale-epoch"],
    ["by a person who saw another epoch, while a run is open", opened(), byHand, 0, "stale-epoch"],
    ["after users were moved: there is nowhere to go", moved(), { ...byHand }, null, "already-moved"],
    ["in place, after users were moved: they write elsewhere", moved(), { ...byHand, kind: "recovery" }, null, "already-moved"],
    ["by an alert, in the rest after a failover", { ...moved(), active: "primary" }, { ...byAlert, alertId: "alert-2" }, null, "cooldown"],
  ];
  test.each(refusals)("is refused %s", (_, head, opening, ifEpoch, refusal) => {
    expect(why(openRun(head, opening, "hash", at + 61_000, ifEpoch))).toBe(refusal);
  });

  test("a person may open one in the rest after a failover, and an alert after it", () => {
    const resting: Head = { ...moved(), active: "primary" };
    expect(why(openRun(resting, byHand, "hash", at + 61_000, 1))).toBe("changed");
    expect(why(openRun(resting, { ...byAlert, alertId: "alert-2" }, "hash", at + 60_000 + 3_600_000))).toBe("changed");
  });

  test("keeps an alert that comes meanwhile until a failover answers it, however that one is started; its late copies find that run", () => {
    const pending = { alertId: "alert-2", rule: "region-down", reason: "dark", at };
    const recovering = headOf(keepAlert(opened({ ...byHand, kind: "recovery" }), pending));
    expect(why(keepAlert(recovering, pending))).toBe("already");
    const free = closed(recovering, recovered);
    expect(free.pendingAlerts).toEqual([pending]);
    expect(headOf(openRun(free, { ...byHand, kind: "recovery" }, "hash", at)).pendingAlerts).toEqual([pending]);
    for (const opening of [byHand, { ...byAlert, alertId: "alert-2" }])
      expect(headOf(openRun(free, opening, "hash", at))).toMatchObject({ pendingAlerts: [], alerts: [{ alertId: "alert-2", runId: "shop-2" }] });
  });

  test("forgets a kept alert whose trouble is over, and keeps no more than twenty", () => {
    let head = opened();
    for (let number = 2; number <= 30; number++) head = headOf(keepAlert(head, { alertId: `alert-${number}`, rule: "", reason: "", at }));
    expect(head.pendingAlerts).toHaveLength(20);
    expect(headOf(dropAlert(head, "alert-30")).pendingAlerts).toHaveLength(19);
    expect(why(dropAlert(head, "alert-2"))).toBe("already");
    expect(why(keepAlert(head, { alertId: "alert-1", rule: "", reason: "", at }))).toBe("already");
  });

  test("remembers the newest fifty alerts", () => {
    let head = opened();
    for (let number = 2; number <= 60; number++) head = headOf(joinAlert(head, `alert-${number}`, "shop-1"));
    expect(head.alerts).toHaveLength(50);
    expect(why(joinAlert(head, "alert-60", "shop-1"))).toBe("already");
    expect(why(joinAlert(head, "alert-1", "shop-1"))).toBe("changed");
  });
});

describe("phases", () => {
  test("turn: one ends, the next begins, in the order of the runbook", () => {
    let head = headOf(turnPhase(opened(), { epoch: 1, end: null, begin: "confirm" }, at + 1, null));
    head = headOf(turnPhase(head, { epoch: 1, end: { phase: "confirm", outcome: "done" }, begin: "decide" }, at + 2, "d1"));
    expect(head.digest).toBe("d1");
    expect(runOf(head).phases.slice(1)).toEqual([
      { phase: "confirm", startedAt: at + 1, endedAt: at + 2, outcome: "done" },
      { phase: "decide", startedAt: at + 2, endedAt: null, outcome: null },
    ]);
  });

  test("turned twice are as they were after the first time", () => {
    const turn = { epoch: 1, end: { phase: "confirm", outcome: "done" }, begin: "decide" } as const;
    const begun = headOf(turnPhase(opened(), { epoch: 1, end: null, begin: "confirm" }, at, null));
    const once = headOf(turnPhase(begun, turn, at + 1, "d1"));
    expect(headOf(turnPhase(once, turn, at + 99, null))).toEqual(once);
  });

  test("that run side by side end each by itself", () => {
    let head = headOf(turnPhase(opened(), { epoch: 1, end: null, begin: "make-ready" }, at, null));
    head = headOf(turnPhase(head, { epoch: 1, end: null, begin: "promote" }, at, null));
    head = headOf(turnPhase(head, { epoch: 1, end: { phase: "make-ready", outcome: "done" }, begin: null }, at + 5, null));
    expect(runOf(head).phases.map(({ phase, endedAt }) => [phase, endedAt])).toEqual([["accept", at], ["promote", null], ["make-ready", at + 5]]);
  });

  test("belong to the open run only", () => {
    expect(why(turnPhase(opened(), { epoch: 2, end: null, begin: "confirm" }, at, null))).toBe("not-this-run");
    expect(why(turnPhase(newHead("shop"), { epoch: 1, end: null, begin: "confirm" }, at, null))).toBe("not-this-run");
  });
});

describe("points of no return and abort", () => {
  test("exclude each other: whoever is second is refused", () => {
    const aborted = headOf(abort(opened(), "shop-1", "Grace", "no", at));
    for (const point of ["data", "traffic"] as const) expect(why(passPoint(aborted, 1, point, at))).toBe("past-no-return");
    expect(why(abort(headOf(passPoint(opened(), 1, "traffic", at)), "shop-1", "Grace", "no", at))).toBe("past-no-return");
  });

  test("between the two points an abort is taken, and keeps traffic where it is", () => {
    const between = headOf(abort(headOf(passPoint(opened(), 1, "data", at)), "shop-1", "Grace", "no", at));
    expect(why(passPoint(between, 1, "traffic", at))).toBe("past-no-return");
  });

  test("are each passed and asked once, by the open run only", () => {
    const passed = headOf(passPoint(opened(), 1, "data", at));
    expect(why(passPoint(passed, 1, "data", at + 1))).toBe("already");
    expect(why(passPoint(passed, 2, "data", at))).toBe("not-this-run");
    expect(why(abort(headOf(abort(opened(), "shop-1", "Grace", "no", at)), "shop-1", "Ken", "no", at))).toBe("already");
    expect(why(abort(opened(), "shop-2", "Grace", "no", at))).toBe("not-this-run");
  });

  test("hold in whatever order things happen", () => {
    const happening = fc.constantFrom("open", "close", "data", "traffic", "abort", "ask", "approve", "deny", "turn");
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        let head = newHead("shop");
        const offences: string[] = [];
        happenings.forEach((what, index) => {
          const made = apply(head, what, at + index);
          if (made.kind === "refused") return;
          offences.push(...offencesOf(head, made.head).map((offence) => `${what}: ${offence}`));
          head = made.head;
        });
        expect(offences).toEqual([]);
      }),
    );
  });
});

/** What no change may do. */
function offencesOf(before: Head, after: Head): string[] {
  const offences = after.epoch < before.epoch ? ["the epoch went back"] : [];
  const [was, is] = [before.run, after.run];
  if (is === null) return offences;
  if (is.epoch !== after.epoch) offences.push("a run has another's epoch");
  if (is.abort !== null && is.pointsOfNoReturn.traffic !== null) offences.push("users were moved by a run that was aborted");
  if (was === null || was.id !== is.id) return was === null ? offences : [...offences, "a run took another's place"];
  if (was.abort !== null && is.pointsOfNoReturn.data !== was.pointsOfNoReturn.data) offences.push("a point was passed after an abort");
  if (JSON.stringify(is.decisions.slice(0, was.decisions.length)) !== JSON.stringify(was.decisions)) offences.push("a decision was lost");
  return offences;
}

function apply(head: Head, what: string, now: number): Changed {
  const id = `shop-${head.epoch}`;
  switch (what) {
    case "open":
      return openRun(head, { ...byHand, alertId: `alert-${now}` }, "hash", now);
    case "close":
      return closeRun(head, head.epoch, declined, now, 0, "d");
    case "data":
    case "traffic":
      return passPoint(head, head.epoch, what, now);
    case "abort":
      return abort(head, id, "Grace", "no", now);
    case "ask":
      return askQuestion(head, head.epoch, question({ expiresAt: now + 5 }));
    case "turn":
      return turnPhase(head, { epoch: head.epoch, end: null, begin: "confirm" }, now, null);
    default:
      return decide(head, id, decision({ question: head.run?.question?.id ?? null, verdict: what === "approve" ? "approve" : "deny", at: now, by: `person ${now}` }));
  }
}

const question = (more: Partial<Question> = {}): Question => ({ id: "asked-once", about: "decision", askedAt: at, expiresAt: at + 300_000, approvalsNeeded: 2, silence: "decline", text: "go?", ...more });
const decision = (more: Partial<Decision> = {}): Decision => ({ about: "decision", question: "asked-once", verdict: "approve", by: "Grace", personId: `id of ${more.by ?? "Grace"}`, at: at + 1_000, reason: "because", ...more });
const asked = (more: Partial<Question> = {}, ...decisions: Partial<Decision>[]): Head => decisions.reduce((head, each) => headOf(decide(head, "shop-1", decision(each))), headOf(askQuestion(opened(), 1, question(more))));

/** Somebody let a fence pass before; now the decision is asked about. */
const withForeignYes = (): Head => {
  const forced = asked({ about: "fence", approvalsNeeded: 1 }, { about: "fence" });
  return headOf(askQuestion(forced, 1, question({ approvalsNeeded: 1 })));
};

const askedByHand = (): Head => headOf(askQuestion(opened({ ...byHand, byId: "id of Ada" }), 1, question()));

describe("a question", () => {
  test("is put once, and gives way to one about something else", () => {
    const first = asked();
    expect(why(askQuestion(first, 1, question({ text: "again" })))).toBe("already");
    expect(runOf(headOf(askQuestion(first, 1, question({ about: "fence" })))).question?.about).toBe("fence");
    expect(why(askQuestion(first, 2, question()))).toBe("not-this-run");
  });

  const refused: [string, Head, Partial<Decision>, string, string][] = [
    ["for another run", asked(), {}, "shop-2", "not-this-run"],
    ["before it is put", opened(), {}, "shop-1", "no-question"],
    ["about something else", asked(), { about: "fence" }, "shop-1", "no-question"],
    ["that was given to another question: what was shown is not what is asked", asked(), { question: "asked-before" }, "shop-1", "other-question"],
    ["that names no question", asked(), { question: null }, "shop-1", "other-question"],
    ["of whoever asked for the run", askedByHand(), { personId: "id of Ada" }, "shop-1", "requester"],
    ["at the instant it expires", asked(), { at: at + 300_000 }, "shop-1", "expired"],
    ["a second time by the same person", asked({}, {}), { verdict: "deny" }, "shop-1", "already-decided"],
    ["after enough people approved", asked({}, {}, { by: "Ken" }), { by: "Late", verdict: "deny" }, "shop-1", "already-decided"],
    ["after somebody denied", asked({}, { verdict: "deny" }), { by: "Ken" }, "shop-1", "already-decided"],
  ];
  test.each(refused)("takes no answer %s", (_, head, answer, id, refusal) => {
    expect(why(decide(head, id, decision(answer)))).toBe(refusal);
  });

  const judged: [string, Head, number, object][] = [
    ["automatic: goes at once", asked({ approvalsNeeded: 0, silence: "go", expiresAt: at }), at, { kind: "go", by: ["nobody objected within the window"] }],
    ["veto: waits for its window", asked({ approvalsNeeded: 0, silence: "go" }), at + 299_999, { kind: "waiting" }],
    ["veto: goes when the window is over", asked({ approvalsNeeded: 0, silence: "go" }), at + 300_000, { kind: "go", by: ["nobody objected within the window"] }],
    ["veto: an objection ends it", asked({ approvalsNeeded: 0, silence: "go" }, { verdict: "deny" }), at + 2_000, { kind: "declined", why: "Grace said no: because" }],
    ["veto: an approval ends the window", asked({ approvalsNeeded: 0, silence: "go" }, {}), at + 2_000, { kind: "go", by: ["Grace"] }],
    ["approval: one of two waits", asked({}, {}), at + 2_000, { kind: "waiting" }],
    ["approval: two of two go, by name", asked({}, {}, { by: "Ken" }), at + 2_000, { kind: "go", by: ["Grace", "Ken"] }],
    ["approval: two of two go, even read after it expired", asked({}, {}, { by: "Ken" }), at + 900_000, { kind: "go", by: ["Grace", "Ken"] }],
    ["approval: one denial ends it", asked({}, {}, { by: "Ken", verdict: "deny" }), at + 2_000, { kind: "declined", why: "Ken said no: because" }],
    ["approval: silence declines", asked({}, {}), at + 300_000, { kind: "declined", why: "nobody answered in time (1 of 2 approvals)" }],
    ["another question: waits", asked({ about: "fence" }), at + 2_000, { kind: "waiting" }],
    ["another question that expired: waits for its own", asked({ about: "fence" }), at + 300_000, { kind: "waiting" }],
    ["no question: waits", opened(), at + 300_000, { kind: "waiting" }],
    ["a yes to another question is none to this one", withForeignYes(), at + 2_000, { kind: "waiting" }],
  ];
  test("takes a no that names no question, also from whoever asked for the run", () => {
    for (const no of [{ question: null }, { personId: "id of Ada" }]) expect(why(decide(askedByHand(), "shop-1", decision({ verdict: "deny", ...no })))).toBe("changed");
  });

  test.each(judged)("%s", (_, head, now, verdict) => {
    expect(judge(runOf(head), "decision", now)).toEqual(verdict);
  });
});

describe("closing a run", () => {
  test("frees the plan, and remembers how it ended", () => {
    expect(closed(opened(), declined)).toMatchObject({ run: null, epoch: 1, active: "primary", cooldownUntilAt: null, unprotectedSinceAt: null, digest: "f".repeat(64), last: { runId: "shop-1", outcome: "declined", endedAt: at + 60_000 } });
  });

  test("past the traffic point moves the plan, whatever the outcome is called", () => {
    const passed = headOf(passPoint(opened(), 1, "traffic", at));
    const halted: Outcome = { kind: "halted", phase: "open", step: "seen-from-outside", cause: "late", next: "look" };
    for (const outcome of [recovered, halted]) expect(closed(passed, outcome)).toMatchObject({ active: "secondary", cooldownUntilAt: at + 60_000 + 3_600_000, unprotectedSinceAt: at + 60_000 });
  });

  test("that a person stopped rests as long as one that moved, and one that nobody answered does not", () => {
    const abortAsked = headOf(abort(opened(), "shop-1", "Grace", "not now", at));
    expect(closed(abortAsked, { kind: "aborted", by: "Grace", left: [] })).toMatchObject({ active: "primary", cooldownUntilAt: at + 60_000 + 3_600_000 });
    const denied = closed(asked({}, { verdict: "deny" }), declined);
    expect(denied).toMatchObject({ active: "primary", cooldownUntilAt: at + 60_000 + 3_600_000 });
    // By hand it begins at once all the same.
    expect(why(openRun(denied, byHand, "f".repeat(64), at + 61_000))).toBe("changed");
    expect(closed(asked({}, {}), declined)).toMatchObject({ cooldownUntilAt: null });
  });

  test("past the data point only, the next run knows that the replica may be cut off; one that passed nothing forgets nothing", () => {
    const halted = closed(headOf(passPoint(opened(), 1, "data", at)), declined);
    expect(halted).toMatchObject({ active: "primary", promotedBy: "shop-1" });
    expect(closed(opened(byHand, halted), declined).promotedBy).toBe("shop-1");
    expect(closed(opened(), declined).promotedBy).toBeNull();
    expect(closed(headOf(passPoint(opened(byHand, halted), 2, "traffic", at)), recovered).promotedBy).toBeNull();
  });

  test("past the traffic point forgets the alerts that waited: they told of what is over", () => {
    const pending = { alertId: "alert-9", rule: "r", reason: "why", at };
    const waiting = headOf(keepAlert(opened(), pending));
    expect(closed(waiting, declined).pendingAlerts).toEqual([pending]);
    expect(closed(headOf(passPoint(waiting, 1, "traffic", at)), recovered).pendingAlerts).toEqual([]);
  });

  test("a ledger that is new has the first format and a chain without links", () => {
    expect(newHead("shop")).toMatchObject({ format: 1, epoch: 0, digest: "0".repeat(64) });
  });

  test("a recovery in place moves nothing", () => {
    expect(closed(opened({ ...byHand, kind: "recovery" }), { ...recovered, unprotected: false })).toMatchObject({ active: "primary", cooldownUntilAt: null });
  });

  test("is for the run that is open", () => {
    expect(why(closeRun(opened(), 2, declined, at, 0, "d"))).toBe("not-this-run");
    expect(why(closeRun(newHead("shop"), 1, declined, at, 0, "d"))).toBe("not-this-run");
  });
});

test("names sort as runs, phases and steps do", () => {
  expect(headName("shop")).toBe("ledger/shop/head.json");
  expect(entryName("shop", 7, "confirm", "confirm-loss", "", "outcome")).toBe("ledger/shop/000007/02-confirm/confirm-loss.outcome.json");
  expect(entryName("shop", 12, "stand-down", "wake-primary", "a", "intent")).toBe("ledger/shop/000012/12-stand-down/wake-primary.a.intent.json");
  const names = [entriesPrefix("shop", 9, "report"), entriesPrefix("shop", 10, "accept"), entriesPrefix("shop", 10, "release")];
  expect(names.toSorted()).toEqual(names);
});
