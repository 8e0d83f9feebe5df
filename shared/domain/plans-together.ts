/** What plans must not share: a failover of one must move the users and objects of that one alone. Pure. */
import type { Plan } from "./plan.ts";
import type { PlanProblem } from "./plan-file.ts";

/** Why a plan cannot stand beside the others; empty: it can. The problems are of the whole file. One of the same name is the same plan, in another version. */
export function clashes(plan: Plan, others: readonly Plan[]): readonly PlanProblem[] {
  return others.filter((other) => other.plan !== plan.plan).flatMap((other) => [...sharedTraffic(plan, other), ...sharedNamespaces(plan, other)]);
}

/** Azure's resource ids are the same in any case of their letters. */
const switchOf = ({ traffic }: Plan): string => (traffic.kind === "traffic-manager" ? traffic.profile : traffic.recordSet).toLowerCase();

const ofFile = (path: string, problem: string, remedy: string): PlanProblem => ({ line: 1, column: 1, path, problem, remedy });

function sharedTraffic(plan: Plan, other: Plan): readonly PlanProblem[] {
  if (switchOf(plan) !== switchOf(other)) return [];
  const what = plan.traffic.kind === "traffic-manager" ? `the profile ${plan.traffic.profile}` : `the record set ${plan.traffic.recordSet}`;
  return [ofFile("traffic", `plan ${other.plan} switches ${what} too: a failover of either would move the users of both`, "give each a public name of its own, or put the applications of both into one plan")];
}

function sharedNamespaces(plan: Plan, other: Plan): readonly PlanProblem[] {
  if (plan.secondary.cluster.toLowerCase() !== other.secondary.cluster.toLowerCase()) return [];
  const theirs = new Set(other.applications.flatMap(({ namespaces }) => namespaces));
  const both = plan.applications.flatMap(({ namespaces }) => namespaces).filter((namespace) => theirs.has(namespace));
  return both.map((namespace) => ofFile("applications", `plan ${other.plan} restores the namespace ${namespace} into ${plan.secondary.cluster} too: whichever comes second would find it full`, "take it out of one of them"));
}
