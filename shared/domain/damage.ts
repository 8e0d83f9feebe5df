/** What is broken in a cluster that still answers: single nodes, or all nodes of a zone. Neither is a cluster's loss. Pure. */

export interface Damage {
  readonly kind: "node" | "zone";
  readonly about: string;
}

export interface NodeSeen {
  readonly ready: boolean;
  /** As Azure labels it: westeurope-2; empty where a node is in none. */
  readonly zone: string;
}

/** `null`: nothing is broken, or nothing is left. A zone counts when it had nodes, none of them is ready, and other zones have some that are. */
export function damageOf(nodes: readonly NodeSeen[]): Damage | null {
  const alive = nodes.filter(({ ready }) => ready);
  if (alive.length === nodes.length || alive.length === 0) return null;
  const zones = [...new Set(nodes.map(({ zone }) => zone))].filter((zone) => zone !== "");
  const dark = zones.filter((zone) => !alive.some((node) => node.zone === zone));
  if (dark.length === 0) return { kind: "node", about: `${nodes.length - alive.length} of ${nodes.length} nodes are not Ready, in no zone all of them` };
  return { kind: "zone", about: `no node of ${dark.join(", ")} is Ready; ${alive.length} of ${nodes.length} nodes are` };
}
