import { instantText } from "../../shared/domain/instant.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { emptyRegister, withExtension } from "../../shared/domain/register.ts";
import { aboutToExpire } from "../../shared/domain/standing.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { type KubeObject, WorldError } from "../../shared/ports.ts";
import { tell } from "./check-backups.ts";
import type { Duty, Work } from "./perform.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";

/**
 * Keeps the last proven point from expiring, where the plan allows it: Velero deletes a backup by the expiration of its Backup object in the
 * primary, so that is moved, and read back. Run again, it finds nothing due. Where the plan does not, the finding alone stands.
 */
export const guardRetention: Work<typeof steps.guardRetention> = async (_, duty) => {
  const { world, plan } = duty;
  const register = await readRegister(world.home, plan.plan);
  const due = aboutToExpire(register, plan, world.clock.now());
  if (due === null) return { kind: "nothing-due" };
  const { extendExpirySeconds } = plan.backups;
  const left = (why: string) => ({ kind: "left", point: due.name, why }) as const;
  if (extendExpirySeconds === undefined) return left("the plan has no backups.extendExpirySeconds");
  const untilAt = Math.ceil((due.untilAt + extendExpirySeconds * 1_000) / 1_000) * 1_000;
  const whyNot = await moveExpiration(duty, due.name, untilAt);
  if (whyNot !== null) return left(whyNot);
  const at = world.clock.now();
  const known = withExtension({ ...emptyRegister, points: register.points }, due.name, untilAt);
  tell(duty, (await mergeIntoRegister(world.home, plan, known, at)).changed);
  duty.log("retention.extended", { plan: plan.plan, point: due.name, until: instantText(untilAt) });
  return { kind: "extended", point: due.name, untilAt };
};

/** Why the expiration could not be moved; `null`: it was, or stands later already. */
async function moveExpiration({ world, plan }: Duty, name: string, untilAt: number): Promise<string | null> {
  const { cluster: id, veleroNamespace } = plan.primary;
  try {
    const cluster = await world.clusters.of(id);
    const before = await cluster.get(kinds.backups, veleroNamespace, name);
    if (before === null) return `${plan.primary.name} has no Backup ${name}`;
    if (expirationOf(before) >= untilAt) return null;
    // Whole seconds, as Velero writes them.
    await cluster.patch(kinds.backups, veleroNamespace, name, { status: { expiration: new Date(untilAt).toISOString().replace(/\.\d+Z$/, "Z") } });
    const after = await cluster.get(kinds.backups, veleroNamespace, name);
    return after !== null && expirationOf(after) >= untilAt ? null : `the expiration of Backup ${name} reads back as it was`;
  } catch (error) {
    if (error instanceof WorldError) return `the primary's cluster could not be asked: ${error.message}`;
    throw error;
  }
}

function expirationOf(backup: KubeObject): number {
  const { expiration = "" } = (backup["status"] ?? {}) as { readonly expiration?: string };
  return Date.parse(expiration) || 0;
}
