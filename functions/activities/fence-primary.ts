import { z } from "zod";
import type { Quieted, Suspended } from "../../shared/domain/fence.ts";
import { type Kind, kinds } from "../../shared/domain/kinds.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { Cluster, KubeObject } from "../../shared/ports.ts";
import { planOfRun } from "../run-id.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { type Duty, type Work } from "./perform.ts";

/** Closes the primary's public endpoint. The secondary's stays closed, so Traffic Manager cannot jump by itself. */
export const closePrimary: Work<typeof steps.closePrimary> = async (_, { world, plan }) => {
  if ((await world.traffic.read(plan.traffic)).primary.open) await world.traffic.closePrimary(plan.traffic);
  const after = await world.traffic.read(plan.traffic);
  return after.primary.open ? { kind: "open", why: "it reads back as open" } : { kind: "closed" };
};

export const reopenPrimary: Work<typeof steps.reopenPrimary> = async (_, { world, plan }) => {
  if (!(await world.traffic.read(plan.traffic)).primary.open) await world.traffic.reopenPrimary(plan.traffic);
  if (!(await world.traffic.read(plan.traffic)).primary.open) throw new Error("the primary's endpoint reads back as closed");
  return { kind: "reopened" };
};

/** How long the primary's cluster may take to say that it is there. A dark one must not hold up the run. */
const timeoutSeconds = 5;

/**
 * Stops what takes writes in the primary, and what would start it again: GitOps first, then Velero's schedules, then the workloads.
 * What is already stopped is left alone, so running it again finds nothing to do; but what it once changed stands in the intent's
 * answer only if the first run answered, so the undo is also written on the object itself, as an annotation.
 */
export const quietPrimary: Work<typeof steps.quietPrimary> = async (_, duty) => {
  const { world, plan } = duty;
  let cluster: Cluster;
  try {
    cluster = await world.clusters.of(plan.primary.cluster);
    const alive = await cluster.ready(timeoutSeconds);
    if (alive.kind === "no-answer") return { kind: "unreachable", why: alive.why };
  } catch (error) {
    return { kind: "unreachable", why: messageOf(error) };
  }
  const suspended: Suspended[] = [];
  const left: string[] = [];
  for (const rule of rulesFor(plan)) {
    try {
      // Noted one by one: what was stopped before one refused is ours to give back.
      for await (const one of suspendAll(cluster, rule, duty)) suspended.push(one);
    } catch (error) {
      left.push(`${placeOf(rule)} (${messageOf(error)})`);
    }
  }
  return left.length === 0 ? { kind: "quiet", suspended } : { kind: "partly", suspended, left };
};

/**
 * Gives back what this run changed, newest first. The objects themselves are looked at, because the answer of quietPrimary may have been
 * lost. What does not answer is told of, not retried for ever.
 */
export const wakePrimary: Work<typeof steps.wakePrimary> = async ({ quieted }, { world, plan, call }) => {
  let cluster: Cluster;
  try {
    cluster = await world.clusters.of(plan.primary.cluster);
    const alive = await cluster.ready(timeoutSeconds);
    if (alive.kind === "no-answer") return { left: unseen(quieted, alive.why) };
  } catch (error) {
    return { left: unseen(quieted, messageOf(error)) };
  }
  const left: string[] = [];
  for (const rule of rulesFor(plan).toReversed()) {
    try {
      for (const object of (await cluster.list(rule.kind, rule.namespace)) ?? []) left.push(...(await wake(cluster, rule.kind, object, call.ref.plan)));
    } catch (error) {
      left.push(`what is suspended of ${placeOf(rule)} (${messageOf(error)})`);
    }
  }
  return { left };
};

async function wake(cluster: Cluster, kind: Kind, object: KubeObject, plan: string): Promise<string[]> {
  const undo = ownUndo(object, plan);
  if (undo === null) return [];
  const { namespace = "", name } = object.metadata;
  try {
    await cluster.patch(kind, namespace, name, { ...undo, metadata: { annotations: { [undoAnnotation]: null } } });
    return [];
  } catch (error) {
    return [`${kind.plural} ${namespace}/${name} is still suspended (${messageOf(error)})`];
  }
}

/** What may be suspended in a cluster that does not answer now. */
function unseen(quieted: Quieted | null, why: string): string[] {
  if (quieted === null) return [`whatever is suspended in the primary's cluster, which does not answer: ${why}`];
  // It did not answer when it was to be quieted either: nothing was changed there.
  if (quieted.kind === "unreachable") return [];
  return quieted.suspended.map(({ plural, namespace, name }) => `${plural} ${namespace}/${name} is still suspended (the primary's cluster does not answer: ${why})`);
}

const placeOf = ({ kind, namespace }: Rule): string => `${kind.plural}${namespace === null ? "" : ` in ${namespace}`}`;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Rule {
  readonly kind: Kind;
  readonly namespace: string | null;
  /** The patch that stops it and the one that gives it back; `null`: it stands still already. */
  readonly stop: (object: KubeObject) => { readonly patch: Readonly<Record<string, unknown>>; readonly undo: Readonly<Record<string, unknown>> } | null;
}

const undoAnnotation = "lifeboat.dev/undo";

function rulesFor(plan: Plan): Rule[] {
  const namespaces = [...new Set(plan.applications.flatMap((application) => application.namespaces))];
  const rules: Rule[] = [];
  // What would undo the rest goes first.
  if (plan.fence.suspend.includes("gitops"))
    rules.push(rule(kinds.kustomizations, null, "suspend", true), rule(kinds.helmReleases, null, "suspend", true), argoRule(namespaces));
  if (plan.fence.suspend.includes("velero")) rules.push(rule(kinds.schedules, plan.primary.veleroNamespace, "paused", true));
  if (plan.fence.suspend.includes("workloads"))
    for (const namespace of namespaces) {
      rules.push(rule(kinds.cronJobs, namespace, "suspend", true));
      // An autoscaler leaves a workload of zero replicas alone (Kubernetes, HorizontalPodAutoscaler).
      rules.push(rule(kinds.deployments, namespace, "replicas", 0), rule(kinds.statefulSets, namespace, "replicas", 0));
    }
  return rules;
}

/** Argo CD has no switch of this kind: its automated sync is taken out, for applications that deploy into the plan's namespaces. */
function argoRule(namespaces: readonly string[]): Rule {
  return {
    kind: kinds.applications,
    namespace: null,
    stop: (object) => {
      const { destination, syncPolicy } = (object["spec"] ?? {}) as { destination?: { namespace?: string }; syncPolicy?: { automated?: unknown } };
      if (!namespaces.includes(destination?.namespace ?? "") || syncPolicy?.automated == null) return null;
      return { patch: { spec: { syncPolicy: { automated: null } } }, undo: { spec: { syncPolicy: { automated: syncPolicy.automated } } } };
    },
  };
}

/** Sets one field of the spec. What is not there counts as the API's default: not suspended, one replica. */
function rule(kind: Kind, namespace: string | null, field: "suspend" | "paused" | "replicas", stopped: boolean | number): Rule {
  const whenAbsent = field === "replicas" ? 1 : false;
  return {
    kind,
    namespace,
    stop: (object) => {
      const spec = (object["spec"] ?? {}) as Record<string, unknown>;
      const now = spec[field] ?? whenAbsent;
      return now === stopped ? null : { patch: { spec: { [field]: stopped } }, undo: { spec: { [field]: now } } };
    },
  };
}

async function* suspendAll(cluster: Cluster, { kind, namespace, stop }: Rule, { call }: Duty): AsyncGenerator<Suspended> {
  const objects = (await cluster.list(kind, namespace)) ?? [];
  for (const object of objects) {
    const at = { apiVersion: kind.apiVersion, plural: kind.plural, namespace: object.metadata.namespace ?? "", name: object.metadata.name };
    const stopping = stop(object);
    // Stopped before, by this step or by a run that halted: its undo is written on the object.
    const ours = ownUndo(object, call.ref.plan);
    if (stopping === null) {
      if (ours !== null) yield { ...at, undo: ours };
      continue;
    }
    const note = JSON.stringify({ run: call.ref.runId, undo: stopping.undo });
    const patched = await cluster.patch(kind, at.namespace, at.name, { ...stopping.patch, metadata: { annotations: { [undoAnnotation]: note } } });
    if (patched === null) continue;
    yield { ...at, undo: stopping.undo };
    if (stop(patched) !== null) throw new Error(`${at.name} reads back as not stopped`);
  }
}

/** Written by us, on objects that others may write to. */
const undoNote = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(z.object({ run: z.string(), undo: z.record(z.string(), z.unknown()) }));

/** How to give back what a run of this plan stopped, this one or one that halted before it; `null`: none did. */
function ownUndo(object: KubeObject, plan: string): Readonly<Record<string, unknown>> | null {
  const note = object.metadata.annotations?.[undoAnnotation];
  if (note === undefined) return null;
  const read = undoNote.safeParse(note);
  return read.success && planOfRun(read.data.run) === plan ? read.data.undo : null;
}
