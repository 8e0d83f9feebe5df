/** What a failover must have asked of the world in each of its phases: a step that looks leaves nothing behind, but it was seen to ask. */
import type { Phase } from "../shared/domain/outcome.ts";
import type { Report } from "../shared/domain/report.ts";
import type { Broken } from "./checks.ts";
import { accounts, primary, secondary } from "./world/pair.ts";
import type { LabWorld } from "./world/world.ts";

interface Look {
  readonly step: string;
  readonly phase: Phase;
  /** As faces name it. */
  readonly call: string;
  readonly thing: RegExp;
  /** Given: so often at least, because a neighbour asks the same. */
  readonly times?: number;
  /** Only until the first such call in the phase, or from it on. */
  readonly before?: string;
  readonly after?: string;
  readonly only?: "replicated" | "shared" | "alert";
}

/** The app's own callers all begin so. */
const by = "lifeboat";
const there = (namespace: string, name = "") => new RegExp(`^${secondary.region}/${namespace}/${name}`);
const policies = { phase: "promote", call: "GET objectReplicationPolicies", thing: /./, only: "replicated" } as const;

const looks: readonly Look[] = [
  { step: "confirm-loss", phase: "confirm", call: "GET availabilityStatuses", thing: /./, times: 2, only: "alert" },
  { step: "confirm-loss", phase: "confirm", call: "GET readyz", thing: new RegExp(primary.region) },
  { step: "assess-target", phase: "decide", call: "GET managedClusters", thing: /aks-shop-neu/, times: 2, before: "PUT agentPools" },
  // Whoever looks whether a pool has grown raises it too, later, if need be.
  { step: "warm-target", phase: "decide", call: "PUT agentPools", thing: /aks-shop-neu/, before: "GET v1/nodes" },
  { step: "target-warm", phase: "decide", call: "GET v1/nodes", thing: new RegExp(`^${secondary.region}`) },
  { step: "still-lost", phase: "decide", call: "GET availabilityStatuses", thing: /./, only: "alert" },
  { step: "quiet-primary", phase: "fence", call: "GET readyz", thing: new RegExp(primary.region) },
  // The names of the backups and of the packs, held against what was proven; only what is another is read.
  { step: "choose-restore-point", phase: "choose", call: `${accounts.replica.name} GET container`, thing: /./, times: 2, only: "replicated" },
  { step: "choose-restore-point", phase: "choose", call: `${accounts.shared.name}-secondary GET container`, thing: /./, times: 2, only: "shared" },
  // Read once to be kept, once before the deletion, once after it.
  { step: "read-policy", ...policies, times: 3 },
  { step: "store-takes-writes", phase: "promote", call: `${accounts.replica.name} PUT blob`, thing: /\/lifeboat-probe-/, only: "replicated" },
  { step: "store-takes-writes", phase: "promote", call: `${accounts.shared.name}-secondary PUT blob`, thing: /\/lifeboat-probe-/, only: "shared" },
  { step: "velero-alive", phase: "make-ready", call: "GET apps/daemonsets", thing: there("velero", "node-agent") },
  { step: "storage-location-ready", phase: "make-ready", call: "GET velero.io/backupstoragelocations", thing: there("velero") },
  { step: "align-view", phase: "make-ready", call: "GET velero.io/podvolumebackups", thing: there("velero") },
  { step: "repositories-ready", phase: "make-ready", call: "GET velero.io/backuprepositories", thing: there("velero") },
  { step: "check-target", phase: "make-ready", call: "GET storage.k8s.io/storageclasses", thing: there("") },
  { step: "restore-ended", phase: "restore", call: "GET velero.io/podvolumerestores", thing: there("velero") },
  { step: "verify-applications", phase: "verify", call: `GET ingress/${secondary.region}/`, thing: /^/ },
  { step: "seen-from-outside", phase: "open", call: `GET ingress/${secondary.region}/`, thing: /^/, after: "PATCH trafficManagerProfiles/externalEndpoints" },
  { step: "first-backup-completed", phase: "release", call: "GET velero.io/backups", thing: there("velero", "lifeboat-") },
];

/** Which steps of a recovered failover nobody saw asking. */
export function overlooked({ requests }: Pick<LabWorld, "requests">, topology: "shared" | "replicated", report: Report): readonly Broken[] {
  const ours = requests.filter((request) => request.by.startsWith(by));
  const applies = ({ only }: Look) => only === undefined || only === topology || (only === "alert" && report.opened.door === "alert");
  return looks.filter(applies).flatMap(({ step, phase, call, thing, times = 1, before, after }) => {
    const note = report.steps.find(({ name }) => name === phase);
    const from = Date.parse(note?.startedAt ?? "");
    const until = Date.parse(note?.endedAt ?? report.endedAt);
    const within = ours.filter(({ at }) => at >= from && at <= until);
    const firstAt = (named: string | undefined, otherwise: number) => within.find((request) => request.call === named)?.at ?? otherwise;
    const [earliest, latest] = [firstAt(after, from), firstAt(before, until)];
    const asked = within.filter((request) => request.call === call && thing.test(request.thing) && request.at >= earliest && request.at <= latest).length;
    const rule = `${step} asks in the phase ${phase}: ${call}${times > 1 ? `, ${times} times` : ""}`;
    return asked >= times ? [] : [{ rule, found: `${asked} times` }];
  });
}
