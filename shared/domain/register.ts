/**
 * The register of a plan: what the blob door, the timer and runs have found out about its restore points, kept in the home account, outside the
 * region that may be lost. Plain JSON, bounded, and merged by pure functions: merging is commutative and idempotent, so whoever loses a
 * compare-and-swap reads again, merges again and writes again.
 */
import type { Evidence } from "./evidence.ts";
import { type FindingKind, type Finding as PlanFinding, type Findings, mergeFindings } from "./findings.ts";
import { type Finding as LevelFinding, troubleOf } from "./ladder-levels.ts";
import { own } from "./own.ts";
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
  /** What does not hold or is not known; at most 12. */
  readonly open: readonly OpenLevel[];
}

/** A level of the ladder that does not hold, or of which it is not known. `trouble` null: it is in the nature of things. */
export interface OpenLevel {
  readonly level: LevelFinding["level"];
  readonly ok: false | "unknown";
  readonly about: string;
  readonly trouble: FindingKind | null;
}

/** How a point stood from an instant on, in a word and a reason. */
export interface PointState {
  readonly at: number;
  readonly by: CheckedBy;
  readonly reached: Rung | null;
  /** `usable`, or why it is not. */
  readonly usable: string;
}

/** What stands for a point's blobs as they were when it was first whole; the blobs themselves are in its manifest at home. */
export interface Sealed {
  /** SHA-256 of the manifest. */
  readonly manifest: string;
  readonly takenAt: number;
  /** Namespaces whose repositories it needs. */
  readonly repositories: readonly string[];
}

/** When the point was read through last, and for which version of the plan: for a while unchanged blobs need no reading. */
export interface ReadThrough {
  readonly at: number;
  readonly planHash: string;
  /** Digest over names, lengths and ETags of its folder as it was read. */
  readonly shape: string;
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
  readonly firstSeenAt: number;
  /** Changes of state, oldest first; the newest are kept. */
  readonly history: readonly PointState[];
  readonly sealed: Sealed | null;
  readonly read: ReadThrough | null;
  /** Until when it lives now, where Lifeboat has moved its expiration in the primary; the blobs do not say so. */
  readonly extendedUntilAt: number | null;
}

/** What was found when the secondary's cluster was held against the newest proven point, its Velero against all that are usable, and the public name against the ledger. */
export interface SecondaryLook {
  readonly at: number;
  readonly point: string | null;
  readonly findings: readonly PlanFinding[];
  readonly evidence: readonly Evidence[];
}

export interface Register {
  readonly watermark: Watermark | null;
  /** The last verification of all: when, and why nothing could be looked at (`null`: it could). */
  readonly look: { readonly at: number; readonly why: string | null } | null;
  readonly secondary: SecondaryLook | null;
  readonly findings: Findings;
  /** Folders that hold another's backup, by their name: what they were known by. They are read once. */
  readonly strangers: Readonly<Record<string, string>>;
  readonly points: Readonly<Record<string, RegisteredPoint>>;
  /** By namespace: what the source had in `kopia/<namespace>/` when it was seen last. A repository beyond the bound is not kept; then the watermark alone speaks for it. */
  readonly repositories: Readonly<Record<string, SourceInventory>>;
}

export const emptyRegister: Register = { watermark: null, look: null, secondary: null, findings: {}, strangers: {}, points: {}, repositories: {} };

/** Reads what was written, by this version or by one that knew less. */
export function registerOf(stored: string): Register {
  const read = JSON.parse(stored) as Register;
  const points = Object.entries(read.points).map(([name, point]): [string, RegisteredPoint] => [name, { ...newPoint, ...point, firstSeenAt: (point as Partial<RegisteredPoint>).firstSeenAt ?? point.checkedAt }]);
  return { ...emptyRegister, ...read, points: Object.fromEntries(points) };
}

const newPoint = { history: [], sealed: null, read: null, extendedUntilAt: null } as const;

/** Points kept, newest first; states kept of each; blobs kept of all repositories together. With all full the register has some 3 MiB, of the 4 that home takes. */
export const registerBounds = { points: 200, states: 12, strangers: 2_000, repositoryBlobs: 20_000 } as const;

/** Two registers as one: of each thing what was found out last, and nothing that one of them knows is lost. */
export function mergeRegisters(one: Register, other: Register): Register {
  return bounded({
    watermark: laterWatermark(one.watermark, other.watermark),
    look: newerOrNull(one.look, other.look, ({ at }) => at),
    secondary: newerOrNull(one.secondary, other.secondary, ({ at }) => at),
    findings: mergeFindings(one.findings, other.findings),
    strangers: joined(one.strangers, other.strangers, (a, b) => (a > b ? a : b)),
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
    firstSeenAt: Math.min(one.firstSeenAt, other.firstSeenAt),
    history: mergeHistories(one.history, other.history),
    sealed: newerOrNull(one.sealed, other.sealed, ({ takenAt }) => takenAt),
    read: newerOrNull(one.read, other.read, ({ at }) => at),
    extendedUntilAt: one.extendedUntilAt === null || other.extendedUntilAt === null ? (one.extendedUntilAt ?? other.extendedUntilAt) : Math.max(one.extendedUntilAt, other.extendedUntilAt),
  };
}

function mergeHistories(one: readonly PointState[], other: readonly PointState[]): readonly PointState[] {
  const all = new Map([...one, ...other].map((state) => [JSON.stringify(state), state]));
  return [...all].toSorted(([a, x], [b, y]) => x.at - y.at || (a < b ? -1 : 1)).map(([, state]) => state).slice(-registerBounds.states);
}

/** The register with a state more in the history of each point that stands otherwise than it did before. */
export function withHistory(before: Register, after: Register): Register {
  const points = Object.entries(after.points).map(([name, point]): [string, RegisteredPoint] => {
    const now = stateOf(point);
    const last = own(before.points, name)?.history.at(-1) ?? point.history.at(-1);
    const same = last !== undefined && last.reached === now.reached && last.usable === now.usable;
    return [name, same ? point : { ...point, history: mergeHistories(point.history, [now]) }];
  });
  return { ...after, points: Object.fromEntries(points) };
}

const stateOf = ({ restorePoint: { reached, usable }, checkedAt, by }: RegisteredPoint): PointState => ({ at: checkedAt, by, reached, usable: usable.kind === "usable" ? "usable" : short(usable.reason, 160) });

/** One check of one point, as a register of its own: to be merged into the plan's. */
export function registered(point: RestorePoint, check: Check): Register {
  const { checkedAt, by, source, sealed = null, read = null } = check;
  return { ...emptyRegister, points: { [point.name]: { ...newPoint, restorePoint: summaryOf(point), checkedAt, by, source: inventoryOf(source), proof: null, firstSeenAt: checkedAt, sealed, read } } };
}

export interface Check {
  readonly checkedAt: number;
  readonly by: CheckedBy;
  readonly source: SourceView;
  readonly sealed?: Sealed | null;
  readonly read?: ReadThrough | null;
}

/** A point whose blobs are what they were: it stands as it stood, looked at anew. */
export const carriedOver = (name: string, point: RegisteredPoint, checkedAt: number, by: CheckedBy): Register => ({ ...emptyRegister, points: { [name]: { ...point, checkedAt, by } } });

/** A point that lives longer now. */
export function withExtension(register: Register, name: string, untilAt: number): Register {
  const point = own(register.points, name);
  return point ? { ...register, points: { ...register.points, [name]: { ...point, extendedUntilAt: Math.max(untilAt, point.extendedUntilAt ?? 0) } } } : register;
}

/** Until when a point lives: by its blobs, or longer where that was moved. */
export const livesUntil = ({ restorePoint: { expiresAt }, extendedUntilAt }: Pick<RegisteredPoint, "restorePoint" | "extendedUntilAt">): number | null =>
  expiresAt === null || extendedUntilAt === null ? expiresAt : Math.max(expiresAt, extendedUntilAt);

/** What a drill or a failover has proven of a backup. A backup that the register does not know is left out: nothing was found out about it. */
export function withProof(register: Register, name: string, proof: { readonly rung: Proof; readonly at: number }): Register {
  const point = own(register.points, name);
  return point ? { ...register, points: { ...register.points, [name]: { ...point, proof: newerOrNull(point.proof, proof, ({ at }) => at) } } } : register;
}

/** A restore point, short enough to keep two hundred of. */
export function summaryOf({ takenAt, completedAt, expiresAt, itemCount, bytes, volumes, reached, usable, findings }: RestorePoint): RestorePointSummary {
  const open = findings.flatMap((finding): OpenLevel[] => (finding.ok === true ? [] : [{ level: finding.level, ok: finding.ok, about: short(finding.about), trouble: troubleOf(finding) }]));
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
    open: open.slice(0, 12),
  };
}

const short = (text: string, max = 400): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);

/** A live listing in the form that is kept; `null` for what was not seen. */
export function inventoryOf(view: SourceView | Listing): SourceInventory | null {
  if ("kind" in view && view.kind !== "listed") return null;
  // Not all of them are known by name: held against these few, a replica would seem whole.
  if (view.blobs.size === 0 || view.beyond !== undefined) return null;
  return { listedAt: view.listedAt, blobs: Object.fromEntries([...view.blobs].map(([name, { bytes, lastModifiedAt }]) => [name, [bytes, lastModifiedAt]])) };
}

/** What the register knows of a folder, in the form that the levels ask. */
export function recordedView(inventory: SourceInventory | null | undefined, why: string): SourceView {
  if (!inventory) return { kind: "unknown", why };
  const blobs = new Map(Object.entries(inventory.blobs).map(([name, [bytes, lastModifiedAt]]): [string, Written] => [name, { bytes, lastModifiedAt }]));
  return { kind: "recorded", listedAt: inventory.listedAt, blobs };
}

function bounded({ points, repositories, strangers, ...rest }: Register): Register {
  const kept = Object.entries(points)
    .sort(([a, x], [b, y]) => timeOf(y) - timeOf(x) || (a < b ? 1 : -1))
    .slice(0, registerBounds.points);
  let left: number = registerBounds.repositoryBlobs;
  const small = Object.entries(repositories)
    .map(([namespace, inventory]) => ({ namespace, inventory, blobs: Object.keys(inventory.blobs).length }))
    .sort((a, b) => a.blobs - b.blobs || (a.namespace < b.namespace ? -1 : 1))
    .filter(({ blobs }) => (left -= blobs) >= 0);
  return {
    ...rest,
    strangers: Object.fromEntries(Object.entries(strangers).toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, registerBounds.strangers)),
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
