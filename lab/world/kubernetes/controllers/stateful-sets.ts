/** StatefulSets: pods `name-0`, `name-1` … one after the other, each with claims of its own. */
import type { KubernetesObject } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { getOf, isActive, isReady, listOf, type StatefulSet, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";
import { ownedPods, ownerOf } from "./replica-sets.ts";

export function runStatefulSets({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const set = getOf(store, "statefulSets", namespace, name);
    if (set && set.metadata.deletionTimestamp === undefined) level(store, set);
  });
  store.onChange(({ kind, object }) => {
    if (kind.resource === "statefulsets.apps") queue.add(keyOfObject(object));
    if (kind.resource !== "pods") return;
    for (const set of listOf(store, "statefulSets", object.metadata.namespace)) if (matches(selectorOf(set.spec.selector), object.metadata.labels)) queue.add(keyOfObject(set));
  });
  for (const set of listOf(store, "statefulSets")) queue.add(keyOfObject(set));
}

function level(store: Store, set: StatefulSet): void {
  const { namespace = "", name } = set.metadata;
  const revision = adoptRevision(store, set);
  const wanted = set.spec.replicas ?? 1;
  const own = () => ownedPods(store, set, selectorOf(set.spec.selector));
  const ordinalOf = (pod: KubernetesObject) => Number(pod.metadata.name.slice(name.length + 1));
  const before = own();
  for (const pod of before.filter(isActive).sort((a, b) => ordinalOf(b) - ordinalOf(a))) if (ordinalOf(pod) >= wanted) store.remove(workloadKinds.pods, namespace, pod.metadata.name);
  for (let ordinal = 0; ordinal < wanted; ordinal += 1) {
    const pod = getOf(store, "pods", namespace, `${name}-${ordinal}`);
    if (!pod) {
      claimVolumes(store, set, ordinal);
      store.create(workloadKinds.pods, podOf(set, ordinal, revision), controllerManager);
    }
    // The next one starts when this one is ready.
    if (!pod || !isReady(pod)) break;
  }
  const pods = own().filter(isActive);
  const ready = pods.filter(isReady).length;
  store.change(
    workloadKinds.statefulSets,
    namespace,
    name,
    (draft) =>
      void (draft["status"] = {
        observedGeneration: set.metadata.generation,
        replicas: pods.length,
        ...(ready > 0 ? { readyReplicas: ready } : {}),
        ...(pods.length > 0 ? { currentReplicas: pods.length, updatedReplicas: pods.length } : {}),
        currentRevision: revision,
        updateRevision: revision,
        collisionCount: 0,
        availableReplicas: ready,
      }),
    controllerManager,
  );
}

/** The name of the set's revision: one that is there becomes its own, otherwise a first one is made. */
function adoptRevision(store: Store, set: StatefulSet): string {
  const { namespace = "", name } = set.metadata;
  const { revisions } = workloadKinds;
  const selector = selectorOf(set.spec.selector);
  const there = store.list(revisions, namespace).filter(({ metadata }) => matches(selector, metadata.labels));
  const mine = there.find(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid));
  if (mine) return mine.metadata.name;
  const loose = there.find(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
  if (loose) return store.change(revisions, namespace, loose.metadata.name, (draft) => void (draft.metadata.ownerReferences = [ownerOf(set)]), controllerManager).metadata.name;
  const hash = (set.metadata.uid ?? "").slice(0, 8);
  const labels = { ...set.spec.template.metadata?.labels, "controller.kubernetes.io/hash": hash };
  const made = { apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownerOf(set)] }, data: { spec: { template: structuredClone(set.spec.template) } }, revision: 1 };
  return store.create(revisions, made, controllerManager).metadata.name;
}

function claimVolumes(store: Store, set: StatefulSet, ordinal: number): void {
  const { namespace = "", name } = set.metadata;
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const claim = `${template.metadata.name}-${name}-${ordinal}`;
    if (store.get(workloadKinds.claims, namespace, claim)) continue;
    const labels = { ...template.metadata.labels, ...set.spec.template.metadata?.labels };
    store.create(workloadKinds.claims, { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: claim, namespace, labels }, spec: structuredClone(template.spec) }, controllerManager);
  }
}

function podOf(set: StatefulSet, ordinal: number, revision: string): KubernetesObject {
  const { namespace = "", name } = set.metadata;
  const { template, volumeClaimTemplates = [], serviceName = "" } = set.spec;
  const podName = `${name}-${ordinal}`;
  const volumes = volumeClaimTemplates.map(({ metadata }) => ({ name: metadata.name, persistentVolumeClaim: { claimName: `${metadata.name}-${podName}` } }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName,
      namespace,
      labels: { ...template.metadata?.labels, "apps.kubernetes.io/pod-index": String(ordinal), "controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": podName },
      ownerReferences: [ownerOf(set)],
    },
    spec: { ...structuredClone(template.spec), hostname: podName, subdomain: serviceName, volumes: [...volumes, ...(template.spec.volumes ?? [])] },
  };
}
