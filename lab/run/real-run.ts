/** What a run on real Kubernetes and real Velero is given: the wall's own clock, and waits as short as they can be set. Settings differ, nothing else. */
import { parseDocument } from "yaml";
import type { OpenEngines } from "../engine/engine.ts";
import { ownName } from "../given/given.ts";
import type { Looked } from "../given/look.ts";
import { givenContainers } from "../given/storage-account.ts";
import type { PoolStart } from "../world/aks.ts";
import { type RegionName, secondary } from "../world/pair.ts";
import { noLatencies } from "../world/latencies.ts";
import type { LabRunOptions } from "./run-lab.ts";
import type { Scenario } from "./scenarios.ts";

/** The lab's own Azure: quick, and never at once. */
const latencies = {
  ...noLatencies,
  armCall: 20,
  kubernetesCall: 0,
  clusterStart: 2_000,
  poolScale: 1_000,
  resourceHealth: 2_000,
  objectReplication: 500,
  geoLag: 1_000,
  policyDelete: 500,
  trafficManagerUpdate: 500,
};

/** The scenarios that a real Velero can play: the others begin with backups that were recorded. */
export const realScenarios: readonly string[] = ["region-lost", "namespace-lost", "primary-blip"];

/** Every backup is made in the run itself, by the primary's own Velero. */
export const realScenario = (scenario: Scenario): Scenario => ({ ...scenario, freshBackup: true, seeding: { ...scenario.seeding, recorded: false } });

export const realRun = (openEngines: OpenEngines) =>
  ({
    rate: 1,
    latencies,
    openEngines,
    // The shortest interval that Traffic Manager has, and no failure tolerated.
    traffic: { ttlSeconds: 5, monitor: { intervalSeconds: 10, timeoutSeconds: 5, toleratedFailures: 0 } },
    alertAfterMs: 4_000,
    lookEveryMs: 500,
    blobPollMs: 1_000,
    verificationSchedule: "*/15 * * * * *",
    changePlan: realPlan,
  }) satisfies Partial<LabRunOptions>;

/**
 * The same on clusters that somebody has. The plan asks for their pools as they are. The lab's own AKS says of the secondary's that each
 * is a node smaller, and raises them when it is asked to: the nodes are there already.
 */
export function givenRun(openEngines: OpenEngines, { clusters }: Pick<Looked, "clusters">) {
  const pools = (region: RegionName) => [...clusters[region].pools].map(([name, count]): PoolStart => ({ name, mode: "User", count }));
  return {
    ...realRun(openEngines),
    latencies: { ...latencies, poolScale: 50 },
    aks: { pools: { westeurope: pools("westeurope"), northeurope: pools("northeurope").map((pool) => ({ ...pool, count: pool.count - 1 })) } },
    changePlan: (plan: string) => {
      const document = parseDocument(realPlan(plan));
      document.setIn(["secondary", "pools"], pools(secondary.region).map(({ name, count: nodes }) => ({ name, nodes })));
      document.setIn(["primary", "storageLocation"], ownName);
      document.setIn(["storage", "newBackups", "container"], givenContainers.own);
      return document.toString();
    },
  } satisfies Partial<LabRunOptions>;
}

/** The plan's own waits, made short: they are the plan's choice. */
export function realPlan(plan: string): string {
  const document = parseDocument(plan);
  for (const [field, seconds] of Object.entries({ soakSeconds: 4, everySeconds: 2, timeoutSeconds: 2 })) document.setIn(["confirmation", field], seconds);
  return document.toString();
}
