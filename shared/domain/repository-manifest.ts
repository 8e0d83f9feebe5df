/**
 * The manifest of a Kopia repository at the replica: every blob that a proven restore point needs, when it was first seen, and its digest as
 * far as it was read. A pack that leaves the replica, or changes, takes the proof of every point that needs it. Pure.
 */
import type { Finding } from "./ladder-levels.ts";
import type { ListedBlob } from "./manifest.ts";
import { own } from "./own.ts";
import { someOf } from "./replica.ts";
import { instantText } from "./instant.ts";

/** `sha256` null: not read yet. */
export type PackRecord = readonly [bytes: number, etag: string, sha256: string | null, seenAt: number];

export interface RepositoryManifest {
  readonly format: 1;
  readonly namespace: string;
  readonly blobs: Readonly<Record<string, PackRecord>>;
  /** ETag of `kopia.maintenance`, which Kopia rewrites whenever its maintenance has run; `null`: there was none. */
  readonly maintenance: string | null;
  /** What the repository's own maintenance has taken away since, newest last. */
  readonly removed: readonly { readonly at: number; readonly blobs: number; readonly some: string }[];
  /** More blobs than are kept: none of them is watched. */
  readonly beyond: boolean;
}

/** Blobs watched in one repository: 400 GB in packs of 20 MB. With all of them the manifest has some 3 MiB, of the 4 that home takes. */
export const watchedMax = 20_000;
const removedMax = 20;
/** Kopia rewrites it whenever its maintenance has run. */
export const maintenanceBlob = "kopia.maintenance";

export const newRepositoryManifest = (namespace: string): RepositoryManifest => ({ format: 1, namespace, blobs: {}, maintenance: null, removed: [], beyond: false });

/** Whether a restore may need a blob: packs, indexes and the format. Logs and session markers come and go by themselves. */
export const watched = (name: string): boolean => /^[pqxn]/.test(name) || name === "kopia.repository" || name === "udmrepo.Repository";

export interface RepositoryDrift {
  readonly gone: readonly string[];
  /** Another length, or another ETag: whether the content is another, only reading tells. */
  readonly touched: readonly string[];
  /** In the archive tier, where no restore can read them. */
  readonly archived: readonly string[];
  /** Maintenance has run since the manifest was written. */
  readonly maintained: boolean;
  /** There are indexes that were not there before: older ones may have been merged into them. */
  readonly reindexed: boolean;
}

export function repositoryDrift({ blobs, maintenance }: RepositoryManifest, listed: ReadonlyMap<string, ListedBlob>): RepositoryDrift {
  const gone: string[] = [];
  const touched: string[] = [];
  const archived: string[] = [];
  for (const [name, [bytes, etag]] of Object.entries(blobs)) {
    const now = listed.get(name);
    if (now?.archived === true) archived.push(name);
    if (now === undefined) gone.push(name);
    else if (now.bytes !== bytes || now.etag !== etag) touched.push(name);
  }
  const etagNow = listed.get(maintenanceBlob)?.etag ?? null;
  return { gone: gone.toSorted(), touched: touched.toSorted(), archived: archived.toSorted(), maintained: etagNow !== null && etagNow !== maintenance, reindexed: [...listed.keys()].some((name) => isIndex(name) && own(blobs, name) === undefined) };
}

const isIndex = (name: string): boolean => /^[xn]/.test(name);

/** Which of the blobs that are gone the repository may have taken away itself: the source has dropped them too, and its maintenance has run, or indexes were merged. */
export const takenByItself = ({ gone, maintained, reindexed }: RepositoryDrift, source: ReadonlySet<string>): readonly string[] => gone.filter((name) => !source.has(name) && (isIndex(name) ? reindexed || maintained : maintained && /^[pq]/.test(name)));

/** The manifest with what is there now: blobs that are new are watched from `at` on; `forgotten` ones no more. */
export function grown(manifest: RepositoryManifest, listed: ReadonlyMap<string, ListedBlob>, forgotten: readonly string[], at: number): RepositoryManifest {
  const blobs = new Map(Object.entries(manifest.blobs));
  for (const name of forgotten) blobs.delete(name);
  for (const [name, { bytes, etag }] of listed) if (watched(name) && !blobs.has(name)) blobs.set(name, [bytes, etag, null, at]);
  const removed = forgotten.length === 0 ? manifest.removed : [...manifest.removed, { at, blobs: forgotten.length, some: someOf(forgotten) }].slice(-removedMax);
  const maintenance = listed.get(maintenanceBlob)?.etag ?? null;
  if (blobs.size > watchedMax) return { ...manifest, blobs: {}, maintenance, removed, beyond: true };
  return { ...manifest, blobs: Object.fromEntries([...blobs].toSorted(([a], [b]) => (a < b ? -1 : 1))), maintenance, removed, beyond: false };
}

/** The manifest with digests that were taken now; each counts for the blob as it was listed. */
export function withDigests(manifest: RepositoryManifest, digests: ReadonlyMap<string, { readonly etag: string; readonly sha256: string }>): RepositoryManifest {
  const blobs = Object.entries(manifest.blobs).map(([name, record]): [string, PackRecord] => {
    const read = digests.get(name);
    return [name, read === undefined ? record : [record[0], read.etag, read.sha256, record[3]]];
  });
  return { ...manifest, blobs: Object.fromEntries(blobs) };
}

/** What was found out about a repository since its manifest, for the points that need it. Names. */
export interface RepositoryVerdict {
  readonly namespace: string;
  readonly gone: readonly string[];
  /** Gone, as the repository's own maintenance leaves it, and the source could not be asked whether it has dropped them too. */
  readonly presumed: readonly string[];
  readonly changed: readonly string[];
  readonly archived: readonly string[];
  /** Why the manifest could not be made out, and nothing can be held against it. */
  readonly unread?: string;
  /** Touched, and nobody could tell whether that does harm. */
  readonly doubtful: readonly string[];
}

/**
 * What that means for a point whose manifest was taken at `takenAt`: later packs belong to later backups. `null`: it has all it had. What maintenance
 * is presumed to have taken costs no proof: it runs every hour, and a region that is lost minutes later can confirm nothing any more.
 */
export function repositoryFinding({ namespace, gone, presumed, changed, archived, doubtful, unread }: RepositoryVerdict, { blobs }: RepositoryManifest, takenAt: number): Finding | null {
  const needed = (names: readonly string[]) => names.filter((name) => (own(blobs, name)?.[3] ?? 0) <= takenAt);
  const since = `when the point was first whole, at ${instantText(takenAt)}`;
  const say = (ok: Finding["ok"], about: string): Finding => ({ level: "manifest", rung: "replicated", ok, about });
  if (unread !== undefined) return say("unknown", unread);
  const [isGone, isPresumed, isChanged, isArchived, isDoubtful] = [needed(gone), needed(presumed), needed(changed), needed(archived), needed(doubtful)];
  if (isChanged.length > 0) return say(false, `${isChanged.length} blobs of kopia/${namespace}/ have another content than ${since}: ${someOf(isChanged)}`);
  if (isGone.length > 0) return say(false, `${isGone.length} blobs of kopia/${namespace}/ that were there ${since}, are gone from the replica: ${someOf(isGone)}`);
  if (isArchived.length > 0) return { ...say(false, inArchiveTier(namespace, isArchived)), trouble: "incomplete" };
  if (isDoubtful.length > 0) return say("unknown", `${isDoubtful.length} blobs of kopia/${namespace}/ were written again since ${instantText(takenAt)}, and whether that does harm could not be learnt: ${someOf(isDoubtful)}`);
  if (isPresumed.length > 0) return say(true, `${isPresumed.length} blobs of kopia/${namespace}/ are gone and its maintenance has run since; the source could not be asked whether it has dropped them too: ${someOf(isPresumed)}`);
  return null;
}

/** What is said of blobs that are there, and that no restore can read. */
export const inArchiveTier = (namespace: string, names: readonly string[]): string =>
  `${names.length} blobs of kopia/${namespace}/ lie in the archive tier at the replica, where no restore can read them: ${someOf(names)}; a lifecycle rule must not touch backups`;
