/** ReplicaSets: adopt loose pods that match, make those that are missing, delete those that are too many. */
import type { KubernetesObject, OwnerReference } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { getOf, isActive, isReady, listOf, type Pod, type ReplicaSet, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";

export function runReplicaSets({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const set = getOf(store, "replicaSets", namespace, name);
    if (set && set.metadata.deletionTimestamp === undefined) level(store, set);
  });
  store.onChange(({ kind, object, before }) => {
    if (kind.resource === "replicasets.apps") queue.add(keyOfObject(object));
    if (kind.resource !== "pods") return;
    for (const set of listOf(store, "replicaSets", object.metadata.namespace))
      if ([object, before].some((pod) => pod && matches(selectorOf(set.spec.selector), pod.metadata.labels))) queue.add(keyOfObject(set));
  });
  for (const set of listOf(store, "replicaSets")) queue.add(keyOfObject(set));
}

function level(store: Store, set: ReplicaSet): void {
  const { namespace = "", name } = set.metadata;
  const wanted = set.spec.replicas ?? 1;
  const pods = ownedPods(store, set, selectorOf(set.spec.selector)).filter(isActive);
  if (wanted > 0 || pods.length > 0) {
    for (let missing = wanted - pods.length; missing > 0; missing -= 1) store.create(workloadKinds.pods, podOf(set), controllerManager);
    for (const pod of expendable(pods).slice(0, Math.max(0, pods.length - wanted))) store.remove(workloadKinds.pods, namespace, pod.metadata.name);
  }
  const left = ownedPods(store, set, selectorOf(set.spec.selector)).filter(isActive);
  const ready = left.filter(isReady).length;
  store.change(
    workloadKinds.replicaSets,
    namespace,
    name,
    (draft) =>
      void (draft["status"] = {
        replicas: left.length,
        ...(left.length > 0 ? { fullyLabeledReplicas: left.length } : {}),
        ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
        observedGeneration: set.metadata.generation,
      }),
    controllerManager,
  );
}

/** The pods of a workload. Loose ones that its selector matches become its own first. */
export function ownedPods(store: Store, owner: KubernetesObject, selector: ReturnType<typeof selectorOf>): Pod[] {
  const { namespace = "" } = owner.metadata;
  return listOf(store, "pods", namespace).flatMap((pod): Pod[] => {
    if (!matches(selector, pod.metadata.labels)) return [];
    const controller = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (controller) return controller.uid === owner.metadata.uid ? [pod] : [];
    if (pod.metadata.deletionTimestamp !== undefined) return [];
    return [store.change(workloadKinds.pods, namespace, pod.metadata.name, (draft) => void (draft.metadata.ownerReferences = [ownerOf(owner)]), controllerManager) as Pod];
  });
}

/** The reference by which a dependent names its controller. */
export const ownerOf = ({ apiVersion, kind, metadata }: KubernetesObject): OwnerReference => ({ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true, blockOwnerDeletion: true });

function podOf(set: ReplicaSet): KubernetesObject {
  const { template } = set.spec;
  const metadata = { generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace, labels: { ...template.metadata?.labels }, ownerReferences: [ownerOf(set)] };
  // The store gives the name.
  return { apiVersion: "v1", kind: "Pod", metadata: metadata as KubernetesObject["metadata"], spec: structuredClone(template.spec) };
}

/** Those to go first stand first: without a node, not ready, the youngest. */
const expendable = (pods: readonly Pod[]) =>
  [...pods].sort((a, b) => rank(a) - rank(b) || Date.parse(b.metadata.creationTimestamp ?? "") - Date.parse(a.metadata.creationTimestamp ?? ""));
const rank = (pod: Pod) => (pod.spec.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
