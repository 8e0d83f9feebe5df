import { cardText, predictRtoSeconds, spoken } from "../../shared/domain/decision.ts";
import { type Places, placesOf } from "../../shared/domain/replica.ts";
import type { RestorePoint } from "../../shared/domain/restore-point.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { keepPoint } from "./chosen-point.ts";
import type { Duty, Work } from "./perform.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";
import { type BackupsVerified, verifyBackups } from "./restore-points/verify-backups.ts";

/** The decision card: what would be restored now, what that loses, how long it takes. Only looks. */
export const weighRestorePoints: Work<typeof steps.weighRestorePoints> = async (_, duty) => {
  const { world, plan, ledger, call } = duty;
  const { choice: found, chosen } = await newestUsable(duty);
  if (found.kind === "nothing-restorable") return { kind: "nothing-restorable", passedOver: found.passedOver };
  const { point, passedOver, lossUpperBoundSeconds: lossSeconds } = found;
  // What it needs of the target is looked at before anything is fenced.
  await keep(duty, point, chosen);
  const volumeBytes = point.volumes.reduce((sum, { bytes }) => sum + bytes, 0);
  const { run } = await ledger.head(call.ref.plan);
  const spentSeconds = run === null ? 0 : (world.clock.now() - run.openedAt) / 1_000;
  const predictedRtoSeconds = predictRtoSeconds(point.itemCount, volumeBytes, spentSeconds);
  const { rpoSeconds, rtoSeconds } = plan.objectives;
  const card = {
    restorePoint: point.name,
    takenAt: point.takenAt ?? 0,
    lossSeconds,
    withinRpo: lossSeconds <= rpoSeconds,
    items: point.itemCount,
    volumeBytes,
    predictedRtoSeconds,
    withinRto: predictedRtoSeconds <= rtoSeconds,
    passedOver,
    waitingCosts: `Each second of waiting is a second of outage more; the plan allows ${spoken(rtoSeconds)}.`,
  };
  return { kind: "weighed", card, text: cardText(card) };
};

/** Takes the newest point that is whole and proven, and keeps at home what the rest of the run needs to know of it. */
export const chooseRestorePoint: Work<typeof steps.chooseRestorePoint> = async (_, duty) => {
  const { choice: found, chosen } = await newestUsable(duty);
  if (found.kind === "nothing-restorable") return { kind: "nothing-restorable", passedOver: found.passedOver };
  const { point, passedOver, lossUpperBoundSeconds: lossSeconds } = found;
  const { name } = point;
  await keep(duty, point, chosen);
  const volumeBytes = point.volumes.reduce((sum, { bytes }) => sum + bytes, 0);
  return { kind: "chosen", point: { name, takenAt: point.takenAt ?? 0, expiresAt: point.expiresAt ?? 0, lossSeconds, items: point.itemCount, volumeBytes }, passedOver };
};

async function keep({ world, call }: Duty, { name, takenAt, volumes }: RestorePoint, chosen: BackupsVerified["chosen"]): Promise<void> {
  if (chosen?.tarball.kind !== "read" || chosen.files.metadata.kind !== "read") throw new Error(`${name} changed while it was being chosen`);
  const spec = (chosen.files.metadata.value.object["spec"] ?? {}) as Readonly<Record<string, unknown>>;
  await keepPoint(world.home, call.ref, { name, takenAt: takenAt ?? 0, contents: chosen.tarball.contents, volumes, spec });
}

/** What was found is worth keeping whatever becomes of the run. The lost region is not asked: it must not be waited for. */
async function newestUsable(duty: Duty): Promise<BackupsVerified> {
  const { world, plan, call } = duty;
  const verified = await verifyBackups(world, plan, await readRegister(world.home, plan.plan), { by: "run", untilChosen: true, askSource: false, places: placesFor(duty) });
  if (call.ref.kind === "failover") await mergeIntoRegister(world.home, plan.plan, verified.register);
  return verified;
}

/** Backups that are read where they were written have arrived by definition. */
const placesFor = ({ plan, target }: Duty): Places => ({ ...placesOf(plan), replica: target.backups, source: target.source ?? "itself" });
