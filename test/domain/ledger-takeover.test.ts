import { describe, expect, test } from "vitest";
import { abort, type Changed, type Head, newHead, openRun, passPoint, turnPhase } from "../../shared/domain/ledger.ts";
import { drainLeftMs, drainMs, takeOver } from "../../shared/domain/ledger-takeover.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const made = (changed: Changed): Head => {
  if (changed.kind === "refused") throw new Error(changed.why);
  return changed.head;
};
const opened = made(openRun(newHead("shop"), { kind: "failover", door: "alert", by: "rule", reason: "dark", alertId: "a", applications: [] }, "hash", at));
const asked = { runId: "shop-1", ifEpoch: 1, planHash: "newer", digest: "d2", digestBefore: opened.digest, by: "Ada", byId: "a", reason: "it hangs" };
const later = at + 3_600_000;

describe("a takeover", () => {
  test("opens the next epoch over the open run, which has ended halted", () => {
    const taken = takeOver(opened, asked, later);
    expect(taken.kind).toBe("changed");
    const head = made(taken);
    expect(head).toMatchObject({ epoch: 2, digest: "d2", last: { runId: "shop-1", outcome: "halted", endedAt: later } });
    expect(head.run).toEqual({
      id: "shop-2", epoch: 2, kind: "failover", applications: [], door: "http", alertId: null, by: "Ada", byId: "a", reason: "it hangs", openedAt: later, planHash: "newer",
      phases: [{ phase: "accept", startedAt: later, endedAt: later, outcome: "accepted" }],
      question: null, decisions: [], abort: null, pointsOfNoReturn: { data: null, traffic: null }, takenOver: { runId: "shop-1", epoch: 1, at: later, fenced: false },
    });
  });

  test("inherits the points that were passed, and no abort", () => {
    const aborted = made(abort(made(passPoint(opened, 1, "data", at)), "shop-1", "Grace", "no", at));
    expect(made(takeOver(aborted, asked, later)).run).toMatchObject({ pointsOfNoReturn: { data: at, traffic: null }, abort: null });
  });

  test("remembers a fence that was begun, through any number of takeovers", () => {
    const fencing = made(turnPhase(opened, { epoch: 1, end: null, begin: "fence" }, at, null));
    const once = made(takeOver(fencing, asked, later));
    expect(once.run?.takenOver?.fenced).toBe(true);
    const twice = made(takeOver(once, { ...asked, runId: "shop-2", ifEpoch: 2, digestBefore: "d2" }, later));
    expect(twice.run?.takenOver).toEqual({ runId: "shop-2", epoch: 2, at: later, fenced: true });
    const other = made(turnPhase(opened, { epoch: 1, end: null, begin: "decide" }, at, null));
    expect(made(takeOver(other, asked, later)).run?.takenOver?.fenced).toBe(false);
  });

  test.each([
    ["of another epoch", opened, { ifEpoch: 2 }, "stale-epoch"],
    ["over a chain that has grown since", opened, { digestBefore: "other" }, "stale-epoch"],
    ["of another run", opened, { runId: "shop-9" }, "not-this-run"],
    ["where no run is open", { ...opened, run: null }, {}, "not-this-run"],
  ] as const)("%s is refused", (_, head, more, why) => {
    expect(takeOver(head, { ...asked, ...more }, later)).toEqual({ kind: "refused", why });
  });
});

test("the next run may act a minute after the takeover, and any other run at once", () => {
  const { run } = made(takeOver(opened, asked, later));
  if (run === null || opened.run === null) throw new Error("no run is open");
  expect(drainMs).toBe(60_000);
  expect([drainLeftMs(run, later), drainLeftMs(run, later + 59_999), drainLeftMs(run, later + 60_000), drainLeftMs(run, later + 90_000)]).toEqual([60_000, 1, 0, 0]);
  expect(drainLeftMs(opened.run, later)).toBe(0);
});
