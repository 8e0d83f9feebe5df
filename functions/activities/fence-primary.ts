import type { Quieted } from "../../shared/domain/fence.ts";
import { fenceLimits, type FenceLimits, quiet } from "../../shared/fence/quiet.ts";
import { wake } from "../../shared/fence/wake.ts";
import { gateRecords } from "../../shared/domain/gate.ts";
import { drainMs } from "../../shared/domain/ledger-takeover.ts";
import { type World, WorldError } from "../../shared/ports.ts";
import type { RunRef } from "../../orchestrations/step.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Ledger } from "../ledger.ts";
import { servesNow } from "./confirm-loss.ts";
import type { Work } from "./perform.ts";

/** Closes the primary's public endpoint. The secondary's stays closed, so Traffic Manager cannot jump by itself. */
export const closePrimary: Work<typeof steps.closePrimary> = async (_, { world, plan, call, ledger }) => {
  await inheritClosing(world, ledger, call.ref);
  if ((await world.traffic.read(plan.traffic)).primary.open) {
    // Before the act, and never taken back: a repeat finds the endpoint closed and must still know who closed it.
    await world.home.create(closedByUs(call.ref), JSON.stringify({ closing: plan.traffic.publicUrl }));
    await world.traffic.closePrimary(plan.traffic);
  }
  // Between the last look at the witnesses and this closing minutes may lie: a region that is back by now took writes until then.
  const [after, serves] = await Promise.all([world.traffic.read(plan.traffic), servesNow(plan, world)]);
  return after.primary.open ? { kind: "open", why: "it reads back as open" } : { kind: "closed", ...(serves ? { backAgain: true } : {}) };
};

/**
 * Opens what this run closed, or may have closed. What a person had closed before it stays closed. A closing that nobody answered may still
 * take place: it is open for good only when that has had its time.
 */
export const reopenPrimary: Work<typeof steps.reopenPrimary> = async (_, { world, plan, call, ledger }) => {
  await inheritClosing(world, ledger, call.ref);
  if (!(await world.traffic.read(plan.traffic)).primary.open) {
    if ((await world.home.read(closedByUs(call.ref))) === null) return { kind: "left-closed", why: "it was closed before this run" };
    await world.traffic.reopenPrimary(plan.traffic);
    if (!(await world.traffic.read(plan.traffic)).primary.open) throw new Error("the primary's endpoint reads back as closed");
  }
  const leftMs = await landingLeftMs(ledger, call.ref, "closed", world.clock.now());
  if (leftMs > 0) throw new WorldError("reopen the primary", plan.traffic.publicUrl, "it is open, and a closing that was not answered may still be on its way", { retryAfterSeconds: Math.min(Math.ceil(leftMs / 1_000), lookAgainSeconds) });
  return { kind: "reopened" };
};

/** Users are without the primary from a late closing until the next look. */
const lookAgainSeconds = 10;

/**
 * For how long what the fence has begun and nobody answered may still take place. A step that was answered may have been a second try: the first one
 * was begun before it. And nothing was begun any more when the run began to stand down.
 */
async function landingLeftMs(ledger: Ledger, { plan, epoch, runId }: RunRef, record: "closed" | "quieted", at: number): Promise<number> {
  const step = { plan, epoch, ...gateRecords[record] };
  const [begun, answered, { run }] = await Promise.all([ledger.entry(step, "intent"), ledger.entry(step, "outcome"), ledger.head(plan)]);
  if (begun === null || run?.id !== runId) return 0;
  if (answered !== null) {
    if ((answered.value as Partial<Quieted>).unanswered === true) return answered.at + drainMs - at;
    return answered.startedAt > begun.startedAt ? answered.startedAt + drainMs - at : 0;
  }
  const standsDownAt = run.phases.find(({ phase }) => phase === "stand-down")?.startedAt ?? at;
  return standsDownAt + drainMs - at;
}

/** What the run before closed is this run's to open again, if it took that one's place. */
async function inheritClosing({ home }: World, ledger: Ledger, ref: RunRef): Promise<void> {
  const { run } = await ledger.head(ref.plan);
  if (run?.takenOver === undefined || run.id !== ref.runId) return;
  const before = await home.read(closedByUs({ plan: ref.plan, epoch: run.takenOver.epoch }));
  if (before !== null) await home.create(closedByUs(ref), before.body);
}

/** Exists when the run found the endpoint open and went on to close it. */
const closedByUs = ({ plan, epoch }: Pick<RunRef, "plan" | "epoch">) => `runs/${plan}/${String(epoch).padStart(6, "0")}/primary-endpoint-closed.json`;

/** Stops what takes writes in the primary, as far as its cluster answers. */
export const quietWithin =
  (limits: FenceLimits): Work<typeof steps.quietPrimary> =>
  async (_, { world, plan, call, triedBefore }) =>
    quiet({ ...limits, plan, closer: call.ref.runId, open: async () => world.clusters.of(plan.primary.cluster), triedBefore });

export const quietPrimary = quietWithin(fenceLimits);

/**
 * Gives back what was stopped for this plan, by this run, by one that halted before it, or by the agent in there. What was asked for and not answered
 * may be stopped after that: then once more, when it has had its time.
 */
export const wakeWithin =
  ({ seconds }: Pick<FenceLimits, "seconds">): Work<typeof steps.wakePrimary> =>
  async ({ quieted }, { world, plan, call, ledger }) => {
    const woken = await wake({ plan, open: async () => world.clusters.of(plan.primary.cluster), seconds, isOurs: () => true });
    const leftMs = woken.kind === "no-answer" ? 0 : await landingLeftMs(ledger, call.ref, "quieted", world.clock.now());
    if (leftMs > 0) throw new WorldError("wake the primary", plan.primary.name, "it is awake, and what was being stopped there without an answer may still be stopped", { retryAfterSeconds: Math.ceil(leftMs / 1_000) });
    return { left: woken.kind === "no-answer" ? unseen(quieted, woken.why) : woken.left };
  };

export const wakePrimary = wakeWithin(fenceLimits);

/** What may be suspended in a cluster that does not answer now. */
function unseen(quieted: Quieted | null, why: string): string[] {
  const whatever = `whatever is suspended in the primary's cluster, which does not answer: ${why}`;
  if (quieted === null) return [whatever];
  // It never answered when it was to be quieted: nothing was changed there.
  if (quieted.kind === "unreachable") return quieted.maybeSuspended ? [whatever] : [];
  const known = quieted.suspended.map(({ plural, namespace, name }) => `${plural} ${namespace}/${name} is still suspended (the primary's cluster does not answer: ${why})`);
  return quieted.kind === "partly" ? [...known, `what else was being suspended when the primary's cluster was left: ${quieted.left.join(", ")}`] : known;
}
