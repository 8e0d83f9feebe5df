import type { IncomingMessage, ServerResponse } from "node:http";
import type { LabClock } from "../clock.ts";
import type { Mount } from "./contract.ts";
import type { HostedApp } from "./core-api.ts";
import { readBody } from "./http-body.ts";
import { isAllowed, type HostKeys } from "./keys.ts";
import type { HostLog } from "./log.ts";
import type { RunningTrigger } from "./triggers/trigger.ts";

/** More than any input that a person sends by hand. */
const inputBytesMax = 1_048_576;

/**
 * The administration endpoints, all under the master key: `GET /admin/host/status`, and `POST /admin/functions/{name}` with
 * `{"input": …}`, which starts a function that is not called by HTTP and answers 202 at once.
 */
export function adminMount(options: {
  readonly app: HostedApp;
  readonly triggers: ReadonlyMap<string, RunningTrigger>;
  readonly keys: HostKeys;
  readonly clock: LabClock;
  readonly startedAt: number;
  readonly log: HostLog;
}): Mount {
  const { app, triggers, keys, clock, startedAt, log } = options;

  async function fire(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const trigger = triggers.get(name);
    if (!trigger) {
      const reason = app.functions.has(name) ? `"${name}" is called by HTTP or by an orchestration, not by hand` : `there is no function "${name}"`;
      return answer(response, app.functions.has(name) ? 400 : 404, { error: reason });
    }
    const input = readInput((await readBody(request, inputBytesMax))?.toString("utf8") ?? "");
    if (input === null) return answer(response, 400, { error: 'the body must be JSON like {"input": "text"}' });
    trigger.fire(input.text).catch((error: unknown) => log({ level: "error", category: "system", functionName: name, message: `the run by hand failed: ${String(error)}` }));
    response.writeHead(202).end();
  }

  return async (request, response, url) => {
    if (!url.pathname.startsWith("/admin/")) return false;
    const [, name] = /^\/admin\/functions\/([^/]+)$/.exec(url.pathname) ?? [];
    if (!isAllowed("admin", keys, request, url)) response.writeHead(401).end();
    else if (name !== undefined && request.method === "POST") await fire(name, request, response);
    else if (url.pathname === "/admin/host/status" && request.method === "GET") {
      answer(response, 200, { id: "embedded", state: "Running", version: "4.0.0.0", processUptime: clock.now() - startedAt, functionCount: app.functions.size });
    } else response.writeHead(404).end();
    return true;
  };
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** The input as text, as the real host passes it; no body is no input, null is no JSON. */
function readInput(body: string): { readonly text: string | undefined } | null {
  if (body.trim() === "") return { text: undefined };
  try {
    const { input } = JSON.parse(body) as { input?: unknown };
    return { text: input === undefined || input === null ? undefined : typeof input === "string" ? input : JSON.stringify(input) };
  } catch {
    return null;
  }
}
