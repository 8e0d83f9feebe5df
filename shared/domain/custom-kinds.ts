/** Kinds that a cluster has only if somebody taught it: whether the target knows those that a backup holds, or is taught them by it. Pure. */
import type { Contents, CustomKind } from "./contents.ts";
import type { Plan } from "./plan.ts";

const definitions = "customresourcedefinitions.apiextensions.k8s.io";

/** Groups of Kubernetes itself have no dot or end in k8s.io (API conventions: that domain is reserved). */
export const isCustom = (group: string): boolean => group.includes(".") && !group.endsWith(".k8s.io");

/** The plural of a kind as Kubernetes guesses it (apimachinery, UnsafeGuessKindToResource). */
export function guessedPlural(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === "endpoints") return lower;
  return lower.endsWith("s") ? `${lower}es` : lower.endsWith("y") ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** One sentence for each kind of the plan's namespaces that nothing would make known: Velero leaves its objects out with a warning. */
export function unknownKinds(contents: Contents, plan: Plan, inCluster: readonly CustomKind[]): readonly string[] {
  const brought = plan.applications.some(({ clusterResources }) => clusterResources.includes(definitions)) ? contents.customKinds : [];
  const namespaces = new Set(plan.applications.flatMap((application) => application.namespaces));
  const used = new Set([...namespaces].flatMap((namespace) => Object.keys(contents.namespaces[namespace]?.kinds ?? {})));
  return [...used].toSorted().flatMap((used) => {
    const [group = "", version = "", kind = ""] = used.split("/");
    if (kind === "" || !isCustom(group)) return [];
    const known = [...inCluster, ...brought].find((custom) => custom.group === group && custom.kind === kind);
    if (known === undefined) return [`the target does not know the kind ${kind} of ${group}: install it there, or let an application of the plan bring ${definitions}`];
    if (!known.versions.includes(version)) return [`the target serves ${kind} of ${group} as ${known.versions.join(", ") || "nothing"}, and the backup holds ${version}: bring its definition up to date`];
    return [];
  });
}
