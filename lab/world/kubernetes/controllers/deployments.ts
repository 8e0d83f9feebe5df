/** Deployments: one ReplicaSet carries the present template; it is adopted when it is there already, as after a restore. */
import { createHash } from "node:crypto";
import { type KubernetesObject, sameJson, timestamp } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { type Condition, type Deployment, getOf, listOf, type PodTemplate, type ReplicaSet, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";
import { ownerOf } from "./replica-sets.ts";

const hashLabel = "pod-template-hash";

export function runDeployments({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const deployment = getOf(store, "deployments", namespace, name);
    if (deployment && deployment.metadata.deletionTimestamp === undefined) level(store, deployment);
  });
  store.onChange(({ kind, object }) => {
    if (kind.resource === "deployments.apps") queue.add(keyOfObject(object));
    if (kind.resource !== "replicasets.apps") return;
    for (const deployment of listOf(store, "deployments", object.metadata.namespace)) if (matches(selectorOf(deployment.spec.selector), object.metadata.labels)) queue.add(keyOfObject(deployment));
  });
  for (const deployment of listOf(store, "deployments")) queue.add(keyOfObject(deployment));
}

function level(store: Store, deployment: Deployment): void {
  const { namespace = "" } = deployment.metadata;
  const sets = ownedSets(store, deployment);
  const current = sets.find((set) => sameJson(withoutHash(set.spec.template), withoutHash(deployment.spec.template))) ?? newSet(store, deployment, sets.length + 1);
  const wanted = deployment.spec.replicas ?? 1;
  for (const set of sets) if (set !== current && (set.spec.replicas ?? 0) > 0) scale(store, set, 0);
  if ((current.spec.replicas ?? 1) !== wanted) scale(store, current, wanted);
  const now = getOf(store, "replicaSets", namespace, current.metadata.name) ?? current;
  writeStatus(store, deployment, now, wanted);
}

function ownedSets(store: Store, deployment: Deployment): ReplicaSet[] {
  const { namespace = "" } = deployment.metadata;
  return listOf(store, "replicaSets", namespace).flatMap((set): ReplicaSet[] => {
    if (!matches(selectorOf(deployment.spec.selector), set.metadata.labels)) return [];
    const controller = set.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (controller) return controller.uid === deployment.metadata.uid ? [set] : [];
    return [store.change(workloadKinds.replicaSets, namespace, set.metadata.name, (draft) => void (draft.metadata.ownerReferences = [ownerOf(deployment)]), controllerManager) as ReplicaSet];
  });
}

/** A template without the hash that its ReplicaSet added. Velero's labels are on the objects, never in templates. */
function withoutHash(template: PodTemplate): unknown {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { labels, annotations: template.metadata?.annotations ?? {} } };
}

function newSet(store: Store, deployment: Deployment, revision: number): ReplicaSet {
  const { template, replicas = 1, selector } = deployment.spec;
  const hash = createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 9);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const matchLabels = Object.fromEntries(selectorOf(selector).flatMap((one) => (one.operator === "In" && one.values.length === 1 ? [[one.key, one.values[0]]] : [])));
  return store.create(
    workloadKinds.replicaSets,
    {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace ?? "",
        labels,
        annotations: { "deployment.kubernetes.io/desired-replicas": String(replicas), "deployment.kubernetes.io/revision": String(revision) },
        ownerReferences: [ownerOf(deployment)],
      },
      spec: { replicas, selector: { matchLabels: { ...matchLabels, [hashLabel]: hash } }, template: { ...structuredClone(template), metadata: { ...structuredClone(template.metadata), labels } } },
    },
    controllerManager,
  ) as ReplicaSet;
}

function scale(store: Store, set: ReplicaSet, replicas: number): void {
  store.change(
    workloadKinds.replicaSets,
    set.metadata.namespace ?? "",
    set.metadata.name,
    (draft) => {
      draft["spec"] = { ...set.spec, replicas };
      draft.metadata.annotations = { ...draft.metadata.annotations, "deployment.kubernetes.io/desired-replicas": String(replicas) };
    },
    controllerManager,
  );
}

function writeStatus(store: Store, deployment: Deployment, set: ReplicaSet, wanted: number): void {
  const { replicas = 0, readyReplicas: ready = 0 } = (set.status ?? {}) as { replicas?: number; readyReplicas?: number };
  const now = timestamp(store.clock.now());
  // 25 % of the pods may be missing by default, rounded down.
  const isAvailable = ready >= wanted - Math.floor(wanted / 4);
  const isDone = ready === wanted && replicas === wanted;
  const conditions = [
    condition(deployment, now, "Available", isAvailable, isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable", isAvailable ? "Deployment has minimum availability." : "Deployment does not have minimum availability."),
    condition(deployment, now, "Progressing", true, isDone ? "NewReplicaSetAvailable" : "ReplicaSetUpdated", `ReplicaSet "${set.metadata.name}" ${isDone ? "has successfully progressed." : "is progressing."}`),
  ];
  const failure = set.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  if (failure) conditions.push(condition(deployment, now, failure.type, true, failure.reason ?? "", failure.message ?? ""));
  const unavailable = Math.max(0, wanted - ready);
  store.change(
    workloadKinds.deployments,
    deployment.metadata.namespace ?? "",
    deployment.metadata.name,
    (draft) => {
      draft["status"] = {
        observedGeneration: deployment.metadata.generation,
        ...(replicas > 0 ? { replicas, updatedReplicas: replicas } : {}),
        ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
        ...(unavailable > 0 ? { unavailableReplicas: unavailable } : {}),
        conditions,
      };
      draft.metadata.annotations = { ...draft.metadata.annotations, "deployment.kubernetes.io/revision": revisionOf(set) };
    },
    controllerManager,
  );
}

const revisionOf = (set: KubernetesObject) => set.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? "1";

/** A condition keeps its times while it says the same. */
function condition(deployment: Deployment, now: string, type: string, holds: boolean, reason: string, message: string): Condition {
  const status = holds ? "True" : "False";
  const before = deployment.status?.conditions?.find((one) => one.type === type);
  if (before?.status === status && before.reason === reason && before.message === message) return before;
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: before?.status === status ? before.lastTransitionTime : now };
}
