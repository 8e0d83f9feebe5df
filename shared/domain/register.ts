/**
 * The register of a plan: what the blob door, the timer and runs have found out about its restore points, kept in the home account, outside the
 * region that may be lost. Plain JSON, bounded, and merged by pure functions: merging is commutative and idempotent, so whoever loses a
 * compare-and-swap reads again, merges again and writes again.
 */
import type { Listing, SourceView, Written } from "./replica.ts";
import type { Proof, RestorePoint, Usable } from "./restore-point.ts";
import type { Rung } from "./plan.ts";
import { laterWatermark, type Watermark } from "./watermark.ts";

/** Who looked. */
export type CheckedBy = "blob" | "timer" | "run";

/** What is kept of a restore point. */
export interface RestorePointSummary {
  readonly takenAt: number | null;
  readonly completedAt: number | null;
  readonly expiresAt: number | null;
  readonly itemCount: number;
  readonly bytes: number;
  readonly volumes: number;
  readonly volumeBytes: number;
  readonly reached: Rung | null;
  readonly usable: Usable;
  /** What does not hold or is not known, as `L3 no: …` and `L8 unknown: …`; at most 12. */
  readonly open: readonly string[];
}

/** Names of a folder's blobs at the source, each with its bytes and Last-Modified (UTC ms). */
export interface SourceInventory {
  readonly listedAt: number;
  readonly blobs: Readonly<Record<string, readonly [bytes: number, lastModifiedAt: number]>>;
}

export interface RegisteredPoint {
  readonly restorePoint: RestorePointSummary;
  readonly checkedAt: number;
  readonly by: CheckedBy;
  /** What the source had of this backup when it was seen last. `null`: never seen there. */
  readonly source: SourceInventory | null;
  /** The most that a drill or a failover has proven of it, and when. */
  readonly proof: { readonly rung: Proof; readonly at: number } | null;
}

export interface Register {
  readonly watermark: Watermark | null;
  readonly points: Readonly<Record<string, RegisteredPoint>>;
  /** By namespace: what the source had in `kopia/<namespace>/` when it was seen last. A repository beyond the bound is not kept; then the watermark alone speaks for it. */
  readonly repositories: Readonly<Record<string, SourceInventory>>;
}

export const emptyRegister: Register = { watermark: null, points: {}, repositories: {} };

/** Points kept, newest first; and blobs kept of all repositories together. With both full the register has some 2 MiB, of the 4 that home takes. */
export const registerBounds = { points: 200, repositoryBlobs: 20_000 } as const;

/** Two registers as one: of each thing what was found out last, and nothing that one of them knows is lost. */
export function mergeRegisters(one: Register, other: Register): Register {
  return bounded({
    watermark: laterWatermark(one.watermark, other.watermark),
    points: joined(one.points, other.points, mergePoints),
    repositories: joined(one.repositories, other.repositories, (a, b) => newer(a, b, (inventory) => inventory.listedAt)),
  });
}

function mergePoints(one: RegisteredPoint, other: RegisteredPoint): RegisteredPoint {
  const last = newer(one, other, (point) => point.checkedAt);
  const first = last === one ? other : one;
  return {
    ...last,
    // A point that is gone from the store does not say any more when it was taken; it keeps its place in the list.
    restorePoint: { ...last.restorePoint, takenAt: last.restorePoint.takenAt ?? first.restorePoint.takenAt },
    source: newerOrNull(one.source, other.source, ({ listedAt }) => listedAt),
    proof: newerOrNull(one.proof, other.proof, ({ rung, at }) => at + (rung === "asserted" ? 0.5 : 0)),
  };
}

/** One check of one point, as a register of its own: to be merged into the plan's. */
export function registered(point: RestorePoint, check: { readonly checkedAt: number; readonly by: CheckedBy; readonly source: SourceView }): Register {
  return { ...emptyRegister, points: { [point.name]: { restorePoint: summaryOf(point), checkedAt: check.checkedAt, by: check.by, source: inventoryOf(check.source), proof: null } } };
}

/** What a drill or a failover has proven of a backup. A backup that the register does not know is left out: nothing was found out about it. */
export function withProof(register: Register, name: string, proof: { readonly rung: Proof; readonly at: number }): Register {
  const point = register.points[name];
  return point ? { ...register, points: { ...register.points, [name]: { ...point, proof: newerOrNull(point.proof, proof, ({ at }) => at) } } } : register;
}

/** A restore point, short enough to keep two hundred of. */
export function summaryOf({ takenAt, completedAt, expiresAt, itemCount, bytes, volumes, reached, usable, findings }: RestorePoint): RestorePointSummary {
  const open = findings.filter(({ ok }) => ok !== true).slice(0, 12);
  return {
    takenAt,
    completedAt,
    expiresAt,
    itemCount,
    bytes,
    volumes: volumes.length,
    volumeBytes: volumes.reduce((sum, volume) => sum + volume.bytes, 0),
    reached,
    usable: usable.kind === "usable" ? usable : { kind: "unusable", reason: short(usable.reason) },
    open: open.map(({ level, ok, about }) => short(`${level} ${ok === false ? "no" : "unknown"}: ${about}`)),
  };
}

const short = (text: string): string => (text.length <= 400 ? text : `${text.slice(0, 399)}…`);

/** A live listing in the form that is kept; `null` for what was not seen. */
export function inventoryOf(view: SourceView | Listing): SourceInventory | null {
  if ("kind" in view && view.kind !== "listed") return null;
  if (view.blobs.size === 0) return null;
  return { listedAt: view.listedAt, blobs: Object.fromEntries([...view.blobs].map(([name, { bytes, lastModifiedAt }]) => [name, [bytes, lastModifiedAt]])) };
}

/** What the register knows of a folder, in the form that the levels ask. */
export function recordedView(inventory: SourceInventory | null | undefined, why: string): SourceView {
  if (!inventory) return { kind: "unknown", why };
  const blobs = new Map(Object.entries(inventory.blobs).map(([name, [bytes, lastModifiedAt]]): [string, Written] => [name, { bytes, lastModifiedAt }]));
  return { kind: "recorded", listedAt: inventory.listedAt, blobs };
}

function bounded({ watermark, points, repositories }: Register): Register {
  const kept = Object.entries(points)
    .sort(([a, x], [b, y]) => timeOf(y) - timeOf(x) || (a < b ? 1 : -1))
    .slice(0, registerBounds.points);
  let left: number = registerBounds.repositoryBlobs;
  const small = Object.entries(repositories)
    .map(([namespace, inventory]) => ({ namespace, inventory, blobs: Object.keys(inventory.blobs).length }))
    .sort((a, b) => a.blobs - b.blobs || (a.namespace < b.namespace ? -1 : 1))
    .filter(({ blobs }) => (left -= blobs) >= 0);
  return {
    watermark,
    points: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))),
    repositories: Object.fromEntries(small.sort((a, b) => (a.namespace < b.namespace ? -1 : 1)).map(({ namespace, inventory }) => [namespace, inventory])),
  };
}

const timeOf = ({ restorePoint, checkedAt }: RegisteredPoint): number => restorePoint.takenAt ?? checkedAt;

function joined<T>(one: Readonly<Record<string, T>>, other: Readonly<Record<string, T>>, merge: (a: T, b: T) => T): Record<string, T> {
  const all = new Map(Object.entries(one));
  for (const [key, value] of Object.entries(other)) {
    const known = all.get(key);
    all.set(key, known === undefined ? value : merge(known, value));
  }
  return Object.fromEntries(all);
}

/** Of two equally new ones, the one whose text is greater: any rule will do as long as both sides follow it. */
function newer<T>(one: T, other: T, timeOfIt: (value: T) => number): T {
  const difference = timeOfIt(one) - timeOfIt(other);
  if (difference !== 0) return difference > 0 ? one : other;
  return JSON.stringify(one) >= JSON.stringify(other) ? one : other;
}

const newerOrNull = <T>(one: T | null, other: T | null, timeOfIt: (value: T) => number): T | null => (one === null || other === null ? (one ?? other) : newer(one, other, timeOfIt));
