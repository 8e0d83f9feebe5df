/** Every call by which a failover changes the world, by name: what a test can hit, and must hit. */
import { clusterClient } from "../../lab/run/cluster-client.ts";
import type { RunningLab } from "../../lab/run/run-lab.ts";
import { secondary } from "../../lab/world/pair.ts";
import type { Asked, Fault } from "../../lab/world/world.ts";

export interface Change {
  readonly name: string;
  readonly call: string;
  readonly thing: RegExp;
  /** How many are hit: the first, but where a second one is another kind of call. */
  readonly times?: number;
  /** Made only where the primary still answers. */
  readonly primaryAlive?: true;
  /** Made only by a repeat that finds what an earlier one did, or at a full hour: hit when it comes. */
  readonly sometimes?: true;
}

const home = (name: string, thing: RegExp, times = 1): Change => ({ name, call: "stlifeboat PUT blob", thing, times });

/** A new mutating call of the app must be added here, or the inventory says so. */
export const changes: readonly Change[] = [
  // Its first write creates the head, the next ones replace it.
  home("ledger head", /^lifeboat\/ledger\/shop\/head\.json$/, 2),
  home("ledger entry, intent", /^lifeboat\/ledger\/shop\/\d{6}\/.*\.intent\.json$/),
  home("ledger entry, outcome", /^lifeboat\/ledger\/shop\/\d{6}\/.*\.outcome\.json$/),
  home("link of the ledger's chain", /^lifeboat\/ledger\/shop\/chain\//),
  home("version of the plan", /^lifeboat\/runs\/shop\/plans\//),
  home("restore point of the run", /^lifeboat\/runs\/shop\/\d{6}\/points\//),
  home("who closed the primary's endpoint", /^lifeboat\/runs\/shop\/\d{6}\/primary-endpoint-closed\.json$/),
  home("register", /^lifeboat\/registers\/shop\//),
  home("report, json", /^lifeboat\/reports\/.*\.json$/),
  home("report, markdown", /^lifeboat\/reports\/.*\.md$/),
  home("report, html", /^lifeboat\/reports\/.*\.html$/),
  // Verifications go on during the failover and open findings of what they cannot see.
  { ...home("finding", /^lifeboat\/ledger\/shop\/findings\//), sometimes: true },
  { ...home("address of a cluster", /^lifeboat\/clusters\//), sometimes: true },
  { name: "raise a pool", call: "PUT agentPools", thing: /aks-shop-neu/ },
  { name: "close the primary's endpoint", call: "PATCH trafficManagerProfiles/externalEndpoints", thing: /\/westeurope$/i },
  { name: "open the secondary's endpoint", call: "PATCH trafficManagerProfiles/externalEndpoints", thing: /\/northeurope$/i },
  { name: "pause Velero in the primary", call: "PATCH velero.io/schedules", thing: /^westeurope\/velero\//, primaryAlive: true },
  { name: "suspend a CronJob in the primary", call: "PATCH batch/cronjobs", thing: /^westeurope\/shop\//, primaryAlive: true },
  { name: "stop a Deployment in the primary", call: "PATCH apps/deployments", thing: /^westeurope\/shop\//, primaryAlive: true },
  { name: "stop a StatefulSet in the primary", call: "PATCH apps/statefulsets", thing: /^westeurope\/shop\//, primaryAlive: true },
  { name: "delete the replication policy", call: "DELETE objectReplicationPolicies", thing: /stshopneu/ },
  { name: "write the probe", call: "stshopneu PUT blob", thing: /^velero\/restores\/lifeboat-probe-/ },
  { name: "delete the probe", call: "stshopneu DELETE blob", thing: /^velero\/restores\/lifeboat-probe-/ },
  { name: "replace an imported volume backup, deleting", call: "DELETE velero.io/podvolumebackups", thing: /^northeurope\/velero\// },
  { name: "replace an imported backup, deleting", call: "DELETE velero.io/backups", thing: /^northeurope\/velero\// },
  // The import of the chosen point where the view must be replaced, else the first backup of the new region.
  { name: "create a backup", call: "POST velero.io/backups", thing: /^northeurope\/velero\// },
  { name: "import a volume backup", call: "POST velero.io/podvolumebackups", thing: /^northeurope\/velero\// },
  { name: "create the resource modifier", call: "POST v1/configmaps", thing: /^northeurope\/velero\// },
  { name: "create a restore", call: "POST velero.io/restores", thing: /^northeurope\/velero\// },
  // Only where Velero's server ended in the middle of a restore.
  { name: "fill a volume that was given up", call: "POST velero.io/podvolumerestores", thing: /^northeurope\/velero\//, sometimes: true },
  { name: "release a Deployment", call: "PATCH apps/deployments", thing: /^northeurope\/shop\// },
  { name: "release a CronJob", call: "PATCH batch/cronjobs", thing: /^northeurope\/shop\// },
  { name: "create the storage location", call: "POST velero.io/backupstoragelocations", thing: /^northeurope\/velero\// },
  { name: "create the schedule", call: "POST velero.io/schedules", thing: /^northeurope\/velero\// },
  { name: "correct the schedule", call: "PATCH velero.io/schedules", thing: /^northeurope\/velero\//, sometimes: true },
];

/** The newest point of the recorded container: the one that a quick run takes. */
export const newestPoint = "shop-hourly-20261121055825";

/** The secondary's Velero has imported the newest point as it was before it was whole, and never looks again: the app must replace it. */
export async function halfCopy({ pair }: RunningLab): Promise<void> {
  const { status } = await clusterClient(pair, secondary.region).request("PATCH", `/apis/velero.io/v1/namespaces/velero/backups/${newestPoint}`, { spec: { ttl: "1h0m0s" } });
  if (status !== 200) throw new Error(`the imported ${newestPoint} could not be changed: status ${status}`);
}

/** The app's own user agent; Velero and the lab have others. */
const by = "lifeboat";

/** Hits the first call of each name. Returns what was asked since then, by name; a call without a name stands for itself. */
export function hitEach({ pair: { world } }: RunningLab, kind: Fault["kind"], wanted: (change: Change) => boolean): () => ReadonlySet<string> {
  const from = world.clock.now();
  for (const { call, thing, times } of changes.filter(wanted)) world.inject({ call, thing, by, kind, times: times ?? 1 });
  return () => new Set(world.requests.filter((asked) => asked.mutating && asked.at >= from && asked.by.startsWith(by)).map(nameOf));
}

const nameOf = ({ call, thing }: Asked): string => changes.find((change) => change.call === call && change.thing.test(thing))?.name ?? `${call} of ${thing}, which nothing hits`;
