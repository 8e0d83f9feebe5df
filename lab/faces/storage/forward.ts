/** Takes a request that may pass to Azurite, tells the world what it did there, and dresses the answer in what the world knows. */
import type http from "node:http";
import { text } from "node:stream/consumers";
import type { Endpoint, LabStorage } from "../../world/storage.ts";
import type { LabWorld } from "../../world/world.ts";
import type { Answer } from "../answer.ts";
import type { AzuriteLink } from "./azurite-link.ts";
import { blobListPage, containerListPage, httpDate } from "./list-page.ts";
import type { Deed, StorageCall } from "./storage-call.ts";

interface ForwardParts {
  readonly world: LabWorld;
  readonly storage: LabStorage;
  readonly link: AzuriteLink;
}

export async function forward(parts: ForwardParts, call: StorageCall, endpoint: Endpoint, deed: Deed, request: http.IncomingMessage): Promise<Answer> {
  const send = () => sendOn(parts.link, call, endpoint, request);
  switch (deed) {
    case "read":
    case "aside":
    case "unsupported":
      return dressed(parts, call, endpoint, await send());
    case "blob-written":
    case "blob-deleted":
    case "container-created":
    case "container-deleted":
      return parts.storage.inTurn({ store: endpoint.store, container: call.container ?? "", name: call.blob ?? "" }, async () => {
        const answer = await send();
        if (succeeded(answer)) await tell(parts.storage, call, endpoint, deed);
        return dressed(parts, call, endpoint, answer);
      });
  }
}

const succeeded = ({ statusCode = 0 }: http.IncomingMessage) => statusCode >= 200 && statusCode < 300;

function tell(storage: LabStorage, { container, blob }: StorageCall, endpoint: Endpoint, deed: "blob-written" | "blob-deleted" | "container-created" | "container-deleted"): Promise<void> {
  const place = { container: container ?? "", name: blob ?? "" };
  switch (deed) {
    case "blob-written":
      return storage.changed(endpoint, { kind: "written", ...place });
    case "blob-deleted":
      return storage.changed(endpoint, { kind: "deleted", ...place });
    case "container-created":
    case "container-deleted":
      return storage.changed(endpoint, { kind: deed, container: place.container });
  }
}

/** Of this hop only, or signed anew for the next. */
const notForwarded = new Set(["authorization", "connection", "host", "keep-alive", "transfer-encoding", "x-forwarded-host", "x-ms-date", "date", "expect"]);

async function sendOn(link: AzuriteLink, call: StorageCall, { store }: Endpoint, request: http.IncomingMessage): Promise<http.IncomingMessage> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === "string" && !notForwarded.has(name)) headers[name] = value;
  const hasBody = Number(request.headers["content-length"] ?? 0) > 0;
  return link.send({ method: call.method, store, path: call.path, query: call.query, headers, ...(hasBody ? { body: request } : {}) });
}

async function dressed(parts: ForwardParts, call: StorageCall, endpoint: Endpoint, answer: http.IncomingMessage): Promise<Answer> {
  const { statusCode: status = 500 } = answer;
  const headers = ownHeaders(parts, call, endpoint, answer);
  if (call.parameters.get("comp") !== "list" || call.blob !== null || status !== 200) return { status, headers, body: answer };
  // The only body that is held in memory: a page has at most 5,000 blobs.
  const page = await text(answer);
  return { status, headers, body: call.container === null ? containers(parts, call, endpoint, page) : blobs(parts, call, endpoint, call.container, page) };
}

/** Azurite's own, but for what Node says of a connection and what only the world knows. */
function ownHeaders({ world, storage }: ForwardParts, { container, blob, parameters, method }: StorageCall, endpoint: Endpoint, answer: http.IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (typeof value === "string" && !["connection", "keep-alive", "transfer-encoding", "date"].includes(name)) headers[name] = value;
  }
  if (parameters.get("comp") === "list") delete headers["content-length"];
  // On a GET Azurite makes up the hash of a blob that was stored without one; the service does not.
  if (method === "GET" && blob !== null && headers["x-ms-blob-content-md5"] === undefined && headers["content-range"] === undefined) delete headers["content-md5"];
  if (container === null || parameters.has("snapshot")) return headers;
  const times = storage.times.get({ store: endpoint.store, container, name: blob ?? "" });
  for (const [header, at] of [["last-modified", times?.modifiedAt], ["x-ms-creation-time", times?.createdAt]] as const) {
    if (headers[header] !== undefined) headers[header] = httpDate(at ?? labTimeOf(world, headers[header]));
  }
  if (blob === null || !succeeded(answer) || (method !== "GET" && method !== "HEAD")) return headers;
  const { statuses, originPolicy } = storage.replication(endpoint, container, blob);
  for (const { policyId, ruleId, status } of statuses) headers[`x-ms-or-${policyId}_${ruleId}`] = status;
  if (originPolicy !== null) headers["x-ms-or-policy-id"] = originPolicy;
  return headers;
}

function blobs({ world, storage }: ForwardParts, { origin }: StorageCall, endpoint: Endpoint, container: string, page: string): string {
  return blobListPage(page, origin, (name, azuriteSays) => {
    const at = labTimeOf(world, azuriteSays);
    const times = storage.times.get({ store: endpoint.store, container, name }) ?? { createdAt: at, modifiedAt: at };
    return { ...times, statuses: storage.replication(endpoint, container, name).statuses };
  });
}

function containers({ world, storage }: ForwardParts, { origin }: StorageCall, { store }: Endpoint, page: string): string {
  return containerListPage(page, origin, (container, azuriteSays) => storage.times.get({ store, container, name: "" })?.modifiedAt ?? labTimeOf(world, azuriteSays));
}

/** For what was there before this world was, a store kept on disk: Azurite's wall time, on the lab's clock. */
function labTimeOf({ clock }: LabWorld, wallDate: string): number {
  // Not Date: a host in this process may have put lab time in its place.
  return clock.now() - (performance.timeOrigin + performance.now() - Date.parse(wallDate)) * clock.rate;
}
