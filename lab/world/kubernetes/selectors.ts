/** Label selectors: as text in a URL, and as objects in specs. Field selectors on name and namespace. */
import { badRequest } from "./api-error.ts";
import { isRecord, type KubernetesObject } from "./object.ts";

export type Labels = Readonly<Record<string, string>>;
type Requirement = { readonly key: string } & (
  | { readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly operator: "Exists" | "DoesNotExist" }
);
export type LabelSelector = readonly Requirement[];

/** Selects everything. */
export const everything: LabelSelector = [];

/** Whether labels meet every requirement. A key that is absent meets NotIn, as in Kubernetes. */
export function matches(selector: LabelSelector, labels: Labels | undefined): boolean {
  return selector.every((requirement) => {
    const value = labels?.[requirement.key];
    switch (requirement.operator) {
      case "In":
        return value !== undefined && requirement.values.includes(value);
      case "NotIn":
        return value === undefined || !requirement.values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
    }
  });
}

const key = String.raw`(?:[A-Za-z0-9.-]+\/)?[A-Za-z0-9_.-]+`;
const setBased = new RegExp(String.raw`^(${key})\s+(\S+?)\s*\(([^)]*)\)$`);
const equality = new RegExp(String.raw`^(${key})\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)$`);
const existence = new RegExp(String.raw`^(!?)\s*(${key})$`);

/** The `labelSelector` of a URL: `app=shop,tier notin (a,b),!hidden`. Throws a bad request that says what is wrong, as the API server does. */
export function parseLabelSelector(text: string): LabelSelector {
  return splitRequirements(text).map((part): Requirement => {
    const equal = equality.exec(part);
    if (equal) return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
    const set = setBased.exec(part);
    if (set) {
      const values = (set[3] ?? "").split(",").map((value) => value.trim());
      if (set[2] === "in") return { key: set[1] ?? "", operator: "In", values };
      if (set[2] === "notin") return { key: set[1] ?? "", operator: "NotIn", values };
      throw badRequest(`unable to parse requirement: found '${set[2]}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const exists = existence.exec(part);
    if (exists) return { key: exists[2] ?? "", operator: exists[1] === "!" ? "DoesNotExist" : "Exists" };
    throw badRequest(`unable to parse requirement: ${part}`);
  });
}

/** Commas part requirements, except inside brackets. */
const splitRequirements = (text: string) =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `{matchLabels, matchExpressions}` of a spec. Throws an error that names an operator it does not know. */
export function selectorOf(spec: unknown): LabelSelector {
  if (!isRecord(spec)) return everything;
  const equal = Object.entries(isRecord(spec["matchLabels"]) ? spec["matchLabels"] : {}).map(([key, value]): Requirement => ({ key, operator: "In", values: [String(value)] }));
  const expressions = (Array.isArray(spec["matchExpressions"]) ? spec["matchExpressions"] : []).filter(isRecord).map((expression): Requirement => {
    const key = String(expression["key"]);
    const { operator } = expression;
    switch (operator) {
      case "In":
      case "NotIn":
        return { key, operator, values: (Array.isArray(expression["values"]) ? expression["values"] : []).map(String) };
      case "Exists":
      case "DoesNotExist":
        return { key, operator };
    }
    throw new Error(`"${String(operator)}" is not a valid label selector operator`);
  });
  return [...equal, ...expressions];
}

/** The `fieldSelector` of a URL, on name and namespace, which every kind has. */
export function parseFieldSelector(text: string): (object: KubernetesObject) => boolean {
  const wanted = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [, field = "", operator = "", value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
      if (field !== "metadata.name" && field !== "metadata.namespace") throw badRequest(`${JSON.stringify(field === "" ? part : field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
      return { field, equal: operator !== "!=", value };
    });
  return ({ metadata }) => wanted.every(({ field, equal, value }) => (((field === "metadata.name" ? metadata.name : metadata.namespace) ?? "") === value) === equal);
}
