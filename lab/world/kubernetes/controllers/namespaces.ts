/** Namespaces begin with what every namespace has, and end when all that is in them has ended. */
import { controllerManager, type Store } from "../store.ts";
import { workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue } from "./queue.ts";

export function runNamespaces({ store, world, region }: ControllerContext): void {
  const ending = openQueue(store.clock, (name) => {
    const namespace = store.get(workloadKinds.namespaces, "", name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    if (empty(store, name)) store.purge(workloadKinds.namespaces, "", name);
  });
  for (const { metadata } of store.list(workloadKinds.namespaces)) furnish(store, region, metadata.name);
  store.onChange(({ type, kind, object }) => {
    if (kind.resource === "namespaces") {
      if (type === "ADDED") furnish(store, region, object.metadata.name);
      // A real one waits about as long as its pods take: measured, 5 s (Kubernetes 1.34.4).
      else if (type === "MODIFIED" && object.metadata.deletionTimestamp !== undefined) ending.add(object.metadata.name, world.latencies.podStart);
    } else if (type === "DELETED" && kind.namespaced) {
      const { namespace = "" } = object.metadata;
      if (store.get(workloadKinds.namespaces, "", namespace)?.metadata.deletionTimestamp !== undefined) ending.add(namespace);
    }
  });
}

/** Deletes all that is left. True when nothing was. */
function empty(store: Store, namespace: string): boolean {
  const left = store.kinds.all().flatMap((kind) => (kind.namespaced ? store.list(kind, namespace).map((object) => ({ kind, object })) : []));
  // Pods first: what waits for them can go then.
  for (const { kind, object } of left.filter(({ kind }) => kind.resource === "pods").concat(left.filter(({ kind }) => kind.resource !== "pods")))
    if (object.metadata.deletionTimestamp === undefined && store.get(kind, namespace, object.metadata.name)) store.remove(kind, namespace, object.metadata.name);
  return left.length === 0;
}

/** The service account and the CA bundle that Kubernetes puts into every namespace. The bundle differs from cluster to cluster. */
function furnish(store: Store, region: string, namespace: string): void {
  if (!store.get(workloadKinds.serviceAccounts, namespace, "default"))
    store.create(workloadKinds.serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } }, { ...controllerManager, managedFieldsAsGiven: true });
  if (!store.get(workloadKinds.configMaps, namespace, "kube-root-ca.crt"))
    store.create(workloadKinds.configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", namespace }, data: { "ca.crt": `the certificate authority of the cluster in ${region}\n` } }, controllerManager);
}
