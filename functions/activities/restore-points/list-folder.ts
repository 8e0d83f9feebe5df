/** Lists a folder at the replica and, as long as it answers, at the source: both at once, name by name, in memory that does not grow with the folder. */
import { own } from "../../../shared/domain/own.ts";
import { arrivalOf, gatherEnds, type Listing, type Places, type SourceView } from "../../../shared/domain/replica.ts";
import { recordedView, type SourceInventory } from "../../../shared/domain/register.ts";
import { DeadlinePassed, withDeadline } from "../../../shared/deadline.ts";
import { type BlobItem, type BlobPlace, BlobUnreadable, type World, WorldError } from "../../../shared/ports.ts";
import { bytesOr } from "./read-files.ts";
import { type Pages, pagesOf, upTo, walkTogether } from "./walk-lists.ts";

/** More blobs than this in one folder are not compared; a repository of 20 MB packs has as many at 100 TB. */
const blobsMax = 5_000_000;
/** A region that is gone may swallow a question; the first one waits this long, and then no other is asked. */
const firstAnswerSeconds = 5;

type Reach = Pick<World, "backups" | "clock">;

/** What is looked at, and how. */
export interface FolderAsked {
  readonly folder: string;
  /** What the register has of it; stands in for a source that does not answer. */
  readonly recorded: SourceInventory | null | undefined;
  /** Names whose content never changes: their length alone proves a copy. Default: none. */
  readonly writeOnce?: (name: string) => boolean;
  /** Blobs of a folder that has more are not compared, at either end; default 5,000,000. */
  readonly max?: number;
}

interface BothEnds {
  readonly replica: Listing;
  readonly source: SourceView;
}

/**
 * A folder at both ends. They are listed at the same time and page by page, so what is written, replicated or deleted meanwhile may be
 * seen at one end and not at the other: where the source says that a blob has arrived and the replica seems to lack it, both are listed
 * once more, and the second look stands. Throws `FolderTooLarge`.
 */
export async function listBothEnds(reach: Reach, places: Places, source: Source, asked: FolderAsked): Promise<BothEnds> {
  const first = await look(reach, places, source, asked);
  if (first.source.kind !== "listed") return first;
  const { missing, differs } = arrivalOf(first.source.blobs, first.replica.blobs, asked.writeOnce);
  return missing.length + differs.length === 0 ? first : look(reach, places, source, asked);
}

async function look({ backups, clock }: Reach, { replica: place, source: sourcePlace, statusPerBlob }: Places, source: Source, { folder, recorded, writeOnce = () => false, max = blobsMax }: FolderAsked): Promise<BothEnds> {
  const listedAt = clock.now();
  const gathered = (names?: Readonly<Record<string, unknown>>) => gatherEnds(writeOnce, (name) => !writeOnce(name) || (names !== undefined && own(names, name) !== undefined), undefined, statusPerBlob);
  const atSource = await source.list(folder);
  if (atSource !== null) {
    try {
      const ends = gathered();
      await walkTogether(upTo(max, atSource, folder), upTo(max, pagesOf(backups, place, folder), folder), (name, from, copy) =>
        ends.add(name.slice(folder.length), from, copy),
      );
      const { source: there, replica: here } = ends.ends();
      return { replica: { listedAt, ...here }, source: { kind: "listed", listedAt, ...there } };
    } catch (error) {
      if (!(error instanceof SourceSilent)) throw error;
    }
  }
  const ends = gathered(recorded?.blobs);
  for await (const page of upTo(max, pagesOf(backups, place, folder), folder)) for (const copy of page) ends.add(copy.name.slice(folder.length), null, copy);
  const view: SourceView = sourcePlace === "itself" ? { kind: "itself" } : recordedView(recorded, source.silentBecause() ?? "the source does not answer");
  return { replica: { listedAt, ...ends.ends().replica }, source: view };
}

/** The source stopped answering in the middle of a listing. */
class SourceSilent extends Error {
  override readonly name = "SourceSilent";
}

/** The source's side. Once it has not answered it is not asked again: what the register has of it stands in. */
export interface Source {
  /** All blobs of a folder, page by page as they come; `null`: it is not asked, or does not answer. */
  list(folder: string): Promise<Pages | null>;
  /** Folder names under a prefix; `null`: it did not answer. */
  folders(prefix: string): Promise<readonly string[] | null>;
  /** A small blob; `null`: it is not there or not to be read, or the source did not answer. */
  read(name: string): Promise<Uint8Array | null>;
  /** The oldest Last-Modified among blobs whose copy is not at the replica, of all under these prefixes; `null`: the source did not answer. */
  behindSince(prefixes: readonly string[]): Promise<{ readonly at: number | null } | null>;
  /** Why it is not asked any more; `null` while it answers. */
  silentBecause(): string | null;
}

async function* orSilent(pages: Pages, silence: (error: unknown) => SourceSilent): AsyncGenerator<Iterable<BlobItem>> {
  try {
    yield* pages;
  } catch (error) {
    throw silence(error);
  }
}

export function openSource(reach: Reach, { source: place }: Places, ask: boolean): Source {
  let silent: string | null = ask ? null : "the source was not asked";
  let first: Promise<unknown> | null = null;
  const asked = async <T>(work: (place: BlobPlace) => Promise<T>): Promise<T | null> => {
    if (place === "itself" || silent !== null) return null;
    try {
      // One small question alone finds out whether anything is there: for the blobs of a folder that nobody has made.
      first ??= withDeadline(firstAnswerSeconds, async () => {
        for await (const _ of reach.backups.list(place, "backups//")) break;
      });
      await first;
      return await work(place);
    } catch (error) {
      hush(error);
      return null;
    }
  };
  /** From here on it is not asked. Throws what is no silence. */
  const hush = (error: unknown): void => {
    if (!(error instanceof WorldError || error instanceof DeadlinePassed)) throw error;
    silent ??= `the source does not answer (${error.message})`;
  };
  const silence = (error: unknown): SourceSilent => {
    hush(error);
    return new SourceSilent(silent ?? "");
  };
  return {
    list: (folder) => asked(async (at) => orSilent(pagesOf(reach.backups, at, folder), silence)),
    folders: (prefix) => asked((at) => reach.backups.folders(at, prefix)),
    read: (name) =>
      asked(async (at) => {
        const bytes = await bytesOr(reach.backups.read(at, name));
        return bytes instanceof BlobUnreadable ? null : bytes;
      }),
    behindSince: (prefixes) =>
      asked(async (at) => {
        let sinceAt: number | null = null;
        for (const prefix of prefixes)
          for await (const page of pagesOf(reach.backups, at, prefix))
            for (const { replication, lastModifiedAt } of page)
              if ((replication === "pending" || replication === "failed") && (sinceAt === null || lastModifiedAt < sinceAt)) sinceAt = lastModifiedAt;
        return { at: sinceAt };
      }),
    silentBecause: () => silent,
  };
}
