/** Which node a pod goes to, and why to none: taints, cores, number of pods, claims. */
import type { Store } from "../store.ts";
import { type Claim, getOf, isActive, listOf, type Node, type Pod, type PodSpec, workloadKinds } from "../workloads.ts";

export type Placement =
  | { readonly kind: "fits"; readonly node: string; readonly unbound: readonly Claim[] }
  /** `why` in the scheduler's own words. */
  | { readonly kind: "nowhere"; readonly why: string };

/** Where a pod that has no node yet can go now. */
export function placementOf(store: Store, pod: Pod): Placement {
  const nodes = listOf(store, "nodes");
  const nowhere = (why: string): Placement => ({ kind: "nowhere", why: `0/${nodes.length} nodes are available: ${why}` });
  const claims = claimsOf(store, pod);
  if (claims.kind === "missing") return nowhere(`persistentvolumeclaim "${claims.claim}" not found. not found`);
  const unbound = claims.claims.filter((claim) => claim.status?.phase !== "Bound");
  for (const claim of unbound) {
    const storageClass = claim.spec.storageClassName ?? "";
    if (!store.get(workloadKinds.storageClasses, "", storageClass)) return nowhere("pod has unbound immediate PersistentVolumeClaims. not found");
  }
  const reasons = new Map<string, number>();
  const fitting = nodes.filter((node) => {
    const against = whyNot(store, node, pod);
    if (against !== null) reasons.set(against, (reasons.get(against) ?? 0) + 1);
    return against === null;
  });
  const emptiest = fitting.map((node) => ({ node, pods: podsOn(store, node).length })).sort((a, b) => a.pods - b.pods)[0];
  if (emptiest) return { kind: "fits", node: emptiest.node.metadata.name, unbound };
  return nowhere(reasons.size === 0 ? "no nodes" : `${[...reasons].map(([why, count]) => `${count} ${why}`).join(", ")}.`);
}

function claimsOf(store: Store, pod: Pod): { readonly kind: "found"; readonly claims: readonly Claim[] } | { readonly kind: "missing"; readonly claim: string } {
  const claims: Claim[] = [];
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const claim = getOf(store, "claims", pod.metadata.namespace ?? "", persistentVolumeClaim.claimName);
    if (!claim) return { kind: "missing", claim: persistentVolumeClaim.claimName };
    claims.push(claim);
  }
  return { kind: "found", claims };
}

const isNodeReady = (node: Node) => node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True");
const podsOn = (store: Store, node: Node) => listOf(store, "pods").filter((pod) => pod.spec.nodeName === node.metadata.name && isActive(pod));

function whyNot(store: Store, node: Node, pod: Pod): string | null {
  if ((node.spec?.taints ?? []).some((taint) => !tolerates(pod.spec, taint))) return "node(s) had untolerated taint(s)";
  if (!isNodeReady(node)) return "node(s) were not ready";
  const there = podsOn(store, node);
  if (there.length >= Number(node.status.allocatable.pods)) return "Too many pods";
  const used = there.reduce((sum, other) => sum + millicores(other.spec), 0);
  if (used + millicores(pod.spec) > coresOf(node.status.allocatable.cpu)) return "Insufficient cpu";
  return null;
}

/** Whether a pod may be put on a node with this taint. */
export const tolerates = (spec: PodSpec, taint: { readonly key: string; readonly effect: string }): boolean =>
  (spec.tolerations ?? []).some(({ key, operator, effect }) => (effect === undefined || effect === taint.effect) && (key === taint.key || (key === undefined && operator === "Exists")));

/** What a pod asks for: its containers together, or its hungriest init container when that is more. */
function millicores(spec: PodSpec): number {
  const asked = (container: { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } }) => coresOf(container.resources?.requests?.["cpu"] ?? "0");
  return Math.max(spec.containers.reduce((sum, container) => sum + asked(container), 0), ...(spec.initContainers ?? []).map(asked));
}

const coresOf = (quantity: string) => (quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000);
