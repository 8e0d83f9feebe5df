/**
 * POST /api/alerts: an alert comes in, at most one failover goes out. Action groups try again on 408, 429, 503 and 504 and on nothing
 * else, then stay silent for a quarter of an hour: so 2xx as soon as the ledger holds it, 503 when it cannot, never 500.
 */
import { app } from "@azure/functions";
import * as df from "durable-functions";
import { readAlert } from "../../shared/domain/alert.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { World } from "../../shared/ports.ts";
import { answer, notNow, problem, readJson } from "../answers.ts";
import { coalesced } from "../coalesce.ts";
import { openIntake } from "../intake.ts";
import { sha256 } from "../ledger.ts";
import { plansAt } from "../runs.ts";

export function alertReceived(world: World): void {
  const intake = openIntake(world);
  const plansNow = coalesced(() => plansAt(world.home));
  app.http("alert-received", {
    route: "alerts",
    methods: ["POST"],
    authLevel: "function",
    extraInputs: [df.input.durableClient()],
    handler: async (request, context) => {
      // Made by the one of a storm that starts the run: the others need none.
      const client = () => df.getClient(context);
      try {
        const body = await readJson(request);
        if (body.kind === "unreadable") return body.response;
        const { plans } = await plansNow();
        const alert = readAlert(body.value, plans.map(({ plan }) => plan));
        switch (alert.kind) {
          case "unreadable":
            return problem(400, "not an alert", "the body does not follow the common alert schema", { problems: alert.problems });
          case "foreign":
            // Counted, so that a rule which was wired wrongly shows up; by content, so that copies count once.
            await world.home.create(`alerts/foreign/${sha256(JSON.stringify(body.value))}.json`, JSON.stringify({ why: alert.why, at: world.clock.now() }));
            context.log("alert.foreign", { why: alert.why });
            return answer(202, { ignored: alert.why });
          case "ours": {
            const names = new Set([alert.plan, ...alert.alsoPlans].map(({ plan }) => plan));
            const concerned = plans.filter(({ plan }) => names.has(plan.plan));
            const answers = await Promise.all(
              concerned.map(async (about) => {
                const taken = await intake.take(client, about, { alertId: alertOf(alert.alertId, about.plan), condition: alert.condition, rule: alert.rule, reason: alert.because });
                context.log("alert.answered", { plan: about.plan.plan, ...taken });
                return { plan: about.plan.plan, ...taken };
              }),
            );
            if (alert.condition === "resolved") return answer(202, { ignored: "resolved: a run that is under way looks for itself, and nothing is started for it any more" });
            return answer(202, { runs: answers });
          }
        }
      } catch (error) {
        context.error("alert.not-taken", { why: error instanceof Error ? error.message : String(error) });
        return notNow(error);
      }
    },
  });
}

/** One alert may be about several plans; each answers it by itself. */
const alertOf = (alertId: string, { plan }: Plan): string => `${alertId}/${plan}`;
