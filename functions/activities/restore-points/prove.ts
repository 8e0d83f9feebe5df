/**
 * What makes a point proven for longer than the look that found it whole: its manifest. A later look holds the folder's names, lengths and
 * ETags against it; only what differs is read.
 */
import { evidenceOf, type BlobRead } from "../../../shared/domain/evidence.ts";
import type { Inventory } from "../../../shared/domain/inventory.ts";
import type { Finding } from "../../../shared/domain/ladder-levels.ts";
import { driftFinding, driftOf, isUntouched, type Manifest } from "../../../shared/domain/manifest.ts";
import { own } from "../../../shared/domain/own.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import type { ReadThrough, Register, RegisteredPoint, Sealed } from "../../../shared/domain/register.ts";
import type { Places } from "../../../shared/domain/replica.ts";
import { repositoryFinding } from "../../../shared/domain/repository-manifest.ts";
import type { RestorePoint } from "../../../shared/domain/restore-point.ts";
import { backupFolder } from "../../../shared/domain/velero-backup-files.ts";
import { type World, WorldError } from "../../../shared/ports.ts";
import { digestBlob, digesting } from "./digesting.ts";
import { type Folder, listOne, shapeOf } from "./look-over.ts";
import { type ManifestFound, type Records, SealBroken } from "./records.ts";
import { sideBySide } from "./side-by-side.ts";
import { type RepositoryWatched, takeUpRepository, watchRepository } from "./watch-repository.ts";

export interface ProverOptions {
  readonly places: Places;
  readonly plan: Plan;
  readonly planHash: string;
  readonly records: Records;
  readonly register: Register;
  /** `false` in a run: neither is the lost region asked, nor is anything read for its digest alone. */
  readonly thorough: boolean;
}

export interface Prover {
  /** Through this the points are read, so that they are digested on the way. */
  readonly backups: World["backups"];
  /** Whether all that the point stands on is what it was when it was read through. */
  stands(name: string, folder: Folder | undefined): Promise<RegisteredPoint | null>;
  /** What differs from the point's manifest; nothing where it has none. */
  sinceProven(inventory: Inventory, folder: Folder): Promise<readonly Finding[]>;
  /** Keeps what was found of a point, and its manifest when it is whole. `point`: the same, and that its manifest could not be kept. */
  keep(inventory: Inventory, point: RestorePoint, folder: Folder): Promise<{ readonly point: RestorePoint; readonly sealed: Sealed | null; readonly read: ReadThrough | null }>;
}

/** Blobs of one folder that are read at once for their digests. */
const atOnce = 4;

export function openProver(world: Pick<World, "backups" | "clock">, options: ProverOptions): Prover {
  const { places, records, thorough } = options;
  const reading = digesting(world.backups);
  const watching = new Map<string, Promise<RepositoryWatched>>();
  const watch = (namespace: string) => {
    const known = watching.get(namespace) ?? watchRepository(world, records, places, thorough, namespace);
    watching.set(namespace, known);
    return known;
  };
  const proof: Proof = {
    ...options,
    world,
    digested: (backup, file) => reading.digestOf(places.replica, backupFolder(backup) + file),
    watch,
    takeUp: async (namespace, at, foundAt) => {
      const before = await watch(namespace);
      // What has come since, and was found there with the point, is to be watched too.
      const watched = before.listedAt < foundAt ? await watchRepository(world, records, places, thorough, namespace) : before;
      const manifest = await takeUpRepository(world, records, places.replica, watched, at);
      watching.set(namespace, Promise.resolve({ ...watched, manifest }));
    },
  };
  return {
    backups: reading.backups,
    stands: (name, folder) => stands(proof, name, folder),
    sinceProven: (inventory, folder) => sinceProven(proof, inventory, folder),
    keep: (inventory, point, folder) => keep(proof, inventory, point, folder),
  };
}

/** What the three questions of a prover stand on. */
interface Proof extends ProverOptions {
  readonly world: Pick<World, "backups" | "clock">;
  /** Digest of a blob of a backup's folder, if it was read. */
  readonly digested: (backup: string, file: string) => string | undefined;
  /** Each repository is held against its manifest once in a look. */
  readonly watch: (namespace: string) => Promise<RepositoryWatched>;
  /** `foundAt`: when the point's own look listed the repository. */
  readonly takeUp: (namespace: string, at: number, foundAt: number) => Promise<void>;
}

async function stands(proof: Proof, name: string, folder: Folder | undefined): Promise<RegisteredPoint | null> {
  const { register, planHash, plan, world } = proof;
  const point = own(register.points, name);
  if (point === undefined || folder === undefined || point.read === null) return null;
  const { at, planHash: readFor, shape } = point.read;
  if (readFor !== planHash || world.clock.now() >= at + plan.backups.rereadEverySeconds * 1_000 || shape !== shapeOf(folder)) return null;
  const { open, usable } = point.restorePoint;
  if (point.sealed === null) return isFinalNo(point) ? point : null;
  // What was said of an expiry that was moved since is to be said anew.
  if (open.some(({ level }) => level !== "L1") || (point.extendedUntilAt !== null && usable.kind === "unusable")) return null;
  if (!(await isSealed(proof, name, point.sealed, folder))) return null;
  return (await ofRepositories(proof, point.sealed.repositories, point.sealed.takenAt)).every(({ ok }) => ok === true) ? point : null;
}

/** Whether the manifest at home is still the one that the register names. Where it is signed, whoever could write the register stands against it too: then the folder itself must be what was signed. */
async function isSealed(proof: Proof, name: string, { manifest: sha256 }: Sealed, folder: Folder): Promise<boolean> {
  const kept = await manifestOf(proof, name);
  if (kept === null || "broken" in kept || kept.sha256 !== sha256) return false;
  return kept.seal === null || isUntouched(driftOf(kept.manifest, folder, new Map(), null));
}

async function sinceProven(proof: Proof, inventory: Inventory, folder: Folder): Promise<readonly Finding[]> {
  const { name } = inventory;
  const kept = await manifestOf(proof, name);
  if (kept === null) return [];
  if ("broken" in kept) return [{ level: "manifest", rung: "replicated", ok: false, about: kept.broken }];
  const { manifest } = kept;
  const contents = await contentsOf(proof, name, worthReading(proof, manifest, name, folder));
  return [driftFinding(manifest, driftOf(manifest, folder, contents, uidOf(inventory))), ...uncheckedFinding(kept), ...(await ofRepositories(proof, manifest.repositories, manifest.takenAt))];
}

async function keep(proof: Proof, inventory: Inventory, point: RestorePoint, folder: Folder): ReturnType<Prover["keep"]> {
  const { world, places, plan, planHash, records, thorough } = proof;
  const { name } = inventory;
  const at = world.clock.now();
  if (!thorough || folder.size === 0 || inventory.depth !== "readable") return { point, sealed: null, read: null };
  const whole = point.findings.every(({ ok, level, trouble }) => ok === true || (level === "L1" && trouble === "none"));
  const contents = whole ? await contentsOf(proof, name, [...folder.keys()]) : readAnyway(proof, name, folder);
  const blobs = [...folder].map(([file, { bytes, etag }]): BlobRead => ({ name: file, bytes, etag, sha256: contents.get(file) ?? null }));
  await records.keepFound(name, { format: 1, at, planHash, evidence: evidenceOf(name, point.findings, blobs, at, planHash, plan.backups.rereadEverySeconds), blobs, content: contentOf(inventory, point) });
  // Whoever writes while we read leaves another shape behind: then nothing is vouched for, and the next look begins anew.
  const shape = shapeOf(folder);
  if (shapeOf(await listOne(world, places.replica, name)) !== shape) return { point, sealed: null, read: null };
  try {
    return { point, sealed: whole ? await seal(proof, inventory, blobs, at) : null, read: { at, planHash, shape } };
  } catch (error) {
    // Home or the key is out of reach, or refuses: the next look reads it through again, and vouches for it then. Until then nobody would see a change, so it is told.
    if (error instanceof WorldError || error instanceof SealBroken) return { point: { ...point, findings: [...point.findings, unsealedFinding(error.message)] }, sealed: null, read: null };
    throw error;
  }
}

/** The point's manifest: the one that it has, or, if it is whole for the first time, one made now. */
async function seal(proof: Proof, inventory: Inventory, blobs: readonly BlobRead[], at: number): Promise<Sealed> {
  const { plan, planHash, records, takeUp } = proof;
  const found = await manifestOf(proof, inventory.name);
  const known = found !== null && !("broken" in found) ? found : null;
  const repositories = known?.manifest.repositories ?? Object.keys(inventory.repositories).toSorted();
  // First the packs, then the manifest that stands on them: a crash in between leaves packs that are watched for nobody.
  for (const namespace of repositories) await takeUp(namespace, at, own(inventory.repositories, namespace)?.replica.listedAt ?? 0);
  const manifest: Manifest = {
    format: 1,
    plan: plan.plan,
    backup: inventory.name,
    uid: uidOf(inventory) ?? "",
    takenAt: at,
    planHash,
    blobs: Object.fromEntries(blobs.map(({ name, bytes, etag, sha256 }) => [name, { bytes, etag, sha256: sha256 ?? "" }])),
    repositories,
  };
  const kept = known ?? (await records.keepManifest(manifest));
  return { manifest: kept.sha256, takenAt: kept.manifest.takenAt, repositories: kept.manifest.repositories };
}

/** No failover waits for a key vault: a signature that nobody can check takes a point none of the states that looking proves, and is told. */
const uncheckedFinding = ({ unchecked }: ManifestFound): readonly Finding[] =>
  unchecked === undefined ? [] : [{ level: "manifest", rung: "asserted", ok: "unknown", about: `its manifest's digest fits, and its signature could not be checked: ${unchecked}` }];

const unsealedFinding = (why: string): Finding => ({ level: "manifest", rung: "asserted", ok: "unknown", about: `it is whole, and its manifest could not be kept, so a later change of it would not be seen: ${why}` });

/** What is wrong with the repositories, for a point whose manifest was taken then. */
async function ofRepositories({ watch }: Proof, namespaces: readonly string[], takenAt: number): Promise<readonly Finding[]> {
  const watched = await Promise.all(namespaces.map(watch));
  return watched.flatMap(({ verdict, manifest }) => repositoryFinding(verdict, manifest, takenAt) ?? []);
}

/**
 * Blobs whose content tells more than their length: what has another length is changed, whatever is in it, and may have terabytes. In a run,
 * those that were read anyway and those that were written again.
 */
const worthReading = ({ thorough, digested }: Proof, { blobs }: Manifest, name: string, folder: Folder): readonly string[] =>
  [...folder].flatMap(([file, { bytes, etag }]) => {
    const was = own(blobs, file);
    return was?.bytes === bytes && (thorough || was.etag !== etag || digested(name, file) !== undefined) ? [file] : [];
  });

/** Digests of these blobs of a folder: those that were read anyway, and the rest read now. */
async function contentsOf({ world, places, digested }: Proof, name: string, files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  await sideBySide(atOnce, files, async (file) => {
    const digest = digested(name, file) ?? (await digestBlob(world.backups, places.replica, backupFolder(name) + file));
    if (digest !== null) contents.set(file, digest);
  });
  return contents;
}

function readAnyway({ digested }: Proof, name: string, folder: Folder): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const file of folder.keys()) {
    const digest = digested(name, file);
    if (digest !== undefined) contents.set(file, digest);
  }
  return contents;
}

async function manifestOf({ records }: Proof, name: string): Promise<ManifestFound | { readonly broken: string } | null> {
  try {
    return await records.manifest(name);
  } catch (error) {
    if (error instanceof SealBroken) return { broken: error.message };
    throw error;
  }
}

/** Levels whose "no" follows from the folder alone: as long as nobody writes there it stays "no". */
const byFolderAlone: ReadonlySet<string> = new Set(["L1", "L2", "L4", "L5", "L6"]);
const isFinalNo = ({ restorePoint: { open }, extendedUntilAt }: RegisteredPoint): boolean => open.length > 0 && extendedUntilAt === null && open.every(({ level, ok }) => ok === false && byFolderAlone.has(level));

function uidOf({ files: { metadata } }: Inventory): string | null {
  if (metadata.kind !== "read") return null;
  const { uid } = (metadata.value.object["metadata"] ?? {}) as { readonly uid?: unknown };
  return typeof uid === "string" ? uid : null;
}

function contentOf({ tarball, files: { metadata, podVolumeBackups } }: Inventory, { takenAt, volumes }: RestorePoint) {
  if (tarball.kind !== "read" || metadata.kind !== "read" || podVolumeBackups.kind !== "read" || takenAt === null) return null;
  const spec = (metadata.value.object["spec"] ?? {}) as Readonly<Record<string, unknown>>;
  return { takenAt, contents: tarball.contents, volumes, spec, files: { backup: metadata.value, podVolumeBackups: podVolumeBackups.value } };
}
