/**
 * Admission webhooks that must answer: what one judges is refused while nobody stands behind its service. One that somebody stands behind lets
 * everything pass: nobody in the lab writes a webhook's server.
 */
import { ApiError } from "./api-error.ts";
import { builtInKind, type ResourceKind } from "./kinds.ts";
import { isRecord } from "./object.ts";
import type { Store } from "./store.ts";

const configurations = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map((plural) => builtInKind("admissionregistration.k8s.io/v1", plural));
const services = builtInKind("v1", "services");
const slices = builtInKind("discovery.k8s.io/v1", "endpointslices");
const namespaces = builtInKind("v1", "namespaces");

/** Throws what an API server says of an object that a webhook should have judged. */
export function requireJudges(store: Pick<Store, "get" | "list">, kind: ResourceKind, namespace: string): void {
  // No webhook judges the webhooks themselves.
  if (kind.group === "admissionregistration.k8s.io") return;
  for (const configuration of configurations.flatMap((one) => store.list(one, "")))
    for (const webhook of recordsIn(configuration["webhooks"])) {
      if ((webhook["failurePolicy"] ?? "Fail") !== "Fail" || !judges(store, webhook, kind, namespace)) continue;
      const why = silence(store, webhook);
      if (why !== null) throw unanswered(String(webhook["name"]), why);
    }
}

const recordsIn = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const has = (list: unknown, ...wanted: readonly string[]): boolean => Array.isArray(list) && wanted.some((one) => list.includes(one));

function judges(store: Pick<Store, "get">, webhook: Readonly<Record<string, unknown>>, kind: ResourceKind, namespace: string): boolean {
  const isRuled = recordsIn(webhook["rules"]).some((rule) => has(rule["operations"], "*", "CREATE") && has(rule["apiGroups"], "*", kind.group) && has(rule["resources"], "*", "*/*", kind.plural) && !(kind.namespaced ? rule["scope"] === "Cluster" : rule["scope"] === "Namespaced"));
  if (!isRuled || !kind.namespaced) return isRuled;
  const selector = isRecord(webhook["namespaceSelector"]) ? webhook["namespaceSelector"] : {};
  const labels: Readonly<Record<string, string>> = store.get(namespaces, "", namespace)?.metadata.labels ?? {};
  const wanted = isRecord(selector["matchLabels"]) ? Object.entries(selector["matchLabels"]) : [];
  return wanted.every(([key, value]) => labels[key] === value) && recordsIn(selector["matchExpressions"]).every((expression) => fits(expression, labels));
}

function fits({ key, operator, values }: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, string>>): boolean {
  const label = labels[String(key)];
  switch (operator) {
    case "In":
      return label !== undefined && has(values, label);
    case "NotIn":
      return label === undefined || !has(values, label);
    case "Exists":
      return label !== undefined;
    default:
      return label === undefined;
  }
}

/** Why nobody answers, as the API server has it from its service resolver; `null`: somebody does, or it is not a service of this cluster. */
function silence(store: Pick<Store, "get" | "list">, { clientConfig }: Readonly<Record<string, unknown>>): string | null {
  const service = isRecord(clientConfig) && isRecord(clientConfig["service"]) ? clientConfig["service"] : null;
  if (service === null) return null;
  const [namespace, name] = [String(service["namespace"]), String(service["name"])];
  const asked = `failed to call webhook: Post "https://${name}.${namespace}.svc:443/?timeout=10s": `;
  if (!store.get(services, namespace, name)) return `${asked}service ${JSON.stringify(name)} not found`;
  const isReady = store.list(slices, namespace).some((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === name && recordsIn(slice["endpoints"]).some(({ conditions }) => !isRecord(conditions) || conditions["ready"] !== false));
  return isReady ? null : `${asked}no endpoints available for service ${JSON.stringify(name)}`;
}

function unanswered(webhook: string, why: string): ApiError {
  const message = `failed calling webhook ${JSON.stringify(webhook)}: ${why}`;
  return new ApiError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}
