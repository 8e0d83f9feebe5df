import type { Closed, Quieted } from "../../shared/domain/fence.ts";
import type { Verdict } from "../../shared/domain/health.ts";
import { agentWaitSeconds, cardText, predictRtoSeconds, spoken } from "../../shared/domain/decision.ts";
import { openFindings, told } from "../../shared/domain/findings.ts";
import { gateRecords } from "../../shared/domain/gate.ts";
import { darkByAgent } from "../../shared/domain/lease.ts";
import { emptyRegister, type Register } from "../../shared/domain/register.ts";
import { type Places, placesOf } from "../../shared/domain/replica.ts";
import { provingOf } from "./check-backups.ts";
import type { PointFound } from "./restore-points/records.ts";
import type { Choice } from "../../shared/domain/restore-point-choice.ts";
import type { RestorePoint } from "../../shared/domain/restore-point.ts";
import { WorldError } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { keepPoint } from "./chosen-point.ts";
import type { Duty, Work } from "./perform.ts";
import { leaseSeen } from "./lease-seen.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";
import { type BackupsVerified, verifyBackups } from "./restore-points/verify-backups.ts";

/** The decision card: what would be restored now, what that loses, how long it takes. Only looks. */
export const weighRestorePoints: Work<typeof steps.weighRestorePoints> = async (_, duty) => {
  const { world, plan, ledger, call } = duty;
  const verified = await newestUsable(duty);
  const { choice: found } = verified;
  if (found.kind === "nothing-restorable") return { kind: "nothing-restorable", passedOver: found.passedOver };
  const { point, passedOver } = found;
  const { lossSeconds, stillGrows } = lossOf(found, await darkSince(duty));
  // What it needs of the target is looked at before anything is fenced.
  await keep(duty, point, verified);
  const volumeBytes = point.volumes.reduce((sum, { bytes }) => sum + bytes, 0);
  const { run } = await ledger.head(call.ref.plan);
  const spentSeconds = run === null ? 0 : (world.clock.now() - run.openedAt) / 1_000;
  const predictedRtoSeconds = predictRtoSeconds(point.itemCount, volumeBytes, spentSeconds) + agentWaitSeconds(plan.fence, spentSeconds);
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
  const verified = await newestUsable(duty);
  const { choice: found } = verified;
  const open = openFindings(verified.register.findings).slice(0, findingsTold).map(told);
  const findings = open.length === 0 ? {} : { findings: open };
  if (found.kind === "nothing-restorable") return { kind: "nothing-restorable", passedOver: found.passedOver, ...findings };
  const { point, passedOver } = found;
  const { lossSeconds } = lossOf(found, await darkSince(duty));
  const { name } = point;
  await keep(duty, point, verified);
  const volumeBytes = point.volumes.reduce((sum, { bytes }) => sum + bytes, 0);
  return { kind: "chosen", point: { name, takenAt: point.takenAt ?? 0, expiresAt: point.expiresAt ?? 0, lossSeconds, items: point.itemCount, volumeBytes }, passedOver, ...findings };
};

/** Findings that go into the report; the rest is at the plan's restore points. */
const findingsTold = 12;

async function keep({ world, call }: Duty, { name, takenAt, volumes }: RestorePoint, { chosen, contents: known }: Found): Promise<void> {
  if (known !== null) {
    const { files: _files, ...content } = known;
    return keepPoint(world.home, call.ref, { ...content, name });
  }
  if (chosen?.tarball.kind !== "read" || chosen.files.metadata.kind !== "read") throw new Error(`${name} changed while it was being chosen`);
  const spec = (chosen.files.metadata.value.object["spec"] ?? {}) as Readonly<Record<string, unknown>>;
  await keepPoint(world.home, call.ref, { name, takenAt: takenAt ?? 0, contents: chosen.tarball.contents, volumes, spec });
}

interface Found extends BackupsVerified {
  /** What was found when the chosen point was read through, where its blobs are still what they were then. */
  readonly contents: PointFound["content"];
}

type Chosen = Extract<Choice, { kind: "chosen" }>;

/** What is lost at most: all that was written since the point was taken, up to when the primary went dark, or up to now where nobody knows that it did. */
function lossOf({ point, lossUpperBoundSeconds }: Chosen, darkSinceAt: number | null): { readonly lossSeconds: number; readonly stillGrows: boolean } {
  // A point that was taken later proves that the primary was not dark then.
  if (darkSinceAt === null || point.takenAt === null || point.takenAt >= darkSinceAt) return { lossSeconds: lossUpperBoundSeconds, stillGrows: true };
  return { lossSeconds: Math.min(lossUpperBoundSeconds, Math.ceil((darkSinceAt - point.takenAt) / 1_000)), stillGrows: false };
}

/** Since when the primary is dark, as this run confirmed it itself and its agent says; `null`: it did not, or the primary answered, or served, when it was fenced. */
async function darkSince({ ledger, call, plan: { fence }, world }: Duty): Promise<number | null> {
  const { plan, epoch } = call.ref;
  const [confirmed, quieted, closed, lease] = await Promise.all([
    ledger.entry({ plan, epoch, phase: "confirm", step: "confirm-loss", key: "" }, "outcome"),
    ledger.entry({ plan, epoch, ...gateRecords.quieted }, "outcome"),
    ledger.entry({ plan, epoch, ...gateRecords.closed }, "outcome"),
    fence.agent === undefined ? null : leaseSeen(world.home, plan),
  ]);
  const verdict = confirmed === null ? null : (confirmed.value as { readonly value: Verdict }).value;
  const end = closed?.value as Closed | undefined;
  const cameBack = (quieted !== null && (quieted.value as Quieted).kind !== "unreachable") || (end?.kind === "closed" && end.backAgain === true);
  return verdict?.kind === "lost" && !cameBack ? darkByAgent(verdict.agreedSince, lease?.lease ?? null) : null;
}

/**
 * The register says which points are proven; the replica's names and ETags say whether they still are what they were then. One that is needs no
 * reading. What was found is worth keeping whatever becomes of the run, and not worth ending it. The lost region is not asked: it must not
 * be waited for.
 */
async function newestUsable(duty: Duty): Promise<Found> {
  const { world, plan, call } = duty;
  // What a recovery in place reads is not the replica, of which the register speaks.
  const isReplica = call.ref.kind === "failover";
  const verified = await looked(duty, isReplica);
  if (!isReplica) return verified;
  try {
    const { register } = await mergeIntoRegister(world.home, plan, verified.register, world.clock.now());
    return { ...verified, register };
  } catch (error) {
    duty.log("register.not-written", { run: call.ref.runId, because: error instanceof Error ? error.message : String(error) });
  }
  return verified;
}

async function looked(duty: Duty, byRegister: boolean): Promise<Found> {
  const { world, plan } = duty;
  const options = { by: "run", untilChosen: true, askSource: false, places: placesFor(duty) } as const;
  const register = await registerOrNone(duty);
  const proof = provingOf(world, plan);
  const verified = await verifyBackups(world, plan, register, { ...options, ...(byRegister ? { proof } : {}) });
  const { choice, carried } = verified;
  if (choice.kind !== "chosen" || !carried.has(choice.point.name)) return { ...verified, contents: null };
  const found = await proof.records.found(choice.point.name);
  // Too large to be kept, or not there any more: then it is read once again, and whatever is taken instead is held against its manifest all the same.
  if (found === null || found.content === null) return { ...(await verifyBackups(world, plan, register, { ...options, proof, reread: true })), contents: null };
  return { ...verified, contents: found.content, choice: { ...choice, point: { ...choice.point, volumes: found.content.volumes } } };
}

/** A register that cannot be made out is none: then everything is read, and manifests prove what they prove. Home that does not answer is thrown on. */
async function registerOrNone({ world, plan, call, log }: Duty): Promise<Register> {
  try {
    return await readRegister(world.home, plan.plan);
  } catch (error) {
    if (error instanceof WorldError) throw error;
    log("register.unreadable", { run: call.ref.runId, because: error instanceof Error ? error.message : String(error) });
    return emptyRegister;
  }
}

/** Backups that are read where they were written have arrived by definition. */
const placesFor = ({ plan, target }: Duty): Places => ({ ...placesOf(plan), replica: target.backups, source: target.source ?? "itself" });
