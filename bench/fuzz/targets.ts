/** What is fed with garbage, and how each tells that it was not fooled. A target returns what it was fooled by; `null`: it was not. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { decisionBody } from "../../functions/decision-body.ts";
import { readAlert } from "../../shared/domain/alert.ts";
import { askQuestion, type Changed, decide, emptyDigest, entryName, type Head, headName, newHead, openRun, runId, turnPhase } from "../../shared/domain/ledger.ts";
import { type Link, linkName, linkText, verifyChain } from "../../shared/domain/ledger-chain.ts";
import { readHead } from "../../shared/domain/ledger-read.ts";
import { type Plan, planSchema } from "../../shared/domain/plan.ts";
import { canonicalJson } from "../../shared/domain/canonical-json.ts";
import { complaintsOf } from "../../shared/domain/plan-complaint.ts";
import { readPlan } from "../../shared/domain/plan-file.ts";
import { type Draw, mutated, textMutated } from "./mutate.ts";

/** `accepted`: it was right after all, as some mutations are. */
export type Judged = { readonly kind: "accepted" } | { readonly kind: "refused" } | { readonly kind: "fooled"; readonly by: string };
export type Target = (draw: Draw) => Judged;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const fooled = (by: string): Judged => ({ kind: "fooled", by });
const accepted: Judged = { kind: "accepted" };
const refused: Judged = { kind: "refused" };

const planTextOf = (name: string): string => readFileSync(new URL(`../../docs/plans/${name}.yaml`, import.meta.url), "utf8");
const planText = planTextOf("shop-replicated");

function examplePlan(): Plan {
  const read = readPlan(planText, sha256);
  if (read.kind === "unreadable") throw new Error("docs/plans/shop-replicated.yaml is not valid any more");
  return read.plan;
}

const alert = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: { alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/1", alertRule: "region-down", severity: "Sev0", monitorCondition: "Fired", alertTargetIDs: ["/subscriptions/x/managedClusters/aks"], firedDateTime: "2026-11-20T09:14:07.512Z" },
    alertContext: { properties: { "lifeboat-plan": "shop" } },
    customProperties: { "lifeboat-plan": "shop" },
  },
};

/** Ours only where the plan is named, or one of its own resources is a target; bounded texts in every answer. */
function alerts(): Target {
  const plans = [examplePlan()];
  const text = JSON.stringify(alert);
  return (draw) => {
    const body: unknown = draw() < 0.5 ? mutated(alert, draw) : parsed(textMutated(text, draw));
    const read = readAlert(body, plans);
    switch (read.kind) {
      case "unreadable":
        return read.problems.length > 0 ? refused : fooled("an alert is unreadable, and nobody says why");
      case "foreign":
        return refused;
      case "ours": {
        const written = JSON.stringify(body).toLowerCase();
        if (read.plan !== plans[0] || !/lifeboat-plan|managedclusters|trafficmanager/.test(written)) return fooled(`an alert that does not name a plan is ours: ${written.slice(0, 500)}`);
        if (!/azuremonitorcommonalertschema/.test(written)) return fooled("an alert of another schema is ours");
        return read.rule.length <= 300 && read.because.length <= 600 && read.targets.length <= 100 ? accepted : fooled("an alert's texts have no bound");
      }
    }
  };
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const at = 1_795_240_000_000;
const must = (made: Changed): Head => {
  if (made.kind === "refused") throw new Error(made.why);
  return made.head;
};

function askedHead(): Head {
  const opened = must(openRun(newHead("shop"), { kind: "failover", door: "http", by: "Ada", byId: "id-of-ada", reason: "dark", alertId: null, applications: [] }, "hash", at));
  return must(askQuestion(opened, 1, { id: "3f9c1e0a77b2d415", about: "decision", askedAt: at, expiresAt: at + 60_000, approvalsNeeded: 2, silence: "decline", text: "go?" }));
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** A yes counts only with the right words, the right question, the right person and in time. */
function approvals(): Target {
  const head = frozen(askedHead());
  const body = { about: "decision", verdict: "approve", question: "3f9c1e0a77b2d415", reason: "the card is right: go" };
  return (draw) => {
    const read = decisionBody.safeParse(draw() < 0.02 ? body : mutated(body, draw));
    if (!read.success) return read.error.issues.length > 0 ? refused : fooled("a decision is refused without a reason");
    const personId = draw() < 0.2 ? "id-of-ada" : "id-of-grace";
    const givenAt = at + Math.floor(draw() * 90_000);
    // Frozen: to change the head that is given is to throw.
    const made = decide(head, draw() < 0.9 ? "shop-1" : "shop-2", { ...read.data, personId, by: "somebody", at: givenAt });
    if (made.kind === "refused") return refused;
    const given = made.head.run?.decisions.at(-1);
    const right = given?.about === "decision" && givenAt < at + 60_000 && (given.verdict === "deny" || (given.verdict === "approve" && given.question === body.question && personId !== "id-of-ada")) && given.reason.trim().length >= 3;
    return right ? accepted : fooled(`a decision was taken that should not have been: ${JSON.stringify(given)}`);
  };
}

/** A small ledger: two runs with a link for each phase, the third one open. */
function ledgerCopy(): Map<string, string> {
  const blobs = new Map<string, string>();
  let before = emptyDigest;
  for (const epoch of [1, 2]) {
    for (const phase of ["confirm", "decide"] as const) {
      const entries = ["one", "two"].map((step) => {
        const name = entryName("shop", epoch, phase, step, "", "outcome");
        const body = JSON.stringify({ runId: runId("shop", epoch), epoch, planHash: "hash", phase, step, key: "", kind: "outcome", startedAt: at, at, value: { kind: "done", value: step } });
        blobs.set(name, body);
        return { name, sha256: sha256(body) };
      });
      const link: Link = { format: 1, plan: "shop", epoch, phase, before, entries };
      before = sha256(linkText(link));
      blobs.set(linkName("shop", before), JSON.stringify(link));
    }
  }
  const open = must(turnPhase(askedHead(), { epoch: 1, end: null, begin: "confirm" }, at, null));
  const run = open.run === null ? null : { ...open.run, epoch: 3, id: "shop-3" };
  blobs.set(headName("shop"), JSON.stringify({ ...open, epoch: 3, digest: before, run }));
  return blobs;
}

function linkTextIn(body: string): readonly string[] {
  const link = parsed(body) as Link;
  return Array.isArray(link.entries) ? [linkText(link)] : [];
}

/** A head that is read is one, to the letter; a chain with any covered byte changed, lost or put in is not whole. */
function ledgers(): Target {
  const copy = ledgerCopy();
  const names = [...copy.keys()];
  // What was not changed has the digest that it had.
  const digests = new Map([...copy.values()].flatMap((body) => [body, ...linkTextIn(body)].map((text) => [text, sha256(text)] as const)));
  const digest = (text: string): string => digests.get(text) ?? sha256(text);
  const headText = copy.get(headName("shop")) ?? "";
  const wasHead = readHead(headText, "shop");
  const whole = verifyChain("shop", { names, read: (name) => copy.get(name) ?? null }, digest);
  if (wasHead.kind !== "head" || whole.kind !== "whole") throw new Error("the ledger that is to be spoilt is not whole");
  return (draw) => {
    if (draw() < 0.5) {
      const text = draw() < 0.5 ? JSON.stringify(mutated(JSON.parse(headText), draw)) : textMutated(headText, draw);
      const read = readHead(text, "shop");
      if (read.kind === "broken") return read.why === "" ? fooled("a head is broken without a reason") : refused;
      const { head } = read;
      const sane = head.plan === "shop" && Number.isSafeInteger(head.epoch) && (head.run === null || (head.run.epoch === head.epoch && head.run.decisions.every(({ verdict, personId }) => (verdict === "approve" || verdict === "deny") && personId !== "")));
      return sane ? accepted : fooled(`a head was believed: ${text.slice(0, 500)}`);
    }
    const name = names[Math.floor(draw() * names.length)] ?? "";
    const blobs = new Map(copy);
    const was = copy.get(name) ?? "";
    const is = draw() < 0.1 ? null : textMutated(was, draw);
    if (is === null) blobs.delete(name);
    else blobs.set(name, is);
    const verdict = verifyChain("shop", { names: [...blobs.keys()], read: (of) => blobs.get(of) ?? null }, digest);
    if (verdict.kind === "broken") return verdict.name === "" || verdict.why === "" ? fooled("a chain is broken and nobody says where") : refused;
    // Of the head only the digest and the open phases are the chain's; of a link, what its digest is made of.
    const same = is === was || name === headName("shop") || (is !== null && name.includes("/chain/") && sha256(linkText(parsed(is) as Link)) === name.slice(name.lastIndexOf("/") + 1, -".json".length));
    return same ? accepted : fooled(`${name} was changed and the chain is whole: ${String(is).slice(0, 300)}`);
  };
}

/** Of all plans so many are changed as their author writes them, in YAML; of the others what YAML says is changed, which takes a tenth of the time. */
const plansWritten = 0.01;

/** A plan that is read reads the same when it is written and read again, and its problems have a place and a remedy. */
function plans(): Target {
  // The smallest most often: the same places take less time to be read.
  const examples = ["demo", "demo", "demo", "shop-shared", "shop-replicated"].map(planTextOf).map((text) => ({ text, data: parse(text) as unknown }));
  return (draw) => {
    const { text, data } = examples[Math.floor(draw() * examples.length)] ?? { text: planText, data: null };
    if (draw() < plansWritten) return writtenPlan(draw() < 0.02 ? text : textMutated(text, draw));
    return planData(draw() < 0.01 ? data : mutated(data, draw));
  };
}

function writtenPlan(text: string): Judged {
  const read = readPlan(text, sha256);
  if (read.kind === "unreadable") return read.problems.length > 0 && read.problems.every(({ line, column, problem, remedy }) => line >= 1 && column >= 1 && problem !== "" && remedy !== "") ? refused : fooled(`a plan is refused, and not by line: ${JSON.stringify(read.problems).slice(0, 300)}`);
  const again = readPlan(JSON.stringify(read.plan), sha256);
  return again.kind === "plan" && again.hash === read.hash ? accepted : fooled(`a plan that was read does not read again: ${JSON.stringify(again).slice(0, 500)}`);
}

/** As `readPlan` judges what YAML says. */
function planData(data: unknown): Judged {
  const read = planSchema.safeParse(data);
  if (!read.success) {
    const complaints = complaintsOf(read.error, planSchema, data);
    return complaints.length > 0 && complaints.every(({ problem, remedy }) => problem !== "" && remedy !== "") ? refused : fooled(`a plan is refused, and nobody says why: ${JSON.stringify(complaints).slice(0, 300)}`);
  }
  const text = canonicalJson(read.data);
  const again = planSchema.safeParse(JSON.parse(text));
  return again.success && canonicalJson(again.data) === text ? accepted : fooled(`a plan that was read does not read again: ${text.slice(0, 500)}`);
}

/** Each is built when it is asked for, and keeps nothing from one run to the next. */
export const targets: Readonly<Record<string, () => Target>> = { alerts, approvals, ledgers, plans };
