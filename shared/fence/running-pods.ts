/** Which pods may still write after everything that can be scaled was scaled to zero. */
import { setTimeout as sleep } from "node:timers/promises";
import { kinds } from "../domain/kinds.ts";
import type { Cluster, KubeObject } from "../ports.ts";

/** Names in one sentence for a person; more are counted. */
const namedMax = 10;

/**
 * Looks at once and again after each pause, while there are pods that may yet go. A pod counts until it is gone or has ended: while it
 * is being ended it may still write, and on a node that does not answer nobody knows. Sentences, empty when none is left.
 */
export async function runningPods(cluster: Cluster, namespace: string, pausesMs: readonly number[], signal: AbortSignal): Promise<string[]> {
  const look = async () => ((await cluster.list(kinds.pods, namespace)) ?? []).filter((pod) => !hasEnded(pod));
  let running = await look();
  for (const pauseMs of pausesMs) {
    if (!running.some(mayGo)) break;
    await sleep(pauseMs, undefined, { signal });
    running = await look();
  }
  const named = running.slice(0, namedMax).map((pod) => `pod ${namespace}/${pod.metadata.name} ${whyOf(pod)}`);
  return running.length > namedMax ? [...named, `${running.length - namedMax} more pods in ${namespace}`] : named;
}

function hasEnded(pod: KubeObject): boolean {
  const { phase } = (pod["status"] ?? {}) as { readonly phase?: string };
  return phase === "Succeeded" || phase === "Failed";
}

/** Whoever keeps it cannot be scaled: a DaemonSet, a node's own manifest. Null: nobody, or one that can. */
const keeperOf = ({ metadata }: KubeObject) => metadata.ownerReferences?.find(({ kind }) => kind === "DaemonSet" || kind === "Node") ?? null;
const isBare = ({ metadata }: KubeObject) => (metadata.ownerReferences ?? []).length === 0;
const mayGo = (pod: KubeObject) => keeperOf(pod) === null && (!isBare(pod) || pod.metadata.deletionTimestamp !== undefined);

function whyOf(pod: KubeObject): string {
  const keeper = keeperOf(pod);
  if (keeper !== null) return `still runs (${keeper.kind} ${keeper.name} cannot be scaled)`;
  if (pod.metadata.deletionTimestamp !== undefined) return "is still being ended";
  return isBare(pod) ? "still runs (no controller to scale)" : "still runs";
}
