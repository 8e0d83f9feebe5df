/** A restore point: a Velero backup seen from the secondary, how far it is proven, and whether a failover may take it. */
import { holdsItsObjects, isFinal, readsThrough, unreadableFile } from "./archive-levels.ts";
import { instantText } from "./instant.ts";
import type { Inventory } from "./inventory.ts";
import {
  type Case,
  expiryOf,
  type Finding,
  hasAllFiles,
  hasArrived,
  hasRepositories,
  hasRepositoryData,
  hasTarball,
  hasVolumeData,
  inScope,
  isBackup,
  isFinished,
} from "./ladder-levels.ts";
import { ladder, type Plan, type Rung } from "./plan.ts";
import { type Volume, volumesOf } from "./volume.ts";
import type { Watermark } from "./watermark.ts";

/** Whether anything speaks against a point. How far it is proven is `reached`: a point nobody has looked into is usable and not proven. */
export type Usable = { readonly kind: "usable" } | { readonly kind: "unusable"; readonly reason: string };

export interface RestorePoint {
  readonly name: string;
  /** UTC ms; the data is as of this instant. `null`: it does not say. */
  readonly takenAt: number | null;
  readonly completedAt: number | null;
  readonly expiresAt: number | null;
  /** Kubernetes objects in it, as Velero counted them. */
  readonly itemCount: number;
  /** Bytes of its own folder at the replica. */
  readonly bytes: number;
  /** The volumes that the plan restores from it. */
  readonly volumes: readonly Volume[];
  /** The highest state whose every condition, and every condition of those below, is known to hold. `null`: not even `seen`. */
  readonly reached: Rung | null;
  readonly findings: readonly Finding[];
  readonly usable: Usable;
}

/** What a drill or a failover has proven of a point, beyond what looking can. */
export type Proof = "restored" | "asserted";

/** What else is known of a backup. */
export interface Known {
  /** Until when it lives, where that was moved after it was written. */
  readonly extendedUntilAt?: number | null;
  /** How it compares with what it was when it was first whole. */
  readonly sinceProven?: readonly Finding[];
}

/**
 * Judges one backup. Pure: the same inventory at the same instant is the same answer. `proof` is what a drill or a failover has recorded
 * of this backup; it counts only as long as everything below it still holds.
 */
export function assess(inventory: Inventory, plan: Plan, nowAt: number, watermark: Watermark | null, proof: Proof | null = null, { extendedUntilAt = null, sinceProven = [] }: Known = {}): RestorePoint {
  const { metadata } = inventory.files;
  const bytes = [...inventory.replica.blobs.values()].reduce((sum, blob) => sum + blob.bytes, 0);
  const known = isBackup(inventory);
  if (metadata.kind !== "read" || known.ok !== true) {
    return judged({ name: inventory.name, takenAt: null, completedAt: null, expiresAt: null, itemCount: 0, bytes, volumes: [] }, [known, ...sinceProven], plan, nowAt, proof);
  }
  const { expiresAt: writtenExpiry } = metadata.value;
  const expiresAt = writtenExpiry === null || extendedUntilAt === null ? writtenExpiry : Math.max(writtenExpiry, extendedUntilAt);
  const backup = { ...metadata.value, expiresAt };
  const volumes = volumesOf(inventory.files, inventory.tarball);
  const of: Case = { inventory, backup, volumes, plan, nowAt, watermark };
  // Lowest state first: the first finding that is not met is the reason that people read.
  const findings = [known, hasArrived(of), hasAllFiles(of), isFinished(of), hasTarball(of), isFinal(of), hasRepositories(of), hasRepositoryData(of), readsThrough(of), holdsItsObjects(of), hasVolumeData(of), ...withoutNull(unreadableFile(of)), ...sinceProven];
  const { startedAt: takenAt, completedAt, totalItems: itemCount } = backup;
  return judged({ name: inventory.name, takenAt, completedAt, expiresAt, itemCount, bytes, volumes: inScope(volumes ?? [], plan) }, findings, plan, nowAt, proof);
}

const withoutNull = (finding: Finding | null): readonly Finding[] => (finding === null ? [] : [finding]);

function judged(facts: Omit<RestorePoint, "findings" | "reached" | "usable">, findings: readonly Finding[], plan: Plan, nowAt: number, proof: Proof | null): RestorePoint {
  const { name, takenAt, completedAt, expiresAt, itemCount, bytes, volumes } = facts;
  const against = findings.find(({ ok }) => ok === false)?.about ?? untimely(facts, plan, nowAt);
  return {
    name,
    takenAt,
    completedAt,
    expiresAt,
    itemCount,
    bytes,
    volumes,
    findings,
    reached: reachedBy(findings, proof),
    usable: against === null ? { kind: "usable" } : { kind: "unusable", reason: against },
  };
}

/** The states that looking can prove. */
const looked: readonly Rung[] = ["seen", "replicated", "complete", "readable"];

function reachedBy(findings: readonly Finding[], proof: Proof | null): Rung | null {
  let reached: Rung | null = null;
  for (const rung of looked) {
    if (!findings.some((finding) => finding.rung === rung) || findings.some((finding) => finding.rung === rung && finding.ok !== true)) return reached;
    reached = rung;
  }
  return proof ?? reached;
}

/** Why a point is too old, or too near its expiry, at this instant; `null` when it is neither. To be asked again whenever time has passed. */
export function untimely({ takenAt, expiresAt }: Pick<RestorePoint, "takenAt" | "expiresAt">, plan: Plan, nowAt: number): string | null {
  const { maxAgeSeconds } = plan.backups;
  if (takenAt !== null && nowAt - takenAt > maxAgeSeconds * 1000) return `it was taken at ${instantText(takenAt)}, longer ago than the ${maxAgeSeconds} s that the plan allows`;
  return expiryOf(expiresAt, plan, nowAt)?.about ?? null;
}

/** Whether a state is at least another one. `null` is below all. */
export const atLeast = (reached: Rung | null, wanted: Rung): boolean => reached !== null && ladder.indexOf(reached) >= ladder.indexOf(wanted);
