/** DaemonSets: a pod on every node that it tolerates. */
import type { KubernetesObject } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { type DaemonSet, getOf, isActive, isReady, listOf, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";
import { ownedPods, ownerOf } from "./replica-sets.ts";
import { tolerates } from "./scheduling.ts";

export function runDaemonSets({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const set = getOf(store, "daemonSets", namespace, name);
    if (set && set.metadata.deletionTimestamp === undefined) level(store, set);
  });
  const addAll = (fits: (set: DaemonSet) => boolean) => {
    for (const set of listOf(store, "daemonSets")) if (fits(set)) queue.add(keyOfObject(set));
  };
  store.onChange(({ kind, object }) => {
    if (kind.resource === "daemonsets.apps") queue.add(keyOfObject(object));
    else if (kind.resource === "nodes") addAll(() => true);
    else if (kind.resource === "pods") addAll((set) => matches(selectorOf(set.spec.selector), object.metadata.labels));
  });
  addAll(() => true);
}

/** Daemons stay where a node is in trouble: the controller gives them tolerations for all of it. */
const nodesOwn = "node.kubernetes.io/";

function level(store: Store, set: DaemonSet): void {
  const { namespace = "", name } = set.metadata;
  const selector = selectorOf(set.spec.selector);
  const nodes = listOf(store, "nodes").filter((node) => (node.spec?.taints ?? []).every((taint) => taint.key.startsWith(nodesOwn) || tolerates(set.spec.template.spec, taint)));
  const covered = new Set(ownedPods(store, set, selector).filter(isActive).map(({ spec }) => spec.nodeName));
  for (const { metadata } of nodes) if (!covered.has(metadata.name)) store.create(workloadKinds.pods, podOf(set, metadata.name), controllerManager);
  const pods = ownedPods(store, set, selector).filter(isActive);
  const ready = pods.filter(isReady).length;
  store.change(
    workloadKinds.daemonSets,
    namespace,
    name,
    (draft) =>
      void (draft["status"] = {
        currentNumberScheduled: pods.length,
        desiredNumberScheduled: nodes.length,
        numberAvailable: ready,
        numberMisscheduled: 0,
        numberReady: ready,
        observedGeneration: set.metadata.generation,
        updatedNumberScheduled: pods.length,
      }),
    controllerManager,
  );
}

/** A daemon's pod is born on its node: no scheduler is asked. */
function podOf(set: DaemonSet, nodeName: string): KubernetesObject {
  const { template } = set.spec;
  const metadata = { generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace, labels: { ...template.metadata?.labels }, ownerReferences: [ownerOf(set)] };
  return { apiVersion: "v1", kind: "Pod", metadata: metadata as KubernetesObject["metadata"], spec: { ...structuredClone(template.spec), nodeName } };
}
