/**
 * How every activity runs: the plan of its run, the ledger's leave to act, intent before and outcome after, and an answer whatever
 * happens. The works themselves only look, act and look again.
 */
import type { Step, StepAnswer, StepCall } from "../../orchestrations/step.ts";
import type { Entry, Head } from "../../shared/domain/ledger.ts";
import { drainLeftMs } from "../../shared/domain/ledger-takeover.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { type World, WorldError } from "../../shared/ports.ts";
import { type EntryAt, type Ledger, openLedger } from "../ledger.ts";
import type { Log } from "../log.ts";
import { type Target, targetOf } from "../../shared/domain/target.ts";
import { planOf } from "../runs.ts";
import { freshHead, withLeave } from "./leave.ts";

/** What a work is given beside its input. */
export interface Duty {
  readonly world: World;
  readonly ledger: Ledger;
  readonly plan: Plan;
  /** Where this run restores into. */
  readonly target: Target;
  readonly call: StepCall;
  /** The instant this call began, UTC milliseconds. */
  readonly startedAt: number;
  /** An act whose intent was there before this call: an earlier try may have done some or all of it. Always false for what is no act. */
  readonly triedBefore: boolean;
  readonly log: Log;
}

/** One implementation of a step. To throw is to say "try again"; to return is to answer. */
export type Work<S> = S extends Step<infer In, infer Out> ? (input: In & { readonly state?: unknown }, duty: Duty) => Promise<Out> : never;

/** Thrown when the ledger has gone on without this run, or without this phase of it: no repeat can change that. */
export class Superseded extends Error {
  override readonly name = "Superseded";
  constructor(runId: string, { epoch, run }: Head) {
    super(`${runId} may not act any more: the ledger is at epoch ${epoch} with ${run === null ? "no run open" : run.id === runId ? "its phase ended" : `${run.id} open`}`);
  }
}

export async function perform<In, Out>(step: Step<In, Out>, work: Work<Step<In, Out>>, call: StepCall, world: World, log: Log): Promise<StepAnswer> {
  try {
    const ledger = openLedger(world.home);
    const plan = await planOf(world.home, call.ref);
    const now = () => world.clock.now();
    const startedAt = now();
    const at = step.records === "nothing" ? null : entryAt(call);
    const [before, head, intent] = await Promise.all([
      at === null ? null : ledger.entry(at, "outcome"),
      asksLeave(step, call) ? freshHead(ledger, call.ref.plan, now) : null,
      at === null || step.records !== "act" ? null : ledger.entry(at, "intent"),
    ]);
    const still = async () => mayAct(await freshHead(ledger, call.ref.plan, now), call);
    const duty: Duty = { world: step.records === "act" ? withLeave(world, still) : world, ledger, plan, target: targetOf(plan, call.ref.kind), call, startedAt, triedBefore: intent !== null, log };
    // A repeat finds its own outcome: the world is not touched again.
    if (before !== null) return { kind: "answer", value: before.value };
    if (head !== null) {
      mayAct(head, call);
      const by = abortedBy(head, call);
      if (by !== null) return { kind: "aborted", by };
      const drainMs = step.records === "act" && head.run !== null ? drainLeftMs(head.run, now()) : 0;
      if (drainMs > 0) return { kind: "again", because: `what ${head.run?.takenOver?.runId ?? ""} had begun may still be on its way`, retryAfterSeconds: Math.ceil(drainMs / 1_000) };
      if (at !== null && step.records === "act") await ledger.write(at, entry("intent", call, startedAt, world.clock.now(), call.input));
    }
    const value = await (work as (input: unknown, duty: Duty) => Promise<unknown>)(call.input, duty);
    if (isNotYet(value) && dueToSay(call, world.clock.now())) log("step.waiting", { run: call.ref.runId, step: call.step, key: call.key, about: (value as { about?: unknown }).about });
    if (at === null || isNotYet(value)) return { kind: "answer", value };
    // Nobody waits any more for an answer that comes after its phase: written down, it would be an entry that no link of the chain covers.
    if (!isOpen(await freshHead(ledger, call.ref.plan, now), call)) return { kind: "answer", value };
    const written = await ledger.write(at, entry("outcome", call, startedAt, world.clock.now(), value));
    return { kind: "answer", value: written.value };
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    if (error instanceof Superseded) return { kind: "superseded", because };
    log("step.again", { run: call.ref.runId, step: call.step, key: call.key, because });
    return { kind: "again", because, retryAfterSeconds: error instanceof WorldError ? error.retryAfterSeconds : null };
  }
}

/** When each wait was last spoken of. Bounded: the oldest goes first; a process that is new says it once more. */
const said = new Map<string, number>();
const saidMax = 500;
const sayEveryMs = 60_000;

function dueToSay({ ref, phase, step, key }: StepCall, at: number): boolean {
  const name = `${ref.runId}/${phase ?? ""}/${step}/${key}`;
  const before = said.get(name);
  if (before !== undefined && at - before < sayEveryMs) return false;
  said.delete(name);
  said.set(name, at);
  for (const oldest of said.keys()) {
    if (said.size <= saidMax) break;
    said.delete(oldest);
  }
  return true;
}

/** Acts ask the ledger before each one, long waits at each look. */
const asksLeave = (step: Step<unknown, unknown>, call: StepCall): boolean => step.records === "act" || (call.watched === true && call.ref.epoch !== 0);

/** Who asked to stop, while that still counts. What stands down or reports is the stopping itself. */
function abortedBy({ run }: Head, { phase }: StepCall): string | null {
  if (run === null || phase === "stand-down" || phase === "report" || run.pointsOfNoReturn.traffic !== null) return null;
  return run.abort?.by ?? null;
}

/**
 * Before every act: is this run still the one that the ledger lets act, and in this phase? A run that was overtaken must not move; nor may
 * a repeat that the host delivers late do again what the run has undone since.
 */
function mayAct(head: Head, call: StepCall): void {
  if (head.epoch !== call.ref.epoch || head.run?.id !== call.ref.runId || !isOpen(head, call)) throw new Superseded(call.ref.runId, head);
}

/** Whether the run is open, and has not ended the phase that this call belongs to. */
function isOpen({ run }: Head, { ref, phase }: StepCall): boolean {
  return run?.id === ref.runId && !run.phases.some((note) => note.phase === phase && note.endedAt !== null);
}

function entryAt({ ref, phase, step, key }: StepCall): EntryAt | null {
  if (phase === null || ref.epoch === 0) return null;
  return { plan: ref.plan, epoch: ref.epoch, phase, step, key };
}

function entry(kind: Entry["kind"], { ref, phase, step, key }: StepCall, startedAt: number, at: number, value: unknown): Entry {
  return { runId: ref.runId, epoch: ref.epoch, planHash: ref.planHash, phase: phase ?? "accept", step, key, kind, startedAt, at, value: value ?? null };
}

const isNotYet = (value: unknown): boolean => typeof value === "object" && value !== null && "kind" in value && value.kind === "not-yet";
