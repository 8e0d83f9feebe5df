/**
 * The chain of the ledger, followed by the app itself while a run goes by it: at its opening, from phase to phase, and in full before each point of
 * no return. Everything is read anew from home, never from what this process remembers. Throws `LedgerBroken`, which names the first broken place.
 */
import { emptyDigest, entriesPrefix, type Head, headName } from "../shared/domain/ledger.ts";
import { type Broken, linkName, readLink, verifyNewest, verifyRun } from "../shared/domain/ledger-chain.ts";
import type { Home } from "../shared/ports.ts";
import { changedByHand, entriesMax, headIn, sha256 } from "./ledger.ts";

/** A run has a dozen phases; more links are a circle. */
const linksMax = 64;

/** All that the open run has written in phases that ended, and the link before its opening. Reads each of it once: a run writes a few dozen. */
export async function followRun(home: Home, plan: string, epoch: number): Promise<void> {
  const { copy, read } = reading(home);
  // Before the head: whatever is there by now belongs to a phase that the head knows.
  const names = await home.list(entriesPrefix(plan, epoch), entriesMax);
  const body = await read(headName(plan));
  const head = body === null ? null : headIn(body, plan);
  // Whose run it is now the compare-and-swap says.
  if (head?.run?.epoch !== epoch) return;
  const covered: string[] = [];
  let { digest } = head;
  for (let links = 0; links < linksMax && digest !== emptyDigest; links++) {
    const link = readLink(await read(linkName(plan, digest)));
    if (link === null || link.epoch !== epoch) break;
    covered.push(...link.entries.map(({ name }) => name));
    digest = link.before;
  }
  const open = head.run.phases.flatMap(({ phase, endedAt }) => (endedAt === null ? [entriesPrefix(plan, epoch, phase)] : []));
  const linked = new Set(covered);
  const others = names.filter((name) => !linked.has(name) && !open.some((prefix) => name.startsWith(prefix)));
  await Promise.all([...covered, ...others].slice(0, entriesMax).map(read));
  refuse(verifyRun(plan, epoch, { names, read: copy }, sha256));
}

/** The newest link, on which the next one will hang; `withEntries`: and what it covers. */
export async function followNewest(home: Home, { plan, digest }: Pick<Head, "plan" | "digest">, { withEntries }: { readonly withEntries: boolean }): Promise<void> {
  if (digest === emptyDigest) return;
  const { copy, read } = reading(home);
  const link = readLink(await read(linkName(plan, digest)));
  if (withEntries) await Promise.all((link?.entries ?? []).slice(0, entriesMax).map(({ name }) => read(name)));
  refuse(verifyNewest(plan, digest, { read: copy }, sha256, withEntries));
}

/** What was read, by name. */
function reading(home: Home): { readonly copy: (name: string) => string | null; readonly read: (name: string) => Promise<string | null> } {
  const bodies = new Map<string, string>();
  return {
    copy: (name) => bodies.get(name) ?? null,
    async read(name) {
      const stored = await home.read(name);
      if (stored !== null) bodies.set(name, stored.body);
      return stored?.body ?? null;
    },
  };
}

function refuse(found: Broken | null): void {
  if (found !== null) throw changedByHand(found.name, found.why);
}
