/** The storage accounts as ARM knows them: where they live, their redundancy, Object Replication policies, account failover. */
import { randomUUID } from "node:crypto";
import { afterLab, type Operation, type Operations, openOperations } from "./operations.ts";
import { type AccountNames, accounts as named, type RegionName, homeRegion } from "./pair.ts";
import { type Refusal, refused } from "./refusal.ts";
import type { LabWorld } from "./world.ts";

export interface ReplicationRule {
  readonly ruleId: string;
  readonly sourceContainer: string;
  readonly destinationContainer: string;
  readonly prefixes: readonly string[];
  /** `null`: only blobs written since the rule was made. */
  readonly minCreationTime: string | null;
}

export interface ReplicationPolicy {
  readonly policyId: string;
  /** Names of accounts. */
  readonly source: string;
  readonly destination: string;
  readonly enabledAt: number;
  readonly rules: readonly ReplicationRule[];
}

/** A policy as PUT asks for it; the service gives the ids that are missing. */
export type PolicyWish = Pick<ReplicationPolicy, "source" | "destination"> & { readonly rules: readonly (Omit<ReplicationRule, "ruleId"> & { readonly ruleId: string | null })[] };

export interface Account {
  readonly names: AccountNames;
  /** Never changes, whatever fails over: its control plane stays there. */
  readonly location: string;
  readonly sku: AccountNames["sku"] | "Standard_LRS";
  readonly primaryRegion: RegionName | null;
  readonly secondaryRegion: RegionName | null;
  readonly lastFailoverAt: number | null;
  readonly failingOver: boolean;
}

export interface GeoReplicationStats {
  readonly status: "Live" | "Unavailable";
  readonly lastSyncAt: number | null;
  readonly canFailover: boolean;
}

export interface Accounts {
  account(name: string): Account | null;
  /** Policies that ARM shows on an account: on the source and on the destination each has its own copy. */
  policies(account: string): readonly ReplicationPolicy[];
  /** The policy whose destination this account is, or `null`. While there is one its destination containers refuse writes: that ends some time after its deletion. */
  policyOn(destination: string): ReplicationPolicy | null;
  /** `default` as id makes a new policy, on the destination; its id then makes the copy on the source. */
  putPolicy(account: string, policyId: string, wish: PolicyWish): { readonly kind: "put"; readonly policy: ReplicationPolicy } | Refusal;
  deletePolicy(account: string, policyId: string): "deleted" | "nothing-to-do";
  /** Calls back when the write lock of a destination is gone. */
  onPolicyDeleted(call: (destination: string, policy: ReplicationPolicy) => void): void;
  /** `null`: this account is not geo-redundant. */
  geoReplication(account: string): GeoReplicationStats | null;
  failover(account: string, planned: boolean): { readonly kind: "begun"; readonly operation: Operation } | Refusal;
  onFailedOver(call: (account: string) => void): void;
  readonly operations: Operations;
}

export interface AccountsOptions {
  /** Whether Object Replication is set up between source and replica; default true. */
  readonly replicated?: boolean;
  /** Up to when the second copy of a geo-redundant account is whole. The storage part knows. */
  readonly lastSyncAt: (account: string) => number | null;
}

/** Made up, the same in every run, so that recorded blob properties keep their meaning. */
export const labPolicy = { policyId: "5f2c4d1e-2222-4b4b-8c8c-000000000001", ruleId: "5f2c4d1e-3333-4c4c-9d9d-000000000001" } as const;

type Changing<T> = { -readonly [K in keyof T]: T[K] };
interface AccountState extends Changing<Account> {
  readonly policies: Map<string, ReplicationPolicy>;
  /** Deleted, the lock not yet gone. */
  readonly releasing: Set<ReplicationPolicy>;
}

export function openAccounts(world: LabWorld, { replicated = true, lastSyncAt }: AccountsOptions): Accounts {
  const operations = openOperations(world);
  const onDeleted: ((destination: string, policy: ReplicationPolicy) => void)[] = [];
  const onFailedOver: ((account: string) => void)[] = [];
  const states = new Map(Object.values(named).map((names) => [names.name, accountAtStart(names)]));
  if (replicated) {
    const policy = policyAtStart(world.clock.now());
    for (const name of [policy.source, policy.destination]) states.get(name)?.policies.set(policy.policyId, policy);
  }
  const lockedBy = (state: AccountState) => [...state.policies.values(), ...state.releasing].find((policy) => policy.destination === state.names.name) ?? null;

  const geoReplication = (name: string): GeoReplicationStats | null => {
    const state = states.get(name);
    if (!state || state.secondaryRegion === null) return null;
    const live = world.reach(state.secondaryRegion) === "up";
    return { status: live ? "Live" : "Unavailable", lastSyncAt: lastSyncAt(name), canFailover: live && state.policies.size === 0 && !state.failingOver };
  };

  return {
    operations,
    account: (name) => states.get(name) ?? null,
    policies: (name) => [...(states.get(name)?.policies.values() ?? [])],
    policyOn(destination) {
      const state = states.get(destination);
      return state ? lockedBy(state) : null;
    },
    geoReplication,
    onPolicyDeleted: (call) => void onDeleted.push(call),
    onFailedOver: (call) => void onFailedOver.push(call),

    putPolicy(account, policyId, wish) {
      const state = states.get(account);
      if (!state) return refused(404, "ResourceNotFound", `no storage account ${account}`);
      const known = states.get(wish.destination)?.policies.get(policyId) ?? null;
      const between = [...(states.get(wish.destination)?.policies.values() ?? [])].some(({ source }) => source === wish.source);
      if (policyId === "default" && between) return refused(409, "ObjectReplicationPolicyConflict", `there is a policy from ${wish.source} to ${wish.destination} already`);
      const no = refusedPolicy(account, policyId, wish, known);
      if (no) return no;
      const policy: ReplicationPolicy = {
        policyId: policyId === "default" ? randomUUID() : policyId,
        source: wish.source,
        destination: wish.destination,
        enabledAt: world.clock.now(),
        rules: wish.rules.map((rule) => ({ ...rule, ruleId: rule.ruleId ?? randomUUID() })),
      };
      const same = (before: ReplicationPolicy | undefined) => before && JSON.stringify(before.rules) === JSON.stringify(policy.rules);
      if (same(state.policies.get(policy.policyId))) return { kind: "put", policy };
      state.policies.set(policy.policyId, policy);
      world.record("storage.policy-put", `${account}/${policy.policyId}`);
      return { kind: "put", policy };
    },

    deletePolicy(account, policyId) {
      const state = states.get(account);
      const policy = state?.policies.get(policyId);
      if (!state || !policy) return "nothing-to-do";
      state.policies.delete(policyId);
      if (policy.destination !== account) {
        world.record("storage.policy-deleted", `${account}/${policyId}`);
        return "deleted";
      }
      state.releasing.add(policy);
      afterLab(world, world.latencies.policyDelete, () => {
        state.releasing.delete(policy);
        world.record("storage.policy-deleted", `${account}/${policyId}`);
        for (const call of onDeleted) call(account, policy);
      });
      return "deleted";
    },

    failover(account, planned) {
      const state = states.get(account);
      if (!state) return refused(404, "ResourceNotFound", `no storage account ${account}`);
      const { secondaryRegion, primaryRegion, failingOver } = state;
      if (secondaryRegion === null) return refused(400, "InvalidAccountSku", `${account} is not geo-redundant: it has nowhere to fail over to`);
      if (failingOver) return refused(409, "StorageAccountOperationInProgress", `a failover of ${account} is in progress`);
      if (state.policies.size > 0) return refused(409, "FailoverNotAllowed", `${account} has object replication policies: they block account failover`);
      if (planned && primaryRegion !== null && world.reach(primaryRegion) !== "up") return refused(409, "FailoverNotAllowed", `a planned failover of ${account} needs both regions`);
      state.failingOver = true;
      const end = () => {
        const unplanned = { sku: "Standard_LRS" as const, secondaryRegion: null };
        Object.assign(state, { failingOver: false, primaryRegion: secondaryRegion, lastFailoverAt: world.clock.now(), ...(planned ? { secondaryRegion: primaryRegion } : unplanned) });
        world.record("storage.account-failed-over", account, { to: secondaryRegion, planned });
        for (const call of onFailedOver) call(account);
        return null;
      };
      return { kind: "begun", operation: operations.begin({ kind: "failover", target: state.names.id, region: state.names.region }, world.latencies.accountFailover, end) };
    },
  };
}

const accountAtStart = (names: AccountNames): AccountState => ({
  names,
  location: names.region ?? homeRegion,
  sku: names.sku,
  primaryRegion: names.region,
  secondaryRegion: names.secondaryRegion,
  lastFailoverAt: null,
  failingOver: false,
  policies: new Map(),
  releasing: new Set(),
});

const policyAtStart = (enabledAt: number): ReplicationPolicy => ({
  policyId: labPolicy.policyId,
  source: named.source.name,
  destination: named.replica.name,
  enabledAt,
  rules: [{ ruleId: labPolicy.ruleId, sourceContainer: "velero", destinationContainer: "velero", prefixes: [], minCreationTime: "1601-01-01T00:00:00Z" }],
});

/** The order that Object Replication asks for: first on the destination as `default`, then the same ids on the source. */
function refusedPolicy(account: string, policyId: string, { source, destination, rules }: PolicyWish, known: ReplicationPolicy | null): Refusal | null {
  if (account !== source && account !== destination) return refused(400, "InvalidRequestPropertyValue", `${account} is neither source nor destination of this policy`);
  if (rules.length === 0 || rules.length > 10) return refused(400, "InvalidRequestPropertyValue", "a policy has 1 to 10 rules");
  if (policyId === "default") return account === destination ? null : refused(400, "InvalidRequestPropertyValue", "a new policy is made on the destination account first");
  if (!known) return refused(404, "ObjectReplicationPolicyNotFound", `no policy ${policyId} on the destination account ${destination}`);
  const sameRules = rules.every(({ ruleId }) => known.rules.some((rule) => rule.ruleId === ruleId));
  return sameRules ? null : refused(400, "InvalidRequestPropertyValue", `the rule ids are not those of policy ${policyId} on ${destination}`);
}
