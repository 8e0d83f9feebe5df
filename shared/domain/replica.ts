/** The replica of a plan's backups: where it and its source lie, and how far what the source has written has arrived. */
import type { Plan } from "./plan.ts";

/** Where a set of backups lies, as `BlobPlace` in the ports. */
export interface Place {
  readonly url: string;
  readonly container: string;
}

export interface Places {
  /** What is restored from. */
  readonly replica: Place;
  /** Where the primary's Velero writes; lost with its region. `itself`: that is where we read, and nothing has to arrive. */
  readonly source: Place | "itself";
  /** Whether the source says of each blob how far its copy is. Geo-redundant accounts say nothing of single blobs, and their listing looks as if all were pending. */
  readonly statusPerBlob: boolean;
}

/** The two ends of a plan's replication. Shared storage: the two endpoints of one account; replicated storage: two accounts. */
export function placesOf(plan: Plan): Places & { readonly source: Place } {
  const { storage } = plan;
  switch (storage.topology) {
    case "shared":
      return {
        replica: { url: blobEndpoint(`${accountName(storage.account)}-secondary`), container: storage.container },
        source: { url: blobEndpoint(accountName(storage.account)), container: storage.container },
        statusPerBlob: false,
      };
    case "replicated":
      return {
        replica: { url: blobEndpoint(accountName(storage.replica.account)), container: storage.replica.container },
        source: { url: blobEndpoint(accountName(storage.source.account)), container: storage.source.container },
        statusPerBlob: true,
      };
  }
}

/** Name of an account, out of its resource id. */
export const accountName = (resourceId: string): string => resourceId.slice(resourceId.lastIndexOf("/") + 1);
const blobEndpoint = (account: string): string => `https://${account}.blob.core.windows.net`;

/** What was written under a name, and when. */
export interface Written {
  readonly bytes: number;
  readonly lastModifiedAt: number;
}

/** A blob in a listing. `replication` is what its own account says, as in the ports. */
export interface BlobFound extends Written {
  /** Of this account: another one after every write, and not the one that the same content has at the other end. */
  readonly etag: string;
  readonly replication: "complete" | "failed" | "pending" | "not-source";
  /** There, and not to be read: in the archive tier. */
  readonly archived?: true;
}

/** The blobs of a folder, by their name inside it: all of them, or of a folder with very many those that matter (`gatherEnds`). */
export interface Listing {
  /** When the listing began: what was written later may be missing from it. */
  readonly listedAt: number;
  readonly blobs: ReadonlyMap<string, BlobFound>;
  /** How many more there are than `blobs` has: the same at both ends, and others. Not given: none. */
  readonly beyond?: Beyond;
}

/** Blobs that were counted and not kept. */
export interface Beyond {
  readonly arrived: number;
  readonly others: number;
  /** When the first of the others was written: what was written from then on is not known to have arrived. */
  readonly othersFrom: number;
}

/** What is known of the source's side of a folder. */
export type SourceView =
  | ({ readonly kind: "listed" } & Listing)
  /** From the register: what the source had when it was seen last. */
  | { readonly kind: "recorded"; readonly listedAt: number; readonly blobs: ReadonlyMap<string, Written> }
  /** The replica is where the backups were written. */
  | { readonly kind: "itself" }
  | { readonly kind: "unknown"; readonly why: string };

/** How the blobs of a folder stand at the replica, each in exactly one list; lists are names, in order. */
export interface Arrival {
  readonly of: number;
  readonly arrived: number;
  /** On their way: the source has not said `complete`; or it says nothing of single blobs, and this one is not here, or not in its last length. */
  readonly pending: readonly string[];
  /** The source says that their replication failed. */
  readonly failed: readonly string[];
  /** Replicated once, as the source says, and not at the replica: deleted there. */
  readonly missing: readonly string[];
  /** At the replica with another length. */
  readonly differs: readonly string[];
}

/**
 * Holds the source's listing against the replica's. `writeOnce` names are content-derived (Kopia packs and indexes): the same name and
 * length prove the copy whatever the status says. Others are overwritten, so `pending` counts even when an older copy is there.
 */
export function arrivalOf(source: ReadonlyMap<string, BlobFound>, replica: ReadonlyMap<string, BlobFound>, writeOnce: (name: string) => boolean = () => false): Arrival {
  const arrival = { of: source.size, arrived: 0, pending: [] as string[], failed: [] as string[], missing: [] as string[], differs: [] as string[] };
  for (const [name, blob] of [...source].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const copy = replica.get(name);
    if (hasArrived(blob, copy, writeOnce(name))) arrival.arrived += 1;
    else if (blob.replication === "failed") arrival.failed.push(name);
    else if (blob.replication === "pending" || blob.replication === "not-source") arrival.pending.push(name);
    else if (!copy) arrival.missing.push(name);
    else arrival.differs.push(name);
  }
  return arrival;
}

/** What is kept of a folder at one end: blobs that have arrived, and again as many that have not, and again as many that only the replica has. */
export const keptMax = 20_000;

export interface Ends {
  readonly source: Omit<Listing, "listedAt">;
  readonly replica: Omit<Listing, "listedAt">;
}

export interface EndsGathered {
  /** One name at both ends, or at one of them. In whatever order: a name that came alone is joined by the other end's when that comes. */
  add(name: string, source: BlobFound | null, replica: BlobFound | null): void;
  ends(): Ends;
}

/**
 * Gathers a folder at both ends and forgets what needs no more thought, so that its memory does not grow with the folder: beyond `max`, a
 * blob that has arrived is only counted; of those that have not, the ones written first are kept, since a backup asks for what was
 * written before its own end. What `keep` names is always kept, and so is what lies in the archive tier. `statusPerBlob` false: what the source says of single blobs means nothing.
 */
export function gatherEnds(writeOnce: (name: string) => boolean, keep: (name: string) => boolean = () => false, max: number = keptMax, statusPerBlob = true): EndsGathered {
  const source = new Map<string, BlobFound>();
  const replica = new Map<string, BlobFound>();
  const alone = { source: new Set<string>(), replica: new Set<string>() };
  const beyond = { arrived: 0, source: 0, sourceFrom: Infinity, replica: 0 };
  /** The source's blobs that have not arrived, and when each was written. */
  const behind = new Map<string, number>();
  let arrived = 0;

  const fallsBehind = (name: string, { lastModifiedAt }: BlobFound): void => {
    behind.set(name, lastModifiedAt);
    if (behind.size > 2 * max) dropNewest();
  };
  const dropNewest = (): void => {
    for (const [name, lastModifiedAt] of [...behind].sort(([, a], [, b]) => a - b).slice(max)) {
      behind.delete(name);
      source.delete(name);
      alone.source.delete(name);
      beyond.source += 1;
      beyond.sourceFrom = Math.min(beyond.sourceFrom, lastModifiedAt);
      if (replica.delete(name)) beyond.replica += 1;
    }
  };
  const pair = (name: string, from: BlobFound, copy: BlobFound): void => {
    const there = hasArrived(from, copy, !statusPerBlob || writeOnce(name));
    behind.delete(name);
    if (there && arrived >= max && !keep(name) && copy.archived !== true) {
      beyond.arrived += 1;
      return;
    }
    source.set(name, from);
    replica.set(name, copy);
    if (there) arrived += 1;
    else fallsBehind(name, from);
  };

  const listing = (found: ReadonlyMap<string, BlobFound>, status: boolean, others: number, othersFrom: number) => ({ blobs: new Map([...found].map(([name, blob]) => [name, foundAs(blob, status)])), ...(beyond.arrived + others > 0 ? { beyond: { arrived: beyond.arrived, others, othersFrom } } : {}) });

  return {
    add(name, from, copy) {
      const mate = { source: from ?? (alone.source.has(name) ? (source.get(name) ?? null) : null), replica: copy ?? (alone.replica.has(name) ? (replica.get(name) ?? null) : null) };
      if (mate.source !== null && mate.replica !== null) {
        if (alone.source.delete(name)) source.delete(name);
        if (alone.replica.delete(name)) replica.delete(name);
        pair(name, mate.source, mate.replica);
      } else if (from !== null) {
        source.set(name, from);
        alone.source.add(name);
        fallsBehind(name, from);
      } else if (copy !== null && (alone.replica.size < max || keep(name) || copy.archived === true)) {
        replica.set(name, copy);
        alone.replica.add(name);
      } else beyond.replica += 1;
    },
    ends: () => ({ source: listing(source, statusPerBlob, beyond.source, beyond.sourceFrom), replica: listing(replica, false, beyond.replica, Infinity) }),
  };
}

/** Made of those that are kept, at the end: made of each that comes, engines learn to put it where only a full collection finds it. */
const foundAs = ({ bytes, etag, lastModifiedAt, replication, archived }: BlobFound, status: boolean): BlobFound => ({ bytes, etag, lastModifiedAt, replication: status ? replication : "not-source", ...(archived === true ? { archived } : {}) });

/** `writeOnce`: the same name and length prove the copy, whatever the source says of it. */
const hasArrived = (blob: BlobFound, copy: BlobFound | undefined, writeOnce: boolean): boolean =>
  copy?.bytes === blob.bytes && (writeOnce || blob.replication === "complete" || blob.replication === "not-source");

/** Whether everything the source has is at the replica. */
export const allArrived = (arrival: Arrival): boolean => arrival.arrived === arrival.of;

/** What is wrong with an arrival, in one sentence; `null` when nothing is. */
export function whyNotArrived(arrival: Arrival): string | null {
  const { of, failed, missing, differs, pending } = arrival;
  if (failed.length > 0) return `${failed.length} of ${of} blobs could not be replicated, the source says so: ${someOf(failed)}`;
  if (missing.length > 0) return `${missing.length} of ${of} blobs had been replicated and are gone from the replica: ${someOf(missing)}`;
  if (differs.length > 0) return `${differs.length} of ${of} blobs have another length at the replica than at the source: ${someOf(differs)}`;
  if (pending.length > 0) return `${pending.length} of ${of} blobs have not arrived at the replica: ${someOf(pending)}`;
  return null;
}

/** The newest write in a folder; `null` when it is empty. */
export function lastWriteOf(blobs: ReadonlyMap<string, Written>): number | null {
  let lastAt: number | null = null;
  for (const { lastModifiedAt } of blobs.values()) if (lastAt === null || lastModifiedAt > lastAt) lastAt = lastModifiedAt;
  return lastAt;
}

/** The first names of a list, and how many more there are. */
export function someOf(names: readonly string[], shown = 3): string {
  const more = names.length - shown;
  return `${names.slice(0, shown).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/**
 * Whether a blob of a Kopia repository never changes under its name. All but a few named ones are called after their content
 * (reference: kopia blob layout); `kopia.*` and `udmrepo.*` are rewritten in place.
 */
export const kopiaWriteOnce = (name: string): boolean => !name.startsWith("kopia.") && !name.startsWith("udmrepo.");
