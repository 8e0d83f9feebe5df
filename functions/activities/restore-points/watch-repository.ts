/** Holds a Kopia repository at the replica against its manifest, and takes up what has come since. */
import { own } from "../../../shared/domain/own.ts";
import { arrivalOf, kopiaWriteOnce, type Places } from "../../../shared/domain/replica.ts";
import { grown, newRepositoryManifest, type PackRecord, type RepositoryVerdict, repositoryDrift, type RepositoryManifest, takenByItself, watchedMax, watched, withDigests } from "../../../shared/domain/repository-manifest.ts";
import { repositoryFolder } from "../../../shared/domain/velero-backup-files.ts";
import { type BlobPlace, type World, WorldError } from "../../../shared/ports.ts";
import { digestBlob } from "./digesting.ts";
import { listBothEnds, openSource } from "./list-folder.ts";
import { type Folder, listRepository } from "./look-over.ts";
import { type Records, SealBroken } from "./records.ts";
import { sideBySide } from "./side-by-side.ts";
import { pagesOf } from "./walk-lists.ts";

/** Bytes of packs that one look reads for their digests; the rest comes at later looks. At 100 MB/s it is ten seconds. */
const digestBytesMax = 1024 ** 3;
const atOnce = 4;

export interface RepositoryWatched {
  readonly manifest: RepositoryManifest;
  readonly verdict: RepositoryVerdict;
  readonly listed: Folder;
  /** When that list began. */
  readonly listedAt: number;
}

type Reach = Pick<World, "backups" | "clock">;

/** `askSource` false: in a run. A source that is not asked, or does not answer, cannot tell maintenance from a deletion. */
export async function watchRepository(world: Reach, records: Records, places: Places, askSource: boolean, namespace: string): Promise<RepositoryWatched> {
  const { replica, source } = places;
  const listedAt = world.clock.now();
  const manifest = await records.repository(namespace).catch(brokenOr);
  if (manifest instanceof SealBroken) return { manifest: newRepositoryManifest(namespace), verdict: { namespace, gone: [], presumed: [], changed: [], archived: [], doubtful: [], unread: manifest.message }, listed: new Map(), listedAt };
  if (manifest.beyond) return heldAgainstSource(world, places, askSource, manifest);
  const listed = await listRepository(world, replica, manifest, watchedMax + 1);
  const drift = repositoryDrift(manifest, listed);
  const verdict = { namespace, gone: [] as string[], presumed: [] as string[], changed: [] as string[], archived: drift.archived, doubtful: [] as string[] };
  if (drift.gone.length + drift.touched.length === 0) return { manifest, verdict, listed, listedAt };

  const atSource = drift.gone.length === 0 || !askSource || source === "itself" ? null : await namesAt(world, source, repositoryFolder(namespace));
  const byItself = takenByItself(drift, atSource ?? nothing);
  verdict.gone.push(...drift.gone.filter((name) => !byItself.includes(name)));
  if (atSource === null) verdict.presumed.push(...byItself);

  const same = new Map<string, { etag: string; sha256: string }>();
  await sideBySide(atOnce, drift.touched, async (name) => {
    const now = listed.get(name);
    const [bytes, , sha256] = own(manifest.blobs, name) ?? [0, "", null];
    if (now === undefined || now.bytes !== bytes) return void verdict.changed.push(name);
    if (sha256 === null) return void verdict.doubtful.push(name);
    const found = await digestBlob(world.backups, replica, repositoryFolder(namespace) + name);
    if (found === sha256) same.set(name, { etag: now.etag, sha256 });
    else verdict.changed.push(name);
  });
  // What is only presumed stays in the manifest: a later look that can ask the source decides.
  const taken = atSource === null ? [] : byItself;
  if (taken.length + same.size === 0) return { manifest, verdict, listed, listedAt };
  const after = await records.changeRepository(namespace, (before) => withDigests(forgotten(before, taken, world.clock.now(), listed), same));
  return { manifest: after, verdict, listed, listedAt };
}

const brokenOr = (error: unknown): SealBroken => {
  if (error instanceof SealBroken) return error;
  throw error;
};

const nothing: ReadonlySet<string> = new Set();

/** A repository with more blobs than a manifest holds: what its source had written and the replica lacks now, each since it was written. While the source is silent nothing is known of it. */
async function heldAgainstSource(world: Reach, places: Places, askSource: boolean, manifest: RepositoryManifest): Promise<RepositoryWatched> {
  const { namespace } = manifest;
  const verdict = { namespace, gone: [] as string[], presumed: [], changed: [] as string[], archived: [] as string[], doubtful: [] };
  const listed: Folder = new Map();
  const listedAt = world.clock.now();
  const ends = await listBothEnds(world, places, openSource(world, places, askSource), { folder: repositoryFolder(namespace), recorded: null, writeOnce: kopiaWriteOnce });
  if (ends.source.kind !== "listed") return { manifest, verdict, listed, listedAt };
  const { blobs } = ends.source;
  const { pending, failed, missing, differs } = arrivalOf(blobs, ends.replica.blobs, kopiaWriteOnce);
  verdict.gone.push(...[...pending, ...failed, ...missing].filter((name) => watched(name) && !ends.replica.blobs.has(name)));
  verdict.changed.push(...differs.filter(watched));
  verdict.archived.push(...[...ends.replica.blobs].flatMap(([name, { archived }]) => (archived === true && watched(name) ? [name] : [])));
  const since = (name: string): PackRecord => [blobs.get(name)?.bytes ?? 0, "", null, blobs.get(name)?.lastModifiedAt ?? 0];
  return { manifest: { ...manifest, blobs: Object.fromEntries([...verdict.gone, ...verdict.changed, ...verdict.archived].map((name) => [name, since(name)])) }, verdict, listed, listedAt };
}

/** Takes note of what maintenance has removed, and takes up nothing: that is for a point's manifest to do. */
function forgotten(manifest: RepositoryManifest, names: readonly string[], nowAt: number, listed: Folder): RepositoryManifest {
  if (names.length === 0) return manifest;
  const known = new Map([...listed].filter(([name]) => own(manifest.blobs, name) !== undefined || name === "kopia.maintenance"));
  return grown(manifest, known, names, nowAt);
}

/** Takes up what a point that is whole now needs, and reads as much of it for digests as one look may. */
export async function takeUpRepository(world: Reach, records: Records, replica: BlobPlace, { manifest, listed, verdict }: RepositoryWatched, nowAt: number): Promise<RepositoryManifest> {
  const troubled = new Set([...verdict.gone, ...verdict.changed, ...verdict.doubtful]);
  // One that grew too large meanwhile is not worth reading either: it will not be watched.
  if (manifest.beyond || [...listed.keys()].filter(watched).length > watchedMax) return records.changeRepository(manifest.namespace, (before) => (before.beyond ? before : grown(before, listed, [], nowAt)));
  const fresh = [...listed].filter(([name]) => watched(name) && !troubled.has(name) && (own(manifest.blobs, name)?.[2] ?? null) === null);
  const digests = new Map<string, { etag: string; sha256: string }>();
  let left = digestBytesMax;
  // One that alone is too large takes no other's turn, in this look or any later one.
  const now = fresh.filter(([, { bytes }]) => bytes <= left && (left -= bytes) >= 0);
  await sideBySide(atOnce, now, async ([name, { etag }]) => {
    const sha256 = await digestBlob(world.backups, replica, repositoryFolder(manifest.namespace) + name);
    if (sha256 !== null) digests.set(name, { etag, sha256 });
  });
  return records.changeRepository(manifest.namespace, (before) => withDigests(grown(before, listed, [], nowAt), digests));
}

/** Names at the source; `null`: it does not answer. */
async function namesAt({ backups }: Pick<World, "backups">, source: BlobPlace, folder: string): Promise<ReadonlySet<string> | null> {
  const names = new Set<string>();
  try {
    for await (const page of pagesOf(backups, source, folder)) for (const { name } of page) names.add(name.slice(folder.length));
    return names;
  } catch (error) {
    if (error instanceof WorldError) return null;
    throw error;
  }
}
