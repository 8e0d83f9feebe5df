/**
 * The fields of built-in kinds that the lab's controllers read. Everything that a writer may leave out is optional: an object may
 * have been restored, half made or patched. Objects of these kinds come from API writers that keep to the real schemas, so the
 * views below are taken on trust, here and nowhere else.
 */
import { builtInKind } from "./kinds.ts";
import type { KubernetesObject, Metadata } from "./object.ts";
import type { Store } from "./store.ts";

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly lastTransitionTime: string;
  readonly lastUpdateTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly { readonly containerPort: number; readonly name?: string; readonly protocol?: string }[];
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeName?: string;
  readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string }; readonly [kind: string]: unknown }[];
  readonly tolerations?: readonly { readonly key?: string; readonly operator?: string; readonly effect?: string; readonly tolerationSeconds?: number }[];
  readonly priorityClassName?: string;
  readonly [field: string]: unknown;
}

export interface Pod extends KubernetesObject {
  spec: PodSpec;
  status?: { readonly phase?: string; readonly podIP?: string; readonly hostIP?: string; readonly qosClass?: string; readonly conditions?: readonly Condition[]; readonly [field: string]: unknown };
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

interface Scaled extends KubernetesObject {
  spec: { readonly replicas?: number; readonly selector?: unknown; readonly template: PodTemplate; readonly [field: string]: unknown };
  status?: { readonly conditions?: readonly Condition[]; readonly [field: string]: unknown };
}
export type Deployment = Scaled;
export type ReplicaSet = Scaled;
export type DaemonSet = Scaled;
export interface StatefulSet extends Scaled {
  spec: Scaled["spec"] & { readonly serviceName?: string; readonly volumeClaimTemplates?: readonly { readonly metadata: Metadata; readonly spec: Readonly<Record<string, unknown>> }[] };
}

export interface Claim extends KubernetesObject {
  spec: { readonly storageClassName?: string; readonly volumeName?: string; readonly accessModes?: readonly string[]; readonly resources?: { readonly requests?: { readonly storage?: string } }; readonly [field: string]: unknown };
  status?: { readonly phase?: string; readonly [field: string]: unknown };
}

export interface Node extends KubernetesObject {
  spec?: { readonly taints?: readonly { readonly key: string; readonly effect: string; readonly value?: string }[] };
  status: { readonly allocatable: { readonly cpu: string; readonly pods: string }; readonly conditions: readonly Condition[]; readonly [field: string]: unknown };
}

export interface Service extends KubernetesObject {
  spec: { readonly selector?: Readonly<Record<string, string>>; readonly clusterIP?: string; readonly ports?: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string; readonly protocol?: string }[] };
}

/** The kinds that the controllers work with. */
export const workloadKinds = {
  namespaces: builtInKind("v1", "namespaces"),
  nodes: builtInKind("v1", "nodes"),
  pods: builtInKind("v1", "pods"),
  services: builtInKind("v1", "services"),
  endpoints: builtInKind("v1", "endpoints"),
  slices: builtInKind("discovery.k8s.io/v1", "endpointslices"),
  claims: builtInKind("v1", "persistentvolumeclaims"),
  volumes: builtInKind("v1", "persistentvolumes"),
  configMaps: builtInKind("v1", "configmaps"),
  serviceAccounts: builtInKind("v1", "serviceaccounts"),
  secrets: builtInKind("v1", "secrets"),
  quotas: builtInKind("v1", "resourcequotas"),
  deployments: builtInKind("apps/v1", "deployments"),
  replicaSets: builtInKind("apps/v1", "replicasets"),
  statefulSets: builtInKind("apps/v1", "statefulsets"),
  daemonSets: builtInKind("apps/v1", "daemonsets"),
  revisions: builtInKind("apps/v1", "controllerrevisions"),
  autoscalers: builtInKind("autoscaling/v2", "horizontalpodautoscalers"),
  disruptionBudgets: builtInKind("policy/v1", "poddisruptionbudgets"),
  storageClasses: builtInKind("storage.k8s.io/v1", "storageclasses"),
  definitions: builtInKind("apiextensions.k8s.io/v1", "customresourcedefinitions"),
  priorityClasses: builtInKind("scheduling.k8s.io/v1", "priorityclasses"),
} as const;

interface Views {
  readonly pods: Pod;
  readonly services: Service;
  readonly claims: Claim;
  readonly nodes: Node;
  readonly deployments: Deployment;
  readonly replicaSets: ReplicaSet;
  readonly statefulSets: StatefulSet;
  readonly daemonSets: DaemonSet;
}

/** All objects of a kind, seen with its fields. */
export const listOf = <K extends keyof Views>(store: Store, kind: K, namespace = ""): Views[K][] => store.list(workloadKinds[kind], namespace) as Views[K][];
/** One object of a kind, seen with its fields. */
export const getOf = <K extends keyof Views>(store: Store, kind: K, namespace: string, name: string): Views[K] | null => store.get(workloadKinds[kind], namespace, name) as Views[K] | null;

/** Whether a pod's Ready condition is true. */
export const isReady = (pod: Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
/** Whether a pod is neither ending nor done. */
export const isActive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed";
