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
    ["of a plan of one letter", newHead("s")],
    ["with a run", made(turnPhase(opened, { epoch: 1, end: null, begin: "confirm" }, at, null))],
    ["with a question and its answer", made(decide(asked, "shop-1", { about: "decision", question: "q", verdict: "approve", personId: "g", by: "Grace", at, reason: "go" }))],
    ["with an abort", made(abort(opened, "shop-1", "Grace", "no", at))],
    ["past both points", made(passPoint(made(passPoint(opened, 1, "data", at)), 1, "traffic", at))],
    ["of a run that took another's place", made(takeOver(opened, { runId: "shop-1", ifEpoch: 1, planHash: "hash", digest: "f0", digestBefore: opened.digest, by: "Ken", byId: "k", reason: "it hangs" }, at))],
  ])("%s is read as it was written", (_, head) => {
    expect(readHead(JSON.stringify(head), head.plan)).toEqual({ kind: "head", head });
  });

  const spoilt = (change: (head: Spoilt) => unknown): string => {
    const head = JSON.parse(JSON.stringify(asked)) as Spoilt;
    change(head);
    return JSON.stringify(head);
  };
  const answer = (more: object = {}) => ({ about: "decision", question: "a question", verdict: "approve", personId: "an id", by: "G", at, reason: "go", ...more });
  const lastInstant = 8_640_000_000_000;
  test.each<[string, (head: Spoilt) => unknown]>([
    ...["decision", "fence", "loss"].map((about): [string, (head: Spoilt) => unknown] => [`asked about the ${about}`, ({ run }) => Object.assign(run, { question: { ...(run["question"] as object), about }, decisions: [answer({ about }), answer({ about, verdict: "deny", question: null })] })]),
    ["whose silence is enough", ({ run }) => Object.assign(run["question"] as object, { silence: "go" })],
    ["that a hundred must agree to", ({ run }) => Object.assign(run["question"] as object, { approvalsNeeded: 100 })],
    ...["alert", "timer"].map((door): [string, (head: Spoilt) => unknown] => [`opened by ${door}`, ({ run }) => Object.assign(run, { door })]),
    ["of a recovery in place", ({ run }) => Object.assign(run, { kind: "recovery", applications: ["shop"] })],
    ["whose users are elsewhere", (head) => Object.assign(head, { active: "secondary" })],
    ["from the first instant", ({ run }) => Object.assign(run, { openedAt: 0 })],
    ["from the last instant", ({ run }) => Object.assign(run, { openedAt: lastInstant })],
    ["with as many answers as there may be", ({ run }) => Object.assign(run, { decisions: Array.from({ length: 1_000 }, () => answer()) })],
    ["with as many alerts as there may be", (head) => Object.assign(head, { alerts: Array.from({ length: 1_000 }, () => ({ alertId: "a", runId: "r" })), pendingAlerts: Array.from({ length: 1_000 }, () => ({ alertId: "a", rule: "r", reason: "b", at })) })],
    ["whose alerts are accounted for", ({ intake }) => Object.assign(intake, { accepted: 15, started: 1, merged: 2, suppressed: 4, rejected: 8 })],
  ])("%s is one", (_, change) => {
    const text = spoilt(change);
    expect(readHead(text, "shop")).toEqual({ kind: "head", head: JSON.parse(text) as unknown });
  });

  test.each<[string, (head: Spoilt) => unknown, RegExp]>([
    ["with an answer of nobody", ({ run }) => Object.assign(run, { decisions: [answer({ personId: "" })] }), /^run\.decisions\.0\.personId: /],
    ["with a question without a name", ({ run }) => Object.assign(run["question"] as object, { id: "" }), /^run\.question\.id: /],
    ["that more than a hundred must agree to", ({ run }) => Object.assign(run["question"] as object, { approvalsNeeded: 101 }), /^run\.question\.approvalsNeeded: /],
    ["asked about something else", ({ run }) => Object.assign(run["question"] as object, { about: "lunch" }), /^run\.question\.about: /],
    ["from before all time", ({ run }) => Object.assign(run, { openedAt: -1 }), /^run\.openedAt: /],
    ["from after all time", ({ run }) => Object.assign(run, { openedAt: lastInstant + 1 }), /^run\.openedAt: /],
    ["with a run of no epoch", (head) => (Object.assign(head, { epoch: 0 }), Object.assign(head.run, { epoch: 0, id: "shop-0" })), /^run\.epoch: /],
    ["with a run without a name", ({ run }) => Object.assign(run, { id: "" }), /^run\.id: /],
    ["of no plan", (head) => Object.assign(head, { plan: "" }), /^plan: /],
    ["with too many answers", ({ run }) => Object.assign(run, { decisions: Array.from({ length: 1_001 }, () => answer()) }), /^run\.decisions: /],
    ["with too many alerts", (head) => Object.assign(head, { alerts: Array.from({ length: 1_001 }, () => ({ alertId: "a", runId: "r" })) }), /^alerts: /],
    ["with too many alerts that wait", (head) => Object.assign(head, { pendingAlerts: Array.from({ length: 1_001 }, () => ({ alertId: "a", rule: "r", reason: "b", at })) }), /^pendingAlerts: /],
    ["of another format", (head) => Object.assign(head, { format: 2 }), /^format: .*1/],
  ])("%s is none, and says where", (_, change, why) => {
    expect(readHead(spoilt(change), "shop")).toEqual({ kind: "broken", why: expect.stringMatching(why) as string });
  });

  test.each([
    ["that was cut off", JSON.stringify(opened).slice(0, 100), /^it is not JSON: /],
    ["that is a list", "[]", /^the whole: /],
    ["of another plan", JSON.stringify(newHead("other")), /^it is the head of other$/],
    ["without its points of no return", spoilt(({ run }) => delete run["pointsOfNoReturn"]), /^run\.pointsOfNoReturn: /],
    ["whose epoch is words", spoilt((head) => Object.assign(head, { epoch: "1" })), /^epoch: /],
    ["whose run is of another epoch", spoilt((head) => Object.assign(head, { epoch: 7 })), /^run\.epoch is 1 in epoch 7$/],
    ["whose run has another's id", spoilt(({ run }) => Object.assign(run, { id: "shop-9" })), /^run\.id is shop-9 in epoch 1$/],
    ["that was aborted and opened", spoilt(({ run }) => Object.assign(run, { abort: { by: "G", at, reason: "no" }, pointsOfNoReturn: { data: null, traffic: at } })), /an abort was taken and/],
    ["that lost some of many", spoilt(({ intake }) => Object.assign(intake, { accepted: 20, started: 1, merged: 2, suppressed: 4, rejected: 8 })), /^intake: 20 were accepted and 15 are accounted for$/],
    ["that lost an alert", spoilt(({ intake }) => Object.assign(intake, { accepted: 3 })), /^intake: 3 were accepted and 0 are accounted for$/],
    ["with a verdict that there is not", spoilt(({ run }) => Object.assign(run, { decisions: [{ about: "decision", question: "q", verdict: "yes", personId: "g", by: "G", at, reason: "go" }] })), /^run\.decisions\.0\.verdict: /],
  ])("%s is broken, and says where", (_, text, why) => {
    expect(readHead(text, "shop")).toEqual({ kind: "broken", why: expect.stringMatching(why) as string });
  });
});
