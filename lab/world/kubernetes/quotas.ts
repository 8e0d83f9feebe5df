/** Resource quotas: what a namespace may hold, as the API server enforces it and the controllers count it. */
import { forbidden } from "./api-error.ts";
import { builtInKind, type ResourceKind } from "./kinds.ts";
import { isRecord, type KubernetesObject } from "./object.ts";
import { amountOf, quantityText } from "./quantities.ts";
import type { PodSpec } from "./workloads.ts";

const quotas = builtInKind("v1", "resourcequotas");
type List = (kind: ResourceKind, namespace?: string) => readonly KubernetesObject[];

/** What an object takes of each resource that a quota may name. */
function usageOf(kind: ResourceKind, object: KubernetesObject): Map<string, number> {
  const counted: [string, number][] = [[`count/${kind.resource}`, 1]];
  if (plainlyCounted.has(kind.resource)) counted.push([kind.resource, 1]);
  if (kind.resource === "persistentvolumeclaims") counted.push(["requests.storage", storageOf(object)]);
  // A pod that is done takes nothing.
  if (kind.resource === "pods" && isOver(object)) return new Map([[`count/${kind.resource}`, 1]]);
  if (kind.resource === "pods") for (const name of computed) counted.push([name, podAmount(object, name) ?? 0]);
  return new Map(counted);
}

const plainlyCounted: ReadonlySet<string> = new Set(["pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas"]);
const computed = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory"] as const;

const isOver = ({ status }: KubernetesObject) => isRecord(status) && (status["phase"] === "Succeeded" || status["phase"] === "Failed");
const storageOf = ({ spec }: KubernetesObject) => {
  const resources = isRecord(spec) && isRecord(spec["resources"]) ? spec["resources"] : {};
  const storage = isRecord(resources["requests"]) ? resources["requests"]["storage"] : undefined;
  return typeof storage === "string" ? amountOf(storage) : 0;
};

/** The containers of a pod that say nothing of a computed resource. */
function silentContainers({ spec }: KubernetesObject, name: (typeof computed)[number]): string[] {
  return ((spec as PodSpec | undefined)?.containers ?? []).filter((container) => asked(container, name) === undefined).map((container) => container.name);
}

function asked(container: PodSpec["containers"][number], name: (typeof computed)[number]): string | undefined {
  const [side, resource] = name.includes(".") ? name.split(".") : ["requests", name];
  const resources: unknown = container.resources;
  const amounts = isRecord(resources) ? resources[side ?? ""] : undefined;
  const amount = isRecord(amounts) ? amounts[resource ?? ""] : undefined;
  return typeof amount === "string" || typeof amount === "number" ? String(amount) : undefined;
}

const podAmount = ({ spec }: KubernetesObject, name: (typeof computed)[number]) =>
  (spec as PodSpec | undefined)?.containers.reduce((sum, container) => sum + amountOf(asked(container, name) ?? "0"), 0);

const hardOf = ({ spec }: KubernetesObject): Readonly<Record<string, string>> => (isRecord(spec) && isRecord(spec["hard"]) ? (spec["hard"] as Record<string, string>) : {}); // quantities are texts

/** What of a quota is used, by resource; of what it does not limit it says nothing. */
export function usedOf(list: List, kinds: readonly ResourceKind[], quota: KubernetesObject): Record<string, string> {
  const { namespace = "" } = quota.metadata;
  const hard = hardOf(quota);
  return Object.fromEntries(
    Object.keys(hard).map((resource) => {
      const used = kinds.filter((kind) => kind.namespaced && mayUse(kind, resource)).flatMap((kind) => list(kind, namespace).map((object) => usageOf(kind, object).get(resource) ?? 0));
      return [resource, quantityText(used.reduce((sum, one) => sum + one, 0), resource)];
    }),
  );
}

const mayUse = (kind: ResourceKind, resource: string) =>
  resource === `count/${kind.resource}` || resource === kind.resource || (kind.resource === "pods" && (computed as readonly string[]).includes(resource)) || (kind.resource === "persistentvolumeclaims" && resource === "requests.storage");

/** Throws forbidden when a quota of the namespace has no room for a new object, in the words of the API server. */
export function refuseOverQuota(list: List, kind: ResourceKind, object: KubernetesObject): void {
  const { namespace = "", name } = object.metadata;
  if (namespace === "" || kind.resource === quotas.resource) return;
  for (const quota of list(quotas, namespace)) {
    const hard = hardOf(quota);
    const own = usageOf(kind, object);
    const unsaid = kind.resource === "pods" ? computed.filter((resource) => hard[resource] !== undefined).flatMap((resource) => {
      const silent = silentContainers(object, resource);
      return silent.length > 0 ? [`${resource} for: ${silent.join(",")}`] : [];
    }) : [];
    if (unsaid.length > 0) throw forbidden(kind, name, `failed quota: ${quota.metadata.name}: must specify ${unsaid.join("; ")}`);
    const used = usedOf(list, [kind], quota);
    const over = Object.keys(hard).toSorted().filter((resource) => (own.get(resource) ?? 0) > 0 && amountOf(used[resource] ?? "0") + (own.get(resource) ?? 0) > amountOf(hard[resource] ?? "0"));
    if (over.length === 0) continue;
    const all = (amount: (resource: string) => string) => over.map((resource) => `${resource}=${amount(resource)}`).join(",");
    throw forbidden(kind, name, `exceeded quota: ${quota.metadata.name}, requested: ${all((resource) => quantityText(own.get(resource) ?? 0, resource))}, used: ${all((resource) => used[resource] ?? "0")}, limited: ${all((resource) => hard[resource] ?? "0")}`);
  }
}
