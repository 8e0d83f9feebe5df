/** ReplicaSets: adopt loose pods that match, make those that are missing, delete those that are too many. */
import { ApiError } from "../api-error.ts";
import { type KubernetesObject, type OwnerReference, timestamp } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { type Condition, getOf, isActive, isReady, listOf, type Pod, type ReplicaSet, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";

/** How often it is tried again to make pods that were refused; a real one backs off from milliseconds to minutes. */
const retryMs = 10_000;

export function runReplicaSets({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const set = getOf(store, "replicaSets", namespace, name);
    if (set && set.metadata.deletionTimestamp === undefined && !level(store, set)) queue.add(key, retryMs);
  });
  store.onChange(({ kind, object, before }) => {
    if (kind.resource === "replicasets.apps") queue.add(keyOfObject(object));
    if (kind.resource !== "pods") return;
    for (const set of listOf(store, "replicaSets", object.metadata.namespace))
      if ([object, before].some((pod) => pod && matches(selectorOf(set.spec.selector), pod.metadata.labels))) queue.add(keyOfObject(set));
  });
  for (const set of listOf(store, "replicaSets")) queue.add(keyOfObject(set));
}

/** Whether all pods that it asks for could be made. */
function level(store: Store, set: ReplicaSet): boolean {
  const { namespace = "", name } = set.metadata;
  const wanted = set.spec.replicas ?? 1;
  const pods = ownedPods(store, set, selectorOf(set.spec.selector)).filter(isActive);
  const refusal = wanted > pods.length ? createPods(store, set, wanted - pods.length) : null;
  if (wanted > 0 || pods.length > 0) {
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
        ...(refusal === null ? {} : { conditions: [refused(set, refusal, timestamp(store.clock.now()))] }),
      }),
    controllerManager,
  );
  return refusal === null;
}

/** Makes so many pods. Returns why the API server refused one, or null. */
function createPods(store: Store, set: ReplicaSet, missing: number): string | null {
  try {
    for (let made = 0; made < missing; made += 1) store.create(workloadKinds.pods, podOf(set), controllerManager);
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.message;
  }
}

/** The condition is told once: the name in its message is another with each try. */
function refused(set: ReplicaSet, message: string, lastTransitionTime: string): Condition {
  return set.status?.conditions?.find(({ type }) => type === "ReplicaFailure") ?? { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message, lastTransitionTime };
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
