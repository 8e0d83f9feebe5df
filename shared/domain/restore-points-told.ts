/** What people and programs are told of a plan's restore points: a function of the register, the plan and the time. */
import type { Evidence, BlobRead } from "./evidence.ts";
import { openFindings, type ToldFinding, told } from "./findings.ts";
import type { Plan } from "./plan.ts";
import { livesUntil, type PointState, type Register, type RegisteredPoint } from "./register.ts";
import { newestFirst, whyNot } from "./restore-point-choice.ts";
import { instantText } from "./instant.ts";
import { isStale, type Standing, standingOf } from "./standing.ts";
import type { Watermark } from "./watermark.ts";

export interface RestorePointsTold extends Standing {
  readonly plan: string;
  readonly at: number;
  readonly provenFrom: Plan["backups"]["provenFrom"];
  readonly watermark: Watermark | null;
  /** Those that hold, newest first. */
  readonly findings: readonly ToldFinding[];
  /** The last that closed, newest first; at most 20. */
  readonly closed: readonly ToldFinding[];
  /** What the secondary's cluster was found to have and to lack, for the newest usable point. */
  readonly secondary: { readonly at: number; readonly point: string | null; readonly evidence: readonly Evidence[] } | null;
  readonly points: readonly PointTold[];
}

export interface PointTold extends Omit<RegisteredPoint["restorePoint"], "usable" | "expiresAt"> {
  readonly name: string;
  /** Whether a failover would take it now. `unknown` is no: something that the proof needs could not be learnt, or nobody has looked for a while. */
  readonly proven: boolean | "unknown";
  /** Why it is not taken, or why that is not known; `null`: it would be, if nothing newer were. */
  readonly reason: string | null;
  readonly livesUntilAt: number | null;
  readonly firstSeenAt: number;
  readonly checkedAt: number;
  readonly by: RegisteredPoint["by"];
  /** SHA-256 of its manifest; `null`: it was never found whole. */
  readonly manifest: string | null;
}

const closedTold = 20;

export function restorePointsTold(register: Register, plan: Plan, nowAt: number): RestorePointsTold {
  const points = newestFirst(Object.entries(register.points).map(([name, point]) => pointTold(name, point, plan, nowAt)));
  const closed = Object.values(register.findings).filter(({ closedAt }) => closedAt !== null).toSorted((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
  return {
    plan: plan.plan,
    at: nowAt,
    provenFrom: plan.backups.provenFrom,
    ...standingOf(register, plan, nowAt),
    watermark: register.watermark,
    findings: openFindings(register.findings).map(told),
    closed: closed.slice(0, closedTold).map(told),
    secondary: register.secondary === null ? null : { at: register.secondary.at, point: register.secondary.point, evidence: register.secondary.evidence.map((each) => believed(each, plan, nowAt)) },
    points,
  };
}

/** One point with everything that is known of it. */
export interface OnePointTold extends PointTold {
  readonly history: readonly PointState[];
  readonly findings: readonly ToldFinding[];
  /** Level by level, as its blobs were read through last. */
  readonly evidence: readonly Evidence[];
  /** The blobs of its folder, each with what was read of it. */
  readonly blobs: readonly BlobRead[];
  readonly readAt: number | null;
  /** When the manifest was taken that it is held against. */
  readonly sealedAt: number | null;
  readonly repositories: readonly string[];
}

export function onePointTold(name: string, point: RegisteredPoint, found: { readonly at: number; readonly evidence: readonly Evidence[]; readonly blobs: readonly BlobRead[] } | null, register: Register, plan: Plan, nowAt: number): OnePointTold {
  return {
    ...pointTold(name, point, plan, nowAt),
    history: point.history,
    findings: openFindings(register.findings).filter((finding) => finding.point === name).map(told),
    evidence: (found?.evidence ?? []).map((each) => believed(each, plan, nowAt)),
    blobs: found?.blobs ?? [],
    readAt: found?.at ?? null,
    sealedAt: point.sealed?.takenAt ?? null,
    repositories: point.sealed?.repositories ?? [],
  };
}

function pointTold(name: string, point: RegisteredPoint, plan: Plan, nowAt: number): PointTold {
  const { usable, expiresAt: _written, ...summary } = point.restorePoint;
  const livesUntilAt = livesUntil(point);
  const against = whyNot({ name, usable, takenAt: summary.takenAt, expiresAt: livesUntilAt, reached: summary.reached, findings: summary.open }, plan, nowAt);
  const unseen = against === null && isStale(point.checkedAt, plan, nowAt);
  const reason = unseen ? `it was looked at last at ${instantText(point.checkedAt)}: whether it still is what it was then is not known, and a failover would look again` : against;
  const proven = unseen ? "unknown" : reason === null ? true : usable.kind === "usable" && summary.open.some(({ ok }) => ok === "unknown") ? "unknown" : false;
  const { firstSeenAt, checkedAt, by, sealed } = point;
  return { name, ...summary, proven, reason, livesUntilAt, firstSeenAt, checkedAt, by, manifest: sealed?.manifest ?? null };
}

/** Evidence that was to be looked at anew long ago says nothing of now. */
const believed = (evidence: Evidence, plan: Plan, nowAt: number): Evidence =>
  evidence.ok === true && isStale(evidence.expiresAt, plan, nowAt) ? { ...evidence, ok: "unknown", about: `${evidence.about}, at ${instantText(evidence.at)}; nobody has looked since` } : evidence;
