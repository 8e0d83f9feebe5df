/** What clients of a cluster may ask, with the answers of an API server: the store's rules, and the log of what clients really changed. */
import type { LabWorld } from "../world.ts";
import { ApiError, badRequest, invalid, notFound } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import type { ResourceKind } from "./kinds.ts";
import { isRecord, type KubernetesObject } from "./object.ts";
import { jsonPatch, type JsonPatchOperation, mergePatch, PatchFailed, strategicMergePatch } from "./patches.ts";
import { everything, matches, parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import type { Change, Writer } from "./store.ts";

export type PatchType = "merge" | "json" | "strategic";

/** Which objects of a kind; as in a URL. */
export interface Selection {
  /** Empty: everywhere. */
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Page {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
  readonly next: string;
  readonly remaining: number;
}

export type WatchEvent = { readonly type: Change["type"] | "BOOKMARK" | "ERROR"; readonly object: Readonly<Record<string, unknown>> };

export interface ClusterApi {
  get(kind: ResourceKind, namespace: string, name: string): KubernetesObject;
  list(kind: ResourceKind, selection: Selection, paging: { readonly limit: number; readonly continueAt: string }): Page;
  create(kind: ResourceKind, namespace: string, body: unknown, manager: string): KubernetesObject;
  replace(kind: ResourceKind, namespace: string, name: string, body: unknown, part: Writer["part"], manager: string): KubernetesObject;
  patch(kind: ResourceKind, namespace: string, name: string, type: PatchType, body: unknown, part: Writer["part"], manager: string): KubernetesObject;
  remove(kind: ResourceKind, namespace: string, name: string): KubernetesObject;
  /** Events from a revision on, or from all that is there when it is empty. Returns what ends it; an `ERROR` event is the last. */
  watch(kind: ResourceKind, selection: Selection, from: string, send: (event: WatchEvent) => void): () => void;
}

export function openClusterApi(world: LabWorld, cluster: Cluster): ClusterApi {
  const { store, region } = cluster;
  const record = (act: string, kind: ResourceKind, { metadata }: KubernetesObject) => world.record(`kubernetes.${act}`, `${region}/${kind.plural}/${metadata.namespace ?? ""}/${metadata.name}`);
  const found = (kind: ResourceKind, namespace: string, name: string) => {
    const object = store.get(kind, namespace, name);
    if (!object) throw notFound(kind, name);
    return object;
  };
  /** Changes an object for a client; on the record only when it really changed. */
  const change = (kind: ResourceKind, namespace: string, name: string, edit: (draft: KubernetesObject) => KubernetesObject, writer: Writer) => {
    const before = found(kind, namespace, name);
    const after = store.change(kind, namespace, name, edit, writer);
    if (after !== before) record("patched", kind, after);
    return after;
  };

  return {
    get: found,
    list(kind, selection, { limit, continueAt }) {
      const start = readContinue(continueAt);
      const selected = store.list(kind, selection.namespace).filter(selects(selection));
      const rest = start === "" ? selected : selected.filter((object) => placeOf(object) > start);
      const items = limit > 0 ? rest.slice(0, limit) : rest;
      const remaining = rest.length - items.length;
      const last = items.at(-1);
      return { items, resourceVersion: String(store.revision()), next: remaining > 0 && last ? writeContinue(store.revision(), placeOf(last)) : "", remaining };
    },
    create(kind, namespace, body, manager) {
      const created = store.create(kind, objectOf(kind, namespace, null, body), { manager, part: "object" });
      record("created", kind, created);
      return created;
    },
    replace: (kind, namespace, name, body, part, manager) => change(kind, namespace, name, () => objectOf(kind, namespace, name, body), { manager, part }),
    patch: (kind, namespace, name, type, body, part, manager) =>
      change(kind, namespace, name, (draft) => objectOf(kind, namespace, name, patched(kind, name, draft, type, body)), { manager, part }),
    remove(kind, namespace, name) {
      const before = found(kind, namespace, name);
      const left = store.remove(kind, namespace, name);
      if (left !== before) record("deleted", kind, before);
      return left;
    },
    watch(kind, selection, from, send) {
      const isSelected = selects(selection);
      const seen = ({ kind: changed, object, before, type }: Change) => {
        if (changed.resource !== kind.resource) return;
        const event = eventOf(type, object, before, (one) => inNamespace(one, selection.namespace) && isSelected(one));
        if (event) send(event);
      };
      if (from === "" || from === "0") for (const object of store.list(kind, selection.namespace).filter(isSelected)) send({ type: "ADDED", object });
      else {
        const missed = store.since(Number(from));
        if (missed === null || !Number.isFinite(Number(from))) {
          send({ type: "ERROR", object: new ApiError(410, "Expired", `too old resource version: ${from} (${store.revision()})`).status() });
          return () => {};
        }
        for (const change of missed) seen(change);
      }
      return store.onChange(seen);
    },
  };
}

const placeOf = ({ metadata }: KubernetesObject) => `${metadata.namespace ?? ""}/${metadata.name}`;
const inNamespace = ({ metadata }: KubernetesObject, namespace: string) => namespace === "" || metadata.namespace === namespace;

function selects({ labelSelector = "", fieldSelector = "" }: Selection): (object: KubernetesObject) => boolean {
  const labels = labelSelector === "" ? everything : parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  return (object) => matches(labels, object.metadata.labels) && fields(object);
}

/** What a watcher sees of a change: an object that no longer matches is gone for it, one that begins to match is new. */
function eventOf(type: Change["type"], object: KubernetesObject, before: KubernetesObject | null, isSelected: (object: KubernetesObject) => boolean): WatchEvent | null {
  const was = before !== null && isSelected(before);
  const is = type !== "DELETED" && isSelected(object);
  if (was && is) return { type: "MODIFIED", object };
  if (is) return { type: "ADDED", object };
  return was ? { type: "DELETED", object } : null;
}

const writeContinue = (revision: number, last: string) => Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: last })).toString("base64url");

function readContinue(token: string): string {
  if (token === "") return "";
  try {
    const read: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (isRecord(read) && typeof read["start"] === "string") return read["start"];
  } catch {
    // Said below, in the words of the API server.
  }
  throw badRequest("invalid continue token: continue key is not valid");
}

/** The object that a client sent, checked against the place it was sent to. Throws a bad request. */
function objectOf(kind: ResourceKind, namespace: string, name: string | null, body: unknown): KubernetesObject {
  if (!isRecord(body) || !isRecord(body["metadata"] ?? {})) throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
  const { apiVersion = kind.apiVersion, kind: kindName = kind.kind } = body;
  if (kindName !== kind.kind || apiVersion !== kind.apiVersion)
    throw badRequest(`${String(kindName)} in version "${String(apiVersion).split("/").at(-1)}" cannot be handled as a ${kind.kind}: the URL names ${kind.apiVersion} ${kind.plural}`);
  const metadata = (body["metadata"] ?? {}) as KubernetesObject["metadata"]; // a record; the store checks the name
  if (kind.namespaced && metadata.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  if (name !== null && metadata.name !== name) throw badRequest(`the name of the object (${metadata.name ?? ""}) does not match the name on the URL (${name})`);
  const { namespace: _namespace, ...rest } = metadata;
  return { ...body, apiVersion: kind.apiVersion, kind: kind.kind, metadata: kind.namespaced ? { ...rest, namespace } : rest };
}

function patched(kind: ResourceKind, name: string, target: KubernetesObject, type: PatchType, patch: unknown): unknown {
  switch (type) {
    case "merge":
      return mergePatch(target, patch);
    case "strategic":
      return strategicMergePatch(target, patch);
    case "json":
      if (!Array.isArray(patch)) throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
      try {
        return jsonPatch(target, patch as JsonPatchOperation[]); // jsonPatch itself refuses what is no operation
      } catch (error) {
        if (!(error instanceof PatchFailed)) throw error;
        throw invalid(kind, name, [{ reason: "FieldValueInvalid", message: `the server rejected our request due to an error in our request: ${error.message}`, field: "patch" }]);
      }
  }
}
