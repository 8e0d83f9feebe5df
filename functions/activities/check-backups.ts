import type { steps } from "../../orchestrations/steps.ts";
import type { Work } from "./perform.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";
import { checkBackup as check } from "./restore-points/check-backup.ts";
import { verifyBackups } from "./restore-points/verify-backups.ts";

/** Every backup of the plan, held against both containers. What was found goes into the register; nothing else changes. */
export const checkAllBackups: Work<typeof steps.checkAllBackups> = async (_, { world, plan }) => {
  const verified = await verifyBackups(world, plan, await readRegister(world.home, plan.plan), { by: "timer" });
  await mergeIntoRegister(world.home, plan.plan, verified.register);
  return { checked: verified.points.length, usable: verified.points.filter(({ usable }) => usable.kind === "usable").length };
};

/** One new backup: done when it has arrived whole or cannot any more; recorded at every look, so that the last one stands. */
export const checkBackup: Work<typeof steps.checkBackup> = async ({ backup }, { world, plan }) => {
  const checked = await check(world, plan, backup, await readRegister(world.home, plan.plan), { by: "blob" });
  await mergeIntoRegister(world.home, plan.plan, checked.register);
  const { verdict } = checked;
  if (verdict.kind === "unknown") return { kind: "not-yet", about: verdict.why };
  if (verdict.kind === "pending") return { kind: "not-yet", about: `${verdict.arrived} of ${verdict.of} blobs have arrived` };
  return { kind: "done", value: { state: verdict.kind } };
};
