/**
 * A Velero, as small as the app's questions allow and with the rules that bite: one restore at a time, by the objects in its own cluster
 * and not by the blobs; what exists is skipped; data comes by movers of its own; a server that restarts gives up what it was doing.
 */
import { kinds } from "../../../shared/domain/kinds.ts";
import type { KubeObject } from "../../../shared/ports.ts";
import type { LabWorld } from "../../world/world.ts";
import { type SimulatedCluster, kindOf } from "./cluster.ts";
import { merged, type Objects } from "./objects.ts";
import { shopObjects, shopNamespace, ordersClaim } from "./shop.ts";

/** How a restore goes wrong, by its place among the restores of this cluster, counted from 0. */
export type RestoreTrouble = "server-restarts" | "volume-left-out" | "mover-fails" | "stuck-new" | "partially-failed";

export interface VeleroOptions {
  /** Whether the store that restores read from takes their logs. */
  readonly storeTakesWrites: () => boolean;
  /** Whether a snapshot's data is in the store that restores read from. */
  readonly hasSnapshot: (snapshot: string) => boolean;
  readonly trouble: (nth: number) => RestoreTrouble | null;
  /** Writes what a backup writes. */
  readonly wroteBackup: (name: string) => void;
}

const namespace = "velero";

export function runVelero(world: LabWorld, cluster: SimulatedCluster, { storeTakesWrites, hasSnapshot, trouble, wroteBackup }: VeleroOptions): void {
  const { objects, region } = cluster;
  const { clock, latencies } = world;
  let busy: string | null = null;
  let restores = 0;
  const statusOf = (name: string, status: Readonly<Record<string, unknown>>) => void objects.patch(kinds.restores, namespace, name, { status });
  const phaseOf = (name: string) => (objects.get(kinds.restores, namespace, name)?.["status"] as { phase?: string } | undefined)?.phase ?? "";

  const next = (): void => {
    if (busy !== null) return;
    const waiting = (objects.list(kinds.restores, namespace) ?? []).find(({ metadata }) => phaseOf(metadata.name) === "" || phaseOf(metadata.name) === "New");
    if (!waiting) return;
    const { name } = waiting.metadata;
    const wrong = trouble(restores++);
    if (wrong === "stuck-new") return statusOf(name, { phase: "New" });
    busy = name;
    clock.after(1_000, () => begin(waiting, wrong));
  };

  const end = (name: string, status: Readonly<Record<string, unknown>>): void => {
    if (busy === name) busy = null;
    if (phaseOf(name) === "InProgress" || phaseOf(name) === "") statusOf(name, status);
    next();
  };

  const begin = (restore: KubeObject, wrong: RestoreTrouble | null): void => {
    const { name } = restore.metadata;
    const spec = restore["spec"] as RestoreSpec;
    if (objects.get(kinds.backups, namespace, spec.backupName) === null) return end(name, { phase: "FailedValidation", validationErrors: [`backup ${spec.backupName} not found`] });
    const wanted = shopObjects.filter(({ resource, object }) => takes(spec, resource, object));
    statusOf(name, { phase: "InProgress", progress: { totalItems: wanted.length, itemsRestored: 0 } });
    if (wrong === "server-restarts") clock.after(500, () => end(name, { phase: "Failed", failureReason: "found a restore with status InProgress during the server starting, mark it as Failed" }));
    clock.after(wanted.length * latencies.veleroRestoreItem + 500, () => {
      if (objects.get(kinds.restores, namespace, name) === null) return end(name, {});
      const modify = modifierOf(objects, spec);
      for (const { resource, object } of wanted) bring(object, name, spec.backupName, modify(resource));
      const movers = wrong === "volume-left-out" ? 0 : moversFor(wanted.map(({ object }) => object), name, spec.backupName, wrong === "mover-fails");
      const errors = (wrong === "partially-failed" ? 2 : 0) + (storeTakesWrites() ? 0 : 1);
      const ended = { phase: errors > 0 ? "PartiallyFailed" : "Completed", ...(errors > 0 ? { errors } : {}), progress: { totalItems: wanted.length, itemsRestored: wanted.length } };
      clock.after(movers > 0 ? latencies.volumeRestore : 200, () => end(name, ended));
    });
  };

  /** What exists is left as it is. */
  const bring = (object: KubeObject, restore: string, backup: string, patch: unknown): void => {
    const kind = kindOf(object);
    if (kind === null) return;
    const { ownerReferences: _owners, ...metadata } = object.metadata;
    const { status: _status, ...rest } = object;
    const labelled = { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, "velero.io/restore-name": restore, "velero.io/backup-name": backup } } };
    const made = objects.create(kind, merged(labelled, patch) as KubeObject);
    if (made !== null) world.record("velero.restored", `${region}/${kind.plural}/${metadata.name}`, { restore });
  };

  /** One for each volume whose pod comes with this restore and whose copy this cluster knows of. */
  const moversFor = (brought: readonly KubeObject[], restore: string, backup: string, fails: boolean): number => {
    if (!brought.some(({ kind, metadata }) => kind === "Pod" && metadata.name === "orders-0")) return 0;
    const copies = objects.list(kinds.podVolumeBackups, namespace, `velero.io/backup-name=${backup}`) ?? [];
    for (const copy of copies) {
      const { snapshotID = "" } = (copy["status"] ?? {}) as { readonly snapshotID?: string };
      const mover = `${restore}-${copy.metadata.name}`;
      objects.create(kinds.podVolumeRestores, { apiVersion: "velero.io/v1", kind: "PodVolumeRestore", metadata: { name: mover, namespace, labels: { "velero.io/restore-name": restore } }, spec: { snapshotID }, status: { phase: "InProgress" } });
      clock.after(Math.max(latencies.volumeRestore - 1_000, 4_000), () => {
        const well = !fails && hasSnapshot(snapshotID) && objects.get(kinds.persistentVolumeClaims, shopNamespace, ordersClaim) !== null;
        if (well) cluster.fill(snapshotID);
        objects.patch(kinds.podVolumeRestores, namespace, mover, { status: well ? { phase: "Completed", progress: { bytesDone: 2_500_000 } } : { phase: "Failed", message: "the snapshot cannot be read" } });
      });
    }
    return copies.length;
  };

  objects.onChange((kind, after, before) => {
    if (kind === kinds.restores && before === null && after !== null) {
      world.record("velero.restore-created", `${region}/${after.metadata.name}`);
      next();
    }
    if (kind === kinds.backups && before === null && after !== null && after["status"] === undefined) {
      const { name } = after.metadata;
      world.record("velero.backup-created", `${region}/${name}`);
      clock.after(latencies.veleroBackup, () => {
        wroteBackup(name);
        objects.patch(kinds.backups, namespace, name, { status: { phase: "Completed", completionTimestamp: `${new Date(clock.now()).toISOString().slice(0, 19)}Z` } });
      });
    }
    if (kind === kinds.schedules && before === null && after !== null) world.record("velero.schedule-created", `${region}/${after.metadata.name}`);
  });
}

interface Expression {
  readonly key: string;
  readonly operator: "In" | "NotIn";
  readonly values: readonly string[];
}
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Expression[];
}
interface RestoreSpec {
  readonly backupName: string;
  readonly includedResources?: readonly string[];
  readonly includedNamespaces?: readonly string[];
  readonly excludedResources?: readonly string[];
  readonly labelSelector?: Selector;
  readonly orLabelSelectors?: readonly Selector[];
  readonly resourceModifier?: { readonly name: string };
}

function takes({ includedResources, includedNamespaces, excludedResources = [], labelSelector, orLabelSelectors }: RestoreSpec, resource: string, { kind, metadata }: KubeObject): boolean {
  if (excludedResources.includes(resource)) return false;
  if (includedResources !== undefined) return includedResources.includes(resource);
  // The namespace itself comes with what is in it.
  const within = metadata.namespace ?? (kind === "Namespace" ? metadata.name : "");
  if (includedNamespaces?.includes(within) !== true) return false;
  if (kind === "Namespace") return true;
  const labels = metadata.labels ?? {};
  if (labelSelector !== undefined && !matches(labelSelector, labels)) return false;
  return orLabelSelectors === undefined || orLabelSelectors.some((selector) => matches(selector, labels));
}

function matches({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Readonly<Record<string, string>>): boolean {
  const has = ({ key, operator, values }: Expression) => values.includes(labels[key] ?? "") === (operator === "In");
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(has);
}

/** What a resource is patched with on its way in, by the ConfigMap that the Restore names. It is JSON, which is YAML. */
function modifierOf(objects: Objects, { resourceModifier }: RestoreSpec): (resource: string) => unknown {
  if (resourceModifier === undefined) return () => ({});
  const text = (objects.get(kinds.configMaps, namespace, resourceModifier.name)?.["data"] as Readonly<Record<string, string>> | undefined)?.["modifier.yaml"] ?? "{}";
  const { resourceModifierRules = [] } = JSON.parse(text) as { readonly resourceModifierRules?: readonly { readonly conditions: { readonly groupResource: string }; readonly mergePatches: readonly { readonly patchData: string }[] }[] };
  return (resource) => {
    const patches = resourceModifierRules.filter(({ conditions }) => conditions.groupResource === resource).flatMap(({ mergePatches }) => mergePatches.map(({ patchData }) => JSON.parse(patchData) as unknown));
    return patches.reduce(merged, {});
  };
}
