/** The three patches of the Kubernetes API: JSON merge patch, JSON patch, and strategic merge for lists that are merged by a key. */
import { isRecord, sameJson } from "./object.ts";

/** RFC 7386: null removes, objects merge, everything else replaces. Changes nothing in place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Lists that Kubernetes merges by an element's key; any other list is replaced. From the patchMergeKey tags of the core types. */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  volumes: ["name"],
  env: ["name"],
  volumeMounts: ["mountPath"],
  ports: ["containerPort", "port"],
  conditions: ["type"],
  ownerReferences: ["uid"],
  imagePullSecrets: ["name"],
  hostAliases: ["ip"],
};

/** A merge patch that knows the lists above, `$patch: delete` and `$patch: replace`. */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const { $patch: directive, ...rest } = patch;
  if (directive === "replace") return rest;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(rest)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (Array.isArray(value) && Array.isArray(before)) result[key] = mergeList(before, value, mergeKeys[key]);
    else result[key] = strategicMergePatch(before, value);
  }
  return result;
}

function mergeList(before: readonly unknown[], patch: readonly unknown[], keys: readonly string[] | undefined): unknown[] {
  const first = patch.find(isRecord);
  const by = keys?.find((key) => first?.[key] !== undefined);
  if (by === undefined) return [...patch];
  const result = [...before];
  for (const element of patch) {
    if (!isRecord(element)) continue;
    const at = result.findIndex((other) => isRecord(other) && sameJson(other[by], element[by]));
    if (element["$patch"] === "delete") {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = strategicMergePatch(result[at], element);
    else result.push(element);
  }
  return result;
}

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

/** A JSON patch could not be applied. `kind` tells the two reasons that Velero passes over from the rest. */
export class PatchFailed extends Error {
  override readonly name = "PatchFailed";
  readonly kind: "test-failed" | "missing" | "malformed";
  constructor(kind: PatchFailed["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** RFC 6902, all operations. Changes nothing in place; throws `PatchFailed`. */
export function jsonPatch(target: unknown, operations: readonly JsonPatchOperation[]): unknown {
  // One clone, then in place: a patch is applied whole or not at all.
  let document = structuredClone(target);
  for (const { op, path, value, from } of operations) {
    switch (op) {
      case "add":
        document = put(document, path, structuredClone(value), true);
        break;
      case "replace":
        read(document, path);
        document = put(document, path, structuredClone(value), false);
        break;
      case "remove":
        take(document, path);
        break;
      case "move":
        document = put(document, path, take(document, from ?? ""), true);
        break;
      case "copy":
        document = put(document, path, structuredClone(read(document, from ?? "")), true);
        break;
      case "test":
        if (!sameJson(readOrUndefined(document, path) ?? null, value ?? null)) throw new PatchFailed("test-failed", `testing value ${path} failed`);
        break;
      default:
        throw new PatchFailed("malformed", `Unexpected kind: ${op}`);
    }
  }
  return document;
}

const tokensOf = (path: string): string[] => {
  if (path === "") return [];
  if (!path.startsWith("/")) throw new PatchFailed("malformed", `path ${path} does not begin with a slash`);
  return path
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
};

function child(parent: unknown, token: string): unknown {
  if (Array.isArray(parent)) return parent[Number(token)];
  return isRecord(parent) ? parent[token] : undefined;
}

const readOrUndefined = (document: unknown, path: string) => tokensOf(path).reduce(child, document);

function read(document: unknown, path: string): unknown {
  const value = readOrUndefined(document, path);
  if (value === undefined) throw new PatchFailed("missing", `doc is missing path: ${path}: missing value`);
  return value;
}

function parentOf(document: unknown, path: string): { readonly parent: unknown; readonly last: string } {
  const tokens = tokensOf(path);
  const last = tokens.pop() ?? "";
  const parent = tokens.reduce(child, document);
  if (parent === undefined) throw new PatchFailed("missing", `doc is missing path: ${path}: missing value`);
  return { parent, last };
}

function put(document: unknown, path: string, value: unknown, insert: boolean): unknown {
  if (path === "") return value;
  const { parent, last } = parentOf(document, path);
  if (Array.isArray(parent)) {
    const at = last === "-" ? parent.length : Number(last);
    if (!Number.isInteger(at) || at < 0 || at > parent.length) throw new PatchFailed("missing", `Unable to access invalid index: ${last}: invalid index referenced`);
    parent.splice(at, insert ? 0 : 1, value);
  } else if (isRecord(parent)) parent[last] = value;
  else throw new PatchFailed("missing", `doc is missing path: ${path}: missing value`);
  return document;
}

function take(document: unknown, path: string): unknown {
  const value = read(document, path);
  const { parent, last } = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isRecord(parent)) delete parent[last];
  return value;
}
