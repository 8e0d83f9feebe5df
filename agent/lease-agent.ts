/**
 * The lease agent: it stands in the primary's cluster, renews its lease at home, and closes the application there when a run asks it to or when
 * it could not renew for as long as the lease lasts. What it closed it opens again when it can renew and no run holds the fence.
 */
import { type AgentDuty, dutyOf, type EpochsSeen } from "../shared/domain/agent-duty.ts";
import { type AgentState, leftMax } from "../shared/domain/lease.ts";
import { drainMs } from "../shared/domain/ledger-takeover.ts";
import type { Plan } from "../shared/domain/plan.ts";
import type { AgentTerms } from "../shared/domain/plan-agent.ts";
import { agentOf } from "../shared/fence/undo-note.ts";
import { fenceLimits, quiet } from "../shared/fence/quiet.ts";
import { wake } from "../shared/fence/wake.ts";
import { messageOf } from "../shared/fence/walk.ts";
import type { Cluster } from "../shared/ports.ts";
import type { AgentParts } from "./parts.ts";
import { idleBecause, readPlanText, renew, type Renewed } from "./renewal.ts";

/** Before it has read any plan, seconds: home may answer at any moment. */
const retrySeconds = 5;

/** Throws nothing: whatever goes wrong, the next turn comes. */
export class LeaseAgent {
  readonly #parts: AgentParts;
  readonly #startedMs: number;
  #plan: { readonly plan: Plan; readonly terms: AgentTerms; readonly text: string } | null = null;
  /** The START of the last renewal that was answered, and how long that one lasts. */
  #renewed: { readonly ms: number; readonly leaseMs: number } | null = null;
  #seen: EpochsSeen = { head: 0, wish: 0 };
  #state: AgentState;
  /** Something may stand still in there that an earlier start of this agent stopped. */
  #mayBeClosed = true;
  /** Until when a change that it asked for and that was not answered may still take place. */
  #mayLandUntilMs = 0;
  /** By what it was about, what was said last. */
  readonly #said = new Map<string, string>();

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
    this.#state = { kind: "partly", epoch: null, at: parts.clock.nowAt(), left: ["it has just been started, and has not looked yet"] };
  }

  /** Reads what an earlier start has kept. Where there is nothing, it knows of no plan until home answers. */
  async recall(): Promise<void> {
    const { memory, log, clusterId } = this.#parts;
    try {
      const text = await memory.recall();
      if (text !== null) this.#take(text, clusterId);
    } catch (error) {
      log("agent.forgot", { why: messageOf(error) });
    }
  }

  get state(): AgentState {
    return this.#state;
  }

  /** One turn; how long to wait until the next, milliseconds. */
  async turn(): Promise<number> {
    if (this.#lapsed()) await this.#close(this.#state.kind === "serving" ? null : this.#state.epoch);
    const askedMs = this.#parts.clock.monotonicMs();
    const renewed = await this.#renewal(askedMs);
    if (renewed.kind !== "renewed") return this.#waitMs(askedMs);
    this.#renewed = { ms: askedMs, leaseMs: renewed.terms.leaseSeconds * 1_000 };
    await this.#remember(renewed.text);
    // It slept through the answer: what was read then says nothing of now.
    if (this.#lapsed()) return 0;
    const before = this.#state;
    await this.#do(dutyOf(renewed, this.#seen), renewed);
    // What has changed is told at once.
    return before.kind === this.#state.kind && epochOf(before) === epochOf(this.#state) ? this.#waitMs(askedMs) : 0;
  }

  /** Whether the time is over for which the application may run on without a renewal. One that has never renewed has as long as a start may take. */
  #lapsed(): boolean {
    return this.#leftMs() <= 0;
  }

  #leftMs(): number {
    if (this.#plan === null) return Number.POSITIVE_INFINITY;
    const { terms } = this.#plan;
    const endsMs = this.#renewed === null ? this.#startedMs + Math.min(terms.marginSeconds, terms.leaseSeconds) * 1_000 : this.#renewed.ms + this.#renewed.leaseMs;
    return endsMs - this.#parts.clock.monotonicMs();
  }

  get #everyMs(): number {
    return (this.#plan?.terms.renewSeconds ?? retrySeconds) * 1_000;
  }

  /** Until the next renewal is due, or the lease runs out if that comes first. */
  #waitMs(askedMs: number): number {
    const dueMs = askedMs + this.#everyMs - this.#parts.clock.monotonicMs();
    const leftMs = this.#leftMs();
    return Math.max(0, leftMs > 0 ? Math.min(dueMs, leftMs) : dueMs);
  }

  /** A renewal may hang; it must not keep the agent from closing in time. What comes of it later counts for nothing. */
  async #renewal(askedMs: number): Promise<Renewed> {
    const { clock, clusterId } = this.#parts;
    const leftMs = this.#leftMs();
    const abort = new AbortController();
    const late = clock.sleep(leftMs > 0 ? Math.min(this.#everyMs, leftMs) : this.#everyMs, abort.signal).then(
      (): Renewed => ({ kind: "failed", why: `no answer from home in ${Math.round((clock.monotonicMs() - askedMs) / 1_000)} s` }),
      (): Renewed => ({ kind: "failed", why: "given up" }),
    );
    const renewed = await Promise.race([renew({ ...this.#parts, state: this.#state, known: this.#plan }).catch((error: unknown): Renewed => ({ kind: "failed", why: messageOf(error) })), late]);
    abort.abort();
    switch (renewed.kind) {
      case "failed":
        this.#say("lease.not-renewed", { why: renewed.why, leftSeconds: Number.isFinite(leftMs) ? Math.round(leftMs / 1_000) : null });
        break;
      case "idle":
        // Nothing to close here, so nothing to keep open either.
        this.#plan = null;
        this.#renewed = null;
        this.#say("agent.idle", { why: renewed.why });
        break;
      case "renewed":
        this.#say("lease.renewed", {});
        if (this.#plan?.text !== renewed.text) this.#take(renewed.text, clusterId);
        if (renewed.planUnreadable !== null) this.#say("plan.unreadable", { why: renewed.planUnreadable });
    }
    return renewed;
  }

  /** Takes a plan, where it is one and this is its primary. */
  #take(text: string, clusterId: string): void {
    const read = readPlanText(text);
    if (read.kind === "unreadable" || idleBecause(read.plan, this.#parts.plan, clusterId) !== null || read.plan.fence.agent === undefined) return;
    this.#plan = { plan: read.plan, terms: read.plan.fence.agent, text };
  }

  #remembered = "";
  async #remember(text: string): Promise<void> {
    const { memory, log } = this.#parts;
    if (this.#remembered === text) return;
    try {
      await memory.keep(text);
      this.#remembered = text;
    } catch (error) {
      log("agent.not-remembered", { why: messageOf(error) });
    }
  }

  async #do(duty: AgentDuty, { head, wish }: Extract<Renewed, { kind: "renewed" }>): Promise<void> {
    switch (duty.kind) {
      case "hold":
        return this.#say("agent.holds", { why: duty.why });
      case "close":
      case "open":
        // Only what was obeyed raises the bar: what is not believed must not.
        this.#seen = { head: head === "unreadable" ? this.#seen.head : head.epoch, wish: wish === null || wish === "unreadable" ? this.#seen.wish : wish.epoch };
        return duty.kind === "close" ? this.#close(duty.epoch) : this.#open(duty.run);
    }
  }

  async #close(epoch: number | null): Promise<void> {
    if (this.#plan === null) return;
    const { clock, cluster, limits = fenceLimits } = this.#parts;
    const { plan } = this.#plan;
    this.#mayBeClosed = true;
    const quieted = await quiet({ ...limits, plan, closer: agentOf(plan.plan), open: async () => cluster, triedBefore: false });
    if (quieted.unanswered === true) this.#mayLandUntilMs = clock.monotonicMs() + drainMs;
    const at = this.#state.kind === "closed" && this.#state.epoch === epoch ? this.#state.at : clock.nowAt();
    const left = quieted.kind === "quiet" ? [] : quieted.kind === "partly" ? quieted.left : [`anything, because the cluster does not answer: ${quieted.why}`];
    this.#state = left.length === 0 ? { kind: "closed", epoch, at } : { kind: "partly", epoch, at, left: shortened(left) };
    this.#say("agent.closed", { epoch, why: epoch === null ? "the lease ran out" : `${plan.plan}-${epoch} asked for it`, left });
  }

  async #open(run: string | null): Promise<void> {
    if (this.#plan === null || !this.#mayBeClosed) return;
    const { clock, cluster, limits = fenceLimits } = this.#parts;
    const { plan } = this.#plan;
    const woken = await wake({ plan, open: async () => this.#onlyWithLease(cluster), seconds: limits.seconds, isOurs: (closer) => closer === agentOf(plan.plan) || closer === run });
    const left = woken.kind === "walked" ? woken.left : [`whatever is suspended: the cluster does not answer: ${woken.why}`];
    this.#mayBeClosed = left.length > 0 || clock.monotonicMs() < this.#mayLandUntilMs;
    this.#state = left.length === 0 ? { kind: "serving" } : { kind: "partly", epoch: null, at: clock.nowAt(), left: shortened(left) };
    this.#say("agent.opened", { left });
  }

  /** Opening goes on only while the lease holds: an agent that stood still in the middle of it may have been given up meanwhile. */
  #onlyWithLease(cluster: Cluster): Cluster {
    return {
      ...cluster,
      patch: async (...args) => {
        if (this.#lapsed()) throw new Error("the lease ran out in the middle of it");
        return cluster.patch(...args);
      },
    };
  }

  /** Once for each change, not once for each turn. */
  #say(event: string, fields: Readonly<Record<string, unknown>>): void {
    const { leftSeconds: _, ...lasting } = fields;
    const said = JSON.stringify([event, lasting]);
    const [about = event] = event.split(".");
    if (this.#said.get(about) === said) return;
    this.#said.set(about, said);
    this.#parts.log(event, fields);
  }
}

const epochOf = (state: AgentState): number | null => (state.kind === "serving" ? null : state.epoch);
const shortened = (left: readonly string[]): readonly string[] => (left.length <= leftMax ? left : [...left.slice(0, leftMax), `${left.length - leftMax} more`]);
