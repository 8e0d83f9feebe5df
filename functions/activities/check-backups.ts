import { createHash } from "node:crypto";
import { canonicalJson } from "../../shared/domain/canonical-json.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { emptyRegister, type Register } from "../../shared/domain/register.ts";
import { verificationIsDue } from "../../shared/domain/standing.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { World } from "../../shared/ports.ts";
import type { Duty, Work } from "./perform.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";
import { checkBackup as check, type Proving } from "./restore-points/check-backup.ts";
import { openRecords } from "./restore-points/records.ts";
import { verifyBackups } from "./restore-points/verify-backups.ts";

/**
 * Every backup of the plan, held against both containers. What was found goes into the register; nothing else changes. A store that cannot be
 * looked at is a finding. Where another host has done what was due at `dueAt`, since this one was asked, it is not done again.
 */
export const checkAllBackups: Work<typeof steps.checkAllBackups> = async ({ dueAt }, duty) => {
  const { world, plan } = duty;
  try {
    const register = await readRegister(world.home, plan.plan);
    if (dueAt !== undefined && register.look?.why === null && !verificationIsDue(register, plan, dueAt)) return { checked: 0, usable: 0, ...(isFollowed(register) ? { already: true as const } : {}) };
    const verified = await verifyBackups(world, plan, register, { by: "timer", proof: provingOf(world, plan) });
    const { changed } = await mergeIntoRegister(world.home, plan, { ...verified.register, look: { at: verified.checkedAt, why: null } }, world.clock.now());
    tell(duty, changed);
    return { checked: verified.points.length, usable: verified.points.filter(({ usable }) => usable.kind === "usable").length };
  } catch (error) {
    const at = world.clock.now();
    const why = error instanceof Error ? error.message : String(error);
    tell(duty, (await mergeIntoRegister(world.home, plan, { ...emptyRegister, look: { at, why } }, at)).changed);
    throw error;
  }
};

/** Whoever looked at the backups has looked at the secondary since. Ended in between, what follows from the look is still to be done. */
const isFollowed = ({ look, secondary }: Register): boolean => look !== null && secondary !== null && secondary.at >= look.at;

/** One new backup: done when it has arrived whole or cannot any more; recorded at every look, so that the last one stands. */
export const checkBackup: Work<typeof steps.checkBackup> = async ({ backup }, duty) => {
  const { world, plan } = duty;
  const checked = await check(world, plan, backup, await readRegister(world.home, plan.plan), { by: "blob", proof: provingOf(world, plan) });
  tell(duty, (await mergeIntoRegister(world.home, plan, checked.register, world.clock.now())).changed);
  const { verdict } = checked;
  if (verdict.kind === "unknown") return { kind: "not-yet", about: verdict.why };
  if (verdict.kind === "pending") return { kind: "not-yet", about: `${verdict.arrived} of ${verdict.of} blobs have arrived` };
  return { kind: "done", value: { state: verdict.kind } };
};

/** Under which name a plan's version is known, and where its manifests lie. */
export const provingOf = ({ home, seal }: Pick<World, "home" | "seal">, plan: Plan): Proving => ({
  records: openRecords(home, plan.plan, seal ?? null),
  planHash: createHash("sha256").update(canonicalJson(plan)).digest("hex"),
});

/** Each opening and each closing is one line of the log. */
export function tell({ plan, log }: Pick<Duty, "plan" | "log">, changed: Awaited<ReturnType<typeof mergeIntoRegister>>["changed"]): void {
  for (const { kind, point, fact, closedAt } of changed) log(closedAt === null ? "finding.opened" : "finding.closed", { plan: plan.plan, kind, point, fact });
}
