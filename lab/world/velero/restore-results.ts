/** What a restore did: every item with what became of it, warnings and errors by namespace, a log. */
import type { KubernetesObject } from "../kubernetes/object.ts";

export type Action = "created" | "updated" | "failed" | "skipped";

/** Messages of a restore, as its results file has them. */
export interface Messages {
  /** About the whole restore. */
  velero(message: string): void;
  /** About an item; `namespace` empty: cluster-scoped. */
  item(namespace: string, message: string): void;
  count(): number;
  /** All of them, each on a line of its own with where it belongs. */
  lines(): readonly string[];
  toJSON(): Record<string, unknown>;
}

export function openMessages(): Messages {
  const velero: string[] = [];
  const cluster: string[] = [];
  const namespaces = new Map<string, string[]>();
  return {
    velero: (message) => void velero.push(message),
    item(namespace, message) {
      if (namespace === "") cluster.push(message);
      else namespaces.set(namespace, [...(namespaces.get(namespace) ?? []), message]);
    },
    count: () => velero.length + cluster.length + [...namespaces.values()].reduce((sum, list) => sum + list.length, 0),
    lines: () => [...velero, ...cluster, ...[...namespaces.values()].flat()],
    toJSON: () => ({ ...(velero.length > 0 ? { velero } : {}), ...(cluster.length > 0 ? { cluster } : {}), ...(namespaces.size > 0 ? { namespaces: Object.fromEntries(namespaces) } : {}) }),
  };
}

/** The items of a restore. One that was begun and has no action yet takes its action from how it ends. */
export interface RestoredItems {
  has(object: KubernetesObject, namespace: string): boolean;
  set(object: KubernetesObject, namespace: string, action: Action): void;
  count(): number;
  /** `{"v1/Pod": ["shop/orders-0(created)"]}`, in order. */
  toJSON(): Record<string, readonly string[]>;
}

export function openRestoredItems(): RestoredItems {
  const items = new Map<string, { readonly list: string; readonly name: string; action: Action }>();
  const keyOf = ({ apiVersion, kind, metadata }: KubernetesObject, namespace: string) => `${apiVersion}/${kind}/${namespace}/${metadata.name}`;
  return {
    has: (object, namespace) => items.has(keyOf(object, namespace)),
    set: (object, namespace, action) =>
      void items.set(keyOf(object, namespace), { list: `${object.apiVersion}/${object.kind}`, name: namespace === "" ? object.metadata.name : `${namespace}/${object.metadata.name}`, action }),
    count: () => items.size,
    toJSON() {
      const lists = new Map<string, string[]>();
      for (const { list, name, action } of items.values()) lists.set(list, [...(lists.get(list) ?? []), `${name}(${action})`]);
      return Object.fromEntries([...lists].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([list, names]) => [list, names.toSorted()]));
    },
  };
}
