/** Reads of the secondary's cluster and of the replica's account what would keep restored objects out or their pods from coming up. Only looks. */
import { failClosedIn } from "../../shared/domain/admission.ts";
import { podTrouble } from "../../shared/domain/cluster-objects.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { arrayOf, recordOf } from "../../shared/domain/loose.ts";
import type { StateSeen } from "../../shared/domain/secondary-state.ts";
import type { Cluster } from "../../shared/ports.ts";

/** A pod of `kube-system` that is older than this and waits still is stuck: images of AKS's own pods come in a minute. */
const comesUpMs = 10 * 60_000;

/** The fail-closed webhooks of a cluster, and of each whether somebody answers for it. */
export async function webhooksOf(cluster: Pick<Cluster, "list">): Promise<NonNullable<StateSeen["webhooks"]>> {
  const [validating, mutating] = await Promise.all([cluster.list(kinds.validatingWebhooks, null), cluster.list(kinds.mutatingWebhooks, null)]);
  const all = [...(validating ?? []).flatMap((one) => failClosedIn(one, "ValidatingWebhookConfiguration")), ...(mutating ?? []).flatMap((one) => failClosedIn(one, "MutatingWebhookConfiguration"))];
  return Promise.all(all.map(async (webhook) => ({ ...webhook, answered: webhook.service === null ? ("unknown" as const) : await isAnswered(cluster, webhook.service) })));
}

async function isAnswered(cluster: Pick<Cluster, "list">, { namespace, name }: { readonly namespace: string; readonly name: string }): Promise<boolean | "unknown"> {
  const slices = await cluster.list(kinds.endpointSlices, namespace, `kubernetes.io/service-name=${name}`);
  // What is not said to be unready is ready (discovery.k8s.io/v1, EndpointConditions).
  return slices === null ? "unknown" : slices.some((slice) => arrayOf(slice["endpoints"]).some((endpoint) => recordOf(recordOf(endpoint)["conditions"])["ready"] !== false));
}

/** The cluster's own pods, by which it is told whether pods get addresses and images there at all. */
export async function ownPodsOf(cluster: Cluster, at: number): Promise<StateSeen["ownPods"]> {
  const pods = await cluster.list(kinds.pods, "kube-system");
  if (pods === null) return null;
  const stuck = pods.flatMap((pod) => {
    const waits = podTrouble(pod);
    return waits === null || Date.parse(pod.metadata.creationTimestamp ?? "") > at - comesUpMs ? [] : [`${pod.metadata.name} (${waits})`];
  });
  return { count: pods.length, stuck };
}
