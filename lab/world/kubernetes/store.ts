/**
 * The objects of one cluster and every change to them, in order: what etcd and the API server keep. It holds the rules that are
 * the same for every kind; what makes pods run or volumes bind is in the controllers beside it.
 */
import { randomUUID } from "node:crypto";
import type { LabClock } from "../../clock.ts";
import { admitted } from "./admission.ts";
import { alreadyExists, conflict, forbidden, invalid, noSuchResource, notFound } from "./api-error.ts";
import { builtInKind, type Kinds, openKinds, type ResourceKind } from "./kinds.ts";
import { afterUpdate } from "./managed-fields.ts";
import { deepFreeze, type KubernetesObject, type Metadata, sameJson, timestamp } from "./object.ts";
import { refuseOverQuota } from "./quotas.ts";
import { problems, pruned } from "./schema.ts";

/** Who writes: its name goes to `managedFields`. */
export interface Writer {
  readonly manager: string;
  /** `status`: only the status of kinds that keep it apart is taken; otherwise their status is left as it is. */
  readonly part: "object" | "status" | "everything";
  /** Velero puts back the managed fields of a backup: then the writer leaves no trace of its own. */
  readonly managedFieldsAsGiven?: boolean;
}

/** The controllers of Kubernetes itself, which may write all of an object. */
export const controllerManager: Writer = { manager: "kube-controller-manager", part: "everything" };

export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly kind: ResourceKind;
  readonly object: KubernetesObject;
  readonly before: KubernetesObject | null;
  readonly revision: number;
}

export interface Store {
  readonly kinds: Kinds;
  readonly clock: LabClock;
  /** Grows by one with every change of any object. */
  revision(): number;
  get(kind: ResourceKind, namespace: string, name: string): KubernetesObject | null;
  /** Ordered by namespace and name. `namespace` empty: everywhere. */
  list(kind: ResourceKind, namespace?: string): KubernetesObject[];
  /** As it was after a revision; `null`: too long ago to tell. */
  listAt(kind: ResourceKind, namespace: string, revision: number): KubernetesObject[] | null;
  /** Throws an `ApiError` when the name is taken, a quota is full, the namespace is missing or ending, or the object is not valid. */
  create(kind: ResourceKind, object: KubernetesObject, writer: Writer): KubernetesObject;
  /** Gives a draft to `edit` and stores what comes of it. An unchanged draft changes nothing, not even the resource version. Throws not found, conflict, invalid. */
  change(kind: ResourceKind, namespace: string, name: string, edit: (draft: KubernetesObject) => KubernetesObject | void, writer: Writer): KubernetesObject;
  /** Deletes, or marks as ending what has finalizers, contents or a running pod. Returns the object as it was left. Throws not found. */
  remove(kind: ResourceKind, namespace: string, name: string): KubernetesObject;
  /** Removes at once whatever keeps it; nothing when it is not there. For the controllers that end things. */
  purge(kind: ResourceKind, namespace: string, name: string): void;
  /** Puts an object in as it is, uid and status included: how a cluster that has run for a while begins. */
  load(object: KubernetesObject): void;
  /** Changes after a revision; `null`: too long ago to tell. */
  since(revision: number): readonly Change[] | null;
  /** Calls back after every change, in order. Returns what ends it. */
  onChange(call: (change: Change) => void): () => void;
}

/** How many changes a watch can go back. */
const historyMax = 20_000;
/** Grace that Kubernetes gives a running pod, in seconds. */
const podGraceSeconds = 30;

const namespaces = builtInKind("v1", "namespaces");
const definitions = builtInKind("apiextensions.k8s.io/v1", "customresourcedefinitions");

export function openStore(clock: LabClock): Store {
  const kinds = openKinds();
  const objects = new Map<string, Map<string, KubernetesObject>>();
  const history: Change[] = [];
  const listeners = new Set<(change: Change) => void>();
  let revision = 100;

  const tableOf = (kind: ResourceKind) => {
    const table = objects.get(kind.resource) ?? new Map<string, KubernetesObject>();
    objects.set(kind.resource, table);
    return table;
  };
  const present = (kind: ResourceKind, namespace: string, name: string) => {
    const object = tableOf(kind).get(keyOf(namespace, name));
    if (!object) throw notFound(kind, name);
    return object;
  };

  function commit(type: Change["type"], kind: ResourceKind, object: KubernetesObject, before: KubernetesObject | null): KubernetesObject {
    revision += 1;
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    const table = tableOf(kind);
    const key = keyOf(stored.metadata.namespace ?? "", stored.metadata.name);
    if (type === "DELETED") table.delete(key);
    else table.set(key, stored);
    if (kind.resource === definitions.resource) {
      if (type === "DELETED") forgetDefined(stored);
      else kinds.define(stored);
    }
    const change: Change = { type, kind, object: stored, before, revision };
    history.push(change);
    if (history.length > historyMax) history.splice(0, history.length - historyMax);
    for (const call of listeners) call(change);
    return stored;
  }

  /** With its definition the objects of a custom kind go too. */
  function forgetDefined(definition: KubernetesObject): void {
    const defined = kinds.all().filter((k) => `${k.plural}.${k.group}` === definition.metadata.name);
    for (const kind of defined) for (const object of Array.from(tableOf(kind).values())) commit("DELETED", kind, object, object);
    kinds.forget(definition.metadata.name);
  }

  function requireNamespace(kind: ResourceKind, metadata: Metadata): void {
    if (!kind.namespaced) return;
    const namespace = tableOf(namespaces).get(keyOf("", metadata.namespace ?? ""));
    if (!namespace) throw notFound(namespaces, metadata.namespace ?? "");
    if (namespace.metadata.deletionTimestamp !== undefined) throw forbidden(kind, metadata.name, `unable to create new content in namespace ${metadata.namespace} because it is being terminated`, [
        { reason: "NamespaceTerminating", message: `namespace ${metadata.namespace} is being terminated`, field: "metadata.namespace" },
      ]);
  }

  const list: Store["list"] = (kind, namespace = "") => ordered([...tableOf(kind).values()].filter(inNamespace(namespace)));

  return {
    kinds,
    clock,
    revision: () => revision,
    get: (kind, namespace, name) => tableOf(kind).get(keyOf(namespace, name)) ?? null,
    list,
    listAt(kind, namespace, at) {
      const later = this.since(at);
      if (later === null) return null;
      const then = new Map<string, KubernetesObject | null>(list(kind, namespace).map((object) => [keyOfObject(object), object]));
      // Backwards, so that the first change after that instant has the last word.
      for (const { kind: changed, object, before } of later.toReversed()) if (changed.resource === kind.resource) then.set(keyOfObject(object), before);
      return ordered([...then.values()].filter((object) => object !== null).filter(inNamespace(namespace)));
    },

    create(kind, object, writer) {
      if (!kinds.find(kind.apiVersion, kind.plural)) throw noSuchResource();
      const draft = newObject(kind, object, clock.now(), writer);
      const { name, namespace = "" } = draft.metadata;
      requireNamespace(kind, draft.metadata);
      if (tableOf(kind).has(keyOf(namespace, name))) throw alreadyExists(kind, name);
      const clean = checked(kind, draft);
      refuseOverQuota(list, kind, clean);
      const managedFields = writer.managedFieldsAsGiven ? (object.metadata.managedFields ?? []) : afterUpdate(kind, null, clean, writer, clock.now());
      return commit("ADDED", kind, { ...clean, metadata: withManagedFields(clean.metadata, managedFields) }, null);
    },

    change(kind, namespace, name, edit, writer) {
      const before = present(kind, namespace, name);
      const draft = structuredClone(before);
      const edited = edit(draft) ?? draft;
      if (edited.metadata.resourceVersion !== undefined && edited.metadata.resourceVersion !== before.metadata.resourceVersion) throw conflict(kind, name);
      const wished = checked(kind, withRightParts(kind, before, edited, writer));
      if (sameJson(before, wished)) return before;
      const next = { ...wished, metadata: afterEdit(kind, before, wished, writer, clock.now()) };
      const ends = next.metadata.deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0 && !endsByController(kind, next);
      return commit(ends ? "DELETED" : "MODIFIED", kind, next, before);
    },

    remove(kind, namespace, name) {
      const before = present(kind, namespace, name);
      if (before.metadata.deletionTimestamp !== undefined) return before;
      const waits = endsByController(kind, before);
      if (!waits && (before.metadata.finalizers ?? []).length === 0) return commit("DELETED", kind, before, before);
      const graceSeconds = kind.resource === "pods" && waits ? podGraceSeconds : 0;
      const { generation } = before.metadata;
      const metadata: Metadata = {
        ...before.metadata,
        deletionTimestamp: timestamp(clock.now() + graceSeconds * 1000),
        ...(kind.resource === "namespaces" ? {} : { deletionGracePeriodSeconds: graceSeconds }),
        ...(generation === undefined ? {} : { generation: generation + 1 }),
      };
      return commit("MODIFIED", kind, { ...before, metadata, ...(kind.resource === "namespaces" ? { status: { phase: "Terminating" } } : {}) }, before);
    },

    purge(kind, namespace, name) {
      const before = tableOf(kind).get(keyOf(namespace, name));
      if (before) commit("DELETED", kind, before, before);
    },

    load(object) {
      const kind = kinds.of(object);
      if (!kind) throw new Error(`cannot load ${object.apiVersion} ${object.kind} ${object.metadata.name}: the cluster does not know this kind`);
      commit("ADDED", kind, { ...structuredClone(object), metadata: { ...structuredClone(object.metadata), uid: object.metadata.uid ?? randomUUID() } }, null);
    },

    since(after) {
      if (after > revision) return [];
      const oldest = history[0]?.revision ?? revision + 1;
      if (after < oldest - 1) return null;
      return history.slice(Math.max(0, after - oldest + 1));
    },
    onChange(call) {
      listeners.add(call);
      return () => void listeners.delete(call);
    },
  };
}

const ordered = (objects: KubernetesObject[]) => objects.sort((a, b) => (keyOfObject(a) < keyOfObject(b) ? -1 : 1));
const inNamespace = (namespace: string) => ({ metadata }: KubernetesObject) => namespace === "" || metadata.namespace === namespace;
const keyOf = (namespace: string, name: string) => `${namespace}/${name}`;
/** The place of an object among those of its kind. */
export const keyOfObject = ({ metadata }: KubernetesObject) => keyOf(metadata.namespace ?? "", metadata.name);

/** Namespaces end when they are empty, scheduled pods when their node has stopped them. */
const endsByController = (kind: ResourceKind, object: KubernetesObject) =>
  kind.resource === "namespaces" || (kind.resource === "pods" && (object["spec"] as { nodeName?: string } | undefined)?.nodeName !== undefined);

/** Letters and digits that Kubernetes puts behind a `generateName`: no vowels, no look-alikes. */
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffix = () => Array.from({ length: 5 }, () => suffixAlphabet[Math.floor(Math.random() * suffixAlphabet.length)]).join("");

const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const isSubdomain = new RegExp(`^${subdomain}$`);

/** Names are host names, but for roles and their bindings. Throws invalid. */
function requireName(kind: ResourceKind, name: string): void {
  if (kind.group === "rbac.authorization.k8s.io" || (isSubdomain.test(name) && name.length <= 253)) return;
  const message = `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
  throw invalid(kind, name, [{ reason: "FieldValueInvalid", message, field: "metadata.name" }]);
}

function newObject(kind: ResourceKind, given: KubernetesObject, now: number, writer: Writer): KubernetesObject {
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, deletionTimestamp: _deleted, deletionGracePeriodSeconds: _grace, generation: _generation, managedFields: _managed, ...kept } =
    structuredClone(given.metadata);
  const name = kept.name ?? (kept.generateName === undefined ? "" : kept.generateName + suffix());
  if (name === "") throw invalid(kind, "", [{ reason: "FieldValueRequired", message: "Required value: name or generateName is required", field: "metadata.name" }]);
  requireName(kind, name);
  const { status, ...rest } = structuredClone(given);
  return admitted(kind, {
    ...rest,
    metadata: {
      ...kept,
      name,
      uid: randomUUID(),
      creationTimestamp: timestamp(now),
      ...(kind.generation ? { generation: 1 } : {}),
    },
    ...(status === undefined || (kind.statusApart && writer.part === "object") ? {} : { status }),
  });
}

/** What of an edit counts: status apart from the rest, and nobody writes what belongs to the server. */
function withRightParts(kind: ResourceKind, before: KubernetesObject, edited: KubernetesObject, { part }: Writer): KubernetesObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = before.metadata;
  const own = Object.fromEntries(Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation }).filter(([, value]) => value !== undefined));
  const { name: _n, namespace: _ns, uid: _u, resourceVersion: _r, creationTimestamp: _c, deletionTimestamp: _d, deletionGracePeriodSeconds: _g, generation: _gen, ...rest } = edited.metadata;
  const metadata = { ...rest, ...own } as Metadata; // `own` carries the name
  if (kind.statusApart && part === "status") return { ...before, ...(edited["status"] === undefined ? {} : { status: edited["status"] }) };
  const { status, ...body } = edited;
  const keptStatus = kind.statusApart && part === "object" ? before["status"] : status;
  return { ...body, apiVersion: before.apiVersion, kind: before.kind, metadata, ...(keptStatus === undefined ? {} : { status: keptStatus }) };
}

function afterEdit(kind: ResourceKind, before: KubernetesObject, next: KubernetesObject, writer: Writer, now: number): Metadata {
  const bare = (object: KubernetesObject) => ({ ...object, metadata: null, ...(kind.statusApart ? { status: null } : {}) });
  const grows = kind.generation && !sameJson(bare(before), bare(next));
  const fields = writer.managedFieldsAsGiven ? (next.metadata.managedFields ?? []) : afterUpdate(kind, before, next, writer, now);
  return withManagedFields({ ...next.metadata, ...(grows ? { generation: (before.metadata.generation ?? 0) + 1 } : {}) }, fields);
}

function withManagedFields({ managedFields: _before, ...metadata }: Metadata, managedFields: NonNullable<Metadata["managedFields"]>): Metadata {
  return { ...metadata, ...(managedFields.length > 0 ? { managedFields } : {}) };
}

/** Pruned by the schema of a custom kind. Throws invalid with all that is wrong. */
function checked(kind: ResourceKind, object: KubernetesObject): KubernetesObject {
  if (!kind.schema) return object;
  const clean = pruned(object, kind.schema) as KubernetesObject; // keeps apiVersion, kind and metadata
  const causes = problems(clean, kind.schema);
  if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
  return clean;
}
