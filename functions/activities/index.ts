/** The table of steps: a name in the catalogue, a work here. Leaving one out, or giving it the wrong types, does not compile. */
import * as df from "durable-functions";
import type { Step, StepCall } from "../../orchestrations/step.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { World } from "../../shared/ports.ts";
import { checkAllBackups, checkBackup } from "./check-backups.ts";
import { chooseRestorePoint } from "./choose.ts";
import { weighPointsAndTarget } from "./decision-card.ts";
import { confirmGone } from "./confirm-gone.ts";
import { confirmLoss, stillLost } from "./confirm-loss.ts";
import { guardRetention } from "./guard-retention.ts";
import { holdAgainstSecondary } from "./hold-against-secondary.ts";
import { learnClusters } from "./learn-clusters.ts";
import { agentClosed, agentOpened, askAgent, releaseAgent } from "./lease-agent.ts";
import { closePrimary, quietPrimary, reopenPrimary, wakePrimary } from "./fence-primary.ts";
import { alignView, checkTarget, repositoriesReady, storageLocationReady, veleroAlive } from "./make-ready.ts";
import { openSecondary, seenFromOutside } from "./open-secondary.ts";
import { firstBackupCompleted, startBackups } from "./own-backups.ts";
import { perform, type Work } from "./perform.ts";
import { closeRun, putQuestion, readPoints, turnPhase } from "./phases.ts";
import { deletePolicy, passDataPoint, readPolicy, storeTakesWrites } from "./promote.ts";
import { report } from "./report.ts";
import { releaseConsumers, restoreEnded, startRestore } from "./restore.ts";
import { assessTarget, targetWarm, warmTarget } from "./target.ts";
import { verifyApplications } from "./verify.ts";

const works: { readonly [K in keyof typeof steps]: Work<(typeof steps)[K]> } = {
  turnPhase,
  putQuestion,
  readPoints,
  confirmLoss,
  confirmGone,
  stillLost,
  assessTarget,
  warmTarget,
  targetWarm,
  weighRestorePoints: weighPointsAndTarget,
  closePrimary,
  quietPrimary,
  reopenPrimary,
  wakePrimary,
  askAgent,
  agentClosed,
  releaseAgent,
  agentOpened,
  chooseRestorePoint,
  readPolicy,
  passDataPoint,
  deletePolicy,
  storeTakesWrites,
  veleroAlive,
  storageLocationReady,
  alignView,
  repositoriesReady,
  checkTarget,
  startRestore,
  restoreEnded,
  verifyApplications,
  openSecondary,
  seenFromOutside,
  releaseConsumers,
  startBackups,
  firstBackupCompleted,
  report,
  closeRun,
  checkAllBackups,
  checkBackup,
  holdAgainstSecondary,
  guardRetention,
  learnClusters,
};

/** Registers every step as an activity of its name. */
export function registerActivities(world: World): void {
  for (const [key, step] of Object.entries(steps)) {
    // The table above holds name and work together, key by key; a loop over it cannot say so.
    const work = works[key as keyof typeof steps] as Work<Step<unknown, unknown>>;
    df.app.activity(step.name, { handler: (call: StepCall, context) => perform(step as Step<unknown, unknown>, work, call, world, (event, fields) => context.log(event, fields)) });
  }
}
