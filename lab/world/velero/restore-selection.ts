/** Which items of an archive a restore takes, and in which order. */
import type { Kinds } from "../kubernetes/kinds.ts";
import { matches, selectorOf } from "../kubernetes/selectors.ts";
import { type Archive, type ArchiveItem, objectOf } from "./archive.ts";
import { type NameFilter, nameFilter } from "./filters.ts";
import type { RestoreSpec } from "./objects.ts";

/** Velero's order of kinds (1.18, cmd/server/config): these first, the last ones at the very end, all others by name in between. */
const first = [
  "customresourcedefinitions",
  "namespaces",
  "storageclasses",
  "volumesnapshotclass.snapshot.storage.k8s.io",
  "volumesnapshotcontents.snapshot.storage.k8s.io",
  "volumesnapshots.snapshot.storage.k8s.io",
  "datauploads.velero.io",
  "persistentvolumes",
  "persistentvolumeclaims",
  "clusterroles",
  "roles",
  "serviceaccounts",
  "clusterrolebindings",
  "rolebindings",
  "secrets",
  "configmaps",
  "limitranges",
  "priorityclasses",
  "pods",
  "replicasets.apps",
  "clusterclasses.cluster.x-k8s.io",
  "endpoints",
  "services",
];
const last = ["clusterbootstraps.run.tanzu.vmware.com", "clusters.cluster.x-k8s.io", "clusterresourcesets.addons.cluster.x-k8s.io", "apps.kappctrl.k14s.io", "packageinstalls.packaging.carvel.dev"];

export interface Selection {
  /** In the order in which they are to be restored. */
  readonly items: readonly ArchiveItem[];
  /** Items that could not even be looked at: namespace of the target, and what to say. */
  readonly errors: readonly { readonly namespace: string; readonly message: string }[];
}

/** The filters of a restore that also hold for the items that others bring along. */
export interface RestoreFilters {
  readonly resources: NameFilter;
  readonly namespaces: NameFilter;
}

export function filtersOf(kinds: Kinds, spec: RestoreSpec): RestoreFilters {
  const resolved = (names: readonly string[] = []) => names.map((name) => kinds.named(name)?.resource ?? name);
  return { resources: nameFilter(resolved(spec.includedResources), resolved(spec.excludedResources)), namespaces: nameFilter(spec.includedNamespaces, spec.excludedNamespaces) };
}

export function selectFrom(archive: Archive, kinds: Kinds, spec: RestoreSpec, filters: RestoreFilters): Selection {
  const errors: { namespace: string; message: string }[] = [];
  const isLabelled = labelFilter(spec);
  const items = inOrder(archive, kinds).filter((item) => {
    if (!filters.resources.includes(item.resource) || !scopeFits(item, spec, filters.namespaces)) return false;
    try {
      return isLabelled(objectOf(item).metadata.labels);
    } catch (error) {
      errors.push({ namespace: spec.namespaceMapping?.[item.namespace] ?? item.namespace, message: `error decoding "${item.path}": ${(error as Error).message}` });
      return false;
    }
  });
  return { items, errors };
}

function inOrder(archive: Archive, kinds: Kinds): ArchiveItem[] {
  const present = [...new Set(archive.items.map(({ resource }) => resource))];
  const resolve = (name: string) => kinds.named(name)?.resource ?? name;
  const [begin, end] = [first.map(resolve), last.map(resolve)];
  const middle = present.filter((resource) => !begin.includes(resource) && !end.includes(resource)).toSorted();
  const rank = new Map([...begin, ...middle, ...end].map((resource, at) => [resource, at]));
  const place = ({ namespace, name }: ArchiveItem) => `${namespace}/${name}`;
  return archive.items.toSorted((a, b) => (rank.get(a.resource) ?? 0) - (rank.get(b.resource) ?? 0) || (place(a) < place(b) ? -1 : 1));
}

/** Cluster-scoped items come only when they are asked for or nothing is filtered by namespace. */
function scopeFits({ namespace }: ArchiveItem, { includeClusterResources }: RestoreSpec, namespaces: NameFilter): boolean {
  if (namespace !== "") return namespaces.includes(namespace);
  return includeClusterResources ?? namespaces.everything;
}

function labelFilter({ labelSelector, orLabelSelectors }: RestoreSpec): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  const selectors = orLabelSelectors && orLabelSelectors.length > 0 ? orLabelSelectors.map(selectorOf) : [selectorOf(labelSelector)];
  return (labels) => selectors.some((selector) => matches(selector, labels));
}
