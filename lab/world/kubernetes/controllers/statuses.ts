/** Kinds whose controllers only say how things are: budgets, autoscalers, quotas, definitions of custom kinds. */
import { isRecord, type KubernetesObject, timestamp } from "../object.ts";
import { usedOf } from "../quotas.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { getOf, isActive, isReady, listOf, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";

export function runStatuses({ store }: ControllerContext): void {
  const saying = [
    { kind: workloadKinds.disruptionBudgets, say: budget },
    { kind: workloadKinds.autoscalers, say: autoscaler },
    { kind: workloadKinds.quotas, say: quota },
    { kind: workloadKinds.definitions, say: definition },
  ];
  for (const { kind, say } of saying) {
    const queue = openQueue(store.clock, (key) => {
      const { namespace, name } = splitKey(key);
      const object = store.get(kind, namespace, name);
      if (object && object.metadata.deletionTimestamp === undefined) store.change(kind, namespace, name, (draft) => void (draft["status"] = say(store, object)), controllerManager);
    });
    store.onChange((change) => {
      if (change.kind.resource === kind.resource && change.type !== "DELETED") queue.add(keyOfObject(change.object));
      // Budgets count pods, quotas whatever comes and goes.
      const counts = kind === workloadKinds.disruptionBudgets ? change.kind.resource === "pods" : kind === workloadKinds.quotas && change.kind.namespaced && (change.type !== "MODIFIED" || change.kind.resource === "pods");
      if (counts) for (const object of store.list(kind, change.object.metadata.namespace)) queue.add(keyOfObject(object));
    });
  }
}

const specOf = (object: KubernetesObject) => (isRecord(object["spec"]) ? object["spec"] : {});
const statusOf = (object: KubernetesObject) => (isRecord(object["status"]) ? object["status"] : {});
const podsOf = (store: Store, object: KubernetesObject, selector: unknown) => listOf(store, "pods", object.metadata.namespace).filter((pod) => isActive(pod) && matches(selectorOf(selector), pod.metadata.labels));

function budget(store: Store, object: KubernetesObject): Record<string, unknown> {
  const { selector, minAvailable } = specOf(object);
  const pods = podsOf(store, object, selector);
  const healthy = pods.filter(isReady).length;
  const desired = typeof minAvailable === "number" ? minAvailable : pods.length;
  const allowed = Math.max(0, healthy - desired);
  const status = allowed > 0 ? "True" : "False";
  const before = (statusOf(object)["conditions"] as { status?: string; lastTransitionTime?: string }[] | undefined)?.[0];
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp(store.clock.now());
  return {
    conditions: [{ type: "DisruptionAllowed", status, reason: allowed > 0 ? "SufficientPods" : "InsufficientPods", message: "", observedGeneration: object.metadata.generation, lastTransitionTime }],
    currentHealthy: healthy,
    desiredHealthy: desired,
    disruptionsAllowed: allowed,
    expectedPods: pods.length,
    observedGeneration: object.metadata.generation,
  };
}

/** There are no metrics in the lab: an autoscaler says so and never scales. */
function autoscaler(store: Store, object: KubernetesObject): Record<string, unknown> {
  const target = specOf(object)["scaleTargetRef"];
  const deployment = isRecord(target) && target["kind"] === "Deployment" ? getOf(store, "deployments", object.metadata.namespace ?? "", String(target["name"])) : null;
  const replicas = deployment?.spec.replicas ?? 0;
  const before = statusOf(object);
  if (before["desiredReplicas"] === replicas && Array.isArray(before["conditions"])) return before;
  const lastTransitionTime = timestamp(store.clock.now());
  return {
    currentMetrics: null,
    currentReplicas: replicas,
    desiredReplicas: replicas,
    conditions: [
      { type: "AbleToScale", status: "True", reason: "SucceededGetScale", message: "the HPA controller was able to get the target's current scale", lastTransitionTime },
      { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric", message: "the HPA was unable to compute the replica count: unable to fetch metrics from resource metrics API", lastTransitionTime },
    ],
  };
}

function quota(store: Store, object: KubernetesObject): Record<string, unknown> {
  return { hard: specOf(object)["hard"] ?? {}, used: usedOf((kind, namespace) => store.list(kind, namespace), store.kinds.all(), object) };
}

function definition(store: Store, object: KubernetesObject): Record<string, unknown> {
  const before = statusOf(object);
  if (Array.isArray(before["conditions"]) && before["conditions"].length > 0) return before;
  const { names, versions } = specOf(object);
  const lastTransitionTime = timestamp(store.clock.now());
  return {
    acceptedNames: names,
    conditions: [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found", lastTransitionTime },
      { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted", lastTransitionTime },
    ],
    storedVersions: Array.isArray(versions) ? versions.filter(isRecord).flatMap(({ name, storage }) => (storage === true ? [name] : [])) : [],
  };
}
