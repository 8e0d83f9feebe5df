/** POST /api/runs/{runId}/decisions and /abort: what a person says goes into the ledger first; then the bell is rung. */
import type { HttpResponseInit } from "@azure/functions";
import * as df from "durable-functions";
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import { askInstance, bell } from "../../orchestrations/runbook.ts";
import { abort, decide, type Head, type Refusal } from "../../shared/domain/ledger.ts";
import type { World } from "../../shared/ports.ts";
import { answer, door, problem } from "../answers.ts";
import { type DecisionBody, decisionBody } from "../decision-body.ts";
import { openLedger } from "../ledger.ts";
import { followNewest } from "../ledger-follow.ts";
import { type Doorkeeper, notAllowed } from "../people.ts";
import { readPersonBody, reason } from "../person-body.ts";
import { planOfRun } from "../../shared/domain/run-id.ts";

const aborting = z.strictObject({ reason });

export function decisionGiven(world: World, admit: Doorkeeper): void {
  df.app.client.http("decision-given", {
    route: "runs/{runId}/decisions",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const admitted = await admit(request, "approve", "decline");
      if (admitted.kind === "refused") return admitted.response;
      const body = await readPersonBody(request, decisionBody, "not a decision");
      if (body.kind === "unreadable") return body.response;
      const refused = notAllowed(admitted.person, body.value.verdict === "approve" ? "approve" : "decline");
      if (refused !== null) return refused;
      const runId = request.params["runId"] ?? "";
      const ledger = openLedger(world.home);
      // A no, and an abort, stop what goes on: they are taken whatever the ledger is.
      if (body.value.verdict === "approve") await followNewest(world.home, await ledger.head(planOfRun(runId)), { withEntries: true });
      const made = await ledger.change(planOfRun(runId), (head) => decide(head, runId, { ...body.value, personId: admitted.person.id, by: admitted.person.name, at: world.clock.now() }));
      if (made.kind === "refused" && made.why === "not-this-run") return notOpen(runId);
      if (made.kind === "refused" && !takenBefore(made.head, admitted.person.id, body.value)) return problem(409, "not taken", `${runId} does not take this decision: ${inWords(made.why)}`, { why: made.why, question: made.head.run?.question?.id ?? null });
      await ring(client, runId);
      return answer(202, { runId, taken: body.value.verdict });
    }),
  });

  df.app.client.http("abort-asked", {
    route: "runs/{runId}/abort",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const admitted = await admit(request, "abort");
      if (admitted.kind === "refused") return admitted.response;
      const body = await readPersonBody(request, aborting, "not a request to abort");
      if (body.kind === "unreadable") return body.response;
      const runId = request.params["runId"] ?? "";
      const made = await openLedger(world.home).change(planOfRun(runId), (head) => abort(head, runId, admitted.person.name, body.value.reason, world.clock.now()));
      if (made.kind === "refused" && made.why === "past-no-return") return problem(409, "too late", "users are at the other region: there is only forward");
      if (made.kind === "refused" && made.why !== "already") return notOpen(runId);
      await ring(client, runId);
      return answer(202, { runId, taken: "abort" });
    }),
  });
}

/** Why an answer is not taken, for whoever gave it. */
function inWords(why: Refusal): string {
  switch (why) {
    case "no-question":
      return "nobody is asked this now";
    case "other-question":
      return "a yes must name the question that you were shown, by its `id` in `question`: GET /api/runs/{runId} has the one that is open";
    case "requester":
      return "you asked for this run, so the yes must be somebody else's";
    case "expired":
      return "the time for an answer is over";
    case "already-decided":
      return "it has its answer already, or yours";
    default:
      return why;
  }
}

const notOpen = (runId: string): HttpResponseInit => problem(404, "no such open run", `${runId} is not open`);

/** Whether the ledger holds this very answer already: the first time its acknowledgement may have been lost. */
const takenBefore = ({ run }: Head, personId: string, { about, verdict }: DecisionBody): boolean =>
  run?.decisions.some((known) => known.about === about && known.personId === personId && known.verdict === verdict) ?? false;

/** The ledger has it already: a bell that nobody hears costs one poll. */
async function ring(client: DurableClient, runId: string): Promise<void> {
  try {
    await client.raiseEvent(askInstance(runId), bell, null);
  } catch {
    // Nobody waits for an answer just now.
  }
}
