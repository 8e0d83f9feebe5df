/** The objects of one cluster, by kind: what its API keeps, as far as the Cluster port can tell. */
import { type KubeObject, type Kind, WorldError } from "../../../shared/ports.ts";

export type ObjectChanged = (kind: Kind, after: KubeObject | null, before: KubeObject | null) => void;

export interface Objects {
  get(kind: Kind, namespace: string | null, name: string): KubeObject | null;
  /** `null`: the cluster does not know the kind. */
  list(kind: Kind, namespace: string | null, labelSelector?: string): readonly KubeObject[] | null;
  /** `null`: one of that name is there. Throws a `WorldError` for an unknown kind or a missing namespace. */
  create(kind: Kind, object: KubeObject): KubeObject | null;
  patch(kind: Kind, namespace: string | null, name: string, patch: unknown): KubeObject | null;
  delete(kind: Kind, namespace: string | null, name: string): void;
  onChange(call: ObjectChanged): void;
}

export function openObjects(cluster: string, known: readonly Kind[]): Objects {
  const tables = new Map(known.map((kind) => [tableOf(kind), new Map<string, KubeObject>()]));
  const listeners: ObjectChanged[] = [];
  let version = 100;
  const keyOf = (namespace: string | null | undefined, name: string): string => `${namespace ?? ""}/${name}`;
  const changed: ObjectChanged = (kind, after, before) => {
    for (const call of listeners) call(kind, after, before);
  };

  return {
    get: (kind, namespace, name) => tables.get(tableOf(kind))?.get(keyOf(kind.namespaced ? namespace : null, name)) ?? null,
    list(kind, namespace, labelSelector) {
      const table = tables.get(tableOf(kind));
      if (!table) return null;
      const selects = selectorOf(labelSelector);
      return [...table.values()].filter(({ metadata }) => (namespace === null || !kind.namespaced || metadata.namespace === namespace) && selects(metadata.labels ?? {})).sort((a, b) => (keyOf(a.metadata.namespace, a.metadata.name) < keyOf(b.metadata.namespace, b.metadata.name) ? -1 : 1));
    },
    create(kind, object) {
      const { name, namespace } = object.metadata;
      const table = tables.get(tableOf(kind));
      if (!table) throw new WorldError("create", `${cluster}/${kind.plural}/${name}`, "status 404 NotFound: the server could not find the requested resource");
      if (kind.namespaced && !tables.get("v1/namespaces")?.has(keyOf(null, namespace ?? ""))) throw new WorldError("create", `${cluster}/${kind.plural}/${name}`, `status 404 NotFound: namespaces "${namespace}" not found`);
      if (table.has(keyOf(namespace, name))) return null;
      version += 1;
      const created: KubeObject = { ...object, metadata: { ...object.metadata, uid: `${cluster}-${version}`, resourceVersion: String(version) } };
      table.set(keyOf(namespace, name), created);
      changed(kind, created, null);
      return table.get(keyOf(namespace, name)) ?? created;
    },
    patch(kind, namespace, name, patch) {
      const table = tables.get(tableOf(kind));
      const key = keyOf(kind.namespaced ? namespace : null, name);
      const before = table?.get(key);
      if (!table || !before) return null;
      const wished = merged(before, patch) as KubeObject; // a merge into an object is an object
      if (JSON.stringify(wished) === JSON.stringify(before)) return before;
      version += 1;
      const after: KubeObject = { ...wished, metadata: { ...wished.metadata, resourceVersion: String(version) } };
      table.set(key, after);
      changed(kind, after, before);
      return table.get(key) ?? after;
    },
    delete(kind, namespace, name) {
      const table = tables.get(tableOf(kind));
      const key = keyOf(kind.namespaced ? namespace : null, name);
      const before = table?.get(key);
      if (!table?.delete(key) || !before) return;
      changed(kind, null, before);
    },
    onChange: (call) => void listeners.push(call),
  };
}

/** Kinds are a few constants, asked for again and again. */
const tableNames = new WeakMap<Kind, string>();
function tableOf(kind: Kind): string {
  const known = tableNames.get(kind);
  if (known !== undefined) return known;
  const name = `${kind.apiVersion}/${kind.plural}`;
  tableNames.set(kind, name);
  return name;
}

/** `a`, `a=b` and `a in (b, c)`: what the app asks with. */
function selectorOf(selector: string | undefined): (labels: Readonly<Record<string, string>>) => boolean {
  if (selector === undefined) return () => true;
  const [, key = "", values] = /^(\S+) in \((.*)\)$/.exec(selector) ?? /^([^=]+)=(.*)$/.exec(selector) ?? [null, selector, undefined];
  const wanted = values?.split(/, ?/);
  return (labels) => (wanted === undefined ? labels[key] !== undefined : wanted.includes(labels[key] ?? ""));
}

/** JSON merge patch, RFC 7396. */
export function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
