/**
 * How long the real services take, in lab milliseconds, in one table. docs/latencies.md is made from it (`npm run docs`), sources
 * included. Nothing else in the lab holds a duration of the real world.
 */
export interface Latency {
  readonly ms: number;
  readonly what: string;
  readonly source: string;
}

export const typical = {
  armCall: { ms: 150, what: "An ARM read or a synchronous write", source: "estimate; ARM publishes no figure" },
  clusterStart: { ms: 180_000, what: "AKS start, until powerState is Running", source: "estimate from AKS issue reports of 2 to 5 minutes; no published figure" },
  poolScale: { ms: 90_000, what: "A node pool's new node, until Ready", source: "estimate; AKS documents no figure, users report 1 to 3 minutes" },
  kubernetesCall: { ms: 20, what: "A Kubernetes API call across regions", source: "Azure inter-region latency statistics, West Europe to North Europe, about 20 ms" },
  veleroSyncPeriod: { ms: 60_000, what: "Velero's backupSyncPeriod", source: "Velero 1.18 default" },
  veleroValidation: { ms: 10_000, what: "Velero's storage location validation, as configured in both regions", source: "Velero 1.18: due ones are looked for every 10 s" },
  veleroRestoreItem: { ms: 20, what: "Restore of one object after the first 50: 50 a second; one that is there already takes half", source: "measured: 50 ConfigMaps in 1 s, 200 in 4 s, 1,000 in 21 s, 200 over themselves in 1.7 s: the client's 100 requests a second, 100 at once (Velero 1.18.3, Kubernetes 1.34.4)" },
  veleroRestart: { ms: 2_000, what: "Velero's server, from its end until another one works", source: "estimate; a kubelet starts a container again at once when it ends for the first time" },
  veleroBackup: { ms: 5_000, what: "Backup of the shop with its volume", source: "measured: 5 to 6 s (Velero 1.18.3)" },
  volumeRestore: { ms: 19_000, what: "Restore of a 2.5 MB volume by file-system backup", source: "measured: 19 s, 15 of them the scheduler's back-off until the claim was bound" },
  podStart: { ms: 4_000, what: "A pod, from scheduled to Ready", source: "estimate, image already on the node" },
  resourceHealth: { ms: 60_000, what: "Resource Health, from the loss until Unavailable", source: "estimate; Microsoft says signals are evaluated within minutes" },
  objectReplication: { ms: 20_000, what: "Object Replication, from the write until the copy is there", source: "no bound by default; priority replication: 99 % within 15 minutes. The lab is faster than the bound" },
  geoLag: { ms: 30_000, what: "Geo-redundant storage, how far Last Sync Time is behind", source: "typically under 15 minutes (geo priority replication SLA); the lab is faster than the bound" },
  policyDelete: { ms: 5_000, what: "Deletion of a replication policy, until the lock is gone", source: "estimate; not published" },
  accountFailover: { ms: 3_600_000, what: "Customer-managed account failover", source: "Microsoft: typically about an hour" },
  trafficManagerUpdate: { ms: 2_000, what: "An endpoint's status, from ARM to the name servers", source: "estimate; not published" },
} as const satisfies Record<string, Latency>;

export type Latencies = { readonly [K in keyof typeof typical]: number };

/** `typical`, as plain milliseconds. */
export const typicalLatencies = Object.fromEntries(Object.entries(typical).map(([name, { ms }]) => [name, ms])) as unknown as Latencies;

/** A world that answers at once, for `own-overhead` and for tests that are not about time. Velero's periods stay at one second. */
export const noLatencies: Latencies = {
  ...(Object.fromEntries(Object.keys(typical).map((name) => [name, 0])) as unknown as Latencies),
  veleroSyncPeriod: 1_000,
  veleroValidation: 1_000,
};
