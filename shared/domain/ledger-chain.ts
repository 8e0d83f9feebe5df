/**
 * The chain over a plan's ledger: each phase that ended is one link, which names the entries it covers with their digests and hangs on
 * the link before it. Whoever has a copy of the ledger and the digest from one old report can tell that nothing in it was changed since.
 */
import { gatedSteps, gateRecords } from "./gate.ts";
import { emptyDigest, entriesPrefix, entryName, headName } from "./ledger.ts";
import type { Phase } from "./outcome.ts";

export interface Link {
  readonly format: 1;
  readonly plan: string;
  readonly epoch: number;
  readonly phase: Phase;
  /** Digest of the chain without this link. */
  readonly before: string;
  /** In order of name. */
  readonly entries: readonly { readonly name: string; readonly sha256: string }[];
}

/** Named by the digest of the chain that ends with it: a link is found from its follower, and two writers of one link write the same. */
export const linkName = (plan: string, digest: string): string => `ledger/${plan}/chain/${digest}.json`;

/** What is hashed with SHA-256 to get the digest of a chain that ends with this link. */
export const linkText = ({ before, entries }: Pick<Link, "before" | "entries">): string => [before, ...entries.map(({ name, sha256 }) => `${name} ${sha256}`)].join("\n");

/** A copy of home: bodies by blob name. */
export interface LedgerCopy {
  readonly names: readonly string[];
  /** `null`: there is no such blob. */
  readonly read: (name: string) => string | null;
}

export type ChainVerdict =
  /** `late`: records that came when their phase had ended. Nothing was decided by them, and nothing covers them. */
  | { readonly kind: "whole"; readonly links: number; readonly entries: number; readonly runs: number; readonly digest: string; readonly late: readonly string[] }
  | { readonly kind: "broken"; readonly name: string; readonly why: string };

/** The plans that a copy has a ledger of, in order. */
export const plansIn = ({ names }: Pick<LedgerCopy, "names">): readonly string[] =>
  [...new Set(names.flatMap((name) => /^ledger\/([^/]+)\//.exec(name)?.[1] ?? []))].toSorted();

/**
 * Follows a plan's chain and names the first place, in the order in which things were written, where it does not hold. `digests` are
 * those that somebody kept elsewhere: each must be in the chain.
 */
export function verifyChain(plan: string, copy: LedgerCopy, sha256: (text: string) => string, digests: readonly string[] = []): ChainVerdict {
  const head = headOf(copy.read(headName(plan)));
  if (head === null) return broken(headName(plan), "the head is missing, or is not one");
  const followed = linksBack(plan, head.digest, copy);
  const { links } = followed;
  const covered = new Set<string>();
  if (followed.gap !== null) return followed.gap;
  for (const one of links) {
    const at = brokenIn(plan, one, copy, sha256);
    if (at !== null) return at;
    for (const { name } of one.link.entries) covered.add(name);
  }
  const uncovered = copy.names.filter((name) => name.startsWith(`ledger/${plan}/`) && /^ledger\/[^/]+\/\d{6}\//.test(name) && !covered.has(name) && !head.open.some((prefix) => name.startsWith(prefix)));
  // A run that is open may still come to a gate.
  const atGates = new Set([head.epoch, ...links.filter(({ link }) => link.entries.some(({ name }) => gatedSteps.includes(stepIn(name)))).map(({ link }) => link.epoch)]);
  const stray = uncovered.find((name) => !isLate(plan, name, copy.read(name), (epoch) => atGates.has(epoch)));
  if (stray !== undefined) return broken(stray, "no link of the chain covers this entry: it was put there after its phase had ended");
  const known = new Set([emptyDigest, ...links.map(({ digest }) => digest)]);
  const foreign = digests.find((digest) => !known.has(digest));
  if (foreign !== undefined) return broken(linkName(plan, foreign), `a digest kept elsewhere is not in this chain: the ledger was written anew, or belongs to another installation`);
  return { kind: "whole", links: links.length, entries: covered.size, runs: new Set(links.map(({ link }) => link.epoch)).size, digest: head.digest, late: uncovered };
}

/** The step of an entry, by its name. */
const stepIn = (name: string): string => (name.split("/").at(-1) ?? "").split(".", 1)[0] ?? "";

/**
 * Whether what no link covers may be a step's own record that was on its way when its phase ended: storage may take half a minute to write it. Such a
 * one was read by nobody. A record that gates go by is none in a run that comes to one (`atGate`): in its place it would be evidence.
 */
function isLate(plan: string, name: string, body: string | null, atGate: (epoch: number) => boolean = () => true): boolean {
  const entry = objectIn(body);
  const { epoch, phase, step, key, kind } = entry ?? {};
  if (typeof epoch !== "number" || typeof phase !== "string" || typeof step !== "string" || typeof key !== "string" || (kind !== "outcome" && kind !== "intent")) return false;
  if (kind === "outcome" && atGate(epoch) && Object.values(gateRecords).some((record) => record.phase === phase && record.step === step && record.key === key)) return false;
  return name === entryName(plan, epoch, phase as Phase, step, key, kind);
}

export type Broken = Extract<ChainVerdict, { kind: "broken" }>;

/**
 * Follows the chain of the open run from its opening, and names the first place where it does not hold; `null`: it holds. Of what was there before
 * it only the newest link is looked at. `copy` has all names of the run, listed before the head was read, the bodies that its links name, and those of the others in phases that ended.
 */
export function verifyRun(plan: string, epoch: number, copy: LedgerCopy, sha256: (text: string) => string): Broken | null {
  const head = headOf(copy.read(headName(plan)));
  if (head === null) return broken(headName(plan), "the head is missing, or is not one");
  const { links, gap } = linksBack(plan, head.digest, copy, epoch);
  if (gap !== null) return gap;
  for (const one of links) {
    const at = brokenIn(plan, one, copy, sha256, one.link.epoch === epoch ? one.link.entries : []);
    if (at !== null) return at;
  }
  const own = links.filter(({ link }) => link.epoch === epoch);
  const unlinked = head.ended.find((phase) => !own.some(({ link }) => link.phase === phase));
  if (unlinked !== undefined) return broken(headName(plan), `it says that ${unlinked} has ended, and no link of the chain covers that`);
  const early = own.find(({ link }) => !head.ended.includes(link.phase));
  if (early !== undefined) return broken(headName(plan), `it does not say that ${early.link.phase} has ended, and ${linkName(plan, early.digest)} covers that`);
  const covered = new Set(own.flatMap(({ link }) => link.entries.map(({ name }) => name)));
  const stray = copy.names.find((name) => !covered.has(name) && !head.open.some((prefix) => name.startsWith(prefix)) && !isLate(plan, name, copy.read(name)));
  return stray === undefined ? null : broken(stray, "no link of the chain covers this entry, and its phase is not open");
}

/** Looks at the newest link alone, and `withEntries` at what it covers; `null`: it holds, or there is none yet. */
export function verifyNewest(plan: string, digest: string, copy: Pick<LedgerCopy, "read">, sha256: (text: string) => string, withEntries = true): Broken | null {
  if (digest === emptyDigest) return null;
  const link = readLink(copy.read(linkName(plan, digest)));
  return link === null ? noLink(plan, digest) : brokenIn(plan, { digest, link }, copy, sha256, withEntries ? link.entries : []);
}

interface LinkAt {
  readonly digest: string;
  readonly link: Link;
}

/** A link must make its digest, and what it covers must be as it was. */
function brokenIn(plan: string, { digest, link }: LinkAt, copy: Pick<LedgerCopy, "read">, sha256: (text: string) => string, entries = link.entries): Broken | null {
  const name = linkName(plan, digest);
  if (sha256(linkText(link)) !== digest) return broken(name, "the link was changed: what it says does not make its digest");
  for (const entry of entries) {
    const body = copy.read(entry.name);
    if (body === null) return broken(entry.name, `the entry is missing; ${name} covers it`);
    if (sha256(body) !== entry.sha256) return broken(entry.name, `the entry was changed after its phase ended; ${name} has its digest`);
  }
  return null;
}

const broken = (name: string, why: string): Broken => ({ kind: "broken", name, why });
const noLink = (plan: string, digest: string): Broken => broken(linkName(plan, digest), "the link is missing, or is not one: what was written before it can no longer be shown to be unchanged");

/** The links from the first, or from the newest before an epoch, to the one of `digest`; `gap` where one of them cannot be read. */
function linksBack(plan: string, digest: string, copy: LedgerCopy, epoch: number | null = null) {
  const links: LinkAt[] = [];
  for (let at = digest; at !== emptyDigest; ) {
    const link = readLink(copy.read(linkName(plan, at)));
    if (link === null) return { links, gap: noLink(plan, at) };
    links.unshift({ digest: at, link });
    if (epoch !== null && link.epoch !== epoch) break;
    // A circle is longer than all that there is.
    if (links.length > Math.max(copy.names.length, linksMin)) return { links, gap: broken(linkName(plan, at), "the links lead in a circle") };
    at = link.before;
  }
  return { links, gap: null };
}

/** Phases of one run: as many links it may have although it wrote no entry. */
const linksMin = 32;

function headOf(body: string | null): { readonly digest: string; readonly epoch: number | null; readonly open: readonly string[]; readonly ended: readonly Phase[] } | null {
  const head = objectIn(body);
  if (typeof head?.["digest"] !== "string" || typeof head["plan"] !== "string") return null;
  const run = head["run"] as { readonly epoch?: unknown; readonly phases?: unknown } | null;
  if (run === null) return { digest: head["digest"], epoch: null, open: [], ended: [] };
  if (typeof run !== "object" || typeof run.epoch !== "number" || !Array.isArray(run.phases)) return null;
  const { plan } = head as { plan: string };
  const { epoch } = run;
  const notes: readonly { readonly phase?: Phase; readonly endedAt?: number | null }[] = run.phases;
  const phasesThat = (ended: boolean) => notes.flatMap(({ phase, endedAt }) => (phase !== undefined && (endedAt !== null) === ended ? [phase] : []));
  // Accepted is what the opening of a run makes true: it has no records, and no link.
  return { digest: head["digest"], epoch, open: phasesThat(false).map((phase) => entriesPrefix(plan, epoch, phase)), ended: phasesThat(true).filter((phase) => phase !== "accept") };
}

/** A link as it comes from storage; `null`: it is none. */
export function readLink(body: string | null): Link | null {
  const link = objectIn(body);
  if (typeof link?.["before"] !== "string" || typeof link["epoch"] !== "number" || !Array.isArray(link["entries"])) return null;
  const entries: readonly unknown[] = link["entries"];
  return entries.every((entry) => typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string" && "sha256" in entry && typeof entry.sha256 === "string") ? (link as unknown as Link) : null;
}

function objectIn(body: string | null): Record<string, unknown> | null {
  if (body === null) return null;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
