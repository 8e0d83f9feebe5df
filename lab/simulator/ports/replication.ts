import { type Replication, WorldError } from "../../../shared/ports.ts";
import { type AccountNames, accounts as named } from "../../world/pair.ts";
import type { Network } from "../network.ts";
import type { SimulatedPair } from "../world/pair.ts";
import { armCall } from "./aks.ts";

/** An account by its id or its name. */
function accountOf(id: string): AccountNames {
  const found = Object.values<AccountNames>(named).find((account) => account.id.toLowerCase() === id.toLowerCase() || account.name === id);
  if (!found) throw new WorldError("find account", id, "status 404 ResourceNotFound");
  return found;
}

export function openReplication({ accounts, storage }: Pick<SimulatedPair, "accounts" | "storage">, network: Network): Replication {
  return {
    async lastSync(url) {
      const name = new URL(url).hostname.split(".")[0]?.replace(/-secondary$/, "") ?? "";
      const { secondaryRegion } = accountOf(name);
      return network.ask({ port: "blobs", op: "read last sync time", thing: name, region: secondaryRegion, mutating: false, fastMs: 5, slowMs: 20 }, () => {
        const stats = accounts.geoReplication(name);
        if (stats === null) throw new WorldError("read last sync time", name, "statistics without geo-replication");
        // HTTP dates have whole seconds.
        const at = storage.lastSyncAt(name);
        return { state: stats.status === "Live" ? "live" : "unavailable", lastSyncAt: at === null ? null : Math.floor(at / 1_000) * 1_000 };
      });
    },
    async policy(destinationAccount) {
      const { name, region } = accountOf(destinationAccount);
      return network.ask(armCall("read policy", name, region, false), () => {
        const policy = accounts.policies(name).find(({ destination }) => destination === name);
        if (policy === undefined) return null;
        const { policyId, source, destination, rules } = policy;
        return { policyId, sourceAccount: source, destinationAccount: destination, rules: rules.map(({ ruleId, sourceContainer, destinationContainer, prefixes }) => ({ ruleId, sourceContainer, destinationContainer, prefixes })) };
      });
    },
    async deletePolicy(destinationAccount, policyId) {
      const { name, region } = accountOf(destinationAccount);
      return network.ask(armCall("delete policy", `${name}/${policyId}`, region, true), () => {
        accounts.deletePolicy(name, policyId);
        return { kind: "deleted" };
      });
    },
  };
}
