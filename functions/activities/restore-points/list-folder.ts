/** Lists a folder at the replica and, as long as it answers, at the source. */
import { arrivalOf, type BlobFound, type Listing, type Places, type SourceView } from "../../../shared/domain/replica.ts";
import { recordedView, type SourceInventory } from "../../../shared/domain/register.ts";
import { DeadlinePassed, withDeadline } from "../../../shared/deadline.ts";
import { type BlobPlace, type World, WorldError } from "../../../shared/ports.ts";

/** More blobs than this in one folder are not compared; a repository of 20 MB packs has as many at 10 TB. */
const blobsMax = 500_000;
/** A region that is gone may swallow a question; the first one waits this long, and then no other is asked. */
const firstAnswerSeconds = 5;

type Reach = Pick<World, "backups" | "clock">;

/** A folder has more blobs than are compared. Asking again would not help. */
export class FolderTooLarge extends Error {
  override readonly name = "FolderTooLarge";
}

/** All blobs of a folder, by name inside it. Throws `FolderTooLarge`. */
export async function listFolder({ backups, clock }: Reach, place: BlobPlace, folder: string, statusPerBlob: boolean): Promise<Listing> {
  const listedAt = clock.now();
  const blobs = new Map<string, BlobFound>();
  for await (const { name, bytes, etag, lastModifiedAt, replication } of backups.list(place, folder)) {
    if (blobs.size >= blobsMax) throw new FolderTooLarge(`${place.url}/${place.container}/${folder} has more than ${blobsMax} blobs`);
    blobs.set(name.slice(folder.length), { bytes, etag, lastModifiedAt, replication: statusPerBlob ? replication : "not-source" });
  }
  return { listedAt, blobs };
}

/**
 * A folder at both ends. They are listed at the same time, so a blob may arrive between the two looks: where the source says that one has
 * arrived and the replica seems to lack it, the replica is listed again.
 */
export async function listBothEnds(reach: Reach, { replica: place }: Places, source: Source, folder: string, recorded: SourceInventory | null | undefined): Promise<{ readonly replica: Listing; readonly source: SourceView }> {
  const [replica, view] = await Promise.all([listFolder(reach, place, folder, false), source.view(folder, recorded)]);
  if (view.kind !== "listed") return { replica, source: view };
  const { missing, differs } = arrivalOf(view.blobs, replica.blobs);
  return { replica: missing.length + differs.length === 0 ? replica : await listFolder(reach, place, folder, false), source: view };
}

/** The source's side. Once it has not answered it is not asked again: what the register has of it stands in. */
export interface Source {
  view(folder: string, recorded: SourceInventory | null | undefined): Promise<SourceView>;
  /** Folder names under a prefix; `null`: it did not answer. */
  folders(prefix: string): Promise<readonly string[] | null>;
  /** A small blob; `null`: it is not there, or the source did not answer. */
  read(name: string): Promise<Uint8Array | null>;
  /** The oldest Last-Modified among blobs whose copy is not at the replica, of all under these prefixes; `null`: the source did not answer. */
  behindSince(prefixes: readonly string[]): Promise<{ readonly at: number | null } | null>;
  /** Why it is not asked any more; `null` while it answers. */
  silentBecause(): string | null;
}

export function openSource(reach: Reach, { source: place, statusPerBlob }: Places, ask: boolean): Source {
  let silent: string | null = ask ? null : "the source was not asked";
  let first: Promise<unknown> | null = null;
  const asked = async <T>(work: (place: BlobPlace) => Promise<T>): Promise<T | null> => {
    if (place === "itself" || silent !== null) return null;
    try {
      // One question alone finds out whether anything is there.
      first ??= withDeadline(firstAnswerSeconds, () => reach.backups.folders(place, "backups/"));
      await first;
      return await work(place);
    } catch (error) {
      if (!(error instanceof WorldError || error instanceof DeadlinePassed || error instanceof FolderTooLarge)) throw error;
      silent ??= `the source does not answer (${error.message})`;
      return null;
    }
  };
  return {
    async view(folder, recorded) {
      if (place === "itself") return { kind: "itself" };
      const listing = await asked((at) => listFolder(reach, at, folder, statusPerBlob));
      return listing ? { kind: "listed", ...listing } : recordedView(recorded, silent ?? "the source does not answer");
    },
    folders: (prefix) => asked((at) => reach.backups.folders(at, prefix)),
    read: (name) => asked((at) => reach.backups.read(at, name)),
    behindSince: (prefixes) =>
      asked(async (at) => {
        let sinceAt: number | null = null;
        for (const prefix of prefixes)
          for await (const { replication, lastModifiedAt } of reach.backups.list(at, prefix))
            if ((replication === "pending" || replication === "failed") && (sinceAt === null || lastModifiedAt < sinceAt)) sinceAt = lastModifiedAt;
        return { at: sinceAt };
      }),
    silentBecause: () => silent,
  };
}
