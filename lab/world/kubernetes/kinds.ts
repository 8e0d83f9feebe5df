/** The kinds that a cluster knows: those built in, and those that its CustomResourceDefinitions add. */
import { isRecord, type KubernetesObject } from "./object.ts";

export interface ResourceKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** `apps/v1`; `v1` for the core group. */
  readonly apiVersion: string;
  readonly plural: string;
  readonly singular: string;
  /** `cm`, `deploy`. */
  readonly shortNames: readonly string[];
  readonly kind: string;
  readonly namespaced: boolean;
  /** As Velero and error messages name it: `deployments.apps`, `pods`. */
  readonly resource: string;
  /** Status is written at `/status` alone; a write to the object itself leaves it as it is. */
  readonly statusApart: boolean;
  /** Whether `metadata.generation` counts the changes of what is wished for. */
  readonly generation: boolean;
  /** The schema that objects are pruned and checked by; only what a CRD adds has one. */
  readonly schema: Readonly<Record<string, unknown>> | null;
}

/** `plural Kind traits shortNames`; n: namespaced, s: status apart, g: has a generation, -: none of these. Read off the discovery and the objects of a Kubernetes 1.34.4. */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  v1: [
    "configmaps ConfigMap n cm",
    "endpoints Endpoints n ep",
    "events Event n ev",
    "limitranges LimitRange n limits",
    "namespaces Namespace s ns",
    "nodes Node s no",
    "persistentvolumeclaims PersistentVolumeClaim ns pvc",
    "persistentvolumes PersistentVolume s pv",
    "pods Pod nsg po",
    "replicationcontrollers ReplicationController nsg rc",
    "resourcequotas ResourceQuota ns quota",
    "secrets Secret n",
    "serviceaccounts ServiceAccount n sa",
    "services Service ns svc",
  ],
  "admissionregistration.k8s.io/v1": ["mutatingwebhookconfigurations MutatingWebhookConfiguration g", "validatingwebhookconfigurations ValidatingWebhookConfiguration g"],
  "apiextensions.k8s.io/v1": ["customresourcedefinitions CustomResourceDefinition sg crd,crds"],
  "apiregistration.k8s.io/v1": ["apiservices APIService s"],
  "apps/v1": ["controllerrevisions ControllerRevision n", "daemonsets DaemonSet nsg ds", "deployments Deployment nsg deploy", "replicasets ReplicaSet nsg rs", "statefulsets StatefulSet nsg sts"],
  "autoscaling/v2": ["horizontalpodautoscalers HorizontalPodAutoscaler ns hpa"],
  "batch/v1": ["cronjobs CronJob nsg cj", "jobs Job nsg"],
  "coordination.k8s.io/v1": ["leases Lease n"],
  "discovery.k8s.io/v1": ["endpointslices EndpointSlice ng"],
  "networking.k8s.io/v1": ["ingressclasses IngressClass g", "ingresses Ingress nsg ing", "networkpolicies NetworkPolicy ng netpol"],
  "policy/v1": ["poddisruptionbudgets PodDisruptionBudget nsg pdb"],
  "rbac.authorization.k8s.io/v1": ["clusterrolebindings ClusterRoleBinding", "clusterroles ClusterRole", "rolebindings RoleBinding n", "roles Role n"],
  "scheduling.k8s.io/v1": ["priorityclasses PriorityClass g pc"],
  "storage.k8s.io/v1": ["csidrivers CSIDriver", "csinodes CSINode", "storageclasses StorageClass - sc", "volumeattachments VolumeAttachment s"],
};

const groupOf = (apiVersion: string) => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");
const versionOf = (apiVersion: string) => apiVersion.slice(apiVersion.indexOf("/") + 1);
const resourceOf = (plural: string, group: string) => (group === "" ? plural : `${plural}.${group}`);

const table: readonly ResourceKind[] = Object.entries(builtIn).flatMap(([apiVersion, rows]) =>
  rows.map((row) => {
    const [plural = "", kind = "", traits = "", short = ""] = row.split(" ");
    const group = groupOf(apiVersion);
    return {
      group,
      version: versionOf(apiVersion),
      apiVersion,
      plural,
      singular: kind.toLowerCase(),
      shortNames: short === "" ? [] : short.split(","),
      kind,
      namespaced: traits.includes("n"),
      resource: resourceOf(plural, group),
      statusApart: traits.includes("s"),
      generation: traits.includes("g"),
      schema: null,
    };
  }),
);

export interface Kinds {
  /** The kind behind a URL; `null`: "the server could not find the requested resource". */
  find(apiVersion: string, plural: string): ResourceKind | null;
  /** The kind of an object. */
  of(object: { readonly apiVersion: string; readonly kind: string }): ResourceKind | null;
  /** By the name that Velero gives it: `deployments.apps`, `pods`; a name without a group is found in any group, as discovery does. */
  named(resource: string): ResourceKind | null;
  all(): readonly ResourceKind[];
  /** Takes up what a CustomResourceDefinition defines, in place of what it defined before. */
  define(definition: KubernetesObject): void;
  /** Forgets what the definition of this name defined. */
  forget(definitionName: string): void;
}

export function openKinds(): Kinds {
  const custom = new Map<string, readonly ResourceKind[]>();
  const all = () => [...table, ...[...custom.values()].flat()];
  return {
    all,
    find: (apiVersion, plural) => all().find((k) => k.apiVersion === apiVersion && k.plural === plural) ?? null,
    of: ({ apiVersion, kind }) => all().find((k) => k.apiVersion === apiVersion && k.kind === kind) ?? null,
    named: (resource) => all().find((k) => k.resource === resource) ?? (resource.includes(".") ? null : (all().find((k) => k.plural === resource) ?? null)),
    define: (definition) => void custom.set(definition.metadata.name, kindsOf(definition)),
    forget: (name) => void custom.delete(name),
  };
}

/** A kind that the table holds. Throws for one that it does not: a mistake in the lab. */
export function builtInKind(apiVersion: string, plural: string): ResourceKind {
  const kind = table.find((k) => k.apiVersion === apiVersion && k.plural === plural);
  if (!kind) throw new Error(`the lab's table of kinds lacks ${apiVersion} ${plural}`);
  return kind;
}

function kindsOf(definition: KubernetesObject): ResourceKind[] {
  const spec = isRecord(definition["spec"]) ? definition["spec"] : {};
  const names = isRecord(spec["names"]) ? spec["names"] : {};
  const { group, scope, versions } = spec;
  const { plural, kind, singular, shortNames } = names;
  if (typeof group !== "string" || typeof plural !== "string" || typeof kind !== "string" || !Array.isArray(versions)) return [];
  return versions.filter(isRecord).flatMap((version) => {
    if (version["served"] === false || typeof version["name"] !== "string") return [];
    const schema = isRecord(version["schema"]) && isRecord(version["schema"]["openAPIV3Schema"]) ? version["schema"]["openAPIV3Schema"] : null;
    return {
      group,
      version: version["name"],
      apiVersion: `${group}/${version["name"]}`,
      plural,
      singular: typeof singular === "string" ? singular : kind.toLowerCase(),
      shortNames: Array.isArray(shortNames) ? shortNames.map(String) : [],
      kind,
      namespaced: scope !== "Cluster",
      resource: resourceOf(plural, group),
      statusApart: isRecord(version["subresources"]) && version["subresources"]["status"] !== undefined,
      generation: true,
      schema,
    };
  });
}
