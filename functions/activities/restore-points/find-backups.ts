/** Which backups of a plan there are at either end, and which of them a look goes into. */
import { own } from "../../../shared/domain/own.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { labelledForPlan, namedByPlan } from "../../../shared/domain/plan-backups.ts";
import { type Register, registerBounds } from "../../../shared/domain/register.ts";
import type { Places } from "../../../shared/domain/replica.ts";
import { newestFirst, timeInName } from "../../../shared/domain/restore-point-choice.ts";
import { readBackup } from "../../../shared/domain/velero-backup.ts";
import { backupFolder } from "../../../shared/domain/velero-backup-files.ts";
import { BlobUnreadable, type World } from "../../../shared/ports.ts";
import type { Source } from "./list-folder.ts";
import type { Folder } from "./look-over.ts";
import { bytesOr } from "./read-files.ts";
import { sideBySide } from "./side-by-side.ts";

/** Metadata read at once. */
const metadataAtOnce = 8;
/** Folders that are not the plan's by name and are read for their labels in one look, the newest; the rest comes at later looks. */
const strangersMax = 500;

export interface Asked {
  readonly world: Pick<World, "backups" | "clock">;
  readonly plan: Plan;
  readonly places: Places;
  readonly source: Source;
  readonly previous: Register;
  /** What a list of the replica showed. */
  readonly folders: ReadonlyMap<string, Folder>;
  readonly newest: number;
  /** Whether every backup that the register does not know is gone into at once. Else the newest of them, and the rest at later looks. */
  readonly unknownToo: boolean;
}

export interface Found {
  /** All, in no order. */
  readonly names: readonly string[];
  /** Those that are looked into, newest first: one that has not arrived at all among them, so that its reason is known. */
  readonly wanted: readonly string[];
  readonly strangers: Register["strangers"];
}

/** Reads the metadata of those that are looked into and that the register does not date, and of those that only their labels may make the plan's. */
export async function findBackups(asked: Asked): Promise<Found> {
  const { plan, source, previous, folders } = asked;
  const there = await source.folders("backups/");
  const all = [...new Set([...folders.keys(), ...(there ?? [])])];
  const strangers: Record<string, string> = {};
  const candidates = await sideBySide(metadataAtOnce, strangersLeft(all, plan, previous, folders), async (name): Promise<Candidate | null> => {
    const known = own(previous.points, name)?.restorePoint.takenAt ?? null;
    if (known !== null) return { name, takenAt: known, exact: true };
    if (namedByPlan(plan, name)) return { name, takenAt: roughly(name, folders), exact: false };
    const metadata = await metadataOf(asked, name);
    if (metadata !== null && labelledForPlan(plan, metadata.labels)) return { name, takenAt: metadata.startedAt, exact: true };
    const mark = markOf(plan, folders.get(name));
    if (mark !== null) strangers[name] = mark;
    return null;
  });
  const ours = newestFirst(candidates.filter((candidate) => candidate !== null));
  const dated = await sideBySide(metadataAtOnce, worthALook(ours, asked), async (candidate) => (candidate.exact ? candidate : { ...candidate, takenAt: (await metadataOf(asked, candidate.name))?.startedAt ?? null }));
  return { names: ours.map(({ name }) => name), wanted: newestFirst(dated).map(({ name }) => name), strangers };
}

interface Candidate {
  readonly name: string;
  readonly takenAt: number | null;
  /** Whether that is what the backup itself says. */
  readonly exact: boolean;
}

/** When it was taken, or a little later: its schedule's name says it, or when its metadata was written. */
const roughly = (name: string, folders: Asked["folders"]): number | null => timeInName(name) ?? folders.get(name)?.get("velero-backup.json")?.lastModifiedAt ?? null;

/**
 * Those that a failover could take by their age, and the newest whatever their age; never more than the register keeps. A folder that
 * never had metadata has not arrived, or is what a backup that failed left behind: the newest of them are looked into, so that people know, beside the backups.
 */
function worthALook(ours: readonly Candidate[], { world, plan, previous, folders, newest, unknownToo }: Asked): readonly Candidate[] {
  const isBare = ({ name }: Candidate) => folders.get(name)?.has("velero-backup.json") !== true && (own(previous.points, name)?.restorePoint.takenAt ?? null) === null;
  const oldestAt = world.clock.now() - plan.backups.maxAgeSeconds * 1_000;
  const backups = ours.filter((candidate) => !isBare(candidate));
  const worth = backups.filter(({ takenAt }, at) => at < newest || takenAt === null || takenAt >= oldestAt).slice(0, registerBounds.points);
  let unknown = 0;
  return [...ours.filter(isBare).slice(0, newest), ...worth.filter(({ name }) => unknownToo || own(previous.points, name) !== undefined || ++unknown <= newest)];
}

/** Those whose names or labels may make them the plan's: debris without metadata, and folders that were read before and are another's, are left out. */
function strangersLeft(all: readonly string[], plan: Plan, { points, strangers }: Register, folders: ReadonlyMap<string, Folder>): readonly string[] {
  const named = all.filter((name) => namedByPlan(plan, name) || own(points, name) !== undefined);
  if (plan.backups.schedule === undefined) return named;
  const writtenAt = (name: string) => folders.get(name)?.get("velero-backup.json")?.lastModifiedAt ?? 0;
  const unread = all.filter((name) => !namedByPlan(plan, name) && own(points, name) === undefined && markOf(plan, folders.get(name)) !== null && own(strangers, name) !== markOf(plan, folders.get(name)));
  return [...named, ...unread.toSorted((a, b) => writtenAt(b) - writtenAt(a)).slice(0, strangersMax)];
}

/** What a folder's metadata is known by, for the plan's schedule; `null`: it has none. */
function markOf({ backups: { schedule = "" } }: Plan, folder: Folder | undefined): string | null {
  const metadata = folder?.get("velero-backup.json");
  return metadata === undefined ? null : `${metadata.etag} ${schedule}`;
}

async function metadataOf({ world, places, source }: Asked, name: string) {
  const blob = `${backupFolder(name)}velero-backup.json`;
  const bytes = (await bytesOr(world.backups.read(places.replica, blob))) ?? (await source.read(blob));
  const read = bytes === null || bytes instanceof BlobUnreadable ? null : readBackup(Buffer.from(bytes).toString("utf8"));
  return read?.kind === "read" ? read.value : null;
}
