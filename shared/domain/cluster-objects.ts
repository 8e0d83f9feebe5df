/** The few fields we act on of the Kubernetes objects we read. Unknown fields are ignored; absent counters are zero, as the API omits them. */
import { z } from "zod";
import type { MoverSeen, RestoreSeen } from "./restore-run.ts";

const count = z.number().default(0);
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const workload = z.object({
  spec: z.object({ replicas: z.number().optional() }).prefault({}),
  status: z.object({ readyReplicas: count, replicas: count, numberReady: count, desiredNumberScheduled: count, observedGeneration: count }).prefault({}),
});

/** Ready and wanted replicas of a Deployment, StatefulSet or DaemonSet. */
export function readiness(object: unknown, kind: "Deployment" | "StatefulSet" | "DaemonSet"): { readonly ready: number; readonly wanted: number } {
  const { spec, status } = workload.parse(object);
  if (kind === "DaemonSet") return { ready: status.numberReady, wanted: status.desiredNumberScheduled };
  // A missing replica count means one (Kubernetes API, DeploymentSpec).
  return { ready: status.readyReplicas, wanted: spec.replicas ?? 1 };
}

const node = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ unschedulable: z.boolean().default(false) }).prefault({}),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).prefault({}),
});

export function nodeState(object: unknown): { readonly ready: boolean; readonly pool: string; readonly zone: string } {
  const { metadata, spec, status } = node.parse(object);
  const ready = status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
  return { ready: ready && !spec.unschedulable, pool: metadata.labels["agentpool"] ?? metadata.labels["kubernetes.azure.com/agentpool"] ?? "", zone: metadata.labels["topology.kubernetes.io/zone"] ?? "" };
}

const pod = z.object({
  status: z
    .object({
      phase: z.string().default("Pending"),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      initContainerStatuses: z.array(z.object({ state: z.object({ waiting: z.object({ reason: z.string().default("") }).optional() }).prefault({}) })).default([]),
      containerStatuses: z.array(z.object({ state: z.object({ waiting: z.object({ reason: z.string().default("") }).optional() }).prefault({}) })).default([]),
    })
    .prefault({}),
});

/** Reasons of the kubelet that a pod has no network or no image yet, as `kubectl get pods` shows them. */
const noStart = new Set(["ContainerCreating", "PodInitializing", "ImagePullBackOff", "ErrImagePull"]);

/** Why a pod that has a node has not begun: it has no sandbox, which is where it gets its address, or no image. `null`: it has begun, is over, or waits for a node. */
export function podTrouble(object: unknown): string | null {
  const { phase, conditions, initContainerStatuses, containerStatuses } = pod.parse(object).status;
  if (phase !== "Pending" || !conditions.some(({ type, status }) => type === "PodScheduled" && status === "True")) return null;
  const waiting = [...initContainerStatuses, ...containerStatuses].flatMap(({ state }) => state.waiting?.reason ?? []);
  return waiting.find((reason) => noStart.has(reason) && reason !== "PodInitializing") ?? waiting.find((reason) => noStart.has(reason)) ?? null;
}

const storageLocation = z.object({
  spec: z.object({ accessMode: z.string().default("ReadWrite") }),
  status: z.object({ phase: z.string().default("Unavailable"), message: z.string().default(""), lastSyncedTime: instant.nullish(), lastValidationTime: instant.nullish() }).prefault({}),
});

export function storageLocationState(object: unknown): { readonly available: boolean; readonly readOnly: boolean; readonly message: string; readonly lastSyncedAt: number | null } {
  const { spec, status } = storageLocation.parse(object);
  return { available: status.phase === "Available", readOnly: spec.accessMode === "ReadOnly", message: status.message, lastSyncedAt: status.lastSyncedTime ?? null };
}

const repository = z.object({
  spec: z.object({ volumeNamespace: z.string().default(""), backupStorageLocation: z.string().default("") }),
  status: z.object({ phase: z.string().default("New"), message: z.string().default("") }).prefault({}),
});

export function repositoryState(object: unknown): { readonly namespace: string; readonly storageLocation: string; readonly ready: boolean; readonly message: string } {
  const { spec, status } = repository.parse(object);
  return { namespace: spec.volumeNamespace, storageLocation: spec.backupStorageLocation, ready: status.phase === "Ready", message: status.message };
}

const restore = z.object({
  status: z
    .object({
      phase: z.string().default(""),
      errors: count,
      warnings: count,
      failureReason: z.string().default(""),
      validationErrors: z.array(z.string()).default([]),
      progress: z.object({ itemsRestored: count, totalItems: count }).prefault({}),
    })
    .prefault({}),
});

export function restoreState(object: unknown): RestoreSeen & { readonly totalItems: number } {
  const { phase, errors, warnings, failureReason, validationErrors, progress } = restore.parse(object).status;
  return { phase, errors, warnings, failureReason, validationErrors, itemsRestored: progress.itemsRestored, totalItems: progress.totalItems };
}

const mover = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ phase: z.string().default(""), message: z.string().default(""), progress: z.object({ bytesDone: count }).prefault({}) }).prefault({}),
});

export function moverState(object: unknown): MoverSeen {
  const { metadata, status } = mover.parse(object);
  return { name: metadata.name, phase: status.phase, message: status.message, bytesDone: status.progress.bytesDone };
}

const backup = z.object({
  status: z.object({ phase: z.string().default(""), completionTimestamp: instant.nullish(), failureReason: z.string().default(""), validationErrors: z.array(z.string()).default([]) }).prefault({}),
});

export function backupState(object: unknown): { readonly phase: string; readonly completedAt: number | null; readonly why: string } {
  const { phase, completionTimestamp, failureReason, validationErrors } = backup.parse(object).status;
  return { phase, completedAt: completionTimestamp ?? null, why: failureReason || validationErrors.join("; ") };
}

const claim = z.object({ status: z.object({ phase: z.string().default("") }).prefault({}) });
export const claimBound = (object: unknown): boolean => claim.parse(object).status.phase === "Bound";

const namespaceStatus = z.object({ status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().default("") })).default([]) }).prefault({}) });

/** What a namespace that is being deleted still waits for, in its controller's own words (`NamespaceContentRemaining`, `NamespaceFinalizersRemaining`); empty: it does not say. */
export function namespaceHeldBy(object: unknown): string {
  const read = namespaceStatus.safeParse(object);
  const conditions = read.data?.status.conditions ?? [];
  return conditions.filter(({ type, status }) => status === "True" && type.endsWith("Remaining")).map(({ message }) => message).join("; ");
}
