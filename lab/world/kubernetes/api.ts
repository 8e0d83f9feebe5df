/** What clients of a cluster may ask, with the answers of an API server: the store's rules, and the log of what clients really changed. */
import type { LabWorld } from "../world.ts";
import { ApiError, badRequest, conflict, invalid, notFound, patchDoesNotFit, preconditionFailed, unforeseen } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import type { ResourceKind } from "./kinds.ts";
import { appliedTo, firstApplied } from "./managed-fields.ts";
import { isRecord, type KubernetesObject } from "./object.ts";
import { jsonPatch, type JsonPatchOperation, mergePatch, PatchFailed, strategicMergePatch } from "./patches.ts";
import { everything, matches, parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import type { Change, Writer } from "./store.ts";
import { requireJudges } from "./webhooks.ts";

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
  /** How many are left; `null` where selectors keep the API server from knowing. */
  readonly remaining: number | null;
}

/** What must still be true of an object for it to be deleted. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type WatchEvent = { readonly type: Change["type"] | "BOOKMARK" | "ERROR"; readonly object: Readonly<Record<string, unknown>> };

export interface ClusterApi {
  get(kind: ResourceKind, namespace: string, name: string): KubernetesObject;
  list(kind: ResourceKind, selection: Selection, paging: { readonly limit: number; readonly continueAt: string }): Page;
  create(kind: ResourceKind, namespace: string, body: unknown, manager: string): KubernetesObject;
  replace(kind: ResourceKind, namespace: string, name: string, body: unknown, part: Writer["part"], manager: string): KubernetesObject;
  patch(kind: ResourceKind, namespace: string, name: string, type: PatchType, body: unknown, part: Writer["part"], manager: string): KubernetesObject;
  /** Server-side apply. `created`: it was not there before. Throws a conflict that names the fields and their owners. */
  apply(kind: ResourceKind, namespace: string, name: string, body: unknown, manager: string, force: boolean): { readonly object: KubernetesObject; readonly created: boolean };
  remove(kind: ResourceKind, namespace: string, name: string, preconditions?: Preconditions): KubernetesObject;
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
    const after = store.change(kind, namespace, name, (draft) => withoutNewFinalizers(kind, before, edit(draft)), writer);
    if (after !== before) record("patched", kind, after);
    return after;
  };

  return {
    get: found,
    list(kind, selection, { limit, continueAt }) {
      const { start, at } = continueAt === "" ? { start: "", at: store.revision() } : readContinue(continueAt);
      const then = store.listAt(kind, selection.namespace, at);
      if (then === null) throw new ApiError(410, "Expired", "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.");
      const selected = then.filter(selects(selection));
      const rest = start === "" ? selected : selected.filter((object) => placeOf(object) > start);
      const items = limit > 0 ? rest.slice(0, limit) : rest;
      const left = rest.length - items.length;
      const last = items.at(-1);
      const knows = (selection.labelSelector ?? "") === "" && (selection.fieldSelector ?? "") === "";
      return { items, resourceVersion: String(at), next: left > 0 && last ? writeContinue(at, placeOf(last)) : "", remaining: knows ? left : null };
    },
    create(kind, namespace, body, manager) {
      const object = objectOf(kind, namespace, null, body);
      if ((object.metadata.resourceVersion ?? "") !== "") throw unforeseen("resourceVersion should not be set on objects to be created");
      requireJudges(store, kind, object.metadata.namespace ?? "");
      const created = store.create(kind, object, { manager, part: "object" });
      record("created", kind, created);
      return created;
    },
    replace(kind, namespace, name, body, part, manager) {
      const object = objectOf(kind, namespace, name, body);
      const { uid, resourceVersion = "" } = object.metadata;
      const before = found(kind, namespace, name);
      if (uid !== undefined && uid !== before.metadata.uid) throw strangeUid(kind, before, uid);
      // Built-in kinds take a replace that names no version; custom ones never.
      if (kind.schema !== null && resourceVersion === "") throw unversioned(kind, name);
      return change(kind, namespace, name, (draft) => ({ ...object, metadata: { ...object.metadata, managedFields: object.metadata.managedFields ?? draft.metadata.managedFields ?? [] } }), { manager, part });
    },
    apply(kind, namespace, name, body, manager, force) {
      if (manager === "") throw unmanaged();
      const applied = objectOf(kind, namespace, name, body);
      const writer: Writer = { manager, part: "object", managedFieldsAsGiven: true };
      if (!store.get(kind, namespace, name)) {
        const created = store.create(kind, { ...applied, metadata: { ...applied.metadata, managedFields: firstApplied(kind, applied, manager, world.clock.now()) } }, writer);
        record("created", kind, created);
        return { object: created, created: true };
      }
      return { object: change(kind, namespace, name, (draft) => appliedTo(kind, draft, applied, { manager, force }, world.clock.now()), writer), created: false };
    },
    patch: (kind, namespace, name, type, body, part, manager) =>
      change(kind, namespace, name, (draft) => objectOf(kind, namespace, name, patched(draft, type, body)), { manager, part }),
    remove(kind, namespace, name, { uid, resourceVersion } = {}) {
      const before = found(kind, namespace, name);
      const { metadata } = before;
      if (uid !== undefined && uid !== metadata.uid) throw preconditionFailed(kind, name, `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`);
      if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
        throw preconditionFailed(kind, name, `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`);
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
        if (missed === null) {
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

function readContinue(token: string): { readonly start: string; readonly at: number } {
  try {
    const read: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (isRecord(read) && typeof read["start"] === "string" && typeof read["rv"] === "number") return { start: read["start"], at: read["rv"] };
  } catch (error) {
    throw badRequest(`invalid continue token: continue key is not valid: ${(error as Error).message}`);
  }
  throw badRequest("invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
}

const unversioned = (kind: ResourceKind, name: string) => {
  const message = "Invalid value: 0: must be specified for an update";
  return new ApiError(422, "Invalid", `${kind.resource} "${name}" is invalid: metadata.resourceVersion: ${message}`, { name, group: kind.group, kind: kind.plural, causes: [{ reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" }] });
};

const unmanaged = () => {
  const message = "Required value: is required for apply patch";
  return new ApiError(422, "Invalid", `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`, { group: "meta.k8s.io", kind: "PatchOptions", causes: [{ reason: "FieldValueRequired", message, field: "fieldManager" }] });
};

/** Another object had this name before, or will have it. */
function strangeUid(kind: ResourceKind, { metadata }: KubernetesObject, uid: string): ApiError {
  const { code, reason, details } = conflict(kind, metadata.name);
  const why = `StorageError: invalid object, Code: 4, Key: /registry/${kind.plural}/${placeOf({ apiVersion: "", kind: "", metadata })}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
  return new ApiError(code, reason, `Operation cannot be fulfilled on ${kind.resource} "${metadata.name}": ${why}`, details);
}

/** What ends takes no new reasons to stay. Throws invalid. */
function withoutNewFinalizers(kind: ResourceKind, before: KubernetesObject, edited: KubernetesObject): KubernetesObject {
  if (before.metadata.deletionTimestamp === undefined) return edited;
  const added = (edited.metadata.finalizers ?? []).filter((one) => !(before.metadata.finalizers ?? []).includes(one));
  if (added.length === 0) return edited;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => JSON.stringify(one)).join(", ")}}`;
  throw invalid(kind, before.metadata.name, [{ reason: "FieldValueForbidden", message, field: "metadata.finalizers" }]);
}

/** The object that a client sent, checked against the place it was sent to. Throws a bad request. */
function objectOf(kind: ResourceKind, namespace: string, name: string | null, body: unknown): KubernetesObject {
  if (!isRecord(body) || !isRecord(body["metadata"] ?? {})) throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
  // Of its own kinds an API server knows by the path what comes; a custom object must say it.
  if (kind.schema !== null && typeof body["kind"] !== "string") throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing in '${JSON.stringify(body)}'`);
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

function patched(target: KubernetesObject, type: PatchType, patch: unknown): unknown {
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
        throw patchDoesNotFit();
      }
  }
}
