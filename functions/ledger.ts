/** The ledger in the home account: heads changed by compare-and-swap, entries written once. `shared/domain/ledger.ts` says what a change is. */
import { createHash } from "node:crypto";
import { type Changed, type Entry, type Head, type Refusal, entriesPrefix, entryName, headName, newHead } from "../shared/domain/ledger.ts";
import { type Link, linkName, linkText } from "../shared/domain/ledger-chain.ts";
import { readHead as readHeadText } from "../shared/domain/ledger-read.ts";
import type { Phase } from "../shared/domain/outcome.ts";
import { type Home, WorldError } from "../shared/ports.ts";

export interface Ledger {
  head(plan: string): Promise<Head>;
  /** Applies a change, which reads at most; asks it anew when somebody else was faster. */
  change(plan: string, change: (head: Head) => Changed | Promise<Changed>): Promise<ChangeMade>;
  /** The record of this name, or `null`. */
  entry(at: EntryAt, kind: Entry["kind"]): Promise<Entry | null>;
  /** Writes a record once; when one is there already, that one counts and is returned. */
  write(at: EntryAt, entry: Entry): Promise<Entry>;
  /** All records of a run, or of one of its phases, by name. */
  entries(plan: string, epoch: number, phase?: Phase): Promise<readonly Entry[]>;
  /** The digest of the chain with the records of one more phase, whose link is written down. Until the head names it, it is none of the chain. */
  link(head: Head, phase: Phase): Promise<string>;
}

export type ChangeMade = { readonly kind: "changed"; readonly head: Head } | { readonly kind: "refused"; readonly why: Refusal; readonly head: Head };

export interface EntryAt {
  readonly plan: string;
  readonly epoch: number;
  readonly phase: Phase;
  readonly step: string;
  readonly key: string;
}

/** Twenty writers at once each lose at most nineteen times; a storm larger than that is told to come again. */
const swapsMax = 25;
/** Records of one run; a run writes a few dozen. */
export const entriesMax = 2_000;

/** Records that this process has seen, by home. They are written once, so what was read once need not be read again. Bounded: the oldest goes first. */
const seen = new WeakMap<Home, Map<string, string>>();
const seenMax = 2_000;

/** The head that was read or written last at each home: it is asked for many times as often as it changes, and never changed in place. */
const parsed = new WeakMap<Home, { readonly body: string; readonly head: Head }>();

export function openLedger(home: Home): Ledger {
  const readHead = async (plan: string) => {
    const stored = await home.read(headName(plan));
    if (stored === null) return null;
    const before = parsed.get(home);
    if (before?.body === stored.body) return { head: before.head, etag: stored.etag };
    const head = headIn(stored.body, plan);
    parsed.set(home, { body: stored.body, head });
    return { head, etag: stored.etag };
  };
  const { readEntry, remember } = writtenOnce(home);
  const bodies = async (plan: string, epoch: number, phase?: Phase) => {
    const names = await home.list(entriesPrefix(plan, epoch, phase), entriesMax);
    const found = await Promise.all(names.map(async (name) => ({ name, body: await readEntry(name) })));
    return found.filter((entry): entry is { name: string; body: string } => entry.body !== null);
  };

  return {
    async head(plan) {
      return (await readHead(plan))?.head ?? newHead(plan);
    },

    async change(plan, change) {
      for (let swap = 0; swap < swapsMax; swap++) {
        const stored = await readHead(plan);
        const before = stored?.head ?? newHead(plan);
        const made = await change(before);
        if (made.kind === "refused") return { ...made, head: before };
        const body = JSON.stringify(made.head, null, 1);
        const swapped = stored === null ? await home.create(headName(plan), body) : (await home.replace(headName(plan), body, stored.etag)) !== null;
        if (!swapped) continue;
        parsed.set(home, { body, head: made.head });
        return made;
      }
      throw new WorldError("change the ledger", plan, `${swapsMax} others were faster`, { retryAfterSeconds: 1 });
    },

    async entry(at, kind) {
      const body = await readEntry(entryName(at.plan, at.epoch, at.phase, at.step, at.key, kind));
      return body === null ? null : (JSON.parse(body) as Entry);
    },

    async write(at, entry) {
      const name = entryName(at.plan, at.epoch, at.phase, at.step, at.key, entry.kind);
      const body = JSON.stringify(entry, null, 1);
      if (await home.create(name, body)) {
        remember(name, body);
        return entry;
      }
      const first = await readEntry(name);
      if (first === null) throw new WorldError("read the ledger", name, "an entry that exists could not be read");
      return JSON.parse(first) as Entry;
    },

    async entries(plan, epoch, phase) {
      return (await bodies(plan, epoch, phase)).map(({ body }) => JSON.parse(body) as Entry);
    },

    async link(head, phase) {
      if (head.run === null) return head.digest;
      const { plan, digest: before, run: { epoch } } = head;
      const entries = (await bodies(plan, epoch, phase)).map(({ name, body }) => ({ name, sha256: sha256(body) }));
      const link: Link = { format: 1, plan, epoch, phase, before, entries };
      const digest = sha256(linkText(link));
      // There already: an earlier try wrote the same.
      await home.create(linkName(plan, digest), JSON.stringify(link, null, 1));
      return digest;
    },
  };
}

/** A ledger that somebody changed by hand is believed in nothing. Retried like any other trouble: whoever mends it mends the run. */
export class LedgerBroken extends WorldError {}

/** What stands at this place is not what was written there. */
export const changedByHand = (name: string, why: string): LedgerBroken => new LedgerBroken("read the ledger", name, `${why}; it was changed by hand: put back what it was, \`lifeboat ledger verify\` says whether it is`);

/** A head as it was read. Throws `LedgerBroken` when it is none. */
export function headIn(body: string, plan: string): Head {
  const read = readHeadText(body, plan);
  if (read.kind === "broken") throw changedByHand(headName(plan), read.why);
  return read.head;
}

/** Records of this home, each read once. */
function writtenOnce(home: Home) {
  const known = seen.get(home) ?? new Map<string, string>();
  seen.set(home, known);
  const remember = (name: string, body: string) => {
    known.set(name, body);
    for (const oldest of known.keys()) {
      if (known.size <= seenMax) break;
      known.delete(oldest);
    }
  };
  const readEntry = async (name: string) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const stored = await home.read(name);
    if (stored !== null) remember(name, stored.body);
    return stored === null ? null : stored.body;
  };
  return { readEntry, remember };
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
