/** Looks at a plan's backups, newest first, and says which of them a failover would take now. For the timer, and for the run itself. */
import type { Depth, Inventory } from "../../../shared/domain/inventory.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { labelledForPlan, namedByPlan } from "../../../shared/domain/plan-backups.ts";
import { type CheckedBy, emptyRegister, mergeRegisters, registered, type Register } from "../../../shared/domain/register.ts";
import { type Places, placesOf } from "../../../shared/domain/replica.ts";
import { type Choice, choose, newestFirst } from "../../../shared/domain/restore-point-choice.ts";
import { assess, type RestorePoint } from "../../../shared/domain/restore-point.ts";
import { readBackup } from "../../../shared/domain/velero-backup.ts";
import { backupFolder } from "../../../shared/domain/velero-backup-files.ts";
import { laterWatermark, type Watermark } from "../../../shared/domain/watermark.ts";
import type { World } from "../../../shared/ports.ts";
import { openSource, type Source } from "./list-folder.ts";
import { repositoriesSeen } from "./check-backup.ts";
import { readInventories } from "./read-inventory.ts";
import { readWatermark } from "./read-watermark.ts";
import { sideBySide } from "./side-by-side.ts";

type Reach = Pick<World, "backups" | "replication" | "clock">;

export interface VerifyOptions {
  readonly by?: CheckedBy;
  readonly depth?: Depth;
  /** At most so many points are looked into, the newest; default 20. */
  readonly newest?: number;
  /** Stop as soon as a point can be taken: a run has no time for the older ones. */
  readonly untilChosen?: boolean;
  /** `false` in a run: the region that may be lost is not waited for. */
  readonly askSource?: boolean;
  /** Where to read; default the plan's two places. */
  readonly places?: Places;
}

export interface BackupsVerified {
  /** Newest first. */
  readonly points: readonly RestorePoint[];
  readonly choice: Choice;
  /** What was found of the chosen point, its archive read to the end. Not for a history: it has no bound but its archive's. */
  readonly chosen: Inventory | null;
  readonly watermark: Watermark | null;
  /** The register as it was given, with what was found now. Merging it again into a newer one does no harm. */
  readonly register: Register;
  /** Why the source said nothing; `null`: it answered, or there is none beside the replica. */
  readonly sourceSilent: string | null;
  readonly checkedAt: number;
}

/** Backups looked into at once, and metadata read at once. */
const batch = 4;
const metadataAtOnce = 8;

/** Safe to run again: it only looks. Throws when the replica cannot be read. */
export async function verifyBackups(world: Reach, plan: Plan, previous: Register, options: VerifyOptions = {}): Promise<BackupsVerified> {
  const { by = "timer", depth = "readable", newest = 20, untilChosen = false, askSource = true, places = placesOf(plan) } = options;
  const source = openSource(world, places, askSource);
  const [mark, names] = await Promise.all([places.source === "itself" ? null : readWatermark(world, plan, source), namesOf(world, plan, places, source, previous)]);
  const watermark = laterWatermark(previous.watermark, mark);
  const points: RestorePoint[] = [];
  let chosen: Inventory | null = null;
  let found: Register = { ...emptyRegister, watermark };
  const wanted = names.slice(0, newest);
  // Nearly always the newest can be taken: a run that looks into it alone reads one archive and not four.
  const batches = untilChosen ? [wanted.slice(0, 1), ...inBatches(wanted.slice(1))] : inBatches(wanted);
  for (const names of batches) {
    const inventories = await readInventories(world, names, { places, plan, depth, register: previous, source });
    const checkedAt = world.clock.now();
    const judged = inventories.map((inventory) => ({ inventory, point: assess(inventory, plan, checkedAt, watermark, previous.points[inventory.name]?.proof?.rung ?? null) }));
    points.push(...judged.map(({ point }) => point));
    const taken = choose(points, plan, checkedAt);
    // Of all inventories only this one is of use later; the others may go.
    if (taken.kind === "chosen") chosen = inventories.find(({ name }) => name === taken.point.name) ?? chosen;
    found = [repositoriesSeen(inventories), ...judged.map(({ inventory, point }) => registered(point, { checkedAt, by, source: inventory.source }))].reduce(mergeRegisters, found);
    if (untilChosen && taken.kind === "chosen") break;
  }
  const checkedAt = world.clock.now();
  const choice = choose(points, plan, checkedAt);
  return {
    points: newestFirst(points),
    choice,
    chosen: choice.kind === "chosen" && choice.point.name === chosen?.name ? chosen : null,
    watermark,
    register: mergeRegisters(mergeRegisters(previous, found), gone(previous, names, plan, checkedAt, by)),
    sourceSilent: source.silentBecause(),
    checkedAt,
  };
}

const inBatches = (names: readonly string[]): readonly (readonly string[])[] => Array.from({ length: Math.ceil(names.length / batch) }, (_, at) => names.slice(at * batch, (at + 1) * batch));

/** All backups of the plan at either end, newest first: one that has not arrived at all is looked at too, so that its reason is known. */
async function namesOf(world: Reach, plan: Plan, places: Places, source: Source, previous: Register): Promise<readonly string[]> {
  const [here, there] = await Promise.all([world.backups.folders(places.replica, "backups/"), source.folders("backups/")]);
  const all = [...new Set([...here, ...(there ?? [])])];
  const dated = await sideBySide(metadataAtOnce, all, async (name) => {
    const known = previous.points[name]?.restorePoint.takenAt ?? null;
    if (known !== null) return { name, takenAt: known, ours: true };
    const metadata = await metadataOf(world, places, source, name);
    return { name, takenAt: metadata?.startedAt ?? null, ours: namedByPlan(plan, name) || (metadata !== null && labelledForPlan(plan, metadata.labels)) };
  });
  return newestFirst(dated.filter(({ ours }) => ours)).map(({ name }) => name);
}

async function metadataOf(world: Reach, places: Places, source: Source, name: string) {
  const blob = `${backupFolder(name)}velero-backup.json`;
  const bytes = (await world.backups.read(places.replica, blob)) ?? (await source.read(blob));
  const read = bytes === null ? null : readBackup(Buffer.from(bytes).toString("utf8"));
  return read?.kind === "read" ? read.value : null;
}

/** Points that the register has and the store has no more: whoever reads the register must not believe in them. */
function gone(previous: Register, names: readonly string[], plan: Plan, checkedAt: number, by: CheckedBy): Register {
  const lost = Object.keys(previous.points).filter((name) => !names.includes(name));
  return lost.map((name) => registered(assess(emptyInventory(name, checkedAt), plan, checkedAt, null), { checkedAt, by, source: { kind: "unknown", why: "" } })).reduce(mergeRegisters, emptyRegister);
}

const emptyInventory = (name: string, listedAt: number): Inventory => ({
  name,
  depth: "names",
  replica: { listedAt, blobs: new Map() },
  source: { kind: "unknown", why: "it was not asked" },
  files: {
    metadata: { kind: "absent" },
    volumeInfo: { kind: "not-asked" },
    podVolumeBackups: { kind: "not-asked" },
    itemOperations: { kind: "not-asked" },
    resourceList: { kind: "not-asked" },
    results: { kind: "not-asked" },
  },
  tarball: { kind: "not-read" },
  repositories: {},
});
