/** Hooks of a backup: commands that are to run in containers, and here none runs. So each of them fails, as on nodes that nobody can reach. */
import { isRecord, type KubernetesObject } from "../kubernetes/object.ts";
import { matches, selectorOf } from "../kubernetes/selectors.ts";
import { nameFilter } from "./filters.ts";
import type { BackupSpec } from "./objects.ts";

export interface HookFailures {
  readonly attempted: number;
  /** In Velero's words. One that is to be passed over is an error all the same. */
  readonly errors: readonly string[];
  /** Places of the pods that a hook kept out, `shop/orders-0`. */
  readonly keptOut: ReadonlySet<string>;
}

/** As it was recorded where no kubelet answered (Velero 1.18.3). */
const unreachable = "no preferred addresses found; known addresses: []";
const listOf = (value: unknown): readonly string[] | undefined => (Array.isArray(value) ? value.map(String) : undefined);

/** What becomes of the hooks that are to run before these pods are backed up. */
export function preHooksOf(spec: BackupSpec, pods: readonly KubernetesObject[]): HookFailures {
  const resources = isRecord(spec["hooks"]) && Array.isArray(spec["hooks"]["resources"]) ? spec["hooks"]["resources"].filter(isRecord) : [];
  const failures = resources.flatMap((resource) => {
    const namespaces = nameFilter(listOf(resource["includedNamespaces"]), listOf(resource["excludedNamespaces"]));
    const selector = selectorOf(resource["labelSelector"]);
    const hooks = (Array.isArray(resource["pre"]) ? resource["pre"] : []).filter(isRecord).map((hook) => (isRecord(hook["exec"]) ? hook["exec"] : {}));
    return pods.filter(({ metadata }) => namespaces.includes(metadata.namespace ?? "") && matches(selector, metadata.labels)).flatMap((pod) => hooks.map((exec) => ({ pod, fails: exec["onError"] !== "Continue" })));
  });
  return {
    attempted: failures.length,
    errors: failures.flatMap(({ pod, fails }) => [` message: /Error executing hook error: /${unreachable}`, ...(fails ? [` name: /${pod.metadata.name} message: /Error running pre hooks for pod error: /${unreachable}`] : [])]),
    keptOut: new Set(failures.filter(({ fails }) => fails).map(({ pod }) => `${pod.metadata.namespace ?? ""}/${pod.metadata.name}`)),
  };
}
