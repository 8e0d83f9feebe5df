import { occupying } from "../../shared/domain/kinds.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Work } from "./perform.ts";

/** Which of the asked applications (none named: all) have lost their namespaces. One whose namespaces hold any workload or claim is left alone. */
export const confirmGone: Work<typeof steps.confirmGone> = async ({ applications }, { world, plan, target }) => {
  const asked = plan.applications.filter(({ name, namespaces }) => namespaces.length > 0 && (applications.length === 0 || applications.includes(name)));
  const cluster = await world.clusters.of(target.cluster);
  const standing = await Promise.all(
    asked.map(async ({ name, namespaces }) => {
      const workloads = await Promise.all(namespaces.flatMap((namespace) => occupying.map(async (kind) => (await cluster.list(kind, namespace)) ?? [])));
      return { name, there: workloads.flat().map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) };
    }),
  );
  const gone = standing.filter(({ there }) => there.length === 0).map(({ name }) => name);
  if (gone.length > 0) return { kind: "gone", applications: gone };
  return { kind: "there", why: `nothing is lost: ${standing.map(({ name, there }) => `${name} still has ${there.slice(0, 3).join(", ")}`).join("; ") || "the plan has no such application"}` };
};
