/** How the store is replicated: Object Replication policies (@azure/arm-storage) and the Last Sync Time of geo-redundant accounts. */
import { type ObjectReplicationPolicy, StorageManagementClient } from "@azure/arm-storage";
import { type Replication, type ReplicationPolicy, WorldError } from "../ports.ts";
import { type Arm, armOptions, perSubscription } from "./arm.ts";
import { answerOf, azureCall } from "./azure-call.ts";
import type { BlobService } from "./blob-service.ts";
import { parseResourceId, sameResource } from "./resource-id.ts";

export function openReplication(arm: Arm, blobService: BlobService): Replication {
  const clientOf = perSubscription((subscription) => new StorageManagementClient(arm.credential, subscription, armOptions(arm)));
  const at = (account: string) => {
    const { subscription, resourceGroup, names } = parseResourceId(account);
    const { objectReplicationPolicies: policies, storageAccounts } = clientOf(subscription);
    return { policies, storageAccounts, resourceGroup, name: names[0] };
  };

  return {
    async lastSync(url) {
      const { geoReplication } = await azureCall("read last sync time", url, arm.deadlineSeconds, (abortSignal) => blobService.at(url).getStatistics({ abortSignal }));
      if (geoReplication === undefined) throw new WorldError("read last sync time", url, "statistics without geo-replication: is this the -secondary endpoint of a read-access geo-redundant account?");
      return { state: stateOf(geoReplication.status), lastSyncAt: instantOf(geoReplication.lastSyncOn) };
    },

    async policy(destinationAccount) {
      const { policies, resourceGroup, name } = at(destinationAccount);
      const found = await azureCall("list replication policies", name, arm.deadlineSeconds, async (abortSignal) => {
        const all: ObjectReplicationPolicy[] = [];
        for await (const policy of policies.list(resourceGroup, name, { abortSignal })) all.push(policy);
        return all;
      });
      // An account may be the source of one policy and the destination of another.
      const [only, ...more] = found.filter((policy) => isDestination(policy, destinationAccount, name));
      if (more.length > 0) throw new WorldError("list replication policies", name, `it is the destination of ${more.length + 1} policies, and which of them is meant cannot be told: give the replica an account of its own`);
      return only === undefined ? null : policyOf(only);
    },

    async encryptionKey(account) {
      const { storageAccounts, resourceGroup, name } = at(account);
      const { encryption } = await azureCall("read storage account", name, arm.deadlineSeconds, (abortSignal) => storageAccounts.getProperties(resourceGroup, name, { abortSignal }));
      if (encryption?.keySource?.toLowerCase() !== "microsoft.keyvault") return "none";
      const { keyVaultUri = "" } = encryption.keyVaultProperties ?? {};
      return { vault: /^https:\/\/([^./]+)\./i.exec(keyVaultUri)?.[1]?.toLowerCase() ?? keyVaultUri };
    },

    async deletePolicy(destinationAccount, policyId) {
      const { policies, resourceGroup, name } = at(destinationAccount);
      return azureCall("delete replication policy", `${name}/${policyId}`, arm.deadlineSeconds, async (abortSignal) => {
        try {
          await policies.delete(resourceGroup, name, policyId, { abortSignal });
          return { kind: "deleted" };
        } catch (error) {
          const answer = answerOf(error);
          if (answer?.status === 404 && !accountIsMissing(answer.code)) return { kind: "deleted" };
          if (answer !== null && (answer.status === 403 || finalCodes.test(answer.code))) return { kind: "refused", why: `${answer.code}: ${answer.message}` };
          throw error;
        }
      });
    },
  };
}

// A 404 of the policy is what we want; one of its account or group is not an answer to the question.
const accountIsMissing = (code: string) => /^(ResourceNotFound|ResourceGroupNotFound|StorageAccountNotFound|ParentResourceNotFound)$/.test(code);
const finalCodes = /^(ScopeLocked|RequestDisallowedByPolicy|AuthorizationFailed)$/;

function stateOf(status: string): "live" | "bootstrap" | "unavailable" {
  return status === "live" || status === "bootstrap" ? status : "unavailable";
}

/** While the secondary is not in service the date is absent or a minimum value from before there were computers. */
function instantOf(date: Date | undefined): number | null {
  const at = date?.getTime() ?? Number.NaN;
  return at > 0 ? at : null;
}

// Older policies name accounts by name alone, newer ones by resource id.
const isDestination = ({ destinationAccount = "" }: ObjectReplicationPolicy, id: string, name: string) =>
  sameResource(destinationAccount, id) || destinationAccount.toLowerCase() === name.toLowerCase();

const policyOf = ({ policyId, name, sourceAccount, destinationAccount, rules }: ObjectReplicationPolicy): ReplicationPolicy => ({
  policyId: policyId ?? name ?? "",
  sourceAccount: sourceAccount ?? "",
  destinationAccount: destinationAccount ?? "",
  rules: (rules ?? []).map(({ ruleId, sourceContainer, destinationContainer, filters }) => ({
    ruleId: ruleId ?? "",
    sourceContainer,
    destinationContainer,
    prefixes: filters?.prefixMatch ?? [],
  })),
});
