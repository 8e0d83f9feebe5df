/** What must hold after every run, whatever was killed or failed in between: read off the world's own log of effects. */
import type { Accounts } from "./world/accounts.ts";
import type { ClusterObjects } from "./world/cluster-objects.ts";
import { accounts as named, type RegionName, secondary, trafficManager } from "./world/pair.ts";
import type { Effect, LabWorld } from "./world/world.ts";

/** Acts that a run does once to one thing. Those left out happen many times by nature: probes seen, blobs and logs written, pods made by controllers. */
const onceEach: readonly { readonly act: string; readonly about?: RegExp }[] = [
  { act: "storage.policy-deleted" },
  { act: "storage.account-failed-over" },
  { act: "aks.started" },
  { act: "aks.pool-raised" },
  { act: "velero.restore-started" },
  { act: "velero.backup-completed" },
  { act: "kubernetes.created", about: /\/(restores|backups|schedules|podvolumebackups|configmaps|backupstoragelocations)\// },
  { act: "kubernetes.deleted", about: /\/(restores|backups|podvolumebackups)\// },
];

export interface Twice {
  readonly act: string;
  readonly key: string;
  readonly times: number;
}

/** Effects that became true more than once. An endpoint's status counts by the value it was given. */
export function appliedTwice(effects: readonly Effect[]): readonly Twice[] {
  const times = new Map<string, { act: string; key: string; times: number }>();
  for (const { act, key, detail } of effects) {
    const counted = onceEach.some((rule) => rule.act === act && (rule.about === undefined || rule.about.test(key)));
    const switched = act === "traffic.endpoint-updated" || act === "dns.record-updated";
    if (!counted && !switched) continue;
    const name = switched ? `${key}=${JSON.stringify(detail)}` : key;
    const known = times.get(`${act} ${name}`) ?? { act, key: name, times: 0 };
    known.times += 1;
    times.set(`${act} ${name}`, known);
  }
  return [...times.values()].filter((effect) => effect.times > 1);
}

/** One thing that must hold when a failover has recovered, and what was found instead. */
export interface Broken {
  readonly rule: string;
  readonly found: string;
}

/** What ran in the primary at two moments: pods of the plan's that had not ended, and workloads that were not at zero. `null`: the moment never came. */
export interface FenceSeen {
  readonly atFirstRestore: readonly string[] | null;
  readonly atOpening: readonly string[] | null;
}

/** What must hold where the primary was to be fenced from within: by the world's own objects, whatever the agent, the app or the report say. */
export function brokenFenceWithin(level: string, { atFirstRestore, atOpening }: FenceSeen): readonly Broken[] {
  const stoodStill = (rule: string, running: readonly string[] | null) => (running?.length === 0 ? [] : [{ rule, found: running === null ? "that never came" : running.join(", ") }]);
  return [
    ...(level === "self-fenced" ? [] : [{ rule: "the primary is self-fenced by its agent", found: level }]),
    ...stoodStill("nothing of the application runs in the primary when the first restore is made", atFirstRestore),
    ...stoodStill("nothing of the application runs in the primary when the secondary is opened", atOpening),
  ];
}

export interface FailedOver {
  readonly world: LabWorld;
  readonly topology: "shared" | "replicated";
  readonly clusters: Readonly<Record<RegionName, ClusterObjects>>;
  readonly accounts: Pick<Accounts, "policyOn">;
}

/**
 * What a failover leaves in the world, and in which order it came about. Each rule is there for a step of the runbook: taking that step
 * out breaks it.
 */
export function brokenAfterFailover({ world, topology, clusters, accounts }: FailedOver): readonly Broken[] {
  const { effects } = world;
  const broken: Broken[] = [];
  const must = (rule: string, holds: boolean, found: string) => {
    if (!holds) broken.push({ rule, found });
  };
  const first = (act: string, about: (effect: Effect) => boolean = () => true) => effects.find((effect) => effect.act === act && about(effect))?.at ?? null;
  const said = (at: number | null) => (at === null ? "never" : new Date(at).toISOString());
  const before = (rule: string, early: number | null, late: number | null) => must(rule, early !== null && late !== null && early <= late, `${said(early)} and ${said(late)}`);
  const there = clusters[secondary.region];
  const switched = (endpoint: string, status: string) => first("traffic.endpoint-updated", ({ key, detail }) => key === endpoint && (detail as { status?: string }).status === status);

  const restored = first("kubernetes.created", ({ key }) => key.startsWith(`${secondary.region}/restores/`));
  const opened = switched(trafficManager.endpoints.secondary, "Enabled");
  before("the primary's endpoint is closed before anything is restored", switched(trafficManager.endpoints.primary, "Disabled"), restored);
  before("the target's pools are raised before the fence", first("aks.pool-raised"), switched(trafficManager.endpoints.primary, "Disabled"));
  before("the restores begin before users are sent to the secondary", restored, opened);
  if (topology === "replicated") {
    before("the replica is unlocked before anything is restored", first("storage.policy-deleted"), restored);
    must("no replication policy is left on the replica", accounts.policyOn(named.replica.name) === null, "there is one");
  }

  const location = (name: string) => there.get("velero.io/v1", "backupstoragelocations", "velero", name) as { spec?: { accessMode?: string } } | null;
  must("the restored storage location stays ReadOnly", location("replica")?.spec?.accessMode === "ReadOnly", String(location("replica")?.spec?.accessMode));
  const mine = there.list("velero.io/v1", "backups", "velero").filter((backup) => (backup as { spec?: { storageLocation?: string } }).spec?.storageLocation === "own") as readonly { status?: { phase?: string } }[];
  must("the first backup of the new region is Completed in a place of its own", mine.some(({ status }) => status?.phase === "Completed"), mine.map(({ status }) => status?.phase).join(", ") || "none");
  const schedules = there.list("velero.io/v1", "schedules", "velero") as readonly { spec?: { paused?: boolean; template?: { storageLocation?: string } } }[];
  must("the new region backs itself up on a schedule", schedules.some(({ spec }) => spec?.paused !== true && spec?.template?.storageLocation === "own"), `${schedules.length} schedules`);
  const intoReplica = effects.filter(({ act, key, at }) => act === "blob.written" && restored !== null && at > restored && key.startsWith(`${topology === "shared" ? named.shared.name : named.replica.name}/velero/`) && !key.includes("/velero/restores/"));
  must("nothing is written into the replica but the restores' own records", intoReplica.length === 0, intoReplica.map(({ key }) => key).join(", "));

  // Consumers: they come, they do not act before users are there, and then they do.
  const mailer = there.get("apps/v1", "deployments", "shop", "order-mailer") as { spec?: { replicas?: number } } | null;
  const invoices = there.get("batch/v1", "cronjobs", "shop", "invoice-run") as { spec?: { suspend?: boolean } } | null;
  must("the consumers are released", mailer?.spec?.replicas === 1 && invoices?.spec?.suspend === false, JSON.stringify({ mailer: mailer?.spec?.replicas, suspended: invoices?.spec?.suspend }));
  const acted = effects.find(({ act, key }) => act === "pod.ready" && key.startsWith(`${secondary.region}/shop/order-mailer`))?.at ?? null;
  if (acted !== null) before("no consumer acts before users are sent to the secondary", opened, acted);
  must("the consumers run again", acted !== null, "no pod of order-mailer ever was ready");
  return broken;
}
