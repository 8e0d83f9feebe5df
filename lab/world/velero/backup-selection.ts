/** Which objects go into a backup, and which of its volumes. */
import type { ResourceKind } from "../kubernetes/kinds.ts";
import { isRecord, type KubernetesObject } from "../kubernetes/object.ts";
import { matches, selectorOf } from "../kubernetes/selectors.ts";
import type { Store } from "../kubernetes/store.ts";
import { type Claim, getOf, listOf, type Pod, workloadKinds } from "../kubernetes/workloads.ts";
import { nameFilter } from "./filters.ts";
import type { Backup } from "./objects.ts";

export interface SelectedItem {
  readonly kind: ResourceKind;
  readonly object: KubernetesObject;
}

/** Objects that Velero never backs up: its own work in progress. */
const leftOut: ReadonlySet<string> = new Set(["restores.velero.io", "backups.velero.io", "podvolumerestores.velero.io", "serverstatusrequests.velero.io", "deletebackuprequests.velero.io"]);

/** Every item of a backup, pods and what they need first. */
export function selectItems(store: Store, { spec }: Backup): SelectedItem[] {
  const chosen = new Map<string, SelectedItem>();
  const namespaces = nameFilter(spec.includedNamespaces, spec.excludedNamespaces);
  const namespaced = resourceFilter(store, spec.includedNamespaceScopedResources ?? spec.includedResources, spec.excludedNamespaceScopedResources ?? spec.excludedResources);
  const take = (kind: ResourceKind | null, object: KubernetesObject | null) => {
    if (kind && object) chosen.set(`${kind.resource}/${object.metadata.namespace ?? ""}/${object.metadata.name}`, { kind, object });
  };
  const isLabelled = labelFilter(spec);
  const inNamespaces = store.kinds.all().filter((kind) => kind.namespaced && !leftOut.has(kind.resource) && namespaced(kind));
  for (const kind of inNamespaces.toSorted((a, b) => Number(b.resource === "pods") - Number(a.resource === "pods")))
    for (const object of store.list(kind)) if (namespaces.includes(object.metadata.namespace ?? "") && isLabelled(object)) take(kind, object);
  // An object brings its namespace, a claim its volume, a pod its priority, a service account what is bound to it.
  for (const { kind, object } of Array.from(chosen.values())) for (const needed of neededBy(store, kind, object)) take(needed.kind, needed.object);
  for (const kind of store.kinds.all().filter((kind) => !kind.namespaced && takesClusterScoped(store, spec, kind, namespaces.everything)))
    for (const object of store.list(kind)) if (isLabelled(object)) take(kind, object);
  return [...chosen.values()];
}

function resourceFilter(store: Store, included: readonly string[] | undefined, excluded: readonly string[] | undefined): (kind: ResourceKind) => boolean {
  const resolved = (names: readonly string[] = []) => names.map((name) => store.kinds.named(name)?.resource ?? name);
  const filter = nameFilter(resolved(included), resolved(excluded));
  return ({ resource }) => filter.includes(resource);
}

function takesClusterScoped(store: Store, spec: Backup["spec"], kind: ResourceKind, allNamespaces: boolean): boolean {
  if (kind.resource === "namespaces" || kind.resource === "nodes") return allNamespaces && kind.resource === "namespaces";
  const named = spec.includedClusterScopedResources;
  if (named) return resourceFilter(store, named, spec.excludedClusterScopedResources)(kind);
  const all = spec.includeClusterResources === true || (spec.includeClusterResources === undefined && allNamespaces);
  return all && resourceFilter(store, spec.includedResources, [...(spec.excludedResources ?? []), ...(spec.excludedClusterScopedResources ?? [])])(kind);
}

function labelFilter({ labelSelector, orLabelSelectors }: Backup["spec"]): (object: KubernetesObject) => boolean {
  const selectors = orLabelSelectors && orLabelSelectors.length > 0 ? orLabelSelectors.map(selectorOf) : [selectorOf(labelSelector)];
  return ({ metadata }) => selectors.some((selector) => matches(selector, metadata.labels));
}

function neededBy(store: Store, kind: ResourceKind, object: KubernetesObject): SelectedItem[] {
  const { namespace = "", name } = object.metadata;
  const found = (kind: ResourceKind, name: string | undefined): SelectedItem[] => {
    const needed = name === undefined ? null : store.get(kind, "", name);
    return needed ? [{ kind, object: needed }] : [];
  };
  const own = found(workloadKinds.namespaces, namespace);
  switch (kind.resource) {
    case "pods":
      return [...own, ...found(workloadKinds.priorityClasses, (object as Pod).spec.priorityClassName)];
    case "persistentvolumeclaims":
      return [...own, ...found(workloadKinds.volumes, (object as Claim).spec.volumeName)];
    case "serviceaccounts":
      return [...own, ...boundTo(store, namespace, name)];
  }
  return own;
}

function boundTo(store: Store, namespace: string, account: string): SelectedItem[] {
  const bindings = store.kinds.named("clusterrolebindings.rbac.authorization.k8s.io");
  const roles = store.kinds.named("clusterroles.rbac.authorization.k8s.io");
  if (!bindings || !roles) return [];
  return store.list(bindings).flatMap((binding): SelectedItem[] => {
    const subjects = Array.isArray(binding["subjects"]) ? binding["subjects"].filter(isRecord) : [];
    if (!subjects.some(({ kind, name, namespace: place }) => kind === "ServiceAccount" && name === account && place === namespace)) return [];
    const role = isRecord(binding["roleRef"]) ? store.get(roles, "", String(binding["roleRef"]["name"])) : null;
    return [{ kind: bindings, object: binding }, ...(role ? [{ kind: roles, object: role }] : [])];
  });
}

/** A volume of a pod in the backup: to be backed up by its files, or the reason why it is not. */
export interface SelectedVolume {
  readonly pod: Pod;
  readonly volume: string;
  readonly claim: Claim;
  readonly skippedBecause: string | null;
}

/** The claimed volumes of the backup's running pods. */
export function selectVolumes(store: Store, { spec }: Backup, items: readonly SelectedItem[]): SelectedVolume[] {
  return items
    .filter(({ kind }) => kind.resource === "pods")
    .flatMap(({ object }) => {
      const pod = object as Pod;
      return (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim }): SelectedVolume[] => {
        const claim = persistentVolumeClaim ? getOf(store, "claims", pod.metadata.namespace ?? "", persistentVolumeClaim.claimName) : null;
        return claim?.spec.volumeName === undefined ? [] : [{ pod, volume: name, claim, skippedBecause: whySkipped(pod, name, spec.defaultVolumesToFsBackup === true) }];
      });
    });
}

const noSnapshotter = "volumeSnapshot: no applicable volumesnapshotter found;";

function whySkipped(pod: Pod, volume: string, byDefault: boolean): string | null {
  const listed = (annotation: string) => (pod.metadata.annotations?.[annotation] ?? "").split(",").includes(volume);
  if (byDefault) return listed("backup.velero.io/backup-volumes-excludes") ? `podvolume: opted out due to annotation in pod ${pod.metadata.name};${noSnapshotter}` : null;
  return listed("backup.velero.io/backup-volumes") ? null : noSnapshotter;
}

/** Whether any pod runs on this node that could read its volumes: Velero's own agent. */
export const hasNodeAgent = (store: Store, node: string): boolean =>
  listOf(store, "pods", "velero").some(({ metadata, spec, status }) => metadata.labels?.["role"] === "node-agent" && spec.nodeName === node && status?.phase === "Running");
