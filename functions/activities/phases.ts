import { askQuestion, closeRun as close, type Entry, type Head, judge, type OpenRun, type PhaseTurn, type Question, turnPhase as turn } from "../../shared/domain/ledger.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { deskSteps } from "../../orchestrations/step.ts";
import type { Ends, steps } from "../../orchestrations/steps.ts";
import type { World } from "../../shared/ports.ts";
import { sha256 } from "../ledger.ts";
import { followNewest } from "../ledger-follow.ts";
import { type Duty, Superseded, type Work } from "./perform.ts";

/** Ends one phase, begins the next, and grows the digest by the records of the one that ended: one compare-and-swap. */
export const turnPhase: Work<typeof deskSteps.turnPhase> = async ({ end, begin }, { ledger, call, startedAt, world }) => {
  for (let turned = 1; ; turned++) {
    const made = await turnedOnce({ end, begin }, { ledger, call, startedAt, world });
    // Two phases side by side may end at once: the chain has moved on, and is grown again from there.
    if (made !== null) return { abortBy: made.run?.abort?.by ?? null };
    if (turned === turnsMax) throw new Error("other phases ended at the same time, again and again");
  }
};

/** As many as could end side by side. */
const turnsMax = 5;

/** What ends badly, is undone or told goes on over a ledger that somebody changed; and behind the traffic point there is only forward. */
const goesForward = ({ end, begin }: Pick<PhaseTurn, "end" | "begin">): boolean => (begin === null ? end?.outcome === "done" : !backwards.has(begin));
const backwards: ReadonlySet<Phase> = new Set(["stand-down", "report"]);

async function turnedOnce({ end, begin }: Pick<PhaseTurn, "end" | "begin">, { ledger, call, startedAt, world }: Pick<Duty, "ledger" | "call" | "startedAt" | "world">): Promise<Head | null> {
  const { plan, epoch, runId } = call.ref;
  const before = await ledger.head(plan);
  if (goesForward({ end, begin }) && before.run?.epoch === epoch && before.run.pointsOfNoReturn.traffic === null) await followNewest(world.home, before, { withEntries: false });
  const ends = end !== null && before.run?.phases.some(({ phase, endedAt }) => phase === end.phase && endedAt === null);
  const digest = ends && end !== null ? await ledger.link(before, end.phase) : null;
  let moved = false;
  const made = await ledger.change(plan, (head) => {
    moved = digest !== null && head.digest !== before.digest;
    return moved ? { kind: "refused", why: "already" } : turn(head, { epoch, end, begin }, startedAt, digest);
  });
  if (moved) return null;
  if (made.kind === "refused") throw new Superseded(runId, made.head);
  return made.head;
}

/** Puts the question once, then says what the answers in the ledger amount to now. */
export const putQuestion: Work<typeof deskSteps.putQuestion> = async ({ expiresSeconds, ...question }, { ledger, call, world, log }) => {
  const { plan, epoch, runId } = call.ref;
  // Before the ledger is read: an answer that came in time is in what is read then, and none is overlooked at the last moment.
  const askedAt = world.clock.now();
  const id = sha256(JSON.stringify({ runId, planHash: call.ref.planHash, askedAt, ...question })).slice(0, 16);
  const made = await ledger.change(plan, (head) => askQuestion(head, epoch, { ...question, id, askedAt, expiresAt: askedAt + expiresSeconds * 1_000 }));
  if (made.kind === "changed") log("question.put", { run: runId, about: question.about, silence: question.silence, approvalsNeeded: question.approvalsNeeded, expiresAt: new Date(askedAt + expiresSeconds * 1_000).toISOString(), text: question.text });
  const { run } = made.head;
  if (run === null || run.epoch !== epoch) throw new Superseded(runId, made.head);
  if (run.abort !== null) return { kind: "aborted", by: run.abort.by };
  const verdict = judge(run, question.about, askedAt);
  if (verdict.kind === "waiting") return { ...verdict, expiresAt: run.question?.expiresAt ?? askedAt };
  // The head forgets its run when that ends. Who decided what, and what they were shown, stays in an entry that the chain covers.
  if (call.phase !== null) await ledger.write({ plan, epoch, phase: call.phase, step: call.step, key: question.about }, decisionEntry(run, call, question.about, verdict, askedAt));
  return verdict;
};

function decisionEntry(run: OpenRun, { ref: { runId, epoch, planHash }, phase, step }: Duty["call"], about: Question["about"], verdict: unknown, at: number): Entry {
  const { question } = run;
  const value = { question, decisions: run.decisions.filter((decision) => decision.about === about), verdict };
  return { runId, epoch, planHash, phase: phase ?? "decide", step, key: about, kind: "outcome", startedAt: question?.askedAt ?? at, at, value };
}

/**
 * Which points of no return were passed, and what else of this run stays in the world when its fence is undone. A data point that an
 * earlier run passed counts until somebody has made a replication policy again.
 */
export const readPoints: Work<typeof steps.readPoints> = async (_, { world, ledger, plan, call }) => {
  const head = await ledger.head(call.ref.plan);
  const { run, promotedBy } = head;
  if (run === null || run.id !== call.ref.runId) throw new Superseded(call.ref.runId, head);
  const { data, traffic } = run.pointsOfNoReturn;
  const cutOff = data !== null || (promotedBy !== null && plan.storage.topology === "replicated" && (await world.replication.policy(plan.storage.replica.account)) === null);
  return { data: cutOff, traffic: traffic !== null, left: leftBy(await entriesOf(ledger, call.ref.plan, run), plan), ends: traffic === null ? null : await endsNow(world, plan) };
};

/** The records of a run, and of the one whose place it took. */
async function entriesOf(ledger: Duty["ledger"], plan: string, { epoch, takenOver }: OpenRun): Promise<readonly Entry[]> {
  const all = await Promise.all([epoch, ...(takenOver === undefined ? [] : [takenOver.epoch])].map(async (each) => ledger.entries(plan, each)));
  return all.flat();
}

/** Which public endpoints are open, for the advice at the end of a run: that nobody can say it must not stop the end. */
async function endsNow({ traffic }: World, plan: Plan): Promise<Ends | null> {
  try {
    const { primary, secondary } = await traffic.read(plan.traffic);
    return { primary: primary.open, secondary: secondary.open };
  } catch {
    return null;
  }
}

/** What was begun in the secondary, by the intents of this run: an act that did not answer may have happened. */
function leftBy(entries: readonly Entry[], plan: Plan): string[] {
  const begun = (step: string) => entries.some((entry) => entry.step === step);
  const namespaces = plan.applications.flatMap((application) => application.namespaces).join(", ");
  return [
    ...(begun("start-restore") ? [`what was restored so far stays in ${plan.secondary.name} (${namespaces}): delete it before the next failover, which restores into empty namespaces only`] : []),
    ...(begun("warm-target") ? [`the cluster and the node pools that were made ready in ${plan.secondary.name} stay as they are`] : []),
  ];
}

/** Gives the plan free for its next run. Closed already, by an earlier try of this step, is closed. */
export const closeRun: Work<typeof steps.closeRun> = async ({ outcome }, { ledger, call, plan, world }) => {
  const { ref } = call;
  const before = await ledger.head(ref.plan);
  if (before.last?.runId === ref.runId) return { kind: "closed" };
  const digest = await ledger.link(before, "report");
  const made = await ledger.change(ref.plan, (head) => close(head, ref.epoch, outcome, world.clock.now(), plan.cooldownSeconds, digest));
  if (made.kind === "refused" && made.head.last?.runId !== ref.runId) throw new Superseded(ref.runId, made.head);
  return { kind: "closed" };
};
