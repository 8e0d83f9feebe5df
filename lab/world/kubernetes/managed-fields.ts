/** What a write does to the owners of an object's fields, and what an apply may do at all. */
import { ApiError } from "./api-error.ts";
import { elementKey, type FieldPath, type Fields, fieldsOf, fieldsV1, isSet, isWhole, keysIn, pathOfKey, pathText } from "./field-sets.ts";
import type { ResourceKind } from "./kinds.ts";
import { isRecord, type KubernetesObject, type ManagedFields, sameJson, timestamp } from "./object.ts";

interface Manager {
  readonly manager: string;
  readonly operation: ManagedFields["operation"];
  readonly part: "object" | "status" | "everything";
}

const isOf = (entry: ManagedFields, { manager, operation, part }: Manager) => entry.manager === manager && entry.operation === operation && (entry.subresource === "status") === (part === "status");
const entryOf = (kind: ResourceKind, { manager, operation, part }: Manager, keys: Iterable<string>, now: number): ManagedFields => ({
  manager,
  operation,
  apiVersion: kind.apiVersion,
  time: timestamp(now),
  fieldsType: "FieldsV1",
  fieldsV1: fieldsV1(keys),
  ...(part === "status" ? { subresource: "status" } : {}),
});

/** After a plain write: whoever changed a field owns it, alone; what is gone nobody owns; who owns nothing is not listed. */
export function afterUpdate(kind: ResourceKind, before: KubernetesObject | null, next: KubernetesObject, { manager, part }: { readonly manager: string; readonly part: Manager["part"] }, now: number): ManagedFields[] {
  const entries = next.metadata.managedFields ?? [];
  if (!kind.statusApart) return updated(kind, before, next, entries, { manager, operation: "Update", part: "object" }, now);
  const bare = (object: KubernetesObject | null) => object && without(object, "status");
  const onlyStatus = (object: KubernetesObject | null) => object && { apiVersion: object.apiVersion, kind: object.kind, metadata: { name: object.metadata.name }, status: object["status"] ?? {} };
  const afterObject = part === "status" ? entries : updated(kind, bare(before), bare(next) ?? next, entries, { manager, operation: "Update", part: "object" }, now);
  return part === "object" ? afterObject : updated(kind, onlyStatus(before), onlyStatus(next) ?? next, afterObject, { manager, operation: "Update", part: "status" }, now);
}

const without = (object: KubernetesObject, field: string): KubernetesObject => ({ ...Object.fromEntries(Object.entries(object).filter(([name]) => name !== field)), apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata });

function updated(kind: ResourceKind, before: KubernetesObject | null, next: KubernetesObject, entries: readonly ManagedFields[], manager: Manager, now: number): ManagedFields[] {
  const options = { custom: kind.schema !== null, withMaps: true };
  const was: Fields = before === null ? new Map() : fieldsOf(before, options);
  const is = fieldsOf(next, options);
  const changed = [...is].filter(([key, { value }]) => !was.has(key) || !sameJson(was.get(key)?.value, value)).map(([key]) => key);
  const gone = [...was.keys()].filter((key) => !is.has(key));
  if (changed.length + gone.length === 0) return [...entries];
  const taken = new Set([...changed, ...gone]);
  const mine = new Set(entries.filter((entry) => isOf(entry, manager)).flatMap((entry) => [...keysIn(entry.fieldsV1)]));
  for (const key of gone) mine.delete(key);
  for (const key of changed) mine.add(key);
  const others = entries.filter((entry) => !isOf(entry, manager)).flatMap((entry) => reduced(entry, taken));
  return mine.size > 0 ? [...others, entryOf(kind, manager, mine, now)] : others;
}

/** The entry without these fields; nothing when none is left. */
function reduced(entry: ManagedFields, taken: ReadonlySet<string>): ManagedFields[] {
  const keys = keysIn(entry.fieldsV1);
  const kept = [...keys].filter((key) => !taken.has(key));
  // One that a cluster of another lab wrote may be empty from the beginning.
  if (kept.length === keys.size) return [entry];
  return kept.length > 0 ? [{ ...entry, fieldsV1: fieldsV1(kept) }] : [];
}

/** The first apply of an object makes it, and owns all of it. */
export const firstApplied = (kind: ResourceKind, applied: KubernetesObject, manager: string, now: number): ManagedFields[] => [
  entryOf(kind, { manager, operation: "Apply", part: "object" }, fieldsOf(applied, { custom: kind.schema !== null, withMaps: false }).keys(), now),
];

/** The live object with what was applied. Throws a conflict when a field belongs to another and would change, unless it is forced. */
export function appliedTo(kind: ResourceKind, live: KubernetesObject, applied: KubernetesObject, { manager: name, force }: { readonly manager: string; readonly force: boolean }, now: number): KubernetesObject {
  const custom = kind.schema !== null;
  const manager: Manager = { manager: name, operation: "Apply", part: "object" };
  const wanted = fieldsOf(applied, { custom, withMaps: false });
  const present = fieldsOf(live, { custom, withMaps: true });
  const entries = live.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isOf(entry, manager)).map((entry) => ({ entry, keys: keysIn(entry.fieldsV1) }));
  const disputed = new Set([...wanted].filter(([key, { value }]) => !sameJson(present.get(key)?.value, value)).map(([key]) => key));
  const conflicts = others.flatMap(({ entry, keys }) => [...disputed].filter((key) => keys.has(key)).map((key) => ({ entry, path: pathOfKey(key) })));
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const before = new Set(entries.filter((entry) => isOf(entry, manager)).flatMap((entry) => [...keysIn(entry.fieldsV1)]));
  const left = [...before].filter((key) => !wanted.has(key) && !others.some(({ keys }) => keys.has(key)));
  const merged = merge(live, applied, custom) as KubernetesObject; // both are objects of this kind
  const cleaned = left.map(pathOfKey).reduce<unknown>((object, path) => removed(object, path), merged) as KubernetesObject;
  const mine = entries.find((entry) => isOf(entry, manager));
  const same = mine && sameJson(fieldsV1(wanted.keys()), mine.fieldsV1) ? mine : entryOf(kind, manager, wanted.keys(), now);
  const kept = entries.flatMap((entry) => (entry === mine ? [same] : reduced(entry, disputed)));
  return { ...cleaned, metadata: { ...cleaned.metadata, managedFields: mine ? kept : [...kept.filter(({ operation }) => operation === "Apply"), same, ...kept.filter(({ operation }) => operation === "Update")] } };
}

function applyConflict(conflicts: readonly { readonly entry: ManagedFields; readonly path: FieldPath }[]): ApiError {
  const who = ({ manager, operation, subresource, apiVersion }: ManagedFields) =>
    `${JSON.stringify(manager)}${subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`}${operation === "Apply" ? "" : ` using ${apiVersion}`}`;
  const managers = [...new Set(conflicts.map(({ entry }) => who(entry)))];
  const pathsOf = (whose: string) => conflicts.filter(({ entry }) => who(entry) === whose).map(({ path }) => `- ${pathText(path)}`).join("\n");
  const [only] = conflicts;
  const said =
    conflicts.length === 1 && only
      ? `1 conflict: conflict with ${who(only.entry)}: ${pathText(only.path)}`
      : `${conflicts.length} conflicts: ${managers.map((whose) => `conflicts with ${whose}:\n${pathsOf(whose)}`).join("\n")}`;
  return new ApiError(409, "Conflict", `Apply failed with ${said}`, { causes: conflicts.map(({ entry, path }) => ({ reason: "FieldManagerConflict", message: `conflict with ${who(entry)}`, field: pathText(path) })) });
}

function merge(live: unknown, applied: unknown, custom: boolean, field = ""): unknown {
  if (isRecord(live) && isRecord(applied) && !isWhole(field)) {
    const merged: Record<string, unknown> = { ...live };
    for (const [key, value] of Object.entries(applied)) merged[key] = merge(live[key], value, custom, key);
    return merged;
  }
  if (!Array.isArray(live) || !Array.isArray(applied) || custom) return applied;
  if (isSet(field)) return [...new Set<unknown>([...live, ...applied])];
  if (!applied.every((element) => elementKey(field, element) !== null)) return applied;
  const added = applied.filter((element) => !live.some((other) => elementKey(field, other) === elementKey(field, element)));
  const merged = live.map((element: unknown) => {
    const given: unknown = applied.find((other) => elementKey(field, other) === elementKey(field, element));
    return given === undefined ? element : merge(element, given, custom);
  });
  return [...merged, ...added];
}

/** The object without one field, and without the objects that held nothing else. */
function removed(object: unknown, [element = "", ...below]: FieldPath, list = ""): unknown {
  if (Array.isArray(object)) {
    const isIt = (one: unknown) => (element.startsWith("v:") ? JSON.stringify(one) === element.slice(2) : elementKey(list, one) === element);
    return below.length === 0 ? object.filter((one) => !isIt(one)) : object.map((one) => (isIt(one) ? removed(one, below) : (one as unknown)));
  }
  const field = element.slice(2);
  if (!isRecord(object) || object[field] === undefined) return object;
  const { [field]: value, ...rest } = object;
  const left = below.length === 0 ? undefined : removed(value, below, field);
  const isEmpty = left === undefined || (Array.isArray(left) ? left.length === 0 : isRecord(left) && Object.keys(left).length === 0);
  return isEmpty ? rest : { ...rest, [field]: left };
}
