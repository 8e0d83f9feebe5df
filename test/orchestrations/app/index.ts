/** The runbooks as the app registers them, over the activities that the test file of this process collected (see `../stage.ts`). */
import * as df from "durable-functions";
import { failover } from "../../../orchestrations/failover.ts";
import { makeReady } from "../../../orchestrations/make-ready.ts";
import { promote } from "../../../orchestrations/promote.ts";
import { recover } from "../../../orchestrations/recover.ts";
import { release } from "../../../orchestrations/release.ts";
import { reported } from "../../../orchestrations/reported.ts";
import { restoreApplication } from "../../../orchestrations/restore-application.ts";
import { registerRunbooks } from "../../../orchestrations/runbook.ts";
import { checkReplication, verifyBackups } from "../../../orchestrations/verify-backups.ts";
import type { Collected } from "../../durable/stage.ts";
import { trials } from "../trials.ts";

const { activities } = (globalThis as unknown as { collected: Collected }).collected;
for (const [name, handler] of activities) df.app.activity(name, { handler });
registerRunbooks([reported(failover), reported(recover), promote, makeReady, restoreApplication, release, verifyBackups, checkReplication, ...trials]);
