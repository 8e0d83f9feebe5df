/**
 * Findings: what is wrong with a plan's restore points, one by one, as values. Each has a reason (what kind of trouble it is), the fact behind
 * it and a remedy that a person can follow. `unknown` is a kind of its own: what could not be learnt is never counted as good. Pure.
 */
import { fingerprint } from "./fingerprint.ts";

export const findingKinds = [
  "late-replication",
  "objective-broken",
  "corrupt",
  "incomplete",
  "tampered",
  "vanished",
  "volume-without-data",
  "expiring",
  "view-differs",
  "missing-api",
  "missing-class",
  "images",
  "quota",
  "points-back",
  "admission-blocked",
  "network",
  "identity",
  "key-vault",
  "certificate-ends",
  "acts-outside",
  "traffic-drift",
  "agent-silent",
  "store-unreadable",
  "unknown",
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** One trouble. `point` null: it is about the plan as a whole. */
export interface Finding {
  readonly kind: FindingKind;
  readonly point: string | null;
  /** What was seen, in a sentence without full stop. */
  readonly fact: string;
}

/** A finding as it is kept: from when to when it held. */
export interface KeptFinding extends Finding {
  readonly openedAt: number;
  /** When it was last found to hold, or to hold no more. */
  readonly seenAt: number;
  /** `null`: it still holds. */
  readonly closedAt: number | null;
}

/** The form that people and programs get. */
export interface ToldFinding extends KeptFinding {
  readonly reason: string;
  readonly remedy: string;
}

/** By what a finding is known again: one of a kind for each point. */
export const findingId = ({ kind, point }: Pick<Finding, "kind" | "point">): string => `${kind}/${point ?? ""}`;

/** Findings that are kept; those that hold come first, then those that closed last. */
export const findingsMax = 300;

export type Findings = Readonly<Record<string, KeptFinding>>;

/**
 * What is kept after a look: what is found again stays open since it opened, what is not found any more closes, what is new opens. `changed`
 * are those that opened or closed now. The same look twice changes nothing the second time.
 */
export function afterLook(before: Findings, now: readonly Finding[], at: number): { readonly findings: Findings; readonly changed: readonly KeptFinding[] } {
  const found = new Map<string, Finding>();
  // Two facts of one kind about one point are one finding.
  for (const finding of now) {
    const first = found.get(findingId(finding));
    found.set(findingId(finding), first === undefined || first.fact === finding.fact ? finding : { ...first, fact: `${first.fact}; ${finding.fact}` });
  }
  const changed: KeptFinding[] = [];
  const after = new Map<string, KeptFinding>();
  for (const [id, kept] of Object.entries(before)) {
    const again = found.get(id);
    if (again !== undefined && kept.closedAt === null) after.set(id, { ...kept, fact: again.fact, seenAt: Math.max(at, kept.seenAt) });
    else if (again === undefined && kept.closedAt === null) {
      const closed = { ...kept, seenAt: at, closedAt: at };
      after.set(id, closed);
      changed.push(closed);
    } else after.set(id, kept);
  }
  for (const [id, finding] of found) {
    if (after.get(id)?.closedAt === null) continue;
    const opened: KeptFinding = { ...finding, openedAt: at, seenAt: at, closedAt: null };
    after.set(id, opened);
    changed.push(opened);
  }
  return { findings: bounded(Object.fromEntries(after)), changed };
}

/** Two records of the same findings as one: of each what was seen last. Commutative and idempotent. */
export function mergeFindings(one: Findings, other: Findings): Findings {
  const all = new Map(Object.entries(one));
  for (const [id, finding] of Object.entries(other)) {
    const known = all.get(id);
    all.set(id, known === undefined ? finding : later(known, finding));
  }
  return bounded(Object.fromEntries(all));
}

function later(one: KeptFinding, other: KeptFinding): KeptFinding {
  if (one.seenAt !== other.seenAt) return one.seenAt > other.seenAt ? one : other;
  return JSON.stringify(one) >= JSON.stringify(other) ? one : other;
}

function bounded(findings: Findings): Findings {
  const kept = Object.entries(findings)
    .toSorted(([a, x], [b, y]) => (y.closedAt ?? Number.MAX_SAFE_INTEGER) - (x.closedAt ?? Number.MAX_SAFE_INTEGER) || y.openedAt - x.openedAt || (a < b ? -1 : 1))
    .slice(0, findingsMax);
  return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those that hold, newest first. */
export const openFindings = (findings: Findings): readonly KeptFinding[] => Object.values(findings).filter(({ closedAt }) => closedAt === null).toSorted((a, b) => b.openedAt - a.openedAt || (findingId(a) < findingId(b) ? -1 : 1));

/** A finding with its reason and its remedy. */
export const told = (finding: KeptFinding): ToldFinding => ({ ...finding, ...words(finding) });

/** Name of the ledger's record of an opening or a closing: the same for the same event, so it is written once. */
export function findingEntryName(plan: string, { kind, point, openedAt, closedAt }: KeptFinding): string {
  const instant = new Date(closedAt ?? openedAt).toISOString().replaceAll(/[-:.]/g, "");
  return `ledger/${plan}/findings/${instant}-${kind}-${fingerprint(`${point ?? ""}/${openedAt}`).toString(16).padStart(8, "0")}.${closedAt === null ? "opened" : "closed"}.json`;
}

/** What kind of trouble it is, and what a person does about it. */
export function words({ kind, point }: Pick<Finding, "kind" | "point">): { readonly reason: string; readonly remedy: string } {
  const it = point ?? "the plan";
  switch (kind) {
    case "late-replication":
      return { reason: "a backup has not arrived whole at the replica in the time that the plan gives it", remedy: "look at the replication of the storage account (its policy, its failed blobs, Last Sync Time); the next verification closes this when it has arrived" };
    case "objective-broken":
      return { reason: "the newest proven restore point is older than the plan's recovery point objective", remedy: "mend what keeps newer backups from being proven (each is listed with its reason), or take a backup now: velero backup create --from-schedule" };
    case "corrupt":
      return { reason: "a file of the backup cannot be read, or its files do not agree with each other", remedy: `do not rely on ${it}; take a new backup, and hold the same blob at the source against the one at the replica` };
    case "incomplete":
      return { reason: "something that the backup needs is not in it, or not at the replica", remedy: `find out whether it is still on its way; if it is gone, take a new backup and leave ${it} alone` };
    case "tampered":
      return { reason: "a blob is not what it was when the backup was proven", remedy: `find out who wrote or deleted it (storage logs, versions, soft delete) and put the old version back; if it was meant, delete the point's manifest at home (docs/restore-points.md) and ${it} is proven anew` };
    case "vanished":
      return { reason: "a backup is gone from the replica before its time", remedy: "find out who deleted it (a DeleteBackupRequest, or somebody at the container); versions and soft delete of the account may have it still" };
    case "volume-without-data":
      return { reason: "a volume that the plan restores has no data in the store", remedy: "let the schedule move it (snapshotMoveData) or copy it by file-system backup (defaultVolumesToFsBackup, or the pod's annotation), then take a new backup" };
    case "expiring":
      return { reason: "a proven restore point is about to expire and nothing newer is proven", remedy: "mend what keeps newer backups from being proven, or let it live longer: backups.extendExpirySeconds in the plan, or the expiration of its Velero Backup by hand" };
    case "view-differs":
      return { reason: "the secondary's Velero knows the backup otherwise than its blobs say", remedy: "nothing, where the fact says that it was imported anew; else delete the Backup object there (kubectl delete, not velero backup delete): no blob is touched, and Velero imports it again" };
    case "missing-api":
      return { reason: "the secondary cluster does not serve an API that the backup needs", remedy: "install the CustomResourceDefinition or upgrade the cluster, or let an application of the plan bring it" };
    case "missing-class":
      return { reason: "the secondary cluster lacks a class that the backup's objects name", remedy: "create the class there under the same name" };
    case "images":
      return { reason: "the secondary may not be able to pull an image", remedy: "replicate the registry into the secondary's region or copy the image to one of secondary.registries" };
    case "quota":
      return { reason: "the backup does not fit into a quota of the secondary", remedy: "raise the quota there, or restore less" };
    case "points-back":
      return { reason: "settings in the backup name hosts of the primary region", remedy: "give the application a name that follows the traffic or the region it runs in; where only the primary has the thing, fail that over too, before the application is released" };
    case "admission-blocked":
      return { reason: "an admission webhook of the secondary that refuses when nobody answers for it has nobody who does", remedy: "bring its service back up there, or take the webhook away by hand if it is of no use any more; Lifeboat deletes none" };
    case "network":
      return { reason: "the secondary cluster's own pods do not come up", remedy: "look at their events (kubectl describe pod -n kube-system): a subnet without free addresses, or a route, firewall or registry that the nodes cannot get past, keeps restored pods back too" };
    case "identity":
      return { reason: "pods of the backup sign in by workload identity, and the secondary cluster does not issue such tokens", remedy: "az aks update --enable-oidc-issuer --enable-workload-identity there, and a federated credential of the identity for that cluster's issuer" };
    case "key-vault":
      return { reason: "something needs a key vault that the plan does not count among those outside of the primary region", remedy: "move the secret or the key to a vault that the secondary can reach without the primary, and list it in secondary.keyVaults" };
    case "certificate-ends":
      return { reason: "a certificate that the application serves ends soon", remedy: "renew it, and let a backup take the new one along; a failover does not open a secondary whose certificate is over" };
    case "acts-outside":
      return { reason: "the backup brings programs that change DNS, certificates, clouds or clusters as soon as they run", remedy: "hold them until release with the plan's consumer label or podSelectors, or leave their namespace to the secondary's own" };
    case "agent-silent":
      return { reason: "the lease agent in the primary is silent, or could not close the application if it had to", remedy: "look at its pod there (kubectl -n lifeboat logs deploy/lifeboat-agent-PLAN): until it renews, a failover finds no `self-fenced`; rights that it lacks are in agent/deploy.yaml; once it cannot reach home for leaseSeconds it closes the application" };
    case "traffic-drift":
      return { reason: "the public name does not lead where the ledger says that users are", remedy: "find out who changed it (activity log; Terraform: ignore_changes, docs/deploy.md) and set the endpoints back by hand, or plan with it as it is" };
    case "store-unreadable":
      return { reason: "the backups could not be looked at", remedy: "look at the fact: a missing container or prefix is a mistake in the plan, a refusal a missing role (docs/permissions.md), silence the account's or the network's" };
    case "unknown":
      return { reason: "something that a proof needs could not be learnt", remedy: "nothing, if the fact names something that is unreachable for a moment; the next verification asks again" };
  }
}
