/**
 * What passes between a run and the lease agent in the primary, as two small blobs at home: the wish, which runs write, and the lease, which
 * the agent writes. And what a run may believe of a lease. Pure.
 */
import { z } from "zod";
import { instantText } from "./instant.ts";
import type { AgentTerms } from "./plan-agent.ts";

/** What the agent is to do: `close` until it is taken back. Never deleted, so that an older run cannot write over a newer one's. */
export interface Wish {
  readonly format: 1;
  readonly plan: string;
  readonly epoch: number;
  readonly runId: string;
  readonly kind: "close" | "taken-back";
  readonly at: number;
}

/** What the agent has done. `epoch`: whose wish it was; `null`: its lease had run out. `left`: what it could not stop, or cannot see. */
export type AgentState =
  | { readonly kind: "serving" }
  | { readonly kind: "closed"; readonly epoch: number | null; readonly at: number }
  | { readonly kind: "partly"; readonly epoch: number | null; readonly at: number; readonly left: readonly string[] };

/** Written at every renewal; when it was written is what the store says. */
export interface Lease {
  readonly format: 1;
  readonly plan: string;
  /** Another one with every start of the agent. */
  readonly agent: string;
  /** By what the agent lives from this renewal on, whatever the plan has come to say since. */
  readonly leaseSeconds: number;
  /** Why its own cluster did not answer it just now, `null`: it did. An agent that cannot reach it can close nothing. */
  readonly clusterSilent: string | null;
  readonly state: AgentState;
}

/** The one writes what the other reads, and neither the other's. */
export const wishName = (plan: string): string => `agents/${plan}/wish.json`;
export const leaseName = (plan: string): string => `agents/${plan}/lease.json`;

/** Things named in a lease; more of them are counted. */
export const leftMax = 20;

const count = z.number().int().min(0);
const wish = z.object({ format: z.literal(1), plan: z.string(), epoch: count.min(1), runId: z.string(), kind: z.enum(["close", "taken-back"]), at: count });
const state = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("serving") }),
  z.object({ kind: z.literal("closed"), epoch: count.nullable(), at: count }),
  z.object({ kind: z.literal("partly"), epoch: count.nullable(), at: count, left: z.array(z.string()).max(leftMax + 1) }),
]);
const lease = z.object({ format: z.literal(1), plan: z.string(), agent: z.string(), leaseSeconds: count.min(1), clusterSilent: z.string().nullable(), state });

/** `null`: not a wish of this plan. */
export const readWish = (text: string, plan: string): Wish | null => ofPlan(wish, text, plan);
/** `null`: not a lease of this plan. */
export const readLease = (text: string, plan: string): Lease | null => ofPlan(lease, text, plan);

function ofPlan<T extends { readonly plan: string }>(schema: z.ZodType<T>, text: string, plan: string): T | null {
  try {
    const read = schema.safeParse(JSON.parse(text));
    return read.success && read.data.plan === plan ? read.data : null;
  } catch {
    return null;
  }
}

/** The wish that a run may put in the place of what is there; `null`: none, because a later run's is, or its own that was taken back. */
export function wishAfter(before: Wish | null, next: Wish): Wish | null {
  if (before === null) return next.kind === "close" ? next : null;
  if (before.epoch > next.epoch) return null;
  if (before.epoch === next.epoch && before.kind === "taken-back") return null;
  if (next.kind === "taken-back" && before.kind === "taken-back") return null;
  return next;
}

/** What the agent's word or silence proves. `closed`: it says so. `expired`: it must have closed by now, and nobody has seen it. `no`: nothing, and why. */
export interface SelfFence {
  readonly kind: "closed" | "expired" | "no";
  readonly about: string;
}

export type LeaseJudged = { readonly kind: "done"; readonly value: SelfFence } | { readonly kind: "not-yet"; readonly about: string };

/** A lease as it was found: by the store's own clock in both instants, so that nobody else's counts. */
export interface LeaseSeen {
  readonly lease: Lease | null;
  readonly writtenAt: number;
  readonly storeNowAt: number;
}

/** The store gives both instants in whole seconds, each cut off. */
const cutOffMs = 1_000;

/**
 * Whether the primary is closed, by what its agent last wrote. `epoch` is the run's, `noticedAt` when that run began. Silence counts only from
 * an agent that was heard when the loss began, and whose cluster answered it then; and only when the whole of its time is over.
 */
export function judgeLease(seen: LeaseSeen | null, epoch: number, terms: AgentTerms, noticedAt: number): LeaseJudged {
  const no = (about: string): LeaseJudged => ({ kind: "done", value: { kind: "no", about } });
  if (seen === null) return no("no agent has ever renewed a lease for this plan");
  const { lease, writtenAt, storeNowAt } = seen;
  if (lease === null) return no("what lies in the place of the agent's lease is no lease of this plan");
  const heard = instantText(writtenAt);
  const { state } = lease;
  if (state.kind === "closed" && state.epoch === epoch) return { kind: "done", value: { kind: "closed", about: `the agent in the primary says that it has stopped the application there, at ${instantText(state.at)}` } };
  if (writtenAt < noticedAt - terms.noticeSeconds * 1_000) return no(`the agent in the primary was silent before the loss was noticed: it renewed its lease last at ${heard}, so its silence proves nothing`);
  const overAt = writtenAt + (lease.leaseSeconds + terms.closingSeconds + terms.marginSeconds) * 1_000 + cutOffMs;
  if (storeNowAt < overAt) return { kind: "not-yet", about: `${saidBy(state, epoch)}it renewed its lease last at ${heard}, and must have closed the application by ${instantText(overAt)}` };
  if (lease.clusterSilent !== null) return no(`the agent in the primary was heard last at ${heard}, and its own cluster did not answer it then: ${lease.clusterSilent}`);
  if (state.kind === "partly") return no(`the agent in the primary was heard last at ${heard}, and could not stop everything then: ${state.left.join(", ")}`);
  if (!terms.silenceCounts) return no(`the agent in the primary was heard last at ${heard} and has not said that the application is closed; this plan takes nothing but its word`);
  return { kind: "done", value: { kind: "expired", about: `the agent in the primary could not renew its lease since ${heard}: it gave up by ${instantText(overAt)}, which nobody has seen` } };
}

function saidBy(state: AgentState, epoch: number): string {
  if (state.kind === "partly" && state.epoch === epoch) return `the agent in the primary could not stop everything: ${state.left.join(", ")}; `;
  return "the agent in the primary has not said yet that the application is closed; ";
}

/** Since when a primary that was agreed to be dark is so by its agent's word too (UTC ms): what the agent closed lived until then. `null`: not all of it is closed. */
export function darkByAgent(agreedSince: number, lease: Lease | null): number | null {
  const state = lease?.state ?? { kind: "serving" };
  if (state.kind === "serving" || state.at <= agreedSince) return agreedSince;
  return state.kind === "closed" ? state.at : null;
}

/** What is wrong with the lease on a quiet day, in words; `null`: it is renewed, by an agent that could close the application. */
export function leaseTrouble(seen: LeaseSeen | null): string | null {
  if (seen === null) return "the plan declares a lease agent, and none has ever renewed a lease";
  const { lease, writtenAt, storeNowAt } = seen;
  if (lease === null) return "what lies in the place of the agent's lease is no lease of this plan";
  const heard = `the agent in the primary renewed its lease last at ${instantText(writtenAt)}`;
  if (storeNowAt - writtenAt > lease.leaseSeconds * 1_000) return `${heard}, and it lasts ${lease.leaseSeconds} s`;
  if (lease.clusterSilent !== null) return `${heard}, and its own cluster did not answer it: ${lease.clusterSilent}`;
  // As when it lacks a right: it finds that out when it starts, not on the day.
  return lease.state.kind === "partly" ? `${heard}, and says what it could not do: ${lease.state.left.join(", ")}` : null;
}
