/** Restores the items of an archive into a cluster, one after the other, as Velero does it. */
import { ApiError } from "../kubernetes/api-error.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import { isRecord, type KubernetesObject, sameJson } from "../kubernetes/object.ts";
import type { Writer } from "../kubernetes/store.ts";
import { workloadKinds } from "../kubernetes/workloads.ts";
import { type Archive, type ArchiveItem, objectOf } from "./archive.ts";
import type { VeleroContext } from "./context.ts";
import { applyModifiers, type Modifiers } from "./modifiers.ts";
import type { PodVolumeBackup, Restore } from "./objects.ts";
import type { RestoreFilters } from "./restore-selection.ts";
import { isDone, neededFor, transformed, volumesToRestore, withoutOrigin, withRestoreLabels } from "./restore-transforms.ts";
import type { Action, Messages, RestoredItems } from "./restore-results.ts";

/** How long Velero waits for a namespace of the same name to end, and how often it looks. */
const terminatingMs = 600_000;
const namespacePollMs = 1_000;

const writer: Writer = { manager: "velero-server", part: "object" };

export interface RestoreJob {
  readonly restore: Restore;
  readonly backupName: string;
  readonly archive: Archive;
  readonly filters: RestoreFilters;
  readonly modifiers: Modifiers;
  readonly volumeBackups: readonly PodVolumeBackup[];
  /** What the backup says of each PersistentVolume, by name. */
  readonly volumeMethods: ReadonlyMap<string, string>;
  readonly warnings: Messages;
  readonly errors: Messages;
  readonly restored: RestoredItems;
  readonly volumesMadeAnew: Set<string>;
  log(level: "info" | "warning" | "error", message: string, item?: ArchiveItem): void;
  /** So many requests went to the API server. */
  asked(requests: number): void;
  /** A pod came back whose volumes are to be filled. */
  onPodWithVolumes(pod: KubernetesObject, originalNamespace: string, volumes: readonly PodVolumeBackup[]): void;
}

/** Makes sure that a namespace is there and does not end; one that is made gets what the backup knows of it. Throws when it never gets ready. */
export async function ensureNamespace({ store, session }: VeleroContext, job: RestoreJob, original: string, name: string): Promise<void> {
  const { namespaces } = workloadKinds;
  for (let waitedMs = 0; ; waitedMs += namespacePollMs) {
    const there = store.get(namespaces, "", name);
    if (there && there.metadata.deletionTimestamp === undefined) return;
    if (!there) break;
    if (waitedMs >= terminatingMs) throw new Error(`timed out waiting for terminating namespace ${name} to disappear before restoring`);
    await session.sleep(namespacePollMs);
  }
  const item = job.archive.find("namespaces", "", original);
  const { labels, annotations } = item ? objectOf(item).metadata : {};
  const created = store.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } }, writer);
  job.restored.set(created, "", "created");
}

/** Restores one item and what it needs. Everything that goes wrong is a message; nothing stops the next item. */
export async function restoreItem(context: VeleroContext, job: RestoreJob, item: ArchiveItem): Promise<void> {
  const { filters, restore, restored, warnings, errors } = job;
  // Items that others bring along pass the same filters, except the one by label.
  if (!filters.resources.includes(item.resource)) return;
  if (item.namespace === "" ? restore.spec.includeClusterResources === false : !filters.namespaces.includes(item.namespace)) return;
  const namespace = restore.spec.namespaceMapping?.[item.namespace] ?? item.namespace;
  let original: KubernetesObject;
  try {
    original = objectOf(item);
    if (namespace !== "") await ensureNamespace(context, job, item.namespace, namespace);
  } catch (error) {
    if (context.session.isOver()) throw error;
    return errors.item(namespace, (error as Error).message);
  }
  if (isDone(original, item.resource)) return job.log("info", `${item.namespace}/${item.name} is complete - skipping`, item);
  if (restored.has(original, namespace)) return;
  const before = warnings.count() + errors.count();
  // Taken down before anything else: what it needs may need it.
  restored.set(original, namespace, "skipped");
  const action = await bringIn(context, job, item, original, namespace);
  restored.set(original, namespace, action ?? (warnings.count() + errors.count() > before ? "failed" : "skipped"));
}

async function bringIn(context: VeleroContext, job: RestoreJob, item: ArchiveItem, original: KubernetesObject, namespace: string): Promise<Action | null> {
  const { restore, backupName, modifiers, volumeBackups, volumesMadeAnew, warnings, errors } = job;
  if (item.resource === "pods" && original.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return null;
  if (item.resource === "persistentvolumes" && isMadeAnew(job, original)) {
    job.log("info", "Dynamically re-provisioning persistent volume because its data is to be restored or its reclaim policy is Delete.", item);
    volumesMadeAnew.add(original.metadata.name);
    return null;
  }
  for (const needed of neededFor(original, item.resource)) {
    const found = job.archive.find(needed.resource, needed.namespace, needed.name);
    if (found) await restoreItem(context, job, found);
    else warnings.item(needed.namespace, `stat resources/${needed.resource}/${needed.namespace === "" ? "cluster" : `namespaces/${needed.namespace}`}/${needed.name}.json: no such file or directory`);
  }
  const prepared = transformed(withoutOrigin(original), original, item.resource, { restore, volumeBackups, volumesMadeAnew });
  const modified = applyModifiers(modifiers, prepared, item.resource);
  for (const message of modified.errors) errors.item(namespace, message);
  const placed = namespace === "" ? modified.object : { ...modified.object, metadata: { ...modified.object.metadata, namespace } };
  const object = withRestoreLabels(placed, restore.metadata.name, backupName);
  job.log("info", `Attempting to restore ${object.kind}: ${object.metadata.name}.`, item);
  const kind = context.store.kinds.of(object);
  if (!kind) {
    errors.item(namespace, `error restoring ${resourceId(item.resource, namespace, item.name)}: the server could not find the requested resource`);
    return null;
  }
  const there = context.store.get(kind, namespace, object.metadata.name);
  // Looked at, or made and given back its managed fields.
  job.asked(there ? 1 : 2);
  if (there) return reconcile(context, job, kind, object, there);
  return create(context, job, item, kind, object);
}

const resourceId = (resource: string, namespace: string, name: string) => (namespace === "" ? `${resource}/${name}` : `${resource}/${namespace}/${name}`);

/** Whether a volume is not restored but made anew for its claim: its data comes from elsewhere, or it would go with its claim anyway. */
function isMadeAnew({ volumeMethods }: RestoreJob, volume: KubernetesObject): boolean {
  const method = volumeMethods.get(volume.metadata.name);
  if (method === "PodVolumeBackup" || method === "CSISnapshot") return true;
  return isRecord(volume["spec"]) && volume["spec"]["persistentVolumeReclaimPolicy"] === "Delete";
}

function create(context: VeleroContext, job: RestoreJob, item: ArchiveItem, kind: ResourceKind, object: KubernetesObject): Action | null {
  const { store } = context;
  const { namespace = "" } = object.metadata;
  try {
    const { managedFields, ...metadata } = object.metadata;
    const created = store.create(kind, { ...object, metadata }, writer);
    store.change(kind, namespace, created.metadata.name, (draft) => void (draft.metadata.managedFields = managedFields ?? []), { ...writer, managedFieldsAsGiven: true });
    const volumes = item.resource === "pods" ? volumesToRestore(created, item.namespace, job.volumeBackups) : [];
    if (volumes.length > 0) job.onPodWithVolumes(created, item.namespace, volumes);
    return "created";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    job.errors.item(namespace, `error restoring ${resourceId(item.resource, namespace, item.name)}: ${error.message}`);
    return null;
  }
}

/** The object is there: the same, merged, updated, or left alone with a warning. */
function reconcile(context: VeleroContext, job: RestoreJob, kind: ResourceKind, object: KubernetesObject, there: KubernetesObject): Action | null {
  const { restore, warnings } = job;
  const { namespace = "", name } = object.metadata;
  const policy = restore.spec.existingResourcePolicy ?? "";
  const comparable = withRestoreLabels(withoutOrigin(there), restore.metadata.name, job.backupName);
  if (kind.resource === "serviceaccounts") return mergeAccount(context, object, there);
  if (sameJson(comparable, object)) {
    if (policy === "update") relabel(context, kind, object);
    return null;
  }
  if (policy !== "update") {
    const what = policy === "none" ? `${object.kind} "${name}"` : `${object.kind}:${name}`;
    warnings.item(namespace, `could not restore, ${what} already exists. Warning: the in-cluster version is different than the backed-up version`);
    return null;
  }
  const immutable = immutableKinds[kind.resource];
  if (immutable !== undefined) {
    warnings.item(namespace, `${object.kind} "${name}" is invalid: spec: Forbidden: ${immutable}`);
    relabel(context, kind, object);
    return null;
  }
  context.store.change(kind, namespace, name, (draft) => ({ ...object, metadata: { ...draft.metadata, ...object.metadata }, ...(draft["status"] === undefined ? {} : { status: draft["status"] }) }), { ...writer, managedFieldsAsGiven: true });
  return "updated";
}

/** Kinds whose spec an API server does not let anyone change, and what it says then. */
const immutableKinds: Readonly<Record<string, string>> = {
  pods: "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
  persistentvolumeclaims: "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
  "jobs.batch": "field is immutable",
};

function relabel({ store }: VeleroContext, kind: ResourceKind, { metadata }: KubernetesObject): void {
  store.change(kind, metadata.namespace ?? "", metadata.name, (draft) => void (draft.metadata.labels = { ...draft.metadata.labels, ...metadata.labels }), writer);
}

/** Service accounts are always merged, whatever the policy: what either side has is kept. */
function mergeAccount({ store }: VeleroContext, object: KubernetesObject, there: KubernetesObject): Action | null {
  const { namespace = "", name } = object.metadata;
  const { "velero.io/backup-name": _backup, "velero.io/restore-name": _restore, ...labels } = object.metadata.labels ?? {};
  const after = store.change(
    workloadKinds.serviceAccounts,
    namespace,
    name,
    (draft) => {
      const merged = { ...labels, ...draft.metadata.labels };
      const annotations = { ...object.metadata.annotations, ...draft.metadata.annotations };
      if (Object.keys(merged).length > 0) draft.metadata.labels = merged;
      if (Object.keys(annotations).length > 0) draft.metadata.annotations = annotations;
    },
    writer,
  );
  return after === there ? null : "updated";
}
