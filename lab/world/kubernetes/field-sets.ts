/**
 * Who may write what under server-side apply: the fields of an object as paths, and `fieldsV1`, the form in which an API server
 * writes a set of them down (structured-merge-diff, v4).
 */
import { isRecord, type KubernetesObject } from "./object.ts";

/** From the top to the field: `f:spec`, `f:containers`, `k:{"name":"shop"}`, `f:image`; `v:"one"` is a member of a set. */
export type FieldPath = readonly string[];

/** Every field with its value, by `keyOfPath`. A list's element, and a map that somebody made, are fields of their own. */
export type Fields = ReadonlyMap<string, { readonly path: FieldPath; readonly value: unknown }>;

export const keyOfPath = (path: FieldPath): string => path.join("\u0000");
export const pathOfKey = (key: string): FieldPath => key.split("\u0000");

/** Lists whose elements are told apart by these keys, from the listMapKey tags of the core types; a port has a protocol even where none is written. */
const listKeys: Readonly<Record<string, readonly (readonly string[])[]>> = {
  containers: [["name"]],
  initContainers: [["name"]],
  ephemeralContainers: [["name"]],
  volumes: [["name"]],
  env: [["name"]],
  volumeMounts: [["mountPath"]],
  ports: [["containerPort", "protocol"], ["port", "protocol"]],
  conditions: [["type"]],
  ownerReferences: [["uid"]],
  imagePullSecrets: [["name"]],
  podIPs: [["ip"]],
};
const sets: ReadonlySet<string> = new Set(["finalizers"]);
/** Objects that are written as a whole. */
const whole: ReadonlySet<string> = new Set(["selector", "nodeSelector", "secretKeyRef", "configMapKeyRef", "fieldRef", "claimRef"]);
/** Maps, which are there or not by themselves; other objects are only what is in them. */
const maps: ReadonlySet<string> = new Set(["labels", "annotations", "data", "binaryData", "stringData", "requests", "limits", "hard", "used", "capacity", "allocatable", "parameters"]);
/** What belongs to the server, and to no manager. */
const servers: ReadonlySet<string> = new Set(["name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"]);

export interface FieldsOptions {
  /** Of a custom kind every list is one field. */
  readonly custom: boolean;
  /** Of a plain write, maps themselves count; what is applied consists of its leaves. */
  readonly withMaps: boolean;
}

/** All fields of an object that a manager can own. */
export function fieldsOf({ apiVersion: _version, kind: _kind, metadata, ...rest }: KubernetesObject, options: FieldsOptions): Fields {
  const fields = new Map<string, { readonly path: FieldPath; readonly value: unknown }>();
  const own = Object.fromEntries(Object.entries(metadata).filter(([field]) => !servers.has(field)));
  walk({ metadata: own, ...rest }, [], fields, options);
  return fields;
}

function walk(record: Readonly<Record<string, unknown>>, path: FieldPath, fields: Map<string, { readonly path: FieldPath; readonly value: unknown }>, options: FieldsOptions): void {
  const add = (path: FieldPath, value: unknown) => void fields.set(keyOfPath(path), { path, value });
  for (const [field, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const at = [...path, `f:${field}`];
    if (isRecord(value) && !whole.has(field) && (Object.keys(value).length > 0 || path.length === 0)) {
      if (options.withMaps && maps.has(field)) add(at, null);
      walk(value, at, fields, options);
    } else if (Array.isArray(value) && !options.custom && sets.has(field)) {
      if (options.withMaps) add(at, null);
      for (const member of value) add([...at, `v:${JSON.stringify(member)}`], member);
    } else if (Array.isArray(value) && !options.custom && value.length > 0 && value.every((element) => elementKey(field, element) !== null)) {
      for (const element of value as Record<string, unknown>[]) {
        const place = [...at, elementKey(field, element) ?? ""];
        add(place, null);
        walk(element, place, fields, options);
      }
    } else add(at, value);
  }
}

/** `k:{"name":"shop"}`: how an element of this list is told apart; `null`: it is not. */
export function elementKey(list: string, element: unknown): string | null {
  if (!isRecord(element)) return null;
  const keys = listKeys[list]?.find(([first = ""]) => element[first] !== undefined);
  return keys ? `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, element[key] ?? "TCP"])))}` : null;
}

/** Whether this list is a set of plain values. */
export const isSet = (list: string): boolean => sets.has(list);
/** Whether this object is written as a whole. */
export const isWhole = (field: string): boolean => whole.has(field);

/** A set of fields as `fieldsV1`. */
export function fieldsV1(keys: Iterable<string>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  const all = [...keys].map(pathOfKey).toSorted((a, b) => (keyOfPath(a) < keyOfPath(b) ? -1 : 1));
  const inner = new Set(all.flatMap((path) => path.slice(0, -1).map((_, at) => keyOfPath(path.slice(0, at + 1)))));
  for (const path of all) {
    let node = root;
    for (const element of path) node = (node[element] ??= {}) as Record<string, unknown>; // made here, a record
    if (inner.has(keyOfPath(path))) node["."] = {};
    // An element of a list is a field beside those in it, even when it has none.
    else if (path.at(-1)?.startsWith("k:") === true) node["."] = {};
  }
  return root;
}

/** The set of fields that a `fieldsV1` stands for. */
export function keysIn(fields: unknown, path: FieldPath = []): Set<string> {
  const keys = new Set<string>();
  if (!isRecord(fields)) return keys;
  const entries = Object.entries(fields);
  if (path.length > 0 && entries.length === 0) keys.add(keyOfPath(path));
  for (const [element, below] of entries) {
    if (element === ".") keys.add(keyOfPath(path));
    else for (const key of keysIn(below, [...path, element])) keys.add(key);
  }
  return keys;
}

/** `.spec.template.spec.containers[name="side"].image`, as conflicts name a field. */
export const pathText = (path: FieldPath): string =>
  path
    .map((element) => {
      if (element.startsWith("f:")) return `.${element.slice(2)}`;
      if (element.startsWith("v:")) return `[=${element.slice(2)}]`;
      const keys = JSON.parse(element.slice(2)) as Record<string, unknown>;
      return `[${Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
    })
    .join("");
