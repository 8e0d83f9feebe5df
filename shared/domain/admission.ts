/**
 * Admission webhooks that would keep a restore out: a cluster refuses what a webhook with `failurePolicy: Fail` should have judged and nobody
 * answers for it (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy). Pure.
 */
import type { Contents } from "./contents.ts";
import { guessedPlural } from "./custom-kinds.ts";
import { groupOf } from "./kinds.ts";
import { arrayOf, recordOf, stringOf } from "./loose.ts";

/** A webhook that refuses when it does not answer. */
export interface FailClosed {
  /** `ValidatingWebhookConfiguration policies: pods.policies.example.com`. */
  readonly name: string;
  /** The service that answers for it. `null`: an address outside of the cluster. */
  readonly service: { readonly namespace: string; readonly name: string } | null;
  readonly rules: readonly { readonly groups: readonly string[]; readonly resources: readonly string[] }[];
  /** Namespaces that its selector names or leaves out by their names. `null`: it selects by something that is not known before the restore. */
  readonly picks: ((namespace: string) => boolean) | null;
}

/** The fail-closed webhooks of one configuration that look at what is created in namespaces. */
export function failClosedIn(configuration: Readonly<Record<string, unknown>>, kind: string): readonly FailClosed[] {
  const title = stringOf(recordOf(configuration["metadata"])["name"]) ?? "";
  return arrayOf(configuration["webhooks"])
    .map(recordOf)
    .flatMap((webhook) => {
      // In v1 nothing said means Fail.
      if ((webhook["failurePolicy"] ?? "Fail") !== "Fail") return [];
      const rules = arrayOf(webhook["rules"]).map(recordOf).filter(looksAtCreation).map((rule) => ({ groups: texts(rule["apiGroups"]), resources: texts(rule["resources"]) }));
      const service = recordOf(recordOf(webhook["clientConfig"])["service"]);
      const [namespace, name] = [stringOf(service["namespace"]), stringOf(service["name"])];
      return rules.length === 0 ? [] : [{ name: `${kind} ${title}: ${stringOf(webhook["name"]) ?? ""}`, service: namespace === null || name === null ? null : { namespace, name }, rules, picks: picksOf(webhook) }];
    });
}

const texts = (value: unknown): readonly string[] => arrayOf(value).flatMap((text) => (typeof text === "string" ? [text] : []));
const looksAtCreation = (rule: Readonly<Record<string, unknown>>): boolean => texts(rule["operations"]).some((operation) => operation === "CREATE" || operation === "*") && rule["scope"] !== "Cluster";

/** Every namespace carries its own name as this label; its other labels come with the restore. */
const nameLabel = "kubernetes.io/metadata.name";

function picksOf(webhook: Readonly<Record<string, unknown>>): FailClosed["picks"] {
  const selector = recordOf(webhook["namespaceSelector"]);
  const byObject = recordOf(webhook["objectSelector"]);
  if (arrayOf(webhook["matchConditions"]).length > 0 || arrayOf(byObject["matchExpressions"]).length > 0 || Object.keys(recordOf(byObject["matchLabels"])).length > 0) return null;
  const wanted = Object.entries(recordOf(selector["matchLabels"])).map(([key, value]) => ({ key, operator: "In", values: [value] as readonly unknown[] }));
  const asked = [...wanted, ...arrayOf(selector["matchExpressions"]).map(recordOf).map(({ key, operator, values }) => ({ key, operator, values: arrayOf(values) }))];
  if (asked.some(({ key, operator }) => key !== nameLabel || (operator !== "In" && operator !== "NotIn"))) return null;
  return (namespace) => asked.every(({ operator, values }) => values.includes(namespace) === (operator === "In"));
}

/** Whether a webhook looks at anything that the backup holds in one of these namespaces. `unknown`: its selector can only be asked after the restore. */
export function judges({ rules, picks }: FailClosed, contents: Contents, namespaces: readonly string[]): boolean | "unknown" {
  const looked = namespaces.filter((namespace) => Object.keys(contents.namespaces[namespace]?.kinds ?? {}).some((key) => rules.some((rule) => covers(rule, key))));
  if (looked.length === 0) return false;
  return picks === null ? "unknown" : looked.some(picks);
}

function covers({ groups, resources }: FailClosed["rules"][number], key: string): boolean {
  const [apiVersion, kind] = [key.slice(0, key.lastIndexOf("/")), key.slice(key.lastIndexOf("/") + 1)];
  const group = groupOf(apiVersion);
  const plural = guessedPlural(kind);
  return (groups.includes("*") || groups.includes(group)) && resources.some((resource) => resource === "*" || resource === "*/*" || resource === plural);
}
