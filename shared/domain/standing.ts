/** How a plan stands by its register: its newest proven restore point, what is wrong, and what is about to be. Pure; asked again whenever time has passed. */
import type { Finding } from "./findings.ts";
import { instantText } from "./instant.ts";
import type { PassedOver } from "./outcome.ts";
import { atLeast } from "./restore-point.ts";
import { type Candidate, newestFirst, whyNot } from "./restore-point-choice.ts";
import type { Plan, Rung } from "./plan.ts";
import { livesUntil, type OpenLevel, type RegisteredPoint, type Register } from "./register.ts";

export interface Standing {
  readonly newestProven: { readonly name: string; readonly takenAt: number; readonly ageSeconds: number; readonly reached: Rung | null; readonly livesUntilAt: number | null } | null;
  /** `unknown`: nobody has looked for a while, so a newer point may be proven, or this one may be gone. */
  readonly objective: { readonly rpoSeconds: number; readonly state: "kept" | "broken" | "unknown" };
  /** Every newer point, newest first, each with its reason. */
  readonly passedOver: readonly PassedOver[];
  readonly lookedAt: number | null;
}

/** A look that is older than this many of the plan's intervals is no look. */
const looksMissed = 3;

/** Whether what was found then is too long ago to be called so now: the plan's looks have not come for a while. */
export const isStale = (foundAt: number, { backups: { verifyEverySeconds } }: Plan, nowAt: number): boolean => nowAt - foundAt > looksMissed * verifyEverySeconds * 1_000;

/**
 * Whether the plan's backups are due to be looked at: once in each of its intervals, counted from the epoch, so that two who ask in one interval
 * agree, and any number of missed ones is caught up by one look.
 */
export function verificationIsDue({ look }: Register, { backups: { verifyEverySeconds } }: Plan, nowAt: number): boolean {
  const interval = (at: number) => Math.floor(at / (verifyEverySeconds * 1_000));
  return look === null || interval(nowAt) > interval(look.at);
}

export function standingOf(register: Register, plan: Plan, nowAt: number): Standing {
  const passedOver: PassedOver[] = [];
  let newestProven: Standing["newestProven"] = null;
  for (const candidate of newestFirst(candidatesOf(register))) {
    const reason = whyNot(candidate, plan, nowAt);
    if (reason === null && candidate.takenAt !== null) {
      const { name, takenAt, reached, expiresAt } = candidate;
      newestProven = { name, takenAt, ageSeconds: Math.max(0, Math.ceil((nowAt - takenAt) / 1_000)), reached, livesUntilAt: expiresAt };
      break;
    }
    passedOver.push({ name: candidate.name, reason: reason ?? "it does not say when it was taken" });
  }
  const { rpoSeconds } = plan.objectives;
  const lookedAt = register.look?.why === null ? register.look.at : null;
  const stale = lookedAt === null || isStale(lookedAt, plan, nowAt);
  const state = newestProven !== null && newestProven.ageSeconds <= rpoSeconds ? (stale ? "unknown" : "kept") : stale && register.look === null ? "unknown" : "broken";
  return { newestProven, objective: { rpoSeconds, state }, passedOver, lookedAt };
}

function candidatesOf({ points }: Register): readonly Candidate[] {
  return Object.entries(points).map(([name, point]) => {
    const { usable, takenAt, reached, open } = point.restorePoint;
    return { name, usable, takenAt, reached, expiresAt: livesUntil(point), findings: open };
  });
}

/** All that is wrong now, as the register knows it. */
export function findingsOf(register: Register, plan: Plan, nowAt: number): readonly Finding[] {
  const standing = standingOf(register, plan, nowAt);
  const points = Object.entries(register.points).flatMap(([name, point]) => troublesOf(name, point, plan, nowAt));
  return [...ofPlan(register, standing, plan), ...guardedPoint(register, plan, nowAt), ...points, ...(register.secondary?.findings ?? [])];
}

function ofPlan({ look }: Register, { newestProven, objective, passedOver }: Standing, { plan }: Plan): readonly Finding[] {
  const findings: Finding[] = [];
  if (look !== null && look.why !== null) findings.push({ kind: "store-unreadable", point: null, fact: look.why });
  if (objective.state === "broken") {
    const [newer] = passedOver;
    const why = newer === undefined ? "" : `; the newest backup, ${newer.name}, is not taken: ${newer.reason}`;
    const what = newestProven === null ? `no restore point of ${plan} is proven` : `the newest proven point, ${newestProven.name}, is ${newestProven.ageSeconds} s old and the plan allows ${objective.rpoSeconds} s`;
    findings.push({ kind: "objective-broken", point: null, fact: `${what}${why}` });
  }
  if (look?.why === null && objective.state === "unknown") findings.push({ kind: "unknown", point: null, fact: "the backups were not looked at for a while, so what is known of them may not hold any more" });
  return findings;
}

/** What speaks against one point. One that is at its end by age or expiry is not mended any more. */
function troublesOf(name: string, point: RegisteredPoint, plan: Plan, nowAt: number): readonly Finding[] {
  const { open, takenAt, completedAt, reached } = point.restorePoint;
  const until = livesUntil(point);
  const over = (until !== null && until <= nowAt) || (takenAt !== null && nowAt - takenAt > plan.backups.maxAgeSeconds * 1_000);
  if (over) return [];
  const byKind = new Map<Finding["kind"], Finding>();
  for (const { trouble, about } of open) if (trouble !== null && !byKind.has(trouble)) byKind.set(trouble, { kind: trouble, point: name, fact: about });
  if (open.length === 0 || atLeast(reached, "replicated") || byKind.has("vanished") || !onItsWay(open)) return [...byKind.values()];
  const dueAt = (completedAt ?? point.firstSeenAt) + plan.backups.replicationDeadlineSeconds * 1_000;
  // On its way is no trouble until its time is up.
  if (nowAt <= dueAt) return [...byKind.values()].filter(({ kind }) => kind !== "incomplete" && kind !== "unknown");
  const missing = open.find(({ trouble }) => trouble === "incomplete") ?? open[0];
  return [...byKind.values(), { kind: "late-replication", point: name, fact: `${missing?.about ?? "it has not arrived"}; it was due at ${instantText(dueAt)}` }];
}

/** Whether all that is missing may still arrive: nothing is said to have failed, to have been there, or to be damaged. */
const onItsWay = (open: readonly OpenLevel[]): boolean => open.every(({ trouble, about }) => trouble === null || trouble === "unknown" || (trouble === "incomplete" && !/could not be replicated|are gone from/.test(about)));

/** The points that the retention guard watches: the newest proven one, when it is about to expire. */
export function guardedPoint(register: Register, plan: Plan, nowAt: number): readonly Finding[] {
  const guarded = aboutToExpire(register, plan, nowAt);
  return guarded === null ? [] : [{ kind: "expiring", point: guarded.name, fact: `it is the newest proven point and expires at ${instantText(guarded.untilAt)}; nothing newer is proven` }];
}

/**
 * The newest point that is proven but for its expiry, if it ends within the plan's margin and one more objective: by then a newer one should
 * have been proven, and this one is the last.
 */
export function aboutToExpire(register: Register, plan: Plan, nowAt: number): { readonly name: string; readonly untilAt: number } | null {
  const { expiryMarginSeconds } = plan.backups;
  const horizonAt = nowAt + (expiryMarginSeconds + plan.objectives.rpoSeconds) * 1_000;
  for (const { name } of newestFirst(candidatesOf(register))) {
    const point = register.points[name];
    if (point === undefined || !provenButExpiry(point, plan)) continue;
    const untilAt = livesUntil(point);
    // It is over, and may lie there still: one that was taken before may live longer, and is the last one then.
    if (untilAt !== null && untilAt <= nowAt) continue;
    return untilAt !== null && untilAt <= horizonAt ? { name, untilAt } : null;
  }
  return null;
}

/** A point near its expiry fails the level of that and no other. That nobody could sign its manifest, or check the signature, takes it nothing that looking proves. */
function provenButExpiry({ restorePoint: { open, completedAt, takenAt, reached }, proof }: RegisteredPoint, { backups: { provenFrom } }: Plan): boolean {
  if (completedAt === null || takenAt === null || reached === null || open.some(({ level, ok, trouble }) => !(level === "manifest" && ok === "unknown") && (level !== "L1" || trouble !== null))) return false;
  return provenFrom === "restored" || provenFrom === "asserted" ? proof !== null && atLeast(proof.rung, provenFrom) : atLeast(reached, open.some(({ level }) => level === "L1") ? "replicated" : provenFrom);
}
