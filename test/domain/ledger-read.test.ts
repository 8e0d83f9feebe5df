import { describe, expect, test } from "vitest";
import { abort, askQuestion, type Changed, decide, type Head, newHead, openRun, passPoint, turnPhase } from "../../shared/domain/ledger.ts";
import { takeOver } from "../../shared/domain/ledger-takeover.ts";
import { readHead } from "../../shared/domain/ledger-read.ts";

const at = Date.parse("2026-11-21T06:05:00Z");
const made = (changed: Changed): Head => {
  if (changed.kind === "refused") throw new Error(changed.why);
  return changed.head;
};
const opened = made(openRun(newHead("shop"), { kind: "failover", door: "http", by: "Ada", byId: "a", reason: "dark", alertId: null, applications: [] }, "hash", at));
const asked = made(askQuestion(opened, 1, { id: "q", about: "decision", askedAt: at, expiresAt: at + 1, approvalsNeeded: 1, silence: "decline", text: "go?" }));

interface Spoilt {
  readonly run: Record<string, unknown>;
  readonly intake: Record<string, unknown>;
}

describe("a head", () => {
  test.each([
    ["new", newHead("shop")],
    ["with a run", made(turnPhase(opened, { epoch: 1, end: null, begin: "confirm" }, at, null))],
    ["with a question and its answer", made(decide(asked, "shop-1", { about: "decision", question: "q", verdict: "approve", personId: "g", by: "Grace", at, reason: "go" }))],
    ["with an abort", made(abort(opened, "shop-1", "Grace", "no", at))],
    ["past both points", made(passPoint(made(passPoint(opened, 1, "data", at)), 1, "traffic", at))],
    ["of a run that took another's place", made(takeOver(opened, { runId: "shop-1", ifEpoch: 1, planHash: "hash", digest: "f0", digestBefore: opened.digest, by: "Ken", byId: "k", reason: "it hangs" }, at))],
  ])("%s is read as it was written", (_, head) => {
    expect(readHead(JSON.stringify(head), "shop")).toEqual({ kind: "head", head });
  });

  const spoilt = (change: (head: Spoilt) => unknown): string => {
    const head = JSON.parse(JSON.stringify(asked)) as Spoilt;
    change(head);
    return JSON.stringify(head);
  };
  test.each([
    ["that was cut off", JSON.stringify(opened).slice(0, 100), /^it is not JSON: /],
    ["that is a list", "[]", /^the whole: /],
    ["of another plan", JSON.stringify(newHead("other")), /^it is the head of other$/],
    ["without its points of no return", spoilt(({ run }) => delete run["pointsOfNoReturn"]), /^run\.pointsOfNoReturn: /],
    ["whose epoch is words", spoilt((head) => Object.assign(head, { epoch: "1" })), /^epoch: /],
    ["whose run is of another epoch", spoilt((head) => Object.assign(head, { epoch: 7 })), /^run\.epoch is 1 in epoch 7$/],
    ["whose run has another's id", spoilt(({ run }) => Object.assign(run, { id: "shop-9" })), /^run\.id is shop-9 in epoch 1$/],
    ["that was aborted and opened", spoilt(({ run }) => Object.assign(run, { abort: { by: "G", at, reason: "no" }, pointsOfNoReturn: { data: null, traffic: at } })), /an abort was taken and/],
    ["that lost an alert", spoilt(({ intake }) => Object.assign(intake, { accepted: 3 })), /^intake: 3 were accepted and 0 are accounted for$/],
    ["with a verdict that there is not", spoilt(({ run }) => Object.assign(run, { decisions: [{ about: "decision", question: "q", verdict: "yes", personId: "g", by: "G", at, reason: "go" }] })), /^run\.decisions\.0\.verdict: /],
  ])("%s is broken, and says where", (_, text, why) => {
    expect(readHead(text, "shop")).toEqual({ kind: "broken", why: expect.stringMatching(why) as string });
  });
});
