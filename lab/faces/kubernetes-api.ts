/**
 * A region's Kubernetes API over HTTPS: paths, methods, media types and Status bodies as a Kubernetes 1.34.4 was seen to use them.
 * A read that is `blind` is answered 503, as by an API server that cannot reach its etcd.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { parse as parseYaml } from "yaml";
import { type ClusterApi, openClusterApi, type PatchType, type Preconditions, type Selection } from "../world/kubernetes/api.ts";
import { ApiError, badRequest, noSuchResource, unforeseen } from "../world/kubernetes/api-error.ts";
import type { Cluster } from "../world/kubernetes/cluster.ts";
import type { ResourceKind } from "../world/kubernetes/kinds.ts";
import { isRecord, type KubernetesObject } from "../world/kubernetes/object.ts";
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
      const answer = discoveryAnswer(cluster, url.pathname);
      if (answer) return answer;
      // Of a group that it serves the API server speaks; of any other the web server below it.
      if (isOfKnownGroup(cluster, url.pathname)) throw noSuchResource();
      return text(404, "404 page not found\n");
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

function isOfKnownGroup(cluster: Cluster, path: string): boolean {
  const [, group = "", version = ""] = resourcePath.exec(path) ?? [];
  return cluster.store.kinds.all().some((kind) => kind.schema === null && kind.group === group && kind.version === version);
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
  const manager = url.searchParams.get("fieldManager") ?? (request.headers["user-agent"] ?? "unknown").split("/")[0] ?? "unknown";
  const selection: Selection = { namespace, labelSelector: url.searchParams.get("labelSelector") ?? "", fieldSelector: url.searchParams.get("fieldSelector") ?? "" };
  if (name === null) {
    if (method === "GET") return isWatch ? watchAnswer(world, api, resource, selection, url) : listAnswer(world, api, resource, selection, url);
    if (method === "POST") return object(201, api.create(resource, namespace, await jsonBody(request, resource), manager));
    if (method === "DELETE" && resource.resource !== "namespaces") return collectionDeletion(api, resource, selection);
    throw new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
  }
  switch (method) {
    case "GET":
      return object(200, api.get(resource, namespace, name));
    case "PUT":
      return object(200, api.replace(resource, namespace, name, await jsonBody(request, resource), part, manager));
    case "PATCH":
      return patchOf(api, request, url, resource, namespace, name, part, manager);
    case "DELETE":
      return deletionAnswer(resource, api.remove(resource, namespace, name, await preconditionsOf(request, resource)));
  }
  throw new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/merge-patch+json": "merge",
  "application/json-patch+json": "json",
  "application/strategic-merge-patch+json": "strategic",
};

async function patchOf(api: ClusterApi, request: IncomingMessage, url: URL, resource: ResourceKind, namespace: string, name: string, part: Writer["part"], manager: string): Promise<Answer> {
  const mediaType = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  if (mediaType === "application/apply-patch+yaml" && part === "object") {
    const force = url.searchParams.get("force") === "true" || url.searchParams.get("force") === "1";
    const applied = api.apply(resource, namespace, name, await yamlBody(request), url.searchParams.get("fieldManager") ?? "", force);
    return object(applied.created ? 201 : 200, applied.object);
  }
  const type = patchTypes[mediaType];
  // Custom kinds know no merge keys.
  if (type === undefined || (type === "strategic" && resource.schema !== null)) throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  return object(200, api.patch(resource, namespace, name, type, await jsonBody(request, resource), part, manager));
}

/** Read as the API server reads it: at most 3 MiB. */
async function textBody(request: IncomingMessage): Promise<string> {
  try {
    return await bodyOf(request, 3 * 1024 * 1024);
  } catch {
    throw new ApiError(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
  }
}

async function jsonBody(request: IncomingMessage, { kind }: ResourceKind): Promise<unknown> {
  const body = await textBody(request);
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${(error as Error).message} (${body.slice(0, 100)})`);
  }
}

async function yamlBody(request: IncomingMessage): Promise<unknown> {
  try {
    return parseYaml(await textBody(request));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}

/** What a delete's options ask to be true; no body asks nothing. */
async function preconditionsOf(request: IncomingMessage, resource: ResourceKind): Promise<Preconditions> {
  if ((request.headers["content-length"] ?? "0") === "0" && request.headers["transfer-encoding"] === undefined) return {};
  const options = await jsonBody(request, resource);
  const asked = isRecord(options) && isRecord(options["preconditions"]) ? options["preconditions"] : {};
  const { uid, resourceVersion } = asked;
  return { ...(typeof uid === "string" ? { uid } : {}), ...(typeof resourceVersion === "string" ? { resourceVersion } : {}) };
}

const object = (code: number, value: KubernetesObject): Answer => json(code, value);

/** How long an API server waits for a version that it has not seen yet, and what it asks the caller to wait. */
const futureMs = 3_000;

/** Throws what an API server says of a version that is none, or not yet. */
async function requireVersion(world: LabWorld, api: ClusterApi, resource: ResourceKind, version: string): Promise<void> {
  if (version === "" || version === "0") return;
  if (!/^\d+$/.test(version)) throw unforeseen(`resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  const current = () => api.list(resource, { namespace: "" }, { limit: 1, continueAt: "" }).resourceVersion;
  if (Number(version) <= Number(current())) return;
  await world.clock.sleep(futureMs);
  if (Number(version) <= Number(current())) return;
  throw new ApiError(504, "Timeout", `Timeout: Too large resource version: ${version}, current: ${current()}`, { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 });
}

async function listAnswer(world: LabWorld, api: ClusterApi, resource: ResourceKind, selection: Selection, url: URL): Promise<Answer> {
  await requireVersion(world, api, resource, url.searchParams.get("resourceVersion") ?? "");
  const { items, resourceVersion, next, remaining } = api.list(resource, selection, { limit: Number(url.searchParams.get("limit") ?? 0), continueAt: url.searchParams.get("continue") ?? "" });
  // Items of built-in kinds leave out what the list says; those of custom kinds repeat it.
  const shown = resource.schema === null ? items.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item) : items;
  const metadata = { resourceVersion, ...(next === "" ? {} : { continue: next, ...(remaining === null ? {} : { remainingItemCount: remaining }) }) };
  return json(200, { kind: `${resource.kind}List`, apiVersion: resource.apiVersion, metadata, items: shown });
}

/** All that is selected; the answer is the list as it was. */
function collectionDeletion(api: ClusterApi, resource: ResourceKind, selection: Selection): Answer {
  const { items, resourceVersion } = api.list(resource, selection, { limit: 0, continueAt: "" });
  for (const { metadata } of items) api.remove(resource, metadata.namespace ?? "", metadata.name);
  return json(200, { kind: `${resource.kind}List`, apiVersion: resource.apiVersion, metadata: { resourceVersion }, items });
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
  const from = url.searchParams.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(from)) throw unforeseen(`resourceVersion: Invalid value: ${JSON.stringify(from)}: strconv.ParseUint: parsing ${JSON.stringify(from)}: invalid syntax`);
  const stream = new Readable({ read() {} });
  const send = (event: { readonly type: string; readonly object: unknown }) => void stream.push(`${JSON.stringify(event)}\n`);
  let isOver = false;
  const stop = api.watch(resource, selection, from, (event) => {
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
