import type { Quieted } from "../../shared/domain/fence.ts";
import type { Verdict } from "../../shared/domain/health.ts";
import { cardText, predictRtoSeconds, spoken } from "../../shared/domain/decision.ts";
import { type Places, placesOf } from "../../shared/domain/replica.ts";
import type { Choice } from "../../shared/domain/restore-point-choice.ts";
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
  const { point, passedOver } = found;
  const { lossSeconds, stillGrows } = lossOf(found, await darkSince(duty));
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
    waitingCosts: `Each second of waiting is a second of outage more, ${stillGrows ? "and may be one of loss more" : "and nothing more is lost while the primary stays dark"}; the plan allows ${spoken(rtoSeconds)}.`,
  };
  return { kind: "weighed", card, text: cardText(card) };
};

/** Takes the newest point that is whole and proven, and keeps at home what the rest of the run needs to know of it. */
export const chooseRestorePoint: Work<typeof steps.chooseRestorePoint> = async (_, duty) => {
  const { choice: found, chosen } = await newestUsable(duty);
  if (found.kind === "nothing-restorable") return { kind: "nothing-restorable", passedOver: found.passedOver };
  const { point, passedOver } = found;
  const { lossSeconds } = lossOf(found, await darkSince(duty));
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

type Chosen = Extract<Choice, { kind: "chosen" }>;

/** What is lost at most: all that was written since the point was taken, up to when the primary went dark, or up to now where nobody knows that it did. */
function lossOf({ point, lossUpperBoundSeconds }: Chosen, darkSinceAt: number | null): { readonly lossSeconds: number; readonly stillGrows: boolean } {
  // A point that was taken later proves that the primary was not dark then.
  if (darkSinceAt === null || point.takenAt === null || point.takenAt >= darkSinceAt) return { lossSeconds: lossUpperBoundSeconds, stillGrows: true };
  return { lossSeconds: Math.min(lossUpperBoundSeconds, Math.ceil((darkSinceAt - point.takenAt) / 1_000)), stillGrows: false };
}

/** Since when the primary is dark, as this run confirmed it itself; `null`: it did not, or the primary's cluster answered when it was fenced. */
async function darkSince({ ledger, call }: Duty): Promise<number | null> {
  const { plan, epoch } = call.ref;
  const [confirmed, quieted] = await Promise.all([
    ledger.entry({ plan, epoch, phase: "confirm", step: "confirm-loss", key: "" }, "outcome"),
    ledger.entry({ plan, epoch, phase: "fence", step: "quiet-primary", key: "" }, "outcome"),
  ]);
  const verdict = confirmed === null ? null : (confirmed.value as { readonly value: Verdict }).value;
  const cameBack = quieted !== null && (quieted.value as Quieted).kind !== "unreachable";
  return verdict?.kind === "lost" && !cameBack ? verdict.agreedSince : null;
}

/** What was found is worth keeping whatever becomes of the run, and not worth ending it. The lost region is not asked: it must not be waited for. */
async function newestUsable(duty: Duty): Promise<BackupsVerified> {
  const { world, plan, call } = duty;
  const verified = await verifyBackups(world, plan, await readRegister(world.home, plan.plan), { by: "run", untilChosen: true, askSource: false, places: placesFor(duty) });
  if (call.ref.kind !== "failover") return verified;
  try {
    await mergeIntoRegister(world.home, plan, verified.register, world.clock.now());
  } catch (error) {
    duty.log("register.not-written", { run: call.ref.runId, because: error instanceof Error ? error.message : String(error) });
  }
  return verified;
}

/** Backups that are read where they were written have arrived by definition. */
const placesFor = ({ plan, target }: Duty): Places => ({ ...placesOf(plan), replica: target.backups, source: target.source ?? "itself" });
