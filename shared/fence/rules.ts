/** What is stopped in the primary, object by object, and how each is given back. */
import { z } from "zod";
import { type Kind, kinds } from "../domain/kinds.ts";
import type { Plan } from "../domain/plan.ts";
import type { KubeObject } from "../ports.ts";

/** One kind in one place. `namespace` null: everywhere. */
export interface Rule {
  readonly kind: Kind;
  readonly namespace: string | null;
  /** The patch that stops it and the one that gives it back; `null`: it stands still already, or is not the plan's. */
  readonly stop: (object: KubeObject) => Stop | null;
}

export interface Stop {
  readonly patch: Readonly<Record<string, unknown>>;
  readonly undo: Readonly<Record<string, unknown>>;
}

/** Stages one after another, the lanes of a stage side by side, the rules of a lane one after another. */
export type Stages<T> = readonly (readonly (readonly T[])[])[];

export const placeOf = ({ kind, namespace }: Rule): string => `${kind.plural}${namespace === null ? "" : ` in ${namespace}`}`;

/** Namespaces of the plan's applications, each once. */
export const namespacesOf = ({ applications }: Plan): string[] => [...new Set(applications.flatMap(({ namespaces }) => namespaces))];

export function rulesFor(plan: Plan): Stages<Rule> {
  const namespaces = namespacesOf(plan);
  const { suspend } = plan.fence;
  const { schedule } = plan.backups;
  return [
    // What would undo the rest goes first.
    suspend.includes("gitops") ? [[kustomizations(namespaces)], [helmReleases(namespaces)], [argoApplications(namespaces)]] : [],
    // Other schedules of the same Velero are other people's backups.
    suspend.includes("velero") && schedule !== undefined ? [[setting(kinds.schedules, plan.primary.veleroNamespace, "paused", true, ({ metadata }) => metadata.name === schedule)]] : [],
    suspend.includes("workloads") ? namespaces.map(workloads) : [],
  ];
}

/**
 * CronJobs before the Jobs that they make. The HorizontalPodAutoscaler leaves a workload of zero replicas alone unless its minReplicas
 * is 0; other scalers (KEDA) do start from zero. What they start within our look is found by it: `running-pods.ts`.
 */
const workloads = (namespace: string): Rule[] => [
  setting(kinds.cronJobs, namespace, "suspend", true),
  setting(kinds.jobs, namespace, "suspend", true, (job) => !hasEnded(job)),
  setting(kinds.deployments, namespace, "replicas", 0),
  setting(kinds.statefulSets, namespace, "replicas", 0),
];

/** Flux deploys a Kustomization into its `targetNamespace`; without one, where its objects say, of which its inventory keeps a list. */
const kustomizations = (namespaces: readonly string[]) =>
  setting(kinds.kustomizations, null, "suspend", true, (object) => {
    const target = read(flux, object)?.spec.targetNamespace;
    return target === undefined ? inventoryNames(object, namespaces) : namespaces.includes(target);
  });

/** A Helm release goes into its `targetNamespace`, by default into its own; newer Flux keeps an inventory of it too. */
const helmReleases = (namespaces: readonly string[]) =>
  setting(kinds.helmReleases, null, "suspend", true, (object) => namespaces.includes(read(flux, object)?.spec.targetNamespace ?? object.metadata.namespace ?? "") || inventoryNames(object, namespaces));

/** Entries of Flux's inventory are `NAMESPACE_NAME_GROUP_KIND`. None yet: nothing was deployed, unless it lives among the applications. */
function inventoryNames(object: KubeObject, namespaces: readonly string[]): boolean {
  const entries = read(flux, object)?.status.inventory?.entries;
  if (entries === undefined) return namespaces.includes(object.metadata.namespace ?? "");
  return entries.some(({ id }) => namespaces.includes(id.split("_")[0] ?? ""));
}

/** Argo CD has no switch of this kind: its automated sync is taken out, for applications that deploy into the plan's namespaces. */
function argoApplications(namespaces: readonly string[]): Rule {
  return {
    kind: kinds.applications,
    namespace: null,
    stop: (object) => {
      const { destination, syncPolicy } = read(argo, object)?.spec ?? {};
      if (!namespaces.includes(destination?.namespace ?? "") || syncPolicy?.automated == null) return null;
      return { patch: { spec: { syncPolicy: { automated: null } } }, undo: { spec: { syncPolicy: { automated: syncPolicy.automated } } } };
    },
  };
}

/** Sets one field of the spec. What is not there counts as the API's default: not suspended, one replica. */
function setting(kind: Kind, namespace: string | null, field: "suspend" | "paused" | "replicas", stopped: boolean | number, ours: (object: KubeObject) => boolean = () => true): Rule {
  const whenAbsent = field === "replicas" ? 1 : false;
  return {
    kind,
    namespace,
    stop: (object) => {
      const spec = (object["spec"] ?? {}) as Record<string, unknown>;
      const now = spec[field] ?? whenAbsent;
      return now === stopped || !ours(object) ? null : { patch: { spec: { [field]: stopped } }, undo: { spec: { [field]: now } } };
    },
  };
}

const hasEnded = (object: KubeObject) => read(job, object)?.status.conditions.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True") ?? false;

// Only what is looked at; an object that does not read so says nothing.
const flux = z.object({
  spec: z.object({ targetNamespace: z.string().optional() }).prefault({}),
  status: z.object({ inventory: z.object({ entries: z.array(z.object({ id: z.string() })).default([]) }).optional() }).prefault({}),
});
const argo = z.object({ spec: z.object({ destination: z.object({ namespace: z.string().optional() }).optional(), syncPolicy: z.object({ automated: z.unknown().optional() }).optional() }) });
const job = z.object({ status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).prefault({}) });

const read = <T>(schema: z.ZodType<T>, object: KubeObject): T | null => schema.safeParse(object).data ?? null;
