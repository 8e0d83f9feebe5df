import { judgeLease, readWish, type SelfFence, type Wish, wishAfter, wishName } from "../../shared/domain/lease.ts";
import { instantText } from "../../shared/domain/instant.ts";
import { WorldError } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { leaseSeen } from "./lease-seen.ts";
import { freshHead } from "./leave.ts";
import { type Duty, Superseded, type Work } from "./perform.ts";

/** Asks the agent in the primary to close the application. It reads that at its next renewal, if it can reach home. */
export const askAgent: Work<typeof steps.askAgent> = async (_, duty) => {
  const stands = await change(duty, "close");
  return stands?.kind === "close" && stands.epoch === duty.call.ref.epoch ? { kind: "asked" } : { kind: "not-asked", why: `${stands?.runId ?? "this run"} has ${stands?.kind === "close" ? "asked since" : "taken it back"}` };
};

/** Takes back what this run asked, or what it inherited from the run whose place it took. */
export const releaseAgent: Work<typeof steps.releaseAgent> = async (_, duty) => {
  const stands = await change(duty, "taken-back");
  return stands?.kind === "taken-back" ? { kind: "taken-back" } : { kind: "nothing-asked" };
};

/** As many as could write at once. */
const swapsMax = 5;

/** The wish that stands after it. Only of the run that the ledger names, and never over a later one's. */
async function change({ world, ledger, call }: Duty, kind: Wish["kind"]): Promise<Wish | null> {
  const { plan, epoch, runId } = call.ref;
  const name = wishName(plan);
  for (let swap = 0; swap < swapsMax; swap++) {
    const stored = await world.home.read(name);
    const before = stored === null ? null : readWish(stored.body, plan);
    const next = wishAfter(before, { format: 1, plan, epoch, runId, kind, at: world.clock.now() });
    if (next === null) return before;
    // Asked after the wish was read: whoever took over since has written one, or will.
    const head = await freshHead(ledger, plan, () => world.clock.now());
    if (head.run?.id !== runId) throw new Superseded(runId, head);
    const body = JSON.stringify(next);
    const swapped = stored === null ? await world.home.create(name, body) : (await world.home.replace(name, body, stored.etag)) !== null;
    if (swapped) return next;
  }
  throw new WorldError("ask the agent", plan, `${swapsMax} others were faster`, { retryAfterSeconds: 1 });
}

/** What the agent's word or its silence proves by now. */
export const agentClosed: Work<typeof steps.agentClosed> = async (_, duty) => {
  const { plan, call, world } = duty;
  const { agent } = plan.fence;
  if (agent === undefined) return { kind: "done", value: { kind: "no", about: "the plan declares no agent" } satisfies SelfFence };
  return judgeLease(await leaseSeen(world.home, plan.plan), call.ref.epoch, agent, await noticedAt(duty));
};

/** Whether the agent says that it serves, and has said so since it was told to. */
export const agentOpened: Work<typeof steps.agentOpened> = async (_, { plan: { plan }, world: { home } }) => {
  const [seen, asked] = await Promise.all([leaseSeen(home, plan), home.dated?.(wishName(plan))]);
  // What was never there has closed nothing.
  if (seen === null) return { kind: "done", value: { kind: "no-agent" } };
  const { lease: said, writtenAt } = seen;
  const heard = `it renewed its lease last at ${instantText(writtenAt)}`;
  if (said?.state.kind === "serving" && writtenAt >= (asked?.writtenAt ?? 0)) return { kind: "done", value: { kind: "open" } };
  return { kind: "not-yet", about: said?.state.kind === "partly" ? `${heard} and says: ${said.state.left.join(", ")}` : heard };
};

/** When the loss was noticed first: with this run, or with the one whose place it took. */
async function noticedAt({ ledger, call }: Duty): Promise<number> {
  const { plan, runId } = call.ref;
  const head = await ledger.head(plan);
  if (head.run?.id !== runId) throw new Superseded(runId, head);
  const { openedAt, takenOver } = head.run;
  const before = takenOver === undefined ? [] : await ledger.entries(plan, takenOver.epoch);
  return Math.min(openedAt, ...before.map(({ startedAt }) => startedAt));
}
