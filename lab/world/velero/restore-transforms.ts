/** What Velero's own actions do to an object on its way in, and what else it brings along. */
import { isRecord, type KubernetesObject, type Metadata } from "../kubernetes/object.ts";
import { restoreWait } from "../kubernetes/controllers/pods.ts";
import type { Claim, Container, Pod } from "../kubernetes/workloads.ts";
import { labelValue, type PodVolumeBackup, type Restore } from "./objects.ts";
import { veleroVersion } from "./requests.ts";

export interface AlsoNeeded {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** The object without all that belongs to where it came from. Managed fields, finalizers, labels and annotations stay. */
export function withoutOrigin(object: KubernetesObject): KubernetesObject {
  const { status: _status, ...rest } = object;
  const dropped: ReadonlySet<string> = new Set(["generateName", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences"]);
  return { ...rest, metadata: Object.fromEntries(Object.entries(object.metadata).filter(([field]) => !dropped.has(field))) as unknown as Metadata }; // the name is not dropped
}

/** The labels by which everything that came back can be found. */
export function withRestoreLabels(object: KubernetesObject, restoreName: string, backupName: string): KubernetesObject {
  const labels = { ...object.metadata.labels, "velero.io/backup-name": labelValue(backupName), "velero.io/restore-name": labelValue(restoreName) };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** Pods and Jobs that are done are not restored. */
export function isDone(object: KubernetesObject, resource: string): boolean {
  const status = isRecord(object["status"]) ? object["status"] : {};
  if (resource === "pods") return status["phase"] === "Succeeded" || status["phase"] === "Failed";
  return resource === "jobs.batch" && typeof status["completionTime"] === "string";
}

/** What must be there before this object. */
export function neededFor(object: KubernetesObject, resource: string): AlsoNeeded[] {
  const namespace = object.metadata.namespace ?? "";
  if (resource === "persistentvolumeclaims") {
    const { spec, status } = object as Claim;
    return status?.phase === "Bound" && spec.volumeName !== undefined ? [{ resource: "persistentvolumes", namespace: "", name: spec.volumeName }] : [];
  }
  if (resource !== "pods") return [];
  const { volumes = [], priorityClassName } = (object as Pod).spec;
  const claims = volumes.flatMap(({ persistentVolumeClaim }) => (persistentVolumeClaim ? [{ resource: "persistentvolumeclaims", namespace, name: persistentVolumeClaim.claimName }] : []));
  return [...claims, ...(priorityClassName === undefined ? [] : [{ resource: "priorityclasses.scheduling.k8s.io", namespace: "", name: priorityClassName }])];
}

export interface TransformContext {
  readonly restore: Restore;
  /** Of the backup: those of the pod in question decide what its init container waits for. */
  readonly volumeBackups: readonly PodVolumeBackup[];
  /** Volumes that are not restored but made anew for their claims. */
  readonly volumesMadeAnew: ReadonlySet<string>;
}

/** The object as it is to be created. `original` still has its status and its own namespace. */
export function transformed(object: KubernetesObject, original: KubernetesObject, resource: string, context: TransformContext): KubernetesObject {
  switch (resource) {
    case "pods":
      return transformedPod(object as Pod, original, context);
    case "services":
      return transformedService(object, context.restore.spec.preserveNodePorts === true);
    case "persistentvolumeclaims":
      return transformedClaim(object as Claim, context);
    case "jobs.batch":
      return transformedJob(object);
  }
  return object;
}

/** The volumes of a pod whose data is to come back; a volume backup without a snapshot id counts for nothing. */
export function volumesToRestore(pod: KubernetesObject, originalNamespace: string, volumeBackups: readonly PodVolumeBackup[]): PodVolumeBackup[] {
  return volumeBackups.filter(({ spec, status }) => spec.pod.name === pod.metadata.name && spec.pod.namespace === originalNamespace && (status?.snapshotID ?? "") !== "");
}

function transformedPod(pod: Pod, original: KubernetesObject, { restore, volumeBackups }: TransformContext): Pod {
  const { nodeName: _node, priority: _priority, ...spec } = pod.spec;
  const token = `${typeof spec["serviceAccountName"] === "string" ? spec["serviceAccountName"] : ""}-token-`;
  const isToken = ({ name }: { readonly name: string }) => token !== "-token-" && name.startsWith(token);
  const withoutTokens = (container: Container): Container => ({ ...container, ...(container.volumeMounts ? { volumeMounts: container.volumeMounts.filter((mount) => !isToken(mount)) } : {}) });
  const volumes = volumesToRestore(pod, original.metadata.namespace ?? "", volumeBackups).map((backup) => backup.spec.volume);
  const own = (spec.initContainers ?? []).filter(({ name }) => name !== restoreWait).map(withoutTokens);
  const initContainers = volumes.length > 0 ? [waitContainer(restore.metadata.uid ?? "", volumes), ...own] : own;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(withoutTokens),
      ...(initContainers.length > 0 ? { initContainers } : {}),
      ...(spec.volumes ? { volumes: spec.volumes.filter((volume) => !isToken(volume)) } : {}),
    },
  };
}

/** As it was seen in a restored pod (Velero 1.18.3). */
function waitContainer(restoreUid: string, volumes: readonly string[]): Container {
  const resources = { cpu: "100m", memory: "128Mi" };
  return {
    name: restoreWait,
    image: `velero/velero:${veleroVersion}`,
    command: ["/velero-restore-helper"],
    args: [restoreUid],
    resources: { limits: resources, requests: resources } as Container["resources"] & object,
    volumeMounts: volumes.map((name) => ({ name, mountPath: `/restores/${name}` })),
  };
}

/** Addresses and ports that the old cluster gave out are left for the new one to give. A Service comes out of this with a status, which Velero then takes for a difference. */
function transformedService(service: KubernetesObject, preserveNodePorts: boolean): KubernetesObject {
  const { clusterIP, clusterIPs, ports, ...spec } = isRecord(service["spec"]) ? service["spec"] : {};
  const isHeadless = clusterIP === "None";
  const freed = (port: unknown) => {
    if (!isRecord(port) || preserveNodePorts || wasChosen(service, port["port"])) return port;
    const { nodePort: _, ...rest } = port;
    return rest;
  };
  return {
    ...service,
    spec: { ...spec, ...(isHeadless ? { clusterIP, clusterIPs } : {}), ...(Array.isArray(ports) ? { ports: ports.map(freed) } : {}) },
    status: { loadBalancer: {} },
  };
}

/** Whether somebody asked for this port's node port: then it stands in what was applied. */
function wasChosen({ metadata }: KubernetesObject, port: unknown): boolean {
  const applied = metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"];
  if (applied === undefined) return false;
  try {
    const value: unknown = JSON.parse(applied);
    const ports = isRecord(value) && isRecord(value["spec"]) && Array.isArray(value["spec"]["ports"]) ? value["spec"]["ports"] : [];
    return ports.some((one) => isRecord(one) && one["port"] === port && typeof one["nodePort"] === "number");
  } catch {
    return false;
  }
}

const bindingAnnotations: ReadonlySet<string> = new Set([
  "pv.kubernetes.io/bind-completed",
  "pv.kubernetes.io/bound-by-controller",
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/selected-node",
  "velero.io/volume-snapshot-name",
  "velero.io/data-upload-name",
]);

function transformedClaim(claim: Claim, { restore, volumesMadeAnew }: TransformContext): Claim {
  const { annotations, ...metadata } = claim.metadata;
  const kept = Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !bindingAnnotations.has(name)));
  const { volumeName, dataSource, dataSourceRef, ...spec } = claim.spec;
  const isFree = volumeName === undefined || volumesMadeAnew.has(volumeName) || restore.spec.restorePVs === false;
  const sources = restore.spec.restorePVs === false ? {} : { ...(dataSource === undefined ? {} : { dataSource }), ...(dataSourceRef === undefined ? {} : { dataSourceRef }) };
  return {
    ...claim,
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}) },
    spec: { ...spec, ...sources, ...(isFree ? {} : { volumeName }) },
  };
}

/** A Job's selector and template carry the uid of the old Job. */
function transformedJob(job: KubernetesObject): KubernetesObject {
  const uidLabels: ReadonlySet<string> = new Set(["controller-uid", "batch.kubernetes.io/controller-uid"]);
  const without = (labels: unknown) => (isRecord(labels) ? Object.fromEntries(Object.entries(labels).filter(([name]) => !uidLabels.has(name))) : labels);
  const spec = isRecord(job["spec"]) ? job["spec"] : {};
  const { selector, template } = spec;
  return {
    ...job,
    spec: {
      ...spec,
      ...(isRecord(selector) ? { selector: { ...selector, matchLabels: without(selector["matchLabels"]) } } : {}),
      ...(isRecord(template) && isRecord(template["metadata"]) ? { template: { ...template, metadata: { ...template["metadata"], labels: without(template["metadata"]["labels"]) } } } : {}),
    },
  };
}
