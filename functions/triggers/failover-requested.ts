/** POST /api/runs: a person starts a failover, or the recovery of an application in place. The plan is named twice and the epoch once, so that nobody starts what they did not mean. */
import * as df from "durable-functions";
import { z } from "zod";
import type { World } from "../../shared/ports.ts";
import { answer, door, problem } from "../answers.ts";
import { readEpoch } from "../if-match.ts";
import { type Doorkeeper, notAllowed } from "../people.ts";
import { readPersonBody, reason } from "../person-body.ts";
import { plansAt } from "../runs.ts";
import { start } from "../start.ts";

const asked = z.strictObject({
  plan: z.string().min(1).max(40).describe("the name of the plan"),
  kind: z.enum(["failover", "recovery"]).default("failover"),
  confirm: z.string().describe("the name of the plan once more"),
  reason,
  applications: z.array(z.string().min(1).max(40)).max(50).default([]),
});

export function failoverRequested(world: World, admit: Doorkeeper): void {
  df.app.client.http("failover-requested", {
    route: "runs",
    methods: ["POST"],
    authLevel: "anonymous", // people bring tokens, not keys: `admit` checks them
    handler: door(async (request, client) => {
      const admitted = await admit(request, "start-failover", "start-recovery");
      if (admitted.kind === "refused") return admitted.response;
      const body = await readPersonBody(request, asked, "not a request for a run");
      if (body.kind === "unreadable") return body.response;
      const { plan: name, kind, confirm, reason: because, applications } = body.value;
      const refused = notAllowed(admitted.person, kind === "failover" ? "start-failover" : "start-recovery");
      if (refused !== null) return refused;

      const found = (await plansAt(world.home)).plans.find(({ plan }) => plan.plan === name);
      if (!found) return problem(404, "no such plan", `there is no valid plan ${name}: GET /api/plans lists them`);
      if (confirm !== name) return problem(412, "not confirmed", `\`confirm\` must repeat the name of the plan: ${name}`);
      const seen = readEpoch(request.headers.get("if-match"));
      if (seen.kind === "unreadable") return seen.response;
      if (kind === "failover" && applications.length > 0) return problem(400, "a failover takes all", "leave `applications` out: only a recovery in place is for single ones");
      const unknown = applications.filter((application) => !found.plan.applications.some((known) => known.name === application));
      if (unknown.length > 0) return problem(400, "no such application", `plan ${name} has no ${unknown.join(", ")}`);

      const opened = await start(world, client, found.plan, found.hash, { kind, door: "http", by: admitted.person.name, byId: admitted.person.id, reason: because, alertId: null, applications }, seen.epoch);
      if (!("why" in opened)) return answer(202, { runId: opened.runId, link: linkTo(opened.runId) }, { location: linkTo(opened.runId) });
      switch (opened.why) {
        case "stale-epoch":
          return problem(412, "somebody was here before you", `plan ${name} is at epoch ${opened.epoch} now: look again, then decide again`, { epoch: opened.epoch });
        case "already-moved":
          return problem(409, "already in the other region", `plan ${name} was moved by ${opened.runId ?? "an earlier run"}; reprotect it before it can fail over again`);
        default:
          return problem(409, "a run is under way", `${opened.runId ?? "another run"} holds plan ${name}`, { runId: opened.runId, ...(opened.runId === null ? {} : { link: linkTo(opened.runId) }) });
      }
    }),
  });
}

export const linkTo = (runId: string): string => `/api/runs/${runId}`;
