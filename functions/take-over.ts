/** A person takes a run over that hangs: its report first, then one compare-and-swap, then the instance of the next run. */
import type { DurableClient } from "durable-functions";
import type { Head, OpenRun, Refusal } from "../shared/domain/ledger.ts";
import { takeOver as takenOver } from "../shared/domain/ledger-takeover.ts";
import { buildReport } from "../shared/domain/report.ts";
import type { Plan } from "../shared/domain/plan.ts";
import type { World } from "../shared/ports.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { followNewest } from "./ledger-follow.ts";
import { putReport } from "./report-files.ts";
import { keepVersion, planOf, refOf } from "./runs.ts";
import { startInstance } from "./start.ts";

export interface TakeoverAsked {
  readonly runId: string;
  readonly ifEpoch: number;
  readonly by: string;
  readonly byId: string;
  readonly reason: string;
}

export type TakeoverMade = { readonly kind: "opened"; readonly runId: string } | { readonly kind: "refused"; readonly why: Refusal; readonly epoch: number };

export async function takeOver(world: World, client: DurableClient, { plan, hash }: { readonly plan: Plan; readonly hash: string }, asked: TakeoverAsked): Promise<TakeoverMade> {
  const ledger = openLedger(world.home);
  const before = await ledger.head(plan.plan);
  if (before.run?.id !== asked.runId) return { kind: "refused", why: "not-this-run", epoch: before.epoch };
  await followNewest(world.home, before, { withEntries: true });
  const now = world.clock.now();
  await keepVersion(world.home, plan, hash);
  const digest = await linksOfAllThatIsOpen(ledger, before, before.run);
  await reportTheDead(world, ledger, { ...before, digest }, before.run, asked, now);
  const made = await ledger.change(plan.plan, (head) => takenOver(head, { ...asked, planHash: hash, digest, digestBefore: before.digest }, now));
  if (made.kind === "refused") return { kind: "refused", why: made.why, epoch: made.head.epoch };
  const { run } = made.head;
  if (run === null) throw new Error("a run that was opened is not open");
  await startInstance(world, client, plan.plan, run);
  return { kind: "opened", runId: run.id };
}

/** The phases that the dead run left open end here: what it wrote so far is covered by the chain, and nothing of it is written after this. */
async function linksOfAllThatIsOpen(ledger: Ledger, head: Head, { phases }: OpenRun): Promise<string> {
  let { digest } = head;
  for (const { phase, endedAt } of phases) if (endedAt === null) digest = await ledger.link({ ...head, digest }, phase);
  return digest;
}

/** Before the ledger says that it is over: a takeover that is lost half-way leaves a report that the next one writes again. */
async function reportTheDead(world: World, ledger: Ledger, head: Head, run: OpenRun, { by, reason }: TakeoverAsked, at: number): Promise<void> {
  const [plan, entries] = await Promise.all([planOf(world.home, refOf(run, head.plan)), ledger.entries(head.plan, run.epoch)]);
  const outcome = { kind: "halted", phase: run.phases.findLast(({ endedAt }) => endedAt === null)?.phase ?? "accept", step: "runbook", cause: `it was taken over by ${by}: ${reason}`, next: `look at ${head.plan}-${run.epoch + 1}, which goes on from here` } as const;
  await putReport(world.home, run.id, buildReport({ head, run, plan, entries, outcome, endedAt: at }));
}
