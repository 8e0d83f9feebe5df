/** What is due by the clock: the verification of all backups, and a look for runs that stand still. */
import * as df from "durable-functions";
import type { Config } from "../../shared/config.ts";
import type { World } from "../../shared/ports.ts";
import { openLedger } from "../ledger.ts";
import { plansAt } from "../runs.ts";
import { startInstance, startVerification } from "../start.ts";

/** Starts one verification for each plan. */
export function verificationDue(world: World, { schedules }: Config): void {
  df.app.client.timer("verification-due", {
    schedule: schedules.verification,
    handler: async (_timer, client, context) => {
      const { plans, unreadable } = await plansAt(world.home);
      for (const { file, problems } of unreadable) context.warn("plan.invalid", { file, problems: problems.length });
      await Promise.all(plans.map(({ plan }) => startVerification(client, plan.plan)));
    },
  });
}

/** An open run without an instance was opened by a door that died before it could start one: start it now. */
export function watchdogDue(world: World, { schedules }: Config): void {
  df.app.client.timer("watchdog-due", {
    schedule: schedules.watchdog,
    handler: async (_timer, client, context) => {
      const { plans } = await plansAt(world.home);
      const ledger = openLedger(world.home);
      await Promise.all(
        plans.map(async ({ plan }) => {
          const { run } = await ledger.head(plan.plan);
          if (run === null) return;
          context.log("run.open", { run: run.id, since: new Date(run.openedAt).toISOString() });
          await startInstance(world, client, plan.plan, run);
        }),
      );
    },
  });
}
