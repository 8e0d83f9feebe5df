/** Looks into the primary at the moments at which nothing may run there any more: at the objects themselves, as the cluster has them then. */
import type { FenceSeen } from "../checks.ts";
import type { LabPair } from "../pair-in-a-box.ts";
import { primary, secondary, trafficManager } from "../world/pair.ts";

const namespaces = ["shop"] as const;

/** Watches from now on; what it returns says what was seen so far. */
export function witnessFence({ world, clusters }: Pick<LabPair, "world" | "clusters">): () => FenceSeen {
  const seen: { atFirstRestore: readonly string[] | null; atOpening: readonly string[] | null } = { atFirstRestore: null, atOpening: null };
  const running = (): readonly string[] => namespaces.flatMap((namespace) => runningIn(clusters[primary.region], namespace));
  world.onEffect(({ act, key, detail }) => {
    if (act === "kubernetes.created" && key.startsWith(`${secondary.region}/restores/`)) seen.atFirstRestore ??= running();
    if (act === "traffic.endpoint-updated" && key === trafficManager.endpoints.secondary && (detail as { status?: string }).status === "Enabled") seen.atOpening ??= running();
  });
  return () => ({ ...seen });
}

interface Seen {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly phase?: string };
}

function runningIn(objects: LabPair["clusters"][typeof primary.region], namespace: string): readonly string[] {
  const list = (apiVersion: string, plural: string) => objects.list(apiVersion, plural, namespace) as readonly unknown[] as readonly Seen[];
  const scaled = (plural: string) => list("apps/v1", plural).filter(({ spec }) => spec?.replicas !== 0).map(({ metadata }) => `${plural} ${namespace}/${metadata.name}`);
  const pods = list("v1", "pods").filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed").map(({ metadata }) => `pod ${namespace}/${metadata.name}`);
  return [...scaled("deployments"), ...scaled("statefulsets"), ...pods];
}
