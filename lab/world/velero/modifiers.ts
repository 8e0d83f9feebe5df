/** Resource modifiers of a restore: rules in a ConfigMap that patch objects on their way in. */
import { parse } from "yaml";
import { z } from "zod";
import { type KubernetesObject } from "../kubernetes/object.ts";
import { jsonPatch, type JsonPatchOperation, mergePatch, PatchFailed, strategicMergePatch } from "../kubernetes/patches.ts";
import { matches, selectorOf } from "../kubernetes/selectors.ts";
import type { Store } from "../kubernetes/store.ts";
import { workloadKinds } from "../kubernetes/workloads.ts";
import { nameFilter } from "./filters.ts";
import { veleroNamespace } from "./objects.ts";

const operation = z.strictObject({
  operation: z.enum(["add", "remove", "replace", "move", "copy", "test"]),
  from: z.string().optional(),
  path: z.string().min(1),
  // Text even where a number is meant: Velero decides by itself what is to be quoted.
  value: z.string().optional(),
});
const patchData = z.strictObject({ patchData: z.string() });
const rule = z
  .strictObject({
    conditions: z.strictObject({
      namespaces: z.array(z.string()).optional(),
      groupResource: z.string().min(1, "groupkResource cannot be empty"),
      resourceNameRegex: z.string().optional(),
      labelSelector: z.unknown().optional(),
      matches: z.array(z.strictObject({ path: z.string(), value: z.string().optional() })).optional(),
    }),
    patches: z.array(operation).optional(),
    mergePatches: z.array(patchData).optional(),
    strategicPatches: z.array(patchData).optional(),
  })
  .refine((r) => [r.patches, r.mergePatches, r.strategicPatches].filter((one) => one !== undefined).length <= 1, "only one of patches, mergePatches, strategicPatches can be specified");
const modifiers = z.strictObject({
  version: z.literal("v1"),
  resourceModifierRules: z.array(rule).min(1, "resource modifier rules cannot be empty"),
});

type Rule = z.output<typeof rule>;
export type Modifiers = readonly Rule[];

/** The rules that a restore names, or what Velero has against them. None named: no rules. */
export function readModifiers(store: Store, named: { readonly name: string } | undefined): { readonly rules: Modifiers } | { readonly problem: string } {
  if (!named) return { rules: [] };
  const place = `${veleroNamespace}/${named.name}`;
  const configMap = store.get(workloadKinds.configMaps, veleroNamespace, named.name);
  if (!configMap) return { problem: `failed to get resource modifiers configmap ${place}` };
  const problem = (why: string) => ({ problem: `Error in parsing resource modifiers provided in configmap ${place}: ${why}` });
  const texts = Object.values((configMap["data"] ?? {}) as Record<string, string>);
  if (texts.length !== 1) return problem(`illegal resource modifiers ${place} configmap`);
  let value: unknown;
  try {
    value = parse(texts[0] ?? "");
  } catch (error) {
    return problem(`failed to decode yaml data into resource modifiers, err: ${(error as Error).message}`);
  }
  const read = modifiers.safeParse(value);
  if (read.success) return { rules: read.data.resourceModifierRules };
  const [issue] = read.error.issues;
  return problem(`failed to decode yaml data into resource modifiers, err: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

/** Applies every rule that fits, in order. `namespace` is the original one. Returns the object and what went wrong. */
export function applyModifiers(rules: Modifiers, object: KubernetesObject, resource: string): { readonly object: KubernetesObject; readonly errors: readonly string[] } {
  const errors: string[] = [];
  let current = object;
  // What fits is decided on the object as it came, before any rule changed it.
  for (const one of rules.filter((candidate) => fits(candidate, object, resource))) {
    try {
      current = patched(one, current) as KubernetesObject; // a patch of an object is an object
    } catch (error) {
      errors.push(`error in applying patch error in applying JSON Patch ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { object: current, errors };
}

function fits({ conditions }: Rule, object: KubernetesObject, resource: string): boolean {
  const { namespaces, groupResource, resourceNameRegex, labelSelector, matches: tests } = conditions;
  const { namespace, name, labels } = object.metadata;
  if (namespace !== undefined && !nameFilter(namespaces).includes(namespace)) return false;
  if (!nameFilter([groupResource]).includes(resource)) return false;
  if (resourceNameRegex !== undefined && resourceNameRegex !== "" && !new RegExp(resourceNameRegex).test(name)) return false;
  if (!matches(selectorOf(labelSelector), labels)) return false;
  return (tests ?? []).every(({ path, value = "" }) => {
    try {
      jsonPatch(object, [{ op: "test", path, value: unquoted(value) }]);
      return true;
    } catch {
      return false;
    }
  });
}

function patched({ patches, mergePatches, strategicPatches }: Rule, object: KubernetesObject): unknown {
  if (patches && patches.length > 0) {
    try {
      return jsonPatch(object, patches.map((one): JsonPatchOperation => ({ op: one.operation, path: one.path, value: unquoted(one.value ?? ""), ...(one.from === undefined ? {} : { from: one.from }) })));
    } catch (error) {
      // A test that fails leaves the object as it is, without a word.
      if (error instanceof PatchFailed && error.kind === "test-failed") return object;
      throw error;
    }
  }
  if (mergePatches) return mergePatches.reduce<unknown>((target, { patchData }) => mergePatch(target, parse(patchData)), object);
  if (strategicPatches) return strategicPatches.reduce<unknown>((target, { patchData }) => strategicMergePatch(target, parse(patchData)), object);
  return object;
}

/** What a value stands for: JSON where it looks like a number, a boolean, null, an object or a list; a text in quotes, or any other text, is that text. */
function unquoted(value: string): unknown {
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) return value.slice(1, -1);
  if (value === "null") return null;
  if (/^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
  if (value.startsWith("{") || value.startsWith("[")) return JSON.parse(value) as unknown;
  return value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}
