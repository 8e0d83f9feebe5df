/** Looks at a plan's backups, newest first, and says which of them a failover would take now. For the timer, and for the run itself. */
import type { Depth, Inventory } from "../../../shared/domain/inventory.ts";
import { own } from "../../../shared/domain/own.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { carriedOver, type CheckedBy, emptyRegister, livesUntil, mergeRegisters, registered, type Register, type RegisteredPoint } from "../../../shared/domain/register.ts";
import { type Places, placesOf } from "../../../shared/domain/replica.ts";
import { type Choice, choose, newestFirst } from "../../../shared/domain/restore-point-choice.ts";
import { assess, type RestorePoint, untimely } from "../../../shared/domain/restore-point.ts";
import { laterWatermark, type Watermark } from "../../../shared/domain/watermark.ts";
import type { World } from "../../../shared/ports.ts";
import { findBackups } from "./find-backups.ts";
import { openSource, type Source } from "./list-folder.ts";
import { repositoriesSeen } from "./check-backup.ts";
import { type Folder, listFolders } from "./look-over.ts";
import { openProver, type Prover } from "./prove.ts";
import { readInventories } from "./read-inventory.ts";
import { readWatermark } from "./read-watermark.ts";
import type { Records } from "./records.ts";

type Reach = Pick<World, "backups" | "replication" | "clock">;

export interface VerifyOptions {
  readonly by?: CheckedBy;
  readonly depth?: Depth;
  /** So many of the newest are looked into whatever their age, and as many that the register does not know yet; default 20. Of the others, those that a failover could take. */
  readonly newest?: number;
  /** Stop as soon as a point can be taken: a run has no time for the older ones. */
  readonly untilChosen?: boolean;
  /** `false` in a run: the region that may be lost is not waited for. */
  readonly askSource?: boolean;
  /** Where to read; default the plan's two places. */
  readonly places?: Places;
  /** Manifests, and what was found before: with them a point whose blobs are what they were is not read again. */
  readonly proof?: { readonly records: Records; readonly planHash: string };
  /** `true`: every point is read, and then held against its manifest, whatever the register says of it. */
  readonly reread?: boolean;
}

export interface BackupsVerified {
  /** Newest first. */
  readonly points: readonly RestorePoint[];
  readonly choice: Choice;
  /** What was found of the chosen point, its archive read to the end. Not for a history: it has no bound but its archive's. */
  readonly chosen: Inventory | null;
  /** Points that stand as the register has them: their blobs are what they were when they were read through. */
  readonly carried: ReadonlySet<string>;
  readonly watermark: Watermark | null;
  /** The register as it was given, with what was found now. Merging it again into a newer one does no harm. */
  readonly register: Register;
  /** Why the source said nothing; `null`: it answered, or there is none beside the replica. */
  readonly sourceSilent: string | null;
  readonly checkedAt: number;
}

/** Backups looked into at once. */
const batch = 4;

/** Safe to run again: it only looks, and writes manifests once. Throws when the replica cannot be read. */
export async function verifyBackups(world: Reach, plan: Plan, previous: Register, options: VerifyOptions = {}): Promise<BackupsVerified> {
  const { by = "timer", newest = 20, untilChosen = false, askSource = true, places = placesOf(plan), proof } = options;
  const source = openSource(world, places, askSource);
  const folders = await listFolders(world, places.replica);
  const prover = proof === undefined ? null : openProver(world, { ...proof, places, plan, register: previous, thorough: by !== "run" });
  const [mark, { names, wanted, strangers }] = await Promise.all([places.source === "itself" ? null : readWatermark(world, plan, source), findBackups({ world, plan, places, source, previous, folders, newest, unknownToo: by === "run" })]);
  const watermark = laterWatermark(previous.watermark, mark);
  const look: Look = { world, plan, previous, options: { by, depth: options.depth ?? "readable", places, reread: options.reread ?? false }, source, watermark, folders, prover };
  const points: RestorePoint[] = [];
  const carried = new Set<string>();
  let chosen: Inventory | null = null;
  let found: Register = { ...emptyRegister, watermark, strangers };
  // Nearly always the newest can be taken: a run that looks into it alone reads one archive and not four.
  const batches = untilChosen ? [wanted.slice(0, 1), ...inBatches(wanted.slice(1))] : inBatches(wanted);
  for (const names of batches) {
    const looked = await lookInto(look, names);
    points.push(...looked.points);
    for (const name of looked.carried) carried.add(name);
    found = looked.found.reduce(mergeRegisters, found);
    const taken = choose(points, plan, world.clock.now());
    // Of all inventories only this one is of use later; the others may go.
    if (taken.kind === "chosen") chosen = looked.inventories.find(({ name }) => name === taken.point.name) ?? chosen;
    if (untilChosen && taken.kind === "chosen") break;
  }
  const checkedAt = world.clock.now();
  const choice = choose(points, plan, checkedAt);
  return {
    points: newestFirst(points),
    choice,
    chosen: choice.kind === "chosen" && choice.point.name === chosen?.name ? chosen : null,
    carried,
    watermark,
    register: mergeRegisters(mergeRegisters(previous, found), gone(previous, names, plan, checkedAt, by)),
    sourceSilent: source.silentBecause(),
    checkedAt,
  };
}

interface Look {
  readonly world: Reach;
  readonly plan: Plan;
  readonly previous: Register;
  readonly options: { readonly by: CheckedBy; readonly depth: Depth; readonly places: Places; readonly reread: boolean };
  readonly source: Source;
  readonly watermark: Watermark | null;
  readonly folders: ReadonlyMap<string, Folder>;
  readonly prover: Prover | null;
}

/** A few backups: those that stand as they stood are taken from the register, the others are read. */
async function lookInto({ world, plan, previous, options: { by, depth, places, reread }, source, watermark, folders, prover }: Look, names: readonly string[]) {
  const stand = new Map<string, RegisteredPoint>();
  for (const name of reread ? [] : names) {
    const point = (await prover?.stands(name, folders.get(name))) ?? null;
    if (point !== null) stand.set(name, point);
  }
  const reading = prover === null ? world : { ...world, backups: prover.backups };
  const inventories = await readInventories(reading, names.filter((name) => !stand.has(name)), { places, plan, depth, register: previous, source });
  const checkedAt = world.clock.now();
  const found: Register[] = [repositoriesSeen(inventories), ...[...stand].map(([name, point]) => carriedOver(name, point, checkedAt, by))];
  const points = [...stand].map(([name, point]) => carriedPoint(name, point, plan, checkedAt));
  for (const inventory of inventories) {
    const folder = folders.get(inventory.name) ?? new Map();
    const before = own(previous.points, inventory.name);
    const sinceProven = (await prover?.sinceProven(inventory, folder)) ?? [];
    const point = assess(inventory, plan, checkedAt, watermark, before?.proof?.rung ?? null, { extendedUntilAt: before?.extendedUntilAt ?? null, sinceProven });
    const kept = await prover?.keep(inventory, point, folder);
    points.push(kept?.point ?? point);
    found.push(registered(kept?.point ?? point, { checkedAt, by, source: inventory.source, ...kept }));
  }
  return { points, found, inventories, carried: [...stand.keys()] };
}

/** A point as the register has it, judged by the time alone. */
function carriedPoint(name: string, point: RegisteredPoint, plan: Plan, nowAt: number): RestorePoint {
  const { takenAt, completedAt, itemCount, bytes, reached, usable } = point.restorePoint;
  const expiresAt = livesUntil(point);
  const late = untimely({ takenAt, expiresAt }, plan, nowAt);
  return { name, takenAt, completedAt, expiresAt, itemCount, bytes, volumes: [], findings: [], reached, usable: late === null ? usable : { kind: "unusable", reason: late } };
}

const inBatches = (names: readonly string[]): readonly (readonly string[])[] => Array.from({ length: Math.ceil(names.length / batch) }, (_, at) => names.slice(at * batch, (at + 1) * batch));

/** Points that the register has and the store has no more: whoever reads the register must not believe in them. */
function gone(previous: Register, names: readonly string[], plan: Plan, checkedAt: number, by: CheckedBy): Register {
  const lost = Object.keys(previous.points).filter((name) => !names.includes(name));
  return lost.map((name) => registered(lostPoint(name, own(previous.points, name), plan, checkedAt), { checkedAt, by, source: { kind: "unknown", why: "" } })).reduce(mergeRegisters, emptyRegister);
}

/** It keeps what dates it; what was found of it holds no more. */
function lostPoint(name: string, before: RegisteredPoint | undefined, plan: Plan, checkedAt: number): RestorePoint {
  const point = assess(emptyInventory(name, checkedAt), plan, checkedAt, null);
  const inTime = before !== undefined && (livesUntil(before) ?? 0) > checkedAt && before.restorePoint.reached !== null;
  const { takenAt = null, completedAt = null, expiresAt = null } = before?.restorePoint ?? {};
  const findings = point.findings.map((finding) => (finding.level === "L0" ? ({ ...finding, trouble: inTime || vanishedBefore(before) ? "vanished" : "none" } as const) : finding));
  return { ...point, takenAt, completedAt, expiresAt, findings };
}

const vanishedBefore = (before: RegisteredPoint | undefined): boolean => before?.restorePoint.open.some(({ trouble }) => trouble === "vanished") === true;

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
