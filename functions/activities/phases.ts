import { askQuestion, closeRun as close, judge, turnPhase as turn } from "../../shared/domain/ledger.ts";
import type { deskSteps } from "../../orchestrations/step.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { Superseded, type Work } from "./perform.ts";

/** Ends one phase, begins the next, and grows the digest by the records of the one that ended: one compare-and-swap. */
export const turnPhase: Work<typeof deskSteps.turnPhase> = async ({ end, begin }, { ledger, call, startedAt }) => {
  const { plan, epoch, runId } = call.ref;
  const before = await ledger.head(plan);
  const ends = end !== null && before.run?.phases.some(({ phase, endedAt }) => phase === end.phase && endedAt === null);
  const digest = ends && end !== null ? await ledger.digest(before, end.phase) : null;
  const made = await ledger.change(plan, (head) => {
    // The digest was grown from the chain as it was; another phase that ended meanwhile has moved it on.
    if (digest !== null && head.digest !== before.digest) throw new Error("another phase ended at the same time");
    return turn(head, { epoch, end, begin }, startedAt, digest);
  });
  if (made.kind === "refused") throw new Superseded(runId, made.head);
  return { abortBy: made.head.run?.abort?.by ?? null };
};

/** Puts the question once, then says what the answers in the ledger amount to now. */
export const putQuestion: Work<typeof deskSteps.putQuestion> = async ({ expiresSeconds, ...question }, { ledger, call, world }) => {
  const { plan, epoch, runId } = call.ref;
  // Before the ledger is read: an answer that came in time is in what is read then, and none is overlooked at the last moment.
  const askedAt = world.clock.now();
  const made = await ledger.change(plan, (head) => askQuestion(head, epoch, { ...question, askedAt, expiresAt: askedAt + expiresSeconds * 1_000 }));
  const { run } = made.head;
  if (run === null || run.epoch !== epoch) throw new Superseded(runId, made.head);
  if (run.abort !== null) return { kind: "aborted", by: run.abort.by };
  return judge(run, question.about, askedAt);
};

export const readPoints: Work<typeof steps.readPoints> = async (_, { ledger, call }) => {
  const head = await ledger.head(call.ref.plan);
  const { run, promotedBy } = head;
  if (run === null || run.id !== call.ref.runId) throw new Superseded(call.ref.runId, head);
  return { data: run.pointsOfNoReturn.data !== null || promotedBy !== null, traffic: run.pointsOfNoReturn.traffic !== null };
};

/** Gives the plan free for its next run. Closed already, by an earlier try of this step, is closed. */
export const closeRun: Work<typeof steps.closeRun> = async ({ outcome }, { ledger, call, plan, world }) => {
  const { ref } = call;
  const before = await ledger.head(ref.plan);
  if (before.last?.runId === ref.runId) return { kind: "closed" };
  const digest = await ledger.digest(before, "report");
  const made = await ledger.change(ref.plan, (head) => close(head, ref.epoch, outcome, world.clock.now(), plan.cooldownSeconds, digest));
  if (made.kind === "refused" && made.head.last?.runId !== ref.runId) throw new Superseded(ref.runId, made.head);
  return { kind: "closed" };
};
