/** Endpoints and EndpointSlices: the ready pods behind each Service. Slices that nobody owns, as after a restore, are replaced. */
import { type KubernetesObject, timestamp } from "../object.ts";
import { matches, selectorOf } from "../selectors.ts";
import { controllerManager, keyOfObject, type Store } from "../store.ts";
import { getOf, isActive, isReady, listOf, type Pod, type Service, workloadKinds } from "../workloads.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue, splitKey } from "./queue.ts";
import { ownerOf } from "./replica-sets.ts";

const serviceLabel = "kubernetes.io/service-name";
const managedBy = { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" };

export function runEndpoints({ store }: ControllerContext): void {
  const queue = openQueue(store.clock, (key) => {
    const { namespace, name } = splitKey(key);
    const service = getOf(store, "services", namespace, name);
    if (service?.spec.selector && service.metadata.deletionTimestamp === undefined) level(store, service, service.spec.selector);
  });
  store.onChange(({ kind, object, before }) => {
    if (kind.resource === "services") queue.add(keyOfObject(object));
    else if (kind.resource === "endpointslices.discovery.k8s.io") queue.add(`${object.metadata.namespace}/${object.metadata.labels?.[serviceLabel] ?? ""}`);
    else if (kind.resource === "pods")
      for (const service of listOf(store, "services", object.metadata.namespace))
        if ([object, before].some((pod) => pod && matches(selectorOf({ matchLabels: service.spec.selector }), pod.metadata.labels))) queue.add(keyOfObject(service));
  });
}

function level(store: Store, service: Service, selector: Readonly<Record<string, string>>): void {
  const pods = listOf(store, "pods", service.metadata.namespace).filter((pod) => matches(selectorOf({ matchLabels: selector }), pod.metadata.labels) && isActive(pod) && isReady(pod));
  writeEndpoints(store, service, pods);
  writeSlice(store, service, pods);
}

const portsOf = ({ spec }: Service) => (spec.ports ?? []).map(({ name, port, targetPort, protocol = "TCP" }) => ({ ...(name === undefined ? {} : { name }), port: typeof targetPort === "number" ? targetPort : port, protocol }));
const targetOf = ({ metadata }: Pod) => ({ kind: "Pod", name: metadata.name, namespace: metadata.namespace, uid: metadata.uid });

function writeEndpoints(store: Store, service: Service, pods: readonly Pod[]): void {
  const { name, namespace = "" } = service.metadata;
  const subsets = pods.length === 0 ? undefined : [{ addresses: pods.map((pod) => ({ ip: pod.status?.podIP, nodeName: pod.spec.nodeName, targetRef: targetOf(pod) })), ports: portsOf(service) }];
  const labels = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
  if (!store.get(workloadKinds.endpoints, namespace, name)) store.create(workloadKinds.endpoints, { apiVersion: "v1", kind: "Endpoints", metadata: { name, namespace, labels }, ...(subsets ? { subsets } : {}) }, controllerManager);
  else store.change(workloadKinds.endpoints, namespace, name, (draft) => void (draft["subsets"] = subsets), controllerManager);
}

function writeSlice(store: Store, service: Service, pods: readonly Pod[]): void {
  const { name, namespace = "", uid } = service.metadata;
  const endpoints = pods.map((pod) => ({ addresses: [pod.status?.podIP], conditions: { ready: true, serving: true, terminating: false }, nodeName: pod.spec.nodeName, targetRef: targetOf(pod) }));
  const slices = store.list(workloadKinds.slices, namespace).filter(({ metadata }) => metadata.labels?.[serviceLabel] === name);
  const mine = slices.find(({ metadata }) => metadata.ownerReferences?.some((reference) => reference.uid === uid));
  for (const slice of slices) if (slice !== mine) store.purge(workloadKinds.slices, namespace, slice.metadata.name);
  if (mine) return void store.change(workloadKinds.slices, namespace, mine.metadata.name, (draft) => void (draft["endpoints"] = endpoints), controllerManager);
  const metadata = {
    generateName: `${name}-`,
    namespace,
    labels: { ...managedBy, [serviceLabel]: name },
    annotations: { "endpoints.kubernetes.io/last-change-trigger-time": timestamp(store.clock.now()) },
    ownerReferences: [ownerOf(service)],
  };
  store.create(workloadKinds.slices, { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: metadata as unknown as KubernetesObject["metadata"], addressType: "IPv4", endpoints, ports: portsOf(service) }, controllerManager);
}
