/** The Velero objects of one application's restore. Pure; what each field means: Velero 1.18, Restore and resource modifiers. */
import type { Consumer, Contents } from "./contents.ts";
import type { Application } from "./plan.ts";
import type { RestorePart } from "./restore-run.ts";

export interface RestoreOrder {
  readonly name: string;
  readonly namespace: string;
  readonly runId: string;
  readonly backup: string;
  readonly application: Application;
  readonly part: RestorePart["part"];
  readonly consumers: readonly Consumer[];
}

/** Workloads that can be held at rest on the way in, by one field of their spec. */
const holdableKinds: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "CronJob", "Job"]);

const labelledIn = ({ consumers }: Contents, application: Application): readonly Consumer[] =>
  consumers.filter(({ namespace, owned, kind }) => !owned && kind !== "Pod" && namespace !== null && application.namespaces.includes(namespace));

/** Consumers of one application that are in the backup: labelled workloads, those owned by another object left to their owner. */
export const consumersOf = (contents: Contents, application: Application): readonly Consumer[] => labelledIn(contents, application).filter(({ kind }) => holdableKinds.has(kind));

/** What carries the consumer label, has pods of its own, and has no field that holds it back. */
export const unholdable = (contents: Contents, application: Application): readonly Consumer[] => labelledIn(contents, application).filter(({ kind, podLabels }) => !holdableKinds.has(kind) && Object.keys(podLabels).length > 0);

export const runLabel = "lifeboat.dev/run";

/**
 * The Restore. Its main part leaves out the consumers and their loose pods, by labels; the consumers' part brings the rest of
 * them, through a modifier that holds their workloads. A part that is only cluster-scoped names its kinds; one with namespaces lets Velero bring along
 * what their objects need (a claim's volume).
 */
export function restoreObject(order: RestoreOrder): Readonly<Record<string, unknown>> {
  const { name, namespace, runId, backup, application, part } = order;
  return {
    apiVersion: "velero.io/v1",
    kind: "Restore",
    metadata: { name, namespace, labels: { [runLabel]: runId } },
    spec: { backupName: backup, ...(application.namespaces.length === 0 ? clusterScope(application) : namespaceScope(order)), ...(part === "consumers" && order.consumers.length > 0 ? heldBack(order) : {}) },
  };
}

const clusterScope = ({ clusterResources }: Application) => ({ includedResources: clusterResources, includeClusterResources: true });

function namespaceScope({ application, part }: RestoreOrder) {
  const { label, podSelectors } = application.consumers;
  const scope = { includedNamespaces: application.namespaces };
  const theirs = podSelectors.map((selector) => {
    const at = selector.indexOf("=");
    return { key: selector.slice(0, at), values: [selector.slice(at + 1)] };
  });
  // All that the main part leaves out: a service that shares their label comes back too. But not their pods, and what makes pods beside
  // their workload: those would act at once, and the workload makes them anew when it is released.
  if (part === "consumers")
    return {
      ...scope,
      excludedResources: [...neverRestored, ...madeByWorkloads],
      orLabelSelectors: [{ matchLabels: { [label]: "true" } }, ...theirs.map((those) => ({ matchExpressions: [{ ...those, operator: "In" }] }))],
    };
  const others = theirs.map((those) => ({ ...those, operator: "NotIn" }));
  return { ...scope, excludedResources: neverRestored, labelSelector: { matchExpressions: [{ key: label, operator: "NotIn", values: ["true"] }, ...others] } };
}

/** Made anew by the new cluster's own controllers, and wrong there if they came from the old one. */
const neverRestored = ["endpoints", "endpointslices.discovery.k8s.io"];

const madeByWorkloads = ["pods", "replicasets.apps", "controllerrevisions.apps"];

const heldBack = ({ name }: RestoreOrder) => ({ resourceModifier: { kind: "configmap", name } });

/** The ConfigMap that a consumers' restore is modified by: replicas to zero, schedules and jobs suspended. */
export function modifierObject({ name, namespace, runId, consumers }: RestoreOrder): Readonly<Record<string, unknown>> {
  const rules = [...new Set(consumers.map(resourceOf))].map((resource) => ({
    conditions: { groupResource: resource },
    mergePatches: [{ patchData: JSON.stringify({ spec: resource.endsWith(".batch") ? { suspend: true } : { replicas: 0 } }) }],
  }));
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, labels: { [runLabel]: runId } },
    // JSON is YAML, which is what Velero reads here.
    data: { "modifier.yaml": JSON.stringify({ version: "v1", resourceModifierRules: rules }) },
  };
}

/** `deployments.apps`, as Velero and RBAC name a resource. Consumers are built-in workloads, whose plurals are regular. */
function resourceOf({ apiVersion, kind }: Consumer): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/", 1)[0] : "";
  return `${kind.toLowerCase()}s${group ? `.${group}` : ""}`;
}

/** What gives a held consumer back what the backup says it had. `null`: it was at rest in the backup too. */
export function releasePatch({ replicas, suspended, kind }: Consumer): Readonly<Record<string, unknown>> | null {
  if (kind === "CronJob" || kind === "Job") return suspended === true ? null : { spec: { suspend: false } };
  return replicas === 0 ? null : { spec: { replicas: replicas ?? 1 } };
}
