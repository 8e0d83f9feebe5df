/**
 * Object Replication: each written blob is copied by itself some time later, in no promised order; the newest content wins; deletes
 * follow. Nothing moves while a region of the pair is lost: what was on its way is not there, and starts again when the region returns.
 */
import type { Accounts, ReplicationPolicy, ReplicationRule } from "../accounts.ts";
import type { LabWorld, Reach } from "../world.ts";
import type { BlobBytes, BlobKey } from "./blob-bytes.ts";
import type { BlobTimes } from "./blob-times.ts";
import { jitter } from "./jitter.ts";
import { patterns } from "./patterns.ts";

/** What the source says of one rule's copy of a blob. While the copy is pending, the source says nothing at all. */
export interface CopyStatus {
  readonly policyId: string;
  readonly ruleId: string;
  readonly status: "complete" | "failed";
}

/** What has not been copied yet. */
export interface Pending {
  readonly count: number;
  /** When the oldest of it changed on the source; `null`: nothing is pending. */
  readonly oldestAt: number | null;
}

export interface ObjectReplicationParts {
  readonly world: LabWorld;
  readonly accounts: Pick<Accounts, "account" | "policies">;
  readonly bytes: BlobBytes;
  readonly times: BlobTimes;
  /** Decides which blob arrives when: the same for the same seed. */
  readonly seed: number;
}

/** A change that is not on the other side yet. */
interface Copy {
  readonly policy: ReplicationPolicy;
  readonly rule: ReplicationRule;
  readonly name: string;
  /** When the oldest change that is not on the other side was made. */
  readonly since: number;
  kind: "written" | "deleted";
  dueAt: number;
  /** Grows with every change, so that a copy that has ended knows whether it brought the newest content. */
  generation: number;
  disarm: () => void;
  running: AbortController | null;
}

export class ObjectReplication {
  readonly #parts: ObjectReplicationParts;
  readonly #waiting = new Map<string, Copy>();
  readonly #ended = new Map<string, CopyStatus>();
  readonly #origins = new Map<string, string>();
  readonly #held = patterns();
  readonly #failing = patterns();
  #settlers: (() => void)[] = [];
  #closed = false;

  constructor(parts: ObjectReplicationParts) {
    this.#parts = parts;
    parts.world.onReach((region, reach) => this.#regionChanged(region, reach));
  }

  /** Something changed on an account, at `at`; whether that matters, the policies of that account say. */
  changed(kind: "written" | "deleted", account: string, container: string, name: string, at: number): void {
    for (const { policy, rule } of this.#rulesFor(account, container, name)) {
      const key = keyOf(policy, rule, name);
      const copy: Copy = this.#waiting.get(key) ?? { policy, rule, name, since: at, kind, dueAt: 0, generation: 0, disarm: () => {}, running: null };
      copy.kind = kind;
      copy.generation += 1;
      copy.dueAt = at + this.#delay(key, copy);
      this.#waiting.set(key, copy);
      this.#ended.delete(key);
      this.#arm(key, copy);
    }
  }

  /** Says of a blob that is on both sides already that it was copied, at `copiedAt`. */
  copied(account: string, container: string, name: string, copiedAt: number): void {
    for (const { policy, rule } of this.#rulesFor(account, container, name)) {
      const to = destinationOf(policy, rule, name);
      this.#ended.set(keyOf(policy, rule, name), { policyId: policy.policyId, ruleId: rule.ruleId, status: "complete" });
      this.#origins.set(textOf(to), policy.policyId);
      this.#parts.times.set(to, { createdAt: copiedAt, modifiedAt: copiedAt });
    }
  }

  statuses(account: string, container: string, name: string): readonly CopyStatus[] {
    return this.#rulesFor(account, container, name).flatMap(({ policy, rule }) => this.#ended.get(keyOf(policy, rule, name)) ?? []);
  }

  /** The policy whose copy this blob is, or `null`. */
  origin(key: BlobKey): string | null {
    return this.#origins.get(textOf(key)) ?? null;
  }

  /** Overwritten or deleted at the destination itself: not a copy any more. */
  forget(key: BlobKey): void {
    this.#origins.delete(textOf(key));
  }

  pending(sourceAccount: string): Pending {
    const own = [...this.#waiting.values()].filter(({ policy }) => policy.source === sourceAccount);
    return { count: own.length, oldestAt: own.length === 0 ? null : Math.min(...own.map(({ since }) => since)) };
  }

  /** Copies of matching blobs that have not begun wait until the returned call. */
  holdBack(pattern: string): () => void {
    const release = this.#held.add(pattern);
    for (const [key, copy] of this.#waiting) this.#arm(key, copy);
    return () => {
      release();
      for (const [key, copy] of this.#waiting) this.#arm(key, copy);
    };
  }

  /** Copies of matching blobs end as `failed` until the returned call. */
  fail(pattern: string): () => void {
    return this.#failing.add(pattern);
  }

  /** Resolves when nothing is left that could move now. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settlers.push(resolve);
      this.#tellSettled();
    });
  }

  close(): void {
    this.#closed = true;
    for (const copy of this.#waiting.values()) this.#stop(copy);
    this.#waiting.clear();
    this.#tellSettled();
  }

  #rulesFor(account: string, container: string, name: string) {
    const applies = ({ sourceContainer, prefixes }: ReplicationRule) => sourceContainer === container && (prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)));
    const own = this.#parts.accounts.policies(account).filter(({ source }) => source === account);
    return own.flatMap((policy) => policy.rules.filter(applies).map((rule) => ({ policy, rule })));
  }

  #delay(key: string, { generation }: Copy): number {
    const { world, seed } = this.#parts;
    return world.latencies.objectReplication * (0.5 + jitter(`${seed}/${key}/${generation}`));
  }

  #regionOf(account: string) {
    return this.#parts.accounts.account(account)?.primaryRegion ?? null;
  }

  #canMove({ policy, name }: Copy): boolean {
    const up = (account: string) => this.#parts.world.reach(this.#regionOf(account)) === "up";
    return !this.#closed && up(policy.source) && up(policy.destination) && !this.#held.match(name);
  }

  #arm(key: string, copy: Copy): void {
    const { clock } = this.#parts.world;
    copy.disarm();
    if (this.#canMove(copy)) copy.disarm = clock.after(Math.max(0, copy.dueAt - clock.now()), () => void this.#move(key, copy));
    else this.#tellSettled();
  }

  async #move(key: string, copy: Copy): Promise<void> {
    // Two copies of one blob at once could end in the wrong order: the later one is armed again when the first has ended.
    if (copy.running || !this.#canMove(copy)) return;
    const { generation } = copy;
    copy.running = new AbortController();
    const outcome = await this.#attempt(copy, copy.running.signal);
    copy.running = null;
    if (this.#waiting.get(key) !== copy) return;
    if (outcome === "lost" || copy.generation !== generation) return this.#arm(key, copy);
    this.#waiting.delete(key);
    if (outcome !== "gone") this.#ended.set(key, { policyId: copy.policy.policyId, ruleId: copy.rule.ruleId, status: outcome });
    this.#tellSettled();
  }

  /** `gone`: nothing is left that could have a status. `lost`: a region was lost on the way. */
  async #attempt({ policy, rule, name, kind }: Copy, signal: AbortSignal): Promise<"complete" | "failed" | "gone" | "lost"> {
    const { accounts, bytes, times, world } = this.#parts;
    // The destination's copy of the policy is what lets the service write there.
    if (!accounts.policies(policy.destination).some(({ policyId }) => policyId === policy.policyId) || this.#failing.match(name)) return "failed";
    const to = destinationOf(policy, rule, name);
    try {
      if (kind === "deleted") {
        await bytes.delete(to);
        times.drop(to);
        this.forget(to);
        return "gone";
      }
      if (!(await bytes.copy({ store: policy.source, container: rule.sourceContainer, name }, to, signal))) return "gone";
      times.touch(to, world.clock.now());
      this.#origins.set(textOf(to), policy.policyId);
      return "complete";
    } catch (error) {
      if (signal.aborted) return "lost";
      process.emitWarning(`the lab could not replicate ${policy.source}/${rule.sourceContainer}/${name}: ${String(error)}`, "LabMistake");
      return "failed";
    }
  }

  #regionChanged(region: string, reach: Reach): void {
    for (const [key, copy] of this.#waiting) {
      if (![copy.policy.source, copy.policy.destination].some((account) => this.#regionOf(account) === region)) continue;
      this.#stop(copy);
      copy.dueAt = Math.max(copy.dueAt, this.#parts.world.clock.now() + (reach === "up" ? this.#delay(key, copy) : 0));
      this.#arm(key, copy);
    }
  }

  #stop(copy: Copy): void {
    copy.disarm();
    copy.running?.abort(new Error("a region of the pair was lost"));
  }

  #tellSettled(): void {
    if (this.#settlers.length === 0) return;
    if ([...this.#waiting.values()].some((copy) => copy.running !== null || this.#canMove(copy))) return;
    const settlers = this.#settlers;
    this.#settlers = [];
    for (const settler of settlers) settler();
  }
}

const keyOf = (policy: ReplicationPolicy, rule: ReplicationRule, name: string) => `${policy.policyId}/${rule.ruleId}/${name}`;
const textOf = ({ store, container, name }: BlobKey) => `${store}/${container}/${name}`;
// Accounts that replicate objects have one copy of their content: their store has their name.
const destinationOf = (policy: ReplicationPolicy, rule: ReplicationRule, name: string): BlobKey => ({ store: policy.destination, container: rule.destinationContainer, name });
