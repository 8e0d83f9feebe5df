/** Finds out what there is of a backup: at the replica, at the source while that answers, and inside the files. */
import type { Depth, Inventory, Repository, TarballFound } from "../../../shared/domain/inventory.ts";
import { namespacesOf } from "../../../shared/domain/ladder-levels.ts";
import { own } from "../../../shared/domain/own.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { consumerSelectorsOf } from "../../../shared/domain/plan-backups.ts";
import type { Register } from "../../../shared/domain/register.ts";
import { kopiaWriteOnce, type Listing, type Places } from "../../../shared/domain/replica.ts";
import { backupFolder, type BackupFiles, filesOf, repositoryFolder } from "../../../shared/domain/velero-backup-files.ts";
import { inRepository, volumesOf } from "../../../shared/domain/volume.ts";
import { BlobUnreadable, type World } from "../../../shared/ports.ts";
import { listBothEnds, openSource, type Source } from "./list-folder.ts";
import { bytesOr, readFiles } from "./read-files.ts";
import { readTarball } from "./read-tarball.ts";
import { sideBySide } from "./side-by-side.ts";
import { FolderTooLarge } from "./walk-lists.ts";

/** Backups that are looked into at once. Each holds one object of its archive at a time, and the keys of all. */
const atOnce = 4;
/** Velero writes nine blobs into the folder of a backup. */
const folderMax = 10_000;

export interface Looking {
  readonly places: Places;
  readonly plan: Plan;
  readonly depth: Depth;
  /** What was found out before: it stands in for a source that does not answer. */
  readonly register: Register;
  /** Made once for all backups of one look. Default: a source that is asked. */
  readonly source?: Source;
}

/** One backup. A replica that cannot be read is thrown: nothing can be said then. A source that cannot is `unknown`. */
export async function readInventory(world: Pick<World, "backups" | "clock">, backup: string, looking: Looking): Promise<Inventory> {
  const [inventory] = await readInventories(world, [backup], looking);
  if (!inventory) throw new Error(`no inventory was read of ${backup}`);
  return inventory;
}

/** Several backups side by side; a repository that they share is listed once. */
export function readInventories(world: Pick<World, "backups" | "clock">, backups: readonly string[], looking: Looking): Promise<Inventory[]> {
  const source = looking.source ?? openSource(world, looking.places, true);
  const repositories = new Map<string, Promise<Repository | null>>();
  const repository = (namespace: string): Promise<Repository | null> => {
    const known = repositories.get(namespace) ?? readRepository(world, namespace, looking, source);
    repositories.set(namespace, known);
    return known;
  };
  return sideBySide(atOnce, backups, (backup) => readOne(world, backup, looking, source, repository));
}

async function readOne(
  world: Pick<World, "backups" | "clock">,
  name: string,
  { places, plan, depth, register }: Looking,
  source: Source,
  repository: (namespace: string) => Promise<Repository | null>,
): Promise<Inventory> {
  const folder = backupFolder(name);
  const ends = await foundOrTooLarge(() => listBothEnds(world, places, source, { folder, recorded: own(register.points, name)?.source, max: folderMax }));
  if (ends instanceof FolderTooLarge) return notLookedInto(name, world.clock.now(), ends.message);
  const { replica, source: atSource } = ends;
  const files = await readFiles(world.backups, places.replica, name, replica, depth);
  const [tarball, repositories] = await Promise.all([
    tarballNeeded(files, depth) ? readArchive(world, places, name, replica, plan) : Promise.resolve<TarballFound>({ kind: "not-read" }),
    depth === "names" ? [] : Promise.all(repositoriesOf(files, plan).map(async (namespace) => ({ namespace, found: await repository(namespace) }))),
  ]);
  const listed = repositories.flatMap(({ namespace, found }): [string, Repository][] => (found === null ? [] : [[namespace, found]]));
  return { name, depth, replica, source: atSource, files, tarball, repositories: Object.fromEntries(listed) };
}

/** Only the archive itself tells whether it is the one from after the last data movement (L5). */
const tarballNeeded = ({ metadata }: BackupFiles, depth: Depth): boolean => depth === "readable" || (depth === "complete" && metadata.kind === "read" && metadata.value.operationsAttempted > 0);

async function readArchive(world: Pick<World, "backups">, places: Places, name: string, replica: Listing, plan: Plan): Promise<TarballFound> {
  const { tarball } = filesOf(name);
  if (!replica.blobs.has(tarball)) return { kind: "absent" };
  const chunks = await bytesOr(world.backups.open(places.replica, backupFolder(name) + tarball));
  if (chunks instanceof BlobUnreadable) return { kind: "broken", why: `the tarball cannot be read: ${chunks.why}` };
  return chunks === null ? { kind: "absent" } : readTarball(chunks, consumerSelectorsOf(plan));
}

/** Namespaces of the plan whose volumes lie in a repository. */
function repositoriesOf(files: BackupFiles, plan: Plan): readonly string[] {
  const wanted = namespacesOf(plan);
  const volumes = (volumesOf(files, { kind: "not-read" }) ?? []).filter(inRepository);
  return [...new Set(volumes.map(({ namespace }) => namespace))].filter((namespace) => wanted.includes(namespace));
}

/** `null`: it has more blobs than can be compared, so nothing is known of it. */
async function readRepository(world: Pick<World, "backups" | "clock">, namespace: string, { places, register }: Looking, source: Source): Promise<Repository | null> {
  const folder = repositoryFolder(namespace);
  const ends = await foundOrTooLarge(() => listBothEnds(world, places, source, { folder, recorded: own(register.repositories, namespace), writeOnce: kopiaWriteOnce }));
  return ends instanceof FolderTooLarge ? null : ends;
}

/** A folder that is too large is an answer: asking again would not make it smaller. */
async function foundOrTooLarge<T>(list: () => Promise<T>): Promise<T | FolderTooLarge> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof FolderTooLarge) return error;
    throw error;
  }
}

/** Whatever it is, it is no backup of Velero's, and the others are looked into all the same. */
const notLookedInto = (name: string, listedAt: number, why: string): Inventory => ({
  name,
  depth: "names",
  replica: { listedAt, blobs: new Map() },
  source: { kind: "unknown", why },
  files: {
    metadata: { kind: "unreadable", why },
    volumeInfo: { kind: "not-asked" },
    podVolumeBackups: { kind: "not-asked" },
    itemOperations: { kind: "not-asked" },
    resourceList: { kind: "not-asked" },
    results: { kind: "not-asked" },
  },
  tarball: { kind: "not-read" },
  repositories: {},
});
