import { expect, test } from "vitest";
import { newHead, type OpenRun, openRun } from "../../shared/domain/ledger.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import { stalledSince } from "../../shared/domain/stalled.ts";
import { examplePlan } from "./example-plans.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const minute = 60_000;
const plan = examplePlan("shop-replicated");
const made = openRun(newHead("shop"), { kind: "failover", door: "alert", by: "rule", reason: "dark", alertId: "a", applications: [] }, "hash", at);
const opened = (made.kind === "changed" ? made.head.run : null) as OpenRun; // opened just above
const phase = (name: Phase, startedAt: number, endedAt: number | null = null) => ({ phase: name, startedAt, endedAt, outcome: endedAt === null ? null : "done" });
const question = { id: "q", about: "decision", askedAt: at, expiresAt: at + 600 * minute, approvalsNeeded: 1, silence: "decline", text: "" } as const;

test("a run has stood still when nothing moved for longer than a step may take, and says since when", () => {
  expect(stalledSince(opened, plan, at + 90 * minute)).toBeNull();
  expect(stalledSince(opened, plan, at + 91 * minute)).toBe(at);
  const moved = { ...opened, phases: [phase("confirm", at, at + 20 * minute), phase("decide", at + 21 * minute)] };
  expect(stalledSince(moved, plan, at + 111 * minute)).toBeNull();
  expect(stalledSince(moved, plan, at + 112 * minute)).toBe(at + 21 * minute);
});

test("nobody has stood still while people have time to answer, and an answer is a move", () => {
  const asked = { ...opened, question };
  expect(stalledSince(asked, plan, at + 599 * minute)).toBeNull();
  expect(stalledSince(asked, plan, at + 600 * minute)).toBe(at);
  const decision = { about: "decision", question: "q", verdict: "approve", personId: "p", by: "Grace Approver", at: at + 590 * minute, reason: "" } as const;
  expect(stalledSince({ ...asked, decisions: [decision] }, plan, at + 650 * minute)).toBeNull();
});

test("a restore has as long as the plan lets it", () => {
  const restoring = { ...opened, phases: [phase("restore", at)] };
  expect(stalledSince(restoring, plan, at + 120 * minute)).toBeNull();
  expect(stalledSince(restoring, plan, at + 48 * 60 * minute)).toBe(at);
  expect(stalledSince({ ...opened, phases: [phase("restore", at, at + minute)] }, plan, at + 120 * minute)).toBe(at + minute);
});
