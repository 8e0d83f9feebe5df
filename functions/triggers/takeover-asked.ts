/** POST /api/runs/{runId}/takeover: a person opens the next run over one that hangs. The run is named twice and the epoch once. */
import * as df from "durable-functions";
import { z } from "zod";
import type { World } from "../../shared/ports.ts";
import { answer, door, problem } from "../answers.ts";
import { readEpoch } from "../if-match.ts";
import type { Doorkeeper } from "../people.ts";
import { readPersonBody, reason } from "../person-body.ts";
import { planOfRun } from "../../shared/domain/run-id.ts";
import { plansAt } from "../runs.ts";
import { takeOver } from "../take-over.ts";
import { linkTo } from "./failover-requested.ts";

const asked = z.strictObject({ confirm: z.string().describe("the id of the run once more"), reason });

export function takeoverAsked(world: World, admit: Doorkeeper): void {
  df.app.client.http("takeover-asked", {
    route: "runs/{runId}/takeover",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const admitted = await admit(request, "start-failover");
      if (admitted.kind === "refused") return admitted.response;
      const body = await readPersonBody(request, asked, "not a takeover");
      if (body.kind === "unreadable") return body.response;
      const runId = request.params["runId"] ?? "";
      if (body.value.confirm !== runId) return problem(412, "not confirmed", `\`confirm\` must repeat the id of the run: ${runId}`);
      const seen = readEpoch(request.headers.get("if-match"));
      if (seen.kind === "unreadable") return seen.response;
      const found = (await plansAt(world.home)).plans.find(({ plan }) => plan.plan === planOfRun(runId));
      if (!found) return problem(404, "no such open run", `${runId} is not open`);
      const { person } = admitted;
      const made = await takeOver(world, client, found, { runId, ifEpoch: seen.epoch, by: person.name, byId: person.id, reason: body.value.reason });
      if (made.kind === "opened") return answer(202, { runId: made.runId, tookOver: runId, link: linkTo(made.runId) }, { location: linkTo(made.runId) });
      if (made.why === "stale-epoch") return problem(412, "somebody was here before you", `the ledger has moved on (epoch ${made.epoch}): look again, then decide again`, { epoch: made.epoch });
      return problem(404, "no such open run", `${runId} is not open`);
    }),
  });
}
