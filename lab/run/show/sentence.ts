/** Each event of a lab run as one plain sentence. */
import { z } from "zod";
import { spoken } from "../../../shared/domain/decision.ts";
import type { LabEvent } from "../events.ts";
import { tame } from "./columns.ts";

const stages: Readonly<Record<string, string>> = {
  storage: "starting storage and filling it with the recorded backups",
  clusters: "starting a cluster in each region",
  faces: "starting ingresses, name server and Azure's control plane",
  app: "starting the function app on its host",
};

/** `page` is the name under which users know the application. */
export function sentence(event: LabEvent, page: string): string {
  switch (event.event) {
    case "stage":
      return stages[event.stage] ?? tame(event.stage);
    case "up":
      return `everything is up; users go to ${event.urls["public"] ?? page}`;
    case "serving":
      return `${page} is served from ${event.from}: ${quoted(event.shows)}`;
    case "backup":
      return `Velero has made one more backup, ${event.name}: ${event.phase}; the page shows ${quoted(event.shows)}`;
    case "checked":
      return `the app has checked the copy of ${event.name}: ${event.usable ? `${event.reached ?? "seen"}, ` : "not usable, "}${tame(event.about)}`;
    case "lost":
      return `${event.what} is lost`;
    case "returned":
      return `${event.what} is back`;
    case "agent":
      return `the lease agent in the primary ${agentWords(event)}`;
    case "dark":
      return `${page} is dark: ${tame(event.why)}`;
    case "alert":
      return `an alert was delivered: ${answered(event)}`;
    case "asked":
      return `an operator asked for the recovery: ${answered(event)}`;
    case "step":
      return event.state === "began" ? `${event.step} began` : `${event.step} ended: ${event.outcome ?? "done"}${event.seconds === null ? "" : `, ${spoken(event.seconds)}`}`;
    case "answer":
      return `${page} answers from ${event.from}: ${quoted(event.shows)}`;
    case "ended":
      return `the run ended ${event.outcome}: ${tame(event.summary)}`;
    case "report":
      return event.directory === null ? "the report is done" : `the report is in ${event.directory}`;
    case "failed":
      return `WRONG: ${tame(event.why)}`;
  }
}

/** What it says of itself, as far as it is worth telling. */
function agentWords({ said, why, left }: Extract<LabEvent, { event: "agent" }>): string {
  const but = left.length === 0 ? "" : `, but for ${tame(left.join(", "))}`;
  switch (said) {
    case "lease.not-renewed":
      return `cannot renew its lease: ${tame(why)}`;
    case "agent.closed":
      return `has closed the application${but}: ${tame(why)}`;
    case "agent.opened":
      return `lets the application run${but}`;
    default:
      return `says ${said}: ${tame(why)}`;
  }
}

/** What a page says of itself comes from outside. */
export const quoted = (shown: string): string => `"${tame(shown)}"`;

const answers = z.object({
  runs: z.array(z.object({ kind: z.string(), runId: z.string().nullable(), why: z.string().optional() })).optional(),
  ignored: z.string().optional(),
  runId: z.string().optional(),
  detail: z.string().optional(),
});

/** What the app answered, as far as it is one of the answers we know. */
function answered({ status, answer }: { readonly status: number; readonly answer: unknown }): string {
  const read = answers.safeParse(answer);
  if (!read.success) return `${status} ${tame(typeof answer === "string" ? answer : JSON.stringify(answer)).slice(0, 120)}`;
  const { runs, ignored, runId, detail } = read.data;
  const said = runs?.map((run) => (run.kind === "refused" ? `refused (${run.why ?? "no reason"})` : `${run.kind} run ${run.runId}`)).join(", ") ?? (ignored === undefined ? (runId ?? detail) : `ignored, ${ignored}`);
  return `${status}${said === undefined ? "" : `, ${tame(said)}`}`;
}
