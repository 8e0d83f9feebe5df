import { expect, test } from "vitest";
import type { Sent } from "../../lab/simulator/deeds.ts";
import type { Evidence } from "../../lab/simulator/checkers/violation.ts";
import { yesTo } from "../../lab/simulator/checkers/writers.ts";

const yes = { kind: "decide", about: "decision", afterMs: 0, who: "Grace Approver", verdict: "approve", times: 1 } as const;
const said = (more: Partial<Sent>): ReadonlySet<string> => yesTo("shop-1", { sent: [{ at: 10, deed: yes, runId: "shop-1", status: 202, ...more }] } as unknown as Evidence, 20, (about) => about === "decision");

test.each([
  ["taken", 202],
  ["not answered, whatever became of it", null],
  ["told to come again: the change may have been made and its answer lost", 503],
] as const)("a yes counts that was %s", (_, status) => {
  expect([...said({ status })]).toEqual(["Grace Approver"]);
});

test.each([
  ["was refused", { status: 409 }],
  ["came from nobody who may", { status: 403 }],
  ["came after the act", { at: 20 }],
  ["was about another run", { runId: "shop-2" }],
  ["answered another question", { deed: { ...yes, about: "fence" } }],
  ["is a no", { deed: { ...yes, verdict: "deny" } }],
] as const)("none does that %s", (_, more) => {
  expect(said(more).size).toBe(0);
});
