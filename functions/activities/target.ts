import { kinds } from "../../shared/domain/kinds.ts";
import { nodeState } from "../../shared/domain/cluster-objects.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Work } from "./perform.ts";

/** Whether the secondary can be expected to take the load, by what ARM says of it. Only looks. */
export const assessTarget: Work<typeof steps.assessTarget> = async (_, { world, plan }) => {
  const { cluster, pools } = plan.secondary;
  const state = await world.aks.read(cluster);
  const reasons: string[] = [];
  // A failed update is no verdict on what runs; a cluster that is being deleted is.
  if (state.provisioning === "Deleting") reasons.push("the secondary cluster is being deleted");
  for (const wanted of pools) {
    const pool = state.pools.find(({ name }) => name === wanted.name);
    if (!pool) reasons.push(`the secondary cluster has no node pool ${wanted.name}: create it, or correct secondary.pools in the plan`);
  }
  return reasons.length === 0 ? { kind: "able" } : { kind: "unable", reasons };
};

/** Starts the cluster and raises its pools as far as the plan asks. Running it again asks for what is asked for already. */
export const warmTarget: Work<typeof steps.warmTarget> = async (_, { world, plan }) => {
  const { cluster, pools } = plan.secondary;
  // A stopped cluster accepts nothing but start; its pools are raised once it runs, by targetWarm.
  if ((await world.aks.read(cluster)).power !== "running") {
    await world.aks.start(cluster);
    return { kind: "able" };
  }
  const raised = await Promise.all(pools.map(async ({ name, nodes }) => ({ name, answer: await world.aks.raisePool(cluster, name, nodes) })));
  const reasons = raised.flatMap(({ name, answer }) => (answer.kind === "refused" ? [`node pool ${name} cannot be raised: ${answer.why}`] : []));
  return reasons.length === 0 ? { kind: "able" } : { kind: "unable", reasons };
};

/** Whether the nodes that the plan wants are Ready in the cluster itself; a pool that came to rest with fewer will not grow any more. */
export const targetWarm: Work<typeof steps.targetWarm> = async (_, { world, plan }) => {
  const { cluster, pools } = plan.secondary;
  const state = await world.aks.read(cluster);
  if (state.power !== "running") return { kind: "not-yet", about: `the secondary cluster is ${state.power}` };
  const nodes = ((await (await world.clusters.of(cluster)).list(kinds.nodes, null)) ?? []).map(nodeState);
  const missing: string[] = [];
  const refused: string[] = [];
  for (const { name, nodes: wanted } of pools) {
    const ready = nodes.filter((node) => node.pool === name && node.ready).length;
    if (ready >= wanted) continue;
    missing.push(`node pool ${name} has ${ready} of ${wanted} nodes Ready`);
    const provisioning = state.pools.find((pool) => pool.name === name)?.provisioning ?? "missing";
    if (provisioning === "Failed" || provisioning === "Canceled") refused.push(`node pool ${name} could not be raised to ${wanted} nodes (${provisioning}): no capacity or no quota in ${plan.secondary.name}`);
    // Nothing under way and still too few: it was a stopped cluster, or somebody lowered it meanwhile.
    else if (provisioning === "Succeeded") {
      const asked = await world.aks.raisePool(cluster, name, wanted);
      if (asked.kind === "refused") refused.push(`node pool ${name} cannot be raised: ${asked.why}`);
    }
  }
  if (refused.length > 0) return { kind: "done", value: { kind: "unable", reasons: refused } };
  if (missing.length > 0) return { kind: "not-yet", about: missing.join("; ") };
  return { kind: "done", value: { kind: "able" } };
};
