/** What an API server fills in when an object is created, as far as anything in the lab reads it. */
import type { ResourceKind } from "./kinds.ts";
import { isRecord, type KubernetesObject } from "./object.ts";

/** The object as it will be stored. */
export function admitted(kind: ResourceKind, object: KubernetesObject): KubernetesObject {
  const spec = isRecord(object["spec"]) ? object["spec"] : {};
  const { metadata } = object;
  switch (kind.resource) {
    case "namespaces":
      return {
        ...object,
        metadata: { ...metadata, labels: { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name } },
        spec: { ...spec, finalizers: ["kubernetes"] },
        status: object["status"] ?? { phase: "Active" },
      };
    case "pods":
      return { ...object, status: object["status"] ?? { phase: "Pending", qosClass: "Burstable" } };
    case "persistentvolumeclaims":
      return { ...object, metadata: withFinalizer(metadata, "kubernetes.io/pvc-protection"), spec: { volumeMode: "Filesystem", ...spec }, status: object["status"] ?? { phase: "Pending" } };
    case "persistentvolumes":
      return { ...object, metadata: withFinalizer(metadata, "kubernetes.io/pv-protection"), status: object["status"] ?? { phase: "Available" } };
    case "services":
      return { ...object, spec: withClusterAddress(spec), status: object["status"] ?? { loadBalancer: {} } };
    case "deployments.apps":
    case "replicasets.apps":
    case "statefulsets.apps":
      return { ...object, spec: { replicas: 1, ...spec }, status: object["status"] ?? {} };
  }
  return object;
}

const withFinalizer = (metadata: KubernetesObject["metadata"], finalizer: string) => ({
  ...metadata,
  finalizers: (metadata.finalizers ?? []).includes(finalizer) ? (metadata.finalizers ?? []) : [...(metadata.finalizers ?? []), finalizer],
});

function withClusterAddress(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const defaults = { type: "ClusterIP", sessionAffinity: "None", internalTrafficPolicy: "Cluster", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };
  if (spec["type"] === "ExternalName") return { ...spec };
  const given = spec["clusterIP"];
  const address = typeof given === "string" && given !== "" ? given : `10.0.${byte()}.${byte()}`;
  return { ...defaults, ...spec, clusterIP: address, clusterIPs: [address] };
}

const byte = () => 1 + Math.floor(Math.random() * 254);
