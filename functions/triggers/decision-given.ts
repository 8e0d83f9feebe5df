/** POST /api/runs/{runId}/decisions and /abort: what a person says goes into the ledger first; then the bell is rung. */
import type { HttpResponseInit } from "@azure/functions";
import * as df from "durable-functions";
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import { askInstance, bell } from "../../orchestrations/runbook.ts";
import { abort, decide, type Head } from "../../shared/domain/ledger.ts";
import type { World } from "../../shared/ports.ts";
import { answer, door, problem, readJson } from "../answers.ts";
import { openLedger } from "../ledger.ts";
import type { Doorkeeper } from "../people.ts";
import { planOfRun } from "../run-id.ts";

const decision = z.strictObject({ about: z.enum(["decision", "fence"]).default("decision"), verdict: z.enum(["approve", "deny"]), reason: z.string().min(3).max(1_000) });
const aborting = z.strictObject({ reason: z.string().min(3).max(1_000) });

export function decisionGiven(world: World, admit: Doorkeeper): void {
  df.app.client.http("decision-given", {
    route: "runs/{runId}/decisions",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const body = await readJson(request);
      if (body.kind === "unreadable") return body.response;
      const read = decision.safeParse(body.value);
      if (!read.success) return problem(400, "not a decision", "send {about, verdict: approve | deny, reason}");
      const admitted = await admit(request, read.data.verdict === "approve" ? "approve" : "decline");
      if (admitted.kind === "refused") return admitted.response;
      const runId = request.params["runId"] ?? "";
      const made = await openLedger(world.home).change(planOfRun(runId), (head) => decide(head, runId, { ...read.data, personId: admitted.person.id, by: admitted.person.name, at: world.clock.now() }));
      if (made.kind === "refused" && made.why === "not-this-run") return notOpen(runId);
      if (made.kind === "refused" && !takenBefore(made.head, admitted.person.id, read.data)) return problem(409, "not taken", `${runId} does not take this decision: ${made.why}`, { why: made.why });
      await ring(client, runId);
      return answer(202, { runId, taken: read.data.verdict });
    }),
  });

  df.app.client.http("abort-asked", {
    route: "runs/{runId}/abort",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const body = await readJson(request);
      if (body.kind === "unreadable") return body.response;
      const read = aborting.safeParse(body.value);
      if (!read.success) return problem(400, "not a request to abort", "send {reason}");
      const admitted = await admit(request, "abort");
      if (admitted.kind === "refused") return admitted.response;
      const runId = request.params["runId"] ?? "";
      const made = await openLedger(world.home).change(planOfRun(runId), (head) => abort(head, runId, admitted.person.name, read.data.reason, world.clock.now()));
      if (made.kind === "refused" && made.why === "past-no-return") return problem(409, "too late", "users are at the other region: there is only forward");
      if (made.kind === "refused" && made.why !== "already") return notOpen(runId);
      await ring(client, runId);
      return answer(202, { runId, taken: "abort" });
    }),
  });
}

const notOpen = (runId: string): HttpResponseInit => problem(404, "no such open run", `${runId} is not open`);

/** Whether the ledger holds this very answer already: the first time its acknowledgement may have been lost. */
const takenBefore = ({ run }: Head, personId: string, { about, verdict }: z.infer<typeof decision>): boolean =>
  run?.decisions.some((known) => known.about === about && known.personId === personId && known.verdict === verdict) ?? false;

/** The ledger has it already: a bell that nobody hears costs one poll. */
async function ring(client: DurableClient, runId: string): Promise<void> {
  try {
    await client.raiseEvent(askInstance(runId), bell, null);
  } catch {
    // Nobody waits for an answer just now.
  }
}
