/** Scheduler and kubelets: pods find a node, wait for their volumes, run, and end. */
import { timestamp } from "../object.ts";
import { keyOfObject } from "../store.ts";
import { type Condition, type Container, getOf, isActive, isReady, listOf, type Pod, workloadKinds } from "../workloads.ts";
import { bindClaim, claimBindingMs } from "./claims.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";
import { placementOf } from "./scheduling.ts";

/** Velero's init container: it waits until the restored data has arrived in every volume that it has mounted under /restores. */
export const restoreWait = "restore-wait";
/** The file that says that a restore's data has arrived in a volume. */
export const arrivalMark = (restoreUid: string) => `.velero/${restoreUid}`;

/** Keeps every pod moving. Returns a look at all pods that wait, for when something they wait for may have come. */
export function runPods(context: ControllerContext): { lookAgain(): void } {
  const { store, files } = context;
  const { pods } = workloadKinds;
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const pod = getOf(store, "pods", namespace, name);
    if (pod) moveOn(context, pod, queue.add);
  });
  const lookAgain = () => {
    for (const pod of listOf(store, "pods")) if (!isReady(pod) || pod.metadata.deletionTimestamp !== undefined) queue.add(keyOfObject(pod));
  };

  store.onChange(({ type, kind, object }) => {
    if (kind.resource === "pods") {
      if (type === "DELETED") lookAgain();
      else queue.add(keyOfObject(object));
    } else if (["persistentvolumeclaims", "storageclasses.storage.k8s.io", "nodes"].includes(kind.resource)) lookAgain();
    if (kind.resource === "nodes") followNode(context, object.metadata.name);
  });
  files.onWrite(lookAgain);
  // Pods that were there before us.
  lookAgain();
  return { lookAgain };

  /** Pods of a node that is gone are gone; those of one that is not ready are not ready. */
  function followNode({ store }: ControllerContext, name: string): void {
    const node = getOf(store, "nodes", "", name);
    for (const pod of listOf(store, "pods").filter(({ spec }) => spec.nodeName === name)) {
      if (!node) store.purge(pods, pod.metadata.namespace ?? "", pod.metadata.name);
      else if (!nodeReady(context, name) && isReady(pod)) showUnready(context, pod);
      else queue.add(keyOfObject(pod));
    }
  }
}

const nodeReady = ({ store }: ControllerContext, name: string) => getOf(store, "nodes", "", name)?.status.conditions.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** One step of a pod's life, if it is due. `again` asks for another look. */
function moveOn(context: ControllerContext, pod: Pod, again: (key: string, afterMs?: number) => void): void {
  const { store, world } = context;
  const { namespace = "", name, uid } = pod.metadata;
  // Nobody ends a pod where nobody speaks.
  if (pod.metadata.deletionTimestamp !== undefined) return pod.spec.nodeName === undefined || nodeReady(context, pod.spec.nodeName) ? store.purge(workloadKinds.pods, namespace, name) : undefined;
  if (!isActive(pod) || isReady(pod)) return;
  if (pod.spec.nodeName === undefined) return place(context, pod);
  if (!nodeReady(context, pod.spec.nodeName)) return evict(context, pod, again);
  const waiter = pod.spec.initContainers?.find((container) => container.name === restoreWait);
  if (waiter && !hasArrived(context, pod, waiter)) return showWaiting(context, pod, waiter);
  const since = Date.parse(pod.status?.conditions?.find(({ type }) => type === "PodScheduled")?.lastTransitionTime ?? "") || 0;
  // The image is on the node when the init container has run.
  const dueAt = waiter ? 0 : since + world.latencies.podStart;
  if (dueAt > store.clock.now()) return again(keyOfObject(pod), dueAt - store.clock.now());
  if (getOf(store, "pods", namespace, name)?.metadata.uid === uid) showRunning(context, pod);
}

/** Kubernetes gives a pod without a toleration of its own five minutes on a node that is in trouble. */
const patienceSeconds = 300;

/** Marks a pod as ending once its patience with its node's taint is over. */
function evict({ store }: ControllerContext, pod: Pod, again: (key: string, afterMs?: number) => void): void {
  const node = getOf(store, "nodes", "", pod.spec.nodeName ?? "");
  const taint = node?.spec?.taints?.find(({ effect, key }) => effect === "NoExecute" && key.startsWith("node.kubernetes.io/"));
  if (!node || !taint || isDaemons(pod)) return;
  const own = (pod.spec.tolerations ?? []).find(({ key, effect }) => key === taint.key && (effect === undefined || effect === "NoExecute"));
  if (own && own.tolerationSeconds === undefined) return;
  const since = Date.parse(node.status.conditions.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
  const dueAt = since + (own?.tolerationSeconds ?? patienceSeconds) * 1000;
  if (dueAt > store.clock.now()) return again(keyOfObject(pod), dueAt - store.clock.now());
  store.remove(workloadKinds.pods, pod.metadata.namespace ?? "", pod.metadata.name);
}

const isDaemons = ({ metadata }: Pod) => metadata.ownerReferences?.some(({ kind }) => kind === "DaemonSet") ?? false;

function place(context: ControllerContext, pod: Pod): void {
  const { store } = context;
  const placement = placementOf(store, pod);
  const now = timestamp(store.clock.now());
  switch (placement.kind) {
    case "nowhere":
      return setStatus(context, pod, { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: placement.why, lastTransitionTime: now }] });
    case "fits":
      if (placement.unbound.length > 0) {
        // The scheduler comes back when its claims are bound: that change brings the next look.
        for (const claim of placement.unbound) bindClaim(context, claim, placement.node, claimBindingMs(context.world));
        return;
      }
      store.change(
        workloadKinds.pods,
        pod.metadata.namespace ?? "",
        pod.metadata.name,
        (draft) => {
          draft["spec"] = { ...pod.spec, nodeName: placement.node };
          draft["status"] = { ...pod.status, phase: "Pending", conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: now }] };
        },
        { manager: "kube-scheduler", part: "everything" },
      );
  }
}

/** Whether every volume that the init container watches has the mark of its restore. */
function hasArrived({ store, files }: ControllerContext, pod: Pod, waiter: Container): boolean {
  const mark = arrivalMark(waiter.args?.[0] ?? "");
  return (waiter.volumeMounts ?? [])
    .filter(({ mountPath }) => mountPath.startsWith("/restores/"))
    .every(({ name }) => {
      const claimName = pod.spec.volumes?.find((volume) => volume.name === name)?.persistentVolumeClaim?.claimName;
      const volume = claimName === undefined ? undefined : getOf(store, "claims", pod.metadata.namespace ?? "", claimName)?.spec.volumeName;
      return volume !== undefined && mark in files.read(volume);
    });
}

function showWaiting(context: ControllerContext, pod: Pod, waiter: Container): void {
  const startedAt = timestamp(context.store.clock.now());
  if (Array.isArray(pod.status?.["initContainerStatuses"])) return;
  const state = { name: waiter.name, image: waiter.image ?? "", imageID: "", restartCount: 0, ready: false, started: true, state: { running: { startedAt } } };
  setStatus(context, pod, { ...pod.status, phase: "Pending", startTime: startedAt, initContainerStatuses: [state] });
}

function showRunning(context: ControllerContext, pod: Pod): void {
  const now = timestamp(context.store.clock.now());
  const podIP = pod.status?.podIP ?? nextAddress(context);
  // From here on its program acts: checks hold this instant against the others.
  context.world.record("pod.ready", `${context.region}/${pod.metadata.namespace}/${pod.metadata.name}`);
  setStatus(context, pod, {
    phase: "Running",
    conditions: runningConditions(now),
    hostIP: "10.224.0.4",
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: pod.status?.["startTime"] ?? now,
    ...(pod.spec.initContainers
      ? {
          initContainerStatuses: pod.spec.initContainers.map(({ name, image = "" }) => ({
            name,
            image,
            imageID: "",
            ready: true,
            restartCount: 0,
            state: { terminated: { exitCode: 0, reason: "Completed", startedAt: now, finishedAt: now } },
          })),
        }
      : {}),
    containerStatuses: pod.spec.containers.map(({ name, image = "" }) => ({ name, image, imageID: "", ready: true, started: true, restartCount: 0, lastState: {}, state: { running: { startedAt: now } } })),
    qosClass: pod.status?.qosClass ?? "Burstable",
  });
}

const runningConditions = (now: string): Condition[] => ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({ type, status: "True", lastTransitionTime: now }));

/** Nobody knows how its containers are: that it is not ready is all that is said. */
function showUnready(context: ControllerContext, pod: Pod): void {
  const lastTransitionTime = timestamp(context.store.clock.now());
  setStatus(context, pod, { ...pod.status, conditions: (pod.status?.conditions ?? []).map((one) => (one.type === "Ready" ? { type: one.type, status: "False", lastTransitionTime } : one)) });
}

/** Writes a status unless nothing but its times would change: an unschedulable pod is looked at often. */
function setStatus({ store }: ControllerContext, pod: Pod, status: NonNullable<Pod["status"]>): void {
  const said = (one: Pod["status"]) => JSON.stringify([one?.phase, one?.conditions?.map(({ type, status, message }) => [type, status, message]), one?.["initContainerStatuses"] !== undefined]);
  if (said(pod.status) === said(status)) return;
  store.change(workloadKinds.pods, pod.metadata.namespace ?? "", pod.metadata.name, (draft) => void (draft["status"] = status), { manager: "kubelet", part: "everything" });
}

const addresses = new WeakMap<ControllerContext["store"], number>();
function nextAddress({ store }: ControllerContext): string {
  const next = (addresses.get(store) ?? 9) + 1;
  addresses.set(store, next);
  return `10.244.${Math.floor(next / 250) % 250}.${(next % 250) + 1}`;
}
