/** A restored pod waits in Velero's init container until the data of its volumes has arrived; what a kubelet says of it meanwhile. */
import { existsSync } from "node:fs";
import path from "node:path";
import { type Container, instantText, type Pod } from "./pods.ts";
import { markerFolder } from "./volumes.ts";

/** Velero's init container in a pod that waits for data. */
export const waiterOf = ({ spec: { initContainers = [] } }: Pod): Container | null => initContainers.find(({ name }) => name === "restore-wait") ?? null;

/** Where Velero's init container sees the volumes it waits for, each below it. */
const restores = "/restores/";

export type WaitState = { readonly kind: "nothing-to-say" } | { readonly kind: "waits" } | { readonly kind: "say"; readonly what: string; readonly status: object };

/**
 * What to say of it next. `folderOf`: of a volume, `null` while it is not bound; it has been made when the container is seen
 * running, for then Velero begins.
 */
export function waitState(pod: Pod, waiter: Container, folderOf: (volume: string) => string | null, now: Date): WaitState {
  const folders = (waiter.volumeMounts ?? []).filter(({ mountPath }) => mountPath.startsWith(restores)).map(({ name }) => folderOf(name));
  if (folders.includes(null)) return { kind: "nothing-to-say" };
  const state = pod.status.initContainerStatuses?.find(({ name }) => name === waiter.name)?.state;
  if (state?.terminated) return { kind: "nothing-to-say" };
  if (!state?.running) return { kind: "say", what: "waits for its data", status: waiting(waiter, now) };
  const marker = path.join(markerFolder, waiter.args?.[0] ?? "");
  const arrived = folders.every((folder) => folder !== null && existsSync(path.join(folder, marker)));
  return arrived ? { kind: "say", what: "has its data", status: running(pod, now) } : { kind: "waits" };
}

const identity = ({ name, image = "" }: Container) => ({ name, image, imageID: "", restartCount: 0 });

function waiting(waiter: Container, now: Date): object {
  const address = "10.244.0.1";
  return {
    phase: "Pending",
    hostIP: "127.0.0.1",
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: instantText(now),
    initContainerStatuses: [{ ...identity(waiter), ready: false, started: true, state: { running: { startedAt: instantText(now) } } }],
  };
}

function running({ spec }: Pod, now: Date): object {
  const at = instantText(now);
  return {
    phase: "Running",
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({ type, status: "True", lastTransitionTime: at })),
    initContainerStatuses: (spec.initContainers ?? []).map((container) => ({ ...identity(container), ready: true, state: { terminated: { exitCode: 0, reason: "Completed", startedAt: at, finishedAt: at } } })),
    containerStatuses: spec.containers.map((container) => ({ ...identity(container), ready: true, started: true, state: { running: { startedAt: at } } })),
  };
}
