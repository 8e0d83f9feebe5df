/** People's way to the app: its HTTP doors, with a token of their own. */
import type { Head, OpenRun } from "../../shared/domain/ledger.ts";
import type { Register } from "../../shared/domain/register.ts";
import type { Report } from "../../shared/domain/report.ts";
import type { LabPair } from "../pair-in-a-box.ts";

export interface AppClient {
  /** Throws when the plan is not taken. */
  putPlan(name: string, text: string): Promise<void>;
  plan(name: string): Promise<{ readonly head: Head; readonly register: Register }>;
  run(runId: string): Promise<{ readonly state: "open"; readonly run: OpenRun } | { readonly state: "ended"; readonly report: Report } | null>;
  startRun(body: Readonly<Record<string, unknown>>, ifMatch: number): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;
}

export function appClient(pair: LabPair, url: () => string): AppClient {
  const call = async (method: string, path: string, init: { body?: string; headers?: Record<string, string> } = {}) => {
    const token = await pair.people.mintPerson({ name: "Ada Operator", roles: ["operator"] });
    const response = await fetch(`${url()}/api/${path}`, { method, headers: { authorization: `Bearer ${token}`, ...init.headers }, signal: AbortSignal.timeout(15_000), ...(init.body === undefined ? {} : { body: init.body }) });
    return { status: response.status, text: await response.text() };
  };
  return {
    async putPlan(name, text) {
      const { status, text: answer } = await call("PUT", `plans/${name}`, { body: text, headers: { "content-type": "application/yaml" } });
      if (status !== 200) throw new Error(`the plan ${name} was not taken (${status}): ${answer}`);
    },
    async plan(name) {
      const { status, text } = await call("GET", `plans/${name}`);
      if (status !== 200) throw new Error(`the plan ${name} cannot be read (${status}): ${text}`);
      return JSON.parse(text) as { head: Head; register: Register };
    },
    async run(runId) {
      const { status, text } = await call("GET", `runs/${runId}`);
      if (status === 404) return null;
      if (status !== 200) throw new Error(`the run ${runId} cannot be read (${status}): ${text}`);
      return JSON.parse(text) as { state: "open"; run: OpenRun } | { state: "ended"; report: Report };
    },
    async startRun(body, ifMatch) {
      const { status, text } = await call("POST", "runs", { body: JSON.stringify(body), headers: { "content-type": "application/json", "if-match": `"${ifMatch}"` } });
      return { status, body: JSON.parse(text) as Record<string, unknown> };
    },
  };
}
