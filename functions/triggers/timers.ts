/** What is due by the clock: the verification of all backups, and a look for runs that stand still. */
import * as df from "durable-functions";
import type { Config } from "../../shared/config.ts";
import type { World } from "../../shared/ports.ts";
import { stalledSince } from "../../shared/domain/stalled.ts";
import { verificationIsDue } from "../../shared/domain/standing.ts";
import { readRegister } from "../activities/register.ts";
import { openLedger } from "../ledger.ts";
import { plansAt } from "../runs.ts";
import { startInstance, startPending, startVerification } from "../start.ts";

/** Starts one verification for each plan that is due: one host or two, and however many ticks were missed. */
export function verificationDue(world: World, { schedules }: Config): void {
  df.app.client.timer("verification-due", {
    schedule: schedules.verification,
    handler: async (_timer, client, context) => {
      const { plans, unreadable } = await plansAt(world.home);
      for (const { file, problems } of unreadable) context.warn("plan.invalid", { file, problems: problems.length });
      await Promise.all(
        plans.map(async ({ plan }) => {
          // One plan whose register cannot be read keeps no other from being verified.
          const dueAt = world.clock.now();
          const due = await readRegister(world.home, plan.plan).then((register) => verificationIsDue(register, plan, dueAt), () => true);
          if (due) await startVerification(client, plan.plan, dueAt);
        }),
      );
    },
  });
}

/** What stands still: an open run whose door died before it could start an instance, and an alert that came when nothing could be started. */
export function watchdogDue(world: World, { schedules }: Config): void {
  df.app.client.timer("watchdog-due", {
    schedule: schedules.watchdog,
    handler: async (_timer, client, context) => {
      const { plans } = await plansAt(world.home);
      const ledger = openLedger(world.home);
      await Promise.all(
        plans.map(async ({ plan, hash }) => {
          const head = await ledger.head(plan.plan);
          const { run } = head;
          if (run === null) {
            const opened = await startPending(world, client, plan, hash, head);
            if (opened !== null) context.log("alert.answered", { plan: plan.plan, ...opened });
            return;
          }
          context.log("run.open", { run: run.id, since: new Date(run.openedAt).toISOString() });
          const stalledAt = stalledSince(run, plan, world.clock.now());
          if (stalledAt !== null) context.error("run.stalled", { run: run.id, phase: run.phases.at(-1)?.phase, since: new Date(stalledAt).toISOString(), next: `look at the instance ${run.id}; take the run over when it hangs: POST /api/runs/${run.id}/takeover` });
          await startInstance(world, client, plan.plan, run);
        }),
      );
      context.debug("watchdog.looked", { plans: plans.length });
    },
  });
}
