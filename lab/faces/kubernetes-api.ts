/**
 * A region's Kubernetes API over HTTPS: paths, methods, media types and Status bodies as a Kubernetes 1.34.4 was seen to use them.
 * A read that is `blind` is answered 503, as by an API server that cannot reach its etcd.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { type ClusterApi, openClusterApi, type PatchType, type Selection } from "../world/kubernetes/api.ts";
import { ApiError, badRequest, noSuchResource } from "../world/kubernetes/api-error.ts";
import type { Cluster } from "../world/kubernetes/cluster.ts";
import type { ResourceKind } from "../world/kubernetes/kinds.ts";
import type { KubernetesObject } from "../world/kubernetes/object.ts";
import type { Writer } from "../world/kubernetes/store.ts";
import type { LabWorld } from "../world/world.ts";
import { type Answer, json, text } from "./answer.ts";
import { bodyOf, handle } from "./handle.ts";
import { discoveryAnswer } from "./kubernetes-discovery.ts";
import { listen, type Listener, type Place } from "./listen.ts";

export interface KubernetesApiOptions {
  readonly cluster: Cluster;
  /** Whether this bearer token opens the cluster: issued for the AKS server application, and not expired. */
  readonly authenticate: (token: string) => Promise<boolean> | boolean;
  /** Where to listen; with `tls`, over HTTPS. */
  readonly place?: Place;
  /** A stopped AKS cluster has no API server. Default: always there. */
  readonly isServing?: () => boolean;
}

/** Opens the API of one region. What is lost with the region, `handle` decides. */
export async function serveKubernetesApi(world: LabWorld, { cluster, authenticate, place = {}, isServing = () => true }: KubernetesApiOptions): Promise<Listener> {
  const api = openClusterApi(world, cluster);
  return listen(place, (request, response) => void answerRequest(world, cluster, api, authenticate, isServing, request, response));
}

async function answerRequest(world: LabWorld, cluster: Cluster, api: ClusterApi, authenticate: KubernetesApiOptions["authenticate"], isServing: () => boolean, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isServing()) return void request.socket.destroy();
  const url = new URL(request.url ?? "/", "https://kubernetes");
  const target = targetOf(cluster, url.pathname);
  const method = request.method ?? "GET";
  const isWatch = url.searchParams.get("watch") === "1" || url.searchParams.get("watch") === "true";
  const call = callName(isWatch ? "WATCH" : method, url.pathname, target);
  const thing = target.kind === "resource" ? `${cluster.region}/${target.namespace}/${target.name ?? ""}` : cluster.region;
  await handle(world, { call, thing, region: cluster.region, mutating: method !== "GET" }, request, response, async ({ blind }) => {
    if (blind) return status(new ApiErrorOf503());
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    // AKS answers nobody without a token, not even for its health.
    if (token === undefined || !(await authenticate(token))) return status(new ApiError(401, "Unauthorized", "Unauthorized"));
    try {
      if (target.kind === "resource") return await resourceAnswer(world, api, target, method, isWatch, url, request);
      return discoveryAnswer(cluster, url.pathname) ?? text(404, "404 page not found\n");
    } catch (error) {
      if (error instanceof ApiError) return status(error);
      throw error;
    }
  });
}

/** `reason` of a 503 is none of the store's: it comes from before the store. */
class ApiErrorOf503 {
  readonly code = 503;
  status(): Record<string, unknown> {
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "the server is currently unable to handle the request", reason: "ServiceUnavailable", code: 503 };
  }
}

const status = (error: { readonly code: number; status(): Record<string, unknown> }): Answer => json(error.code, error.status());

type Target =
  | { readonly kind: "resource"; readonly resource: ResourceKind; readonly namespace: string; readonly name: string | null; readonly subresource: string }
  /** A path of a known shape whose kind this cluster does not know. */
  | { readonly kind: "other" };

const resourcePath = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** Takes a path apart. `/api/v1/namespaces/shop` is the Namespace `shop`, not a list of what is in it. */
function targetOf(cluster: Cluster, path: string): Target {
  const [, group = "", version = "", namespace, plural = "", name, subresource = ""] = resourcePath.exec(path) ?? [];
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const resource = cluster.store.kinds.find(apiVersion, plural);
  if (resource && (namespace === undefined || resource.namespaced)) return { kind: "resource", resource, namespace: decode(namespace ?? ""), name: name === undefined ? null : decode(name), subresource };
  const asNamespace = /^\/api\/v1\/namespaces\/([^/]+)(?:\/(status|finalize))?$/.exec(path);
  const namespaces = cluster.store.kinds.find("v1", "namespaces");
  if (asNamespace && namespaces) return { kind: "resource", resource: namespaces, namespace: "", name: decode(asNamespace[1] ?? ""), subresource: asNamespace[2] ?? "" };
  return { kind: "other" };
}

const decode = (segment: string) => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** How faults name a call: `POST velero.io/restores`, `PATCH apps/deployments`, `POST v1/configmaps`, `GET readyz`. */
function callName(method: string, path: string, target: Target): string {
  if (target.kind === "other") return `${method} ${path.replace(/^\//, "")}`;
  const { group, version, plural } = target.resource;
  return `${method} ${group === "" ? version : group}/${plural}${target.subresource === "" ? "" : `/${target.subresource}`}`;
}

async function resourceAnswer(world: LabWorld, api: ClusterApi, target: Extract<Target, { kind: "resource" }>, method: string, isWatch: boolean, url: URL, request: IncomingMessage): Promise<Answer> {
  const { resource, namespace, name, subresource } = target;
  if (subresource !== "" && !(subresource === "status" && resource.statusApart)) throw noSuchResource();
  const part = subresource === "status" ? "status" : "object";
  const manager = (request.headers["user-agent"] ?? "unknown").split("/")[0] ?? "unknown";
  const selection: Selection = { namespace, labelSelector: url.searchParams.get("labelSelector") ?? "", fieldSelector: url.searchParams.get("fieldSelector") ?? "" };
  if (name === null) {
    if (method === "GET") return isWatch ? watchAnswer(world, api, resource, selection, url) : listAnswer(api, resource, selection, url);
    if (method === "POST") return object(201, api.create(resource, namespace, await jsonBody(request), manager));
    throw new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
  }
  switch (method) {
    case "GET":
      return object(200, api.get(resource, namespace, name));
    case "PUT":
      return object(200, api.replace(resource, namespace, name, await jsonBody(request), part, manager));
    case "PATCH":
      return object(200, await patchOf(api, request, resource, namespace, name, part, manager));
    case "DELETE":
      return deletionAnswer(resource, api.remove(resource, namespace, name));
  }
  throw new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/merge-patch+json": "merge",
  "application/json-patch+json": "json",
  "application/strategic-merge-patch+json": "strategic",
};

async function patchOf(api: ClusterApi, request: IncomingMessage, resource: ResourceKind, namespace: string, name: string, part: Writer["part"], manager: string): Promise<KubernetesObject> {
  const type = patchTypes[(request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? ""];
  // Custom kinds know no merge keys.
  if (type === undefined || (type === "strategic" && resource.schema !== null)) throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  return api.patch(resource, namespace, name, type, await jsonBody(request), part, manager);
}

/** Read as the API server reads it: at most 3 MiB, and JSON. */
async function jsonBody(request: IncomingMessage): Promise<unknown> {
  let body: string;
  try {
    body = await bodyOf(request, 3 * 1024 * 1024);
  } catch {
    throw new ApiError(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
  }
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

const object = (code: number, value: KubernetesObject): Answer => json(code, value);

function listAnswer(api: ClusterApi, resource: ResourceKind, selection: Selection, url: URL): Answer {
  const { items, resourceVersion, next, remaining } = api.list(resource, selection, { limit: Number(url.searchParams.get("limit") ?? 0), continueAt: url.searchParams.get("continue") ?? "" });
  // Items of built-in kinds leave out what the list says; those of custom kinds repeat it.
  const shown = resource.schema === null ? items.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item) : items;
  const metadata = { resourceVersion, ...(next === "" ? {} : { continue: next, remainingItemCount: remaining }) };
  return json(200, { kind: `${resource.kind}List`, apiVersion: resource.apiVersion, metadata, items: shown });
}

/** Gone at once: a Status, for custom kinds and most others; still ending: the object as it is. Pods are always shown. */
function deletionAnswer(resource: ResourceKind, left: KubernetesObject): Answer {
  if (left.metadata.deletionTimestamp !== undefined || resource.resource === "pods") return object(200, left);
  const details = { name: left.metadata.name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural, uid: left.metadata.uid };
  return json(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details });
}

/** A watch without `timeoutSeconds` ends by itself after this long, as real ones do after 30 to 60 minutes. */
const watchSeconds = 1_800;

function watchAnswer(world: LabWorld, api: ClusterApi, resource: ResourceKind, selection: Selection, url: URL): Answer {
  const stream = new Readable({ read() {} });
  const send = (event: { readonly type: string; readonly object: unknown }) => void stream.push(`${JSON.stringify(event)}\n`);
  let isOver = false;
  const stop = api.watch(resource, selection, url.searchParams.get("resourceVersion") ?? "", (event) => {
    if (isOver) return;
    send(event);
    if (event.type === "ERROR") finish();
  });
  const seconds = Number(url.searchParams.get("timeoutSeconds") ?? watchSeconds);
  const cancel = world.clock.after(seconds * 1000, () => {
    const wanted = url.searchParams.get("allowWatchBookmarks");
    const { resourceVersion } = api.list(resource, { namespace: "" }, { limit: 1, continueAt: "" });
    if (wanted === "true" || wanted === "1") send({ type: "BOOKMARK", object: { kind: resource.kind, apiVersion: resource.apiVersion, metadata: { resourceVersion } } });
    finish();
  });
  function finish(): void {
    isOver = true;
    stream.push(null);
  }
  stream.once("close", () => {
    isOver = true;
    cancel();
    stop();
  });
  return { status: 200, headers: { "content-type": "application/json" }, body: stream };
}
