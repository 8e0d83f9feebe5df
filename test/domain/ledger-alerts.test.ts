import fc from "fast-check";
import { expect, test } from "vitest";
import type { Intake } from "../../shared/domain/intake.ts";
import { abort, closeRun, type Head, keepAlert, newHead, openRun } from "../../shared/domain/ledger.ts";
import { type Arrival, takeAlerts } from "../../shared/domain/ledger-alerts.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const fired = (alertId: string): Arrival => ({ alertId, condition: "fired", rule: "dark", reason: "the ingress is dark" });
const resolved = (alertId: string): Arrival => ({ ...fired(alertId), condition: "resolved" });

const change = (changed: ReturnType<typeof openRun>): Head => {
  if (changed.kind === "refused") throw new Error(changed.why);
  return changed.head;
};
const recovering = change(openRun(newHead("shop"), { kind: "recovery", door: "http", by: "Ada", reason: "gone", alertId: null, applications: [] }, "hash", at));
const failing = takeAlerts(newHead("shop"), [fired("first")], "hash", at).head;
const moved: Head = { ...newHead("shop"), epoch: 1, active: "secondary", last: { runId: "shop-1", outcome: "recovered", endedAt: at } };
const resting: Head = { ...newHead("shop"), epoch: 1, cooldownUntilAt: at + 1_000 };
const aborted = change(closeRun(change(abort(failing, "shop-1", "Ada", "enough", at)), 1, { kind: "aborted", by: "Ada", why: "enough", left: [] } as never, at, 0, "d"));

const states = { free: newHead("shop"), failing, recovering, moved, resting, aborted } satisfies Record<string, Head>;
const arrivals = fc.array(fc.record({ id: fc.integer({ min: 0, max: 5 }), isResolved: fc.boolean() }), { maxLength: 40 }).map((all) => all.map(({ id, isResolved }) => (isResolved ? resolved : fired)(`alert-${id}`)));
const state = fc.constantFrom(...Object.values(states));

const sum = ({ started, merged, suppressed, rejected }: Intake) => started + merged + suppressed + rejected;

test("whatever comes in whatever order and however often opens one run at most, and each is accounted for", () => {
  fc.assert(
    fc.property(state, arrivals, (before, all) => {
      const { head, taken } = takeAlerts(before, all, "hash", at);
      expect(taken).toHaveLength(all.length);
      expect(head.epoch - before.epoch).toBeLessThanOrEqual(1);
      expect(taken.filter(({ kind }) => kind === "opened")).toHaveLength(head.epoch - before.epoch);
      expect(head.intake.accepted - before.intake.accepted).toBe(all.length);
      expect(sum(head.intake)).toBe(head.intake.accepted);
    }),
  );
});

test("many in one change end where one change for each ends", () => {
  fc.assert(
    fc.property(state, arrivals, (before, all) => {
      let head = before;
      const taken = all.map((arrival) => {
        const one = takeAlerts(head, [arrival], "hash", at);
        head = one.head;
        return one.taken[0];
      });
      expect(takeAlerts(before, all, "hash", at)).toEqual({ head, taken });
    }),
  );
});

test("all of them once more, because the answer was lost, change nothing but the count", () => {
  const onlyFired = arrivals.map((all) => all.filter(({ condition }) => condition === "fired"));
  fc.assert(
    fc.property(state, onlyFired, (before, all) => {
      const once = takeAlerts(before, all, "hash", at).head;
      expect({ ...takeAlerts(once, all, "hash", at).head, intake: null }).toEqual({ ...once, intake: null });
    }),
  );
});

test.each([
  ["free", "opened"],
  ["failing", "joined"],
  ["recovering", "kept"],
  ["resting", "kept"],
  ["moved", "refused"],
  ["aborted", "opened"],
] as const)("a new alert for a plan that is %s is %s", (name, kind) => {
  expect(takeAlerts(states[name], [fired("new")], "hash", at).taken).toEqual([expect.objectContaining({ kind })]);
});

test("one that is resolved takes back what was kept for it", () => {
  const kept = change(keepAlert(recovering, { alertId: "new", rule: "dark", reason: "", at }));
  expect(takeAlerts(kept, [resolved("new")], "hash", at).head.pendingAlerts).toEqual([]);
});

test("each is answered with the run that speaks for it, or against it", () => {
  const answers = (head: Head, ...asked: readonly Arrival[]) => takeAlerts(head, asked, "hash", at).taken;
  expect(answers(newHead("shop"), fired("a"), fired("b"), fired("a"), resolved("a"))).toEqual([{ kind: "opened", runId: "shop-1" }, { kind: "joined", runId: "shop-1" }, { kind: "joined", runId: "shop-1" }, { kind: "resolved" }]);
  // A late copy finds the run that answered it, whatever is open by now.
  const second = change(openRun(aborted, { kind: "failover", door: "http", by: "Ada", reason: "gone", alertId: null, applications: [] }, "hash", at));
  expect(answers(second, fired("first"), fired("other"))).toEqual([{ kind: "joined", runId: "shop-1" }, { kind: "joined", runId: "shop-2" }]);
  expect(answers(recovering, fired("a"))).toEqual([{ kind: "kept", why: "run-open", runId: "shop-1", epoch: 1 }]);
  expect(answers(resting, fired("a"))).toEqual([{ kind: "kept", why: "cooldown", runId: null, epoch: 1 }]);
  expect(answers(moved, fired("a"))).toEqual([{ kind: "refused", why: "already-moved", runId: "shop-1", epoch: 1 }]);
});
