import type { steps } from "../../orchestrations/steps.ts";
import type { Work } from "./perform.ts";

/** Keeps the addresses of both API servers at home. One that does not answer now keeps the address it had. */
export const learnClusters: Work<typeof steps.learnClusters> = async (_, { world, plan }) => {
  const both = [plan.primary, plan.secondary];
  const asked = await Promise.allSettled(both.map(({ cluster }) => world.clusters.refresh(cluster)));
  const named = (status: "fulfilled" | "rejected") => both.filter((_region, at) => asked[at]?.status === status).map(({ name }) => name);
  return { learnt: named("fulfilled"), silent: named("rejected") };
};
