/** The Velero objects of one application's restore. Pure; what each field means: Velero 1.18, Restore and resource modifiers. */
import { type Consumer, type Contents, selects } from "./contents.ts";
import { groupOf } from "./kinds.ts";
import type { Application } from "./plan.ts";
import type { RestorePart } from "./restore-run.ts";
import type { Volume } from "./volume.ts";

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

/** What the main part leaves out, as `label=value`. */
const selectorsOf = ({ consumers }: Application): readonly string[] => [`${consumers.label}=true`, ...consumers.podSelectors];
const isLeftOut = (application: Application, { selectedBy }: Consumer): boolean => selectorsOf(application).some((selector) => selectedBy.includes(selector));
const podsLeftOut = (application: Application, { podLabels }: Consumer): boolean => selectorsOf(application).some((selector) => selects(selector, podLabels));

/** Those of one application that nobody owns: what is owned is left to its owner. */
const ownIn = ({ consumers }: Contents, application: Application): readonly Consumer[] =>
  consumers.filter(({ namespace, owned, kind }) => !owned && kind !== "Pod" && namespace !== null && application.namespaces.includes(namespace));

/**
 * Consumers of one application that are in the backup: workloads that the main part leaves out, by the consumer label or because they carry
 * a label of the consumers' pods themselves. All of them come in with the consumers' part, so all of them are held, and released.
 */
export const consumersOf = (contents: Contents, application: Application): readonly Consumer[] => ownIn(contents, application).filter((consumer) => holdableKinds.has(consumer.kind) && isLeftOut(application, consumer));

const nameOf = ({ kind, namespace, name }: Consumer): string => `${kind} ${namespace}/${name}`;

/** Why consumers of this application would act before release, or come back without their data; each with what to do. Empty: they can be held. */
export function whyNotHeld(contents: Contents, volumes: readonly Volume[], application: Application): string[] {
  const own = ownIn(contents, application);
  return [
    ...own.filter((consumer) => isLeftOut(application, consumer) && !holdableKinds.has(consumer.kind) && Object.keys(consumer.podLabels).length > 0).map((consumer) => `${nameOf(consumer)} carries the label of a consumer and cannot be held back: take the label off, or stop it in the primary before the next backup`),
    ...consumersOf(contents, application).flatMap((consumer) => uncovered(consumer, application)),
    ...own
      .filter((consumer) => !isLeftOut(application, consumer) && podsLeftOut(application, consumer))
      .map((consumer) => `${nameOf(consumer)} makes pods that the plan calls consumers and is none itself, so it would come in running: label it ${application.consumers.label}=true before the next backup`),
    ...dataLeftOut(contents, volumes, application),
  ];
}

/** A consumer whose pods come in with the main part: loose, and acting at once. */
function uncovered(consumer: Consumer, application: Application): string[] {
  const [label] = Object.entries(consumer.podLabels).filter(([key]) => !generatedLabels.has(key));
  // A CronJob has pods only while it runs, and most name no labels for them: nothing could be selected by.
  if (podsLeftOut(application, consumer) || (label === undefined && consumer.kind === "CronJob")) return [];
  const remedy = label === undefined ? "give its pod template a label and add that" : `add ${label.join("=")}`;
  return [`the pods of ${nameOf(consumer)} would be restored loose and act before release: ${remedy} to consumers.podSelectors of ${application.name}`];
}

/** Written by controllers, another value for every revision or run (Kubernetes, well-known labels). */
const generatedLabels: ReadonlySet<string> = new Set(["pod-template-hash", "controller-revision-hash", "controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"]);

/** File-system backup restores a volume into the pod it was copied from (Velero 1.18, pod action): without that pod the claim stays empty. */
function dataLeftOut({ consumers }: Contents, volumes: readonly Volume[], application: Application): string[] {
  const pods = consumers.filter((consumer) => consumer.kind === "Pod" && consumer.namespace !== null && application.namespaces.includes(consumer.namespace) && isLeftOut(application, consumer));
  const copied = volumes.filter(({ method, restorable }) => method === "file-system-backup" && restorable);
  return pods.flatMap((pod) =>
    copied
      // A volume without a claim goes by `pod/volume`.
      .filter(({ namespace, claim }) => namespace === pod.namespace && (pod.claims.includes(claim) || claim.startsWith(`${pod.name}/`)))
      .map(({ claim }) => `the volume ${claim} comes back only with ${nameOf(pod)}, which is left out as a consumer's: back it up by data movement (snapshotMoveData), or take the pod out of consumers.podSelectors of ${application.name}`),
  );
}

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
  const group = groupOf(apiVersion);
  return `${kind.toLowerCase()}s${group ? `.${group}` : ""}`;
}

/** Whether a consumer acts: that an autoscaler has gone on from there is its own affair. */
export function isReleased({ kind }: Consumer, object: Readonly<Record<string, unknown>>): boolean {
  const { replicas, suspend } = (object["spec"] ?? {}) as { replicas?: number; suspend?: boolean };
  // Absent means one replica, and not suspended (Kubernetes API).
  return kind === "CronJob" || kind === "Job" ? suspend !== true : (replicas ?? 1) > 0;
}

/** What gives a held consumer back what the backup says it had. `null`: it was at rest in the backup too. */
export function releasePatch({ replicas, suspended, kind }: Consumer): Readonly<Record<string, unknown>> | null {
  if (kind === "CronJob" || kind === "Job") return suspended === true ? null : { spec: { suspend: false } };
  return replicas === 0 ? null : { spec: { replicas: replicas ?? 1 } };
}
