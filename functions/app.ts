/** The wiring on one page. Nothing registers itself by being imported. */
import { checkReplication, verifyBackups } from "../orchestrations/verify-backups.ts";
import { failover } from "../orchestrations/failover.ts";
import { makeReady } from "../orchestrations/make-ready.ts";
import { promote } from "../orchestrations/promote.ts";
import { recover } from "../orchestrations/recover.ts";
import { release } from "../orchestrations/release.ts";
import { closeAbandoned, reported } from "../orchestrations/reported.ts";
import { restoreApplication } from "../orchestrations/restore-application.ts";
import { registerRunbooks } from "../orchestrations/runbook.ts";
import type { Config } from "../shared/config.ts";
import type { World } from "../shared/ports.ts";
import { registerActivities } from "./activities/index.ts";
import { openDoorkeeper } from "./people.ts";
import { alertReceived } from "./triggers/alert-received.ts";
import { backupArrived } from "./triggers/backup-arrived.ts";
import { decisionGiven } from "./triggers/decision-given.ts";
import { failoverRequested } from "./triggers/failover-requested.ts";
import { plansAsked } from "./triggers/plans-asked.ts";
import { restorePointsAsked } from "./triggers/restore-points-asked.ts";
import { runsAsked } from "./triggers/runs-asked.ts";
import { takeoverAsked } from "./triggers/takeover-asked.ts";
import { verificationDue, watchdogDue } from "./triggers/timers.ts";

export function registerApp(config: Config, world: World): void {
  registerActivities(world);
  registerRunbooks([reported(failover), reported(recover), closeAbandoned, promote, makeReady, restoreApplication, release, verifyBackups, checkReplication]);

  const admit = openDoorkeeper(config);
  alertReceived(world);
  failoverRequested(world, admit);
  decisionGiven(world, admit);
  takeoverAsked(world, admit);
  runsAsked(world, admit);
  plansAsked(world, admit);
  restorePointsAsked(world, admit);
  verificationDue(world, config);
  watchdogDue(world, config);
  for (const source of config.backupSources) backupArrived(world, source);
}
