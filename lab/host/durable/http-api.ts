import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mount } from "../contract.ts";
import { managementPayload, rpcPath, webhookPath } from "./client-binding.ts";
import { listInstances, readFilter, statusBody } from "./instance-query.ts";
import type { Instances, SendAnswer, StartAnswer } from "./instances.ts";
import { isFinished } from "./new-instance.ts";
import type { Snapshot } from "./store.ts";

/** What the API works on. */
export interface HttpApiGround {
  readonly instances: Instances;
  readonly snapshot: Snapshot;
  readonly taskHub: string;
  /** The key that the webhook path asks for; null: none. */
  readonly code: string | null;
}

interface Call extends HttpApiGround {
  readonly method: string;
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly query: URLSearchParams;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests with larger bodies are refused with 413. */
const bodyBytesMax = 16 * 1024 * 1024;
/** How many instances one page has when nothing is said, as in the extension. */
const topDefault = 100;

/** The durable API: the management webhooks, and the same under the path that the client library calls. */
export function durableHttpApi(ground: HttpApiGround): Mount {
  return async (request, response, url) => {
    const root = [webhookPath, rpcPath].find((path) => url.pathname.startsWith(`${path}/`));
    if (root === undefined) return false;
    const call: Call = { ...ground, method: request.method ?? "GET", request, url, query: url.searchParams };
    if (root === webhookPath && ground.code !== null && keyOf(call) !== ground.code) send(response, { status: 401 });
    else send(response, await route(call, segmentsOf(url.pathname.slice(root.length + 1))));
    return true;
  };
}

async function route(call: Call, segments: readonly string[] | null): Promise<Reply> {
  if (segments === null) return { status: 400, body: "the path is not URL-encoded" };
  const [kind, first, second, third] = segments;
  switch (kind) {
    case "orchestrators":
      return call.method === "POST" && first !== undefined && segments.length <= 3 ? await start(call, first, second ?? null) : notFound;
    case "instances":
      if (first === undefined) return many(call);
      if (second === undefined) return one(call, first);
      return call.method === "POST" ? await tell(call, first, second, third) : notFound;
    case "entities":
      return { status: 501, body: "Entities are not served by the embedded host." };
    default:
      return notFound;
  }
}

const notFound: Reply = { status: 404 };

async function start(call: Call, name: string, instanceId: string | null): Promise<Reply> {
  const body = await readJsonText(call.request);
  if (body.kind === "refused") return body.reply;
  return started(call, call.instances.start({ name, instanceId, input: body.text, version: call.query.get("version") }));
}

function started(call: Call, answer: StartAnswer): Reply {
  switch (answer.kind) {
    case "started": {
      const payload = managementPayload(answer.instanceId, { ...call, baseUrl: call.url.origin });
      return { status: 202, body: payload, headers: { location: payload.statusQueryGetUri ?? "", "retry-after": "10" } };
    }
    case "unknown-function":
    case "bad-id":
      return { status: 400, body: { Message: answer.why } };
    case "live":
      return { status: 409, body: { Message: answer.why } };
  }
}

function many(call: Call): Reply {
  const { query, snapshot } = call;
  const filter = readFilter(query);
  if (call.method === "DELETE") {
    const { rows } = listInstances(snapshot, filter, Number.POSITIVE_INFINITY, null);
    return purged(call.instances.purge(rows.map(({ instanceId }) => instanceId)));
  }
  if (call.method !== "GET") return notFound;
  const top = Number(query.get("top") ?? topDefault);
  if (!Number.isInteger(top) || top < 1) return { status: 400, body: "top must be a whole number above zero" };
  const token = call.request.headers["x-ms-continuation-token"];
  const page = listInstances(snapshot, filter, top, typeof token === "string" && token !== "" ? token : null);
  const options = { showInput: isTrue(query, "showInput", true), showHistory: false, showHistoryOutput: false };
  return {
    status: 200,
    body: page.rows.map((row) => statusBody(row, snapshot, options)),
    ...(page.continuationToken === null ? {} : { headers: { "x-ms-continuation-token": page.continuationToken } }),
  };
}

function one(call: Call, instanceId: string): Reply {
  const { query, snapshot } = call;
  if (call.method === "DELETE") return purged(call.instances.purge([instanceId]));
  if (call.method !== "GET") return notFound;
  const row = call.instances.row(instanceId);
  if (!row) return noInstance(instanceId);
  const showHistoryOutput = isTrue(query, "showHistoryOutput", false);
  const body = statusBody(row, snapshot, {
    showInput: isTrue(query, "showInput", true),
    showHistory: isTrue(query, "showHistory", false),
    showHistoryOutput,
  });
  if (!isFinished(row)) return { status: 202, body, headers: { location: call.url.href, "retry-after": "5" } };
  return { status: row.status === "Failed" && isTrue(query, "returnInternalServerErrorOnFailure", false) ? 500 : 200, body };
}

async function tell({ instances, query, request, ...call }: Call, instanceId: string, what: string, eventName: string | undefined): Promise<Reply> {
  const reason = query.get("reason") ?? "";
  switch (what.toLowerCase()) {
    case "raiseevent": {
      if (eventName === undefined || eventName === "") return notFound;
      if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
        return { status: 400, body: "Only application/json request content is supported" };
      }
      const body = await readJsonText(request);
      if (body.kind === "refused") return body.reply;
      if (body.text === null) return { status: 400, body: "An event needs a JSON value: send null for none" };
      return sent(instances.raise(instanceId, eventName, body.text), instanceId);
    }
    case "terminate":
      return sent(instances.terminate(instanceId, reason), instanceId);
    case "suspend":
      return sent(instances.suspend(instanceId, reason), instanceId);
    case "resume":
      return sent(instances.resume(instanceId, reason), instanceId);
    case "restart": {
      const answer = instances.restart(instanceId, isTrue(query, "restartWithNewInstanceId", true));
      if (!answer) return { status: 400, body: { Message: `No instance with ID '${instanceId}' found.` } };
      return started({ instances, query, request, ...call }, answer);
    }
    case "rewind":
      return { status: 501, body: "The rewind operation is not supported by the embedded host." };
    default:
      return notFound;
  }
}

function sent(answer: SendAnswer, instanceId: string): Reply {
  switch (answer) {
    case "accepted":
      return { status: 202 };
    case "missing":
      return noInstance(instanceId);
    case "finished":
      return { status: 410 };
  }
}

function noInstance(instanceId: string): Reply {
  return { status: 404, body: `No instance with ID '${instanceId}' found.` };
}

function purged(count: number): Reply {
  return count === 0 ? notFound : { status: 200, body: { instancesDeleted: count } };
}

type JsonText = { readonly kind: "json"; readonly text: string | null } | { readonly kind: "refused"; readonly reply: Reply };

/** The body as JSON text; null when there is none. */
async function readJsonText(request: IncomingMessage): Promise<JsonText> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= bodyBytesMax) chunks.push(chunk as Buffer);
  }
  if (bytes > bodyBytesMax) return { kind: "refused", reply: { status: 413, body: `more than ${bodyBytesMax} bytes` } };
  const text = Buffer.concat(chunks).toString("utf8").trim();
  if (text === "") return { kind: "json", text: null };
  try {
    return { kind: "json", text: JSON.stringify(JSON.parse(text)) };
  } catch (error) {
    return { kind: "refused", reply: { status: 400, body: `the body is not JSON: ${String(error)}` } };
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Null when it is not URL-encoded as it should be. A slash at the end makes no segment. */
function segmentsOf(path: string): string[] | null {
  try {
    return path.replace(/\/$/, "").split("/").map(decodeURIComponent);
  } catch {
    return null;
  }
}

function keyOf({ request, query }: Call): string | null {
  const header = request.headers["x-functions-key"];
  return typeof header === "string" ? header : query.get("code");
}

function isTrue(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const value = query.get(name);
  return value === null ? otherwise : value.toLowerCase() === "true";
}
