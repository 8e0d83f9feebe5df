import { describe, expect, test } from "vitest";
import { dutyOf, type SeenAtHome } from "../../shared/domain/agent-duty.ts";
import { type Head, newHead, type OpenRun, openRun, passPoint, turnPhase } from "../../shared/domain/ledger.ts";
import type { Wish } from "../../shared/domain/lease.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const quietDay: Head = { ...newHead("shop"), epoch: 6 };
const opened = openRun(quietDay, { kind: "failover", door: "alert", by: "rule", reason: "dark", alertId: "a", applications: [] }, "hash", at);
const confirming = (opened.kind === "changed" ? opened.head : null) as Head; // opened just above
const headOf = (changed: ReturnType<typeof turnPhase>): Head => (changed.kind === "changed" ? changed.head : confirming);
const fencing = headOf(turnPhase(confirming, { epoch: 7, end: null, begin: "fence" }, at, null));
const wish = (kind: Wish["kind"], epoch = 7): Wish => ({ format: 1, plan: "shop", epoch, runId: `shop-${epoch}`, kind, at });
const duty = (seen: SeenAtHome, heard: { head: number; wish: number } = { head: 0, wish: 0 }) => dutyOf(seen, heard);
const holds = (why: string) => ({ kind: "hold", why: expect.stringContaining(why) });

test("an agent closes for a run that asks it to, also when that run is over and users are elsewhere, or another one fences", () => {
  expect(duty({ wish: wish("close"), head: fencing })).toEqual({ kind: "close", epoch: 7 });
  expect(duty({ wish: wish("close", 6), head: fencing })).toEqual({ kind: "close", epoch: 6 });
  expect(duty({ wish: wish("close", 6), head: { ...quietDay, active: "secondary" } })).toEqual({ kind: "close", epoch: 6 });
  expect(duty({ wish: wish("close", 6), head: { ...quietDay, promotedBy: "shop-6" } })).toEqual({ kind: "close", epoch: 6 });
});

test("it opens when the run that asked is over and has left nothing behind, though nobody heard it take the wish back", () => {
  expect(duty({ wish: wish("close", 6), head: quietDay })).toEqual({ kind: "open", run: "shop-6" });
  expect(duty({ wish: wish("close", 6), head: confirming })).toEqual({ kind: "open", run: "shop-6" });
});

test("it opens on a quiet day, while a loss is only being confirmed, and when its run has taken the wish back", () => {
  expect(duty({ wish: null, head: newHead("shop") })).toEqual({ kind: "open", run: null });
  expect(duty({ wish: null, head: confirming })).toEqual({ kind: "open", run: null });
  expect(duty({ wish: wish("taken-back"), head: fencing })).toEqual({ kind: "open", run: "shop-7" });
  expect(duty({ wish: wish("taken-back", 6), head: quietDay })).toEqual({ kind: "open", run: "shop-6" });
});

describe("it opens nothing", () => {
  const passed = (point: "data" | "traffic") => headOf(passPoint(fencing, 7, point, at));
  test.each<[string, SeenAtHome, string]>([
    ["between a run's fence and its wish", { wish: null, head: fencing }, "shop-7 holds the fence"],
    ["for what an earlier run took back while a later one fences", { wish: wish("taken-back", 6), head: fencing }, "shop-7 holds the fence"],
    ["over a fence that was inherited", { wish: null, head: { ...confirming, run: { ...(confirming.run as OpenRun), takenOver: { runId: "shop-6", epoch: 6, at, fenced: true } } } }, "shop-7 holds the fence"],
    ["behind the data point of no return", { wish: wish("taken-back"), head: passed("data") }, "has passed a point of no return"],
    ["behind the traffic point of no return", { wish: wish("taken-back"), head: passed("traffic") }, "has passed a point of no return"],
    ["when users were moved", { wish: wish("taken-back"), head: { ...quietDay, epoch: 7, active: "secondary" } }, "users are served in the other region"],
    ["when a run halted behind the data point", { wish: null, head: { ...quietDay, promotedBy: "shop-6" } }, "shop-6 has passed the data point"],
  ])("%s", (_, seen, why) => {
    expect(duty(seen)).toEqual(holds(why));
  });

  test("and does not mind a recovery in place", () => {
    const recovering = { ...fencing, run: { ...(fencing.run as OpenRun), kind: "recovery" as const } };
    expect(duty({ wish: null, head: recovering })).toEqual({ kind: "open", run: null });
  });
});

describe("it neither closes nor opens for", () => {
  test.each<[string, SeenAtHome, { head: number; wish: number }, string]>([
    ["a wish of an older epoch than it has seen", { wish: wish("close", 6), head: fencing }, { head: 7, wish: 7 }, "shop-6 asks, and a later run than that has asked before"],
    ["a wish that is gone", { wish: null, head: quietDay }, { head: 1, wish: 1 }, "nobody asks, and"],
    ["a run that the ledger does not know", { wish: wish("close", 8), head: fencing }, { head: 7, wish: 7 }, "the ledger does not know it"],
    ["an older ledger than it has seen", { wish: wish("close"), head: fencing }, { head: 8, wish: 7 }, "put an older one back"],
    ["a wish that is none", { wish: "unreadable", head: fencing }, { head: 7, wish: 7 }, "cannot be read"],
    ["a ledger that is none", { wish: wish("close"), head: "unreadable" }, { head: 7, wish: 7 }, "ledger of the plan cannot be read"],
  ])("%s", (_, seen, heard, why) => {
    expect(duty(seen, heard)).toEqual(holds(why));
  });
});
