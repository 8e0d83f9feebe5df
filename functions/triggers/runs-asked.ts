/** GET /api/runs/{runId}: where a run stands, by the ledger; its report when it has one. The durable instance's own addresses are never handed out. */
import { app } from "@azure/functions";
import type { World } from "../../shared/ports.ts";
import { answer, door, problem } from "../answers.ts";
import { openLedger } from "../ledger.ts";
import type { Doorkeeper } from "../people.ts";
import { readRunId } from "../../shared/domain/run-id.ts";

const formats = { "report.json": "application/json", "report.md": "text/markdown; charset=utf-8", "report.html": "text/html; charset=utf-8" } as const;
export const reportName = (runId: string, format: keyof typeof formats): string => `reports/${runId}/${format}`;

export function runsAsked(world: World, admit: Doorkeeper): void {
  app.http("run-asked", {
    route: "runs/{runId}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const runId = request.params["runId"] ?? "";
      const name = readRunId(runId);
      if (name === null) return problem(404, "no such run", `${runId} is not the id of a run`);
      const ledger = openLedger(world.home);
      const head = await ledger.head(name.plan);
      if (head.run?.id === runId) return answer(200, { runId, state: "open", run: head.run, entries: await ledger.entries(name.plan, name.epoch) });
      const report = await world.home.read(reportName(runId, "report.json"));
      if (report === null) return problem(404, "no such run", `there is no run ${runId}`);
      return answer(200, { runId, state: "ended", report: JSON.parse(report.body) as unknown });
    }),
  });

  app.http("report-asked", {
    route: "runs/{runId}/{format}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const { runId = "", format = "" } = request.params;
      const type = Object.entries(formats).find(([name]) => name === format)?.[1];
      const stored = type === undefined || readRunId(runId) === null ? null : await world.home.read(`reports/${runId}/${format}`);
      if (stored === null || type === undefined) return problem(404, "no such report", `a run that has ended has ${Object.keys(formats).join(", ")}`);
      return { status: 200, headers: { "content-type": type, "cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:" }, body: stored.body };
    }),
  });
}
