/** AKS clusters and their node pools through ARM (@azure/arm-containerservice). */
import { type AgentPool, ContainerServiceClient, type ManagedClusterAgentPoolProfile } from "@azure/arm-containerservice";
import { parse } from "yaml";
import { z } from "zod";
import { type Aks, type AksState, WorldError } from "../ports.ts";
import { type Arm, armOptions, perSubscription } from "./arm.ts";
import { answerOf, azureCall } from "./azure-call.ts";
import { parseResourceId } from "./resource-id.ts";

export interface AzureAks extends Aks {
  /** Server URL and CA (PEM) of a cluster's API, from the user credentials; the credentials' own way to log in is not used. */
  readonly address: (cluster: string) => Promise<{ readonly server: string; readonly ca: string }>;
}

export function openAks(arm: Arm): AzureAks {
  const clientOf = perSubscription((subscription) => new ContainerServiceClient(arm.credential, subscription, armOptions(arm)));
  const at = (cluster: string) => {
    const { subscription, resourceGroup, names } = parseResourceId(cluster);
    return { client: clientOf(subscription), resourceGroup, name: names[0] };
  };
  const read = async (cluster: string) => {
    const { client, resourceGroup, name } = at(cluster);
    return azureCall("read cluster", name, arm.deadlineSeconds, (abortSignal) => client.managedClusters.get(resourceGroup, name, { abortSignal }));
  };

  return {
    async read(cluster): Promise<AksState> {
      const { powerState, provisioningState, currentKubernetesVersion, kubernetesVersion, agentPoolProfiles, oidcIssuerProfile, securityProfile } = await read(cluster);
      return {
        power: powerOf(powerState?.code),
        provisioning: provisioningState ?? "unknown",
        kubernetesVersion: currentKubernetesVersion ?? kubernetesVersion ?? "unknown",
        pools: (agentPoolProfiles ?? []).map(poolOf),
        identity: { oidcIssuer: oidcIssuerProfile?.enabled ?? false, workloadIdentity: securityProfile?.workloadIdentity?.enabled ?? false },
      };
    },

    async start(cluster) {
      const { powerState, provisioningState } = await read(cluster);
      // A start under way is refused as "another operation"; asking again would only turn that into an error.
      if (powerState?.code !== "Stopped" || provisioningState === "Starting") return;
      const { client, resourceGroup, name } = at(cluster);
      await azureCall("start cluster", name, arm.deadlineSeconds, (abortSignal) => client.managedClusters.start(resourceGroup, name, { abortSignal }).submitted());
    },

    async raisePool(cluster, pool, nodes) {
      const { client, resourceGroup, name } = at(cluster);
      return azureCall("raise node pool", `${name}/${pool}`, arm.deadlineSeconds, async (abortSignal) => {
        const found = await orRefusal(client.agentPools.get(resourceGroup, name, pool, { abortSignal }), noSuchPool);
        if ("refused" in found) return { kind: "refused", why: found.refused };
        const raised = raise(found.value, nodes);
        if (raised === null) return { kind: "enough" };
        // PUT replaces the whole pool: If-Match keeps us from undoing what someone else changed since we read it.
        const condition = found.value.eTag === undefined ? {} : { ifMatch: found.value.eTag };
        const asked = await orRefusal(client.agentPools.createOrUpdate(resourceGroup, name, pool, raised, { abortSignal, ...condition }).submitted(), noCapacity);
        return "refused" in asked ? { kind: "refused", why: asked.refused } : { kind: "asked" };
      });
    },

    async address(cluster) {
      const { client, resourceGroup, name } = at(cluster);
      const { kubeconfigs } = await azureCall("read user credentials", name, arm.deadlineSeconds, (abortSignal) =>
        client.managedClusters.listClusterUserCredentials(resourceGroup, name, { abortSignal, format: "exec" }),
      );
      const value = kubeconfigs?.[0]?.value;
      if (value === undefined) throw new WorldError("read user credentials", name, "an answer without a kubeconfig");
      return addressIn(name, Buffer.from(value).toString("utf8"));
    },
  };
}

function powerOf(code: string | undefined): AksState["power"] {
  switch (code) {
    case "Running":
      return "running";
    case "Stopped":
      return "stopped";
    default:
      return "unknown";
  }
}

const poolOf = ({ name, count, minCount, maxCount, enableAutoScaling, provisioningState }: ManagedClusterAgentPoolProfile): AksState["pools"][number] => ({
  name,
  count: count ?? 0,
  minCount: minCount ?? null,
  maxCount: maxCount ?? null,
  autoscaled: enableAutoScaling ?? false,
  provisioning: provisioningState ?? "unknown",
});

/** The pool with at least `nodes`, to be put back; `null`: it has them. The autoscaler enforces a raised minimum, a raised count it may take back. */
function raise(pool: AgentPool, nodes: number): AgentPool | null {
  const autoscaled = pool.enableAutoScaling === true;
  const floor = (autoscaled ? pool.minCount : pool.count) ?? 0;
  // Of a pool whose last change failed the numbers say what was asked for, not what is there: asked again, it tries again.
  if (floor >= nodes && pool.provisioningState !== "Failed") return null;
  const raised = { ...pool, count: Math.max(pool.count ?? 0, nodes) };
  return autoscaled ? { ...raised, minCount: Math.max(floor, nodes), maxCount: Math.max(pool.maxCount ?? 0, nodes) } : raised;
}

/** The result, or the reason for which it will never be had. Everything else is thrown as it came. */
async function orRefusal<T>(asked: Promise<T>, reason: (answer: NonNullable<ReturnType<typeof answerOf>>) => string | null): Promise<{ value: T } | { refused: string }> {
  try {
    return { value: await asked };
  } catch (error) {
    const answer = answerOf(error);
    const refused = answer && reason(answer);
    if (!refused) throw error;
    return { refused };
  }
}

type Reason = Parameters<typeof orRefusal>[1];

const noSuchPool: Reason = ({ status, message }) => (status === 404 ? `no such node pool: ${message}` : null);

// Azure says OperationNotAllowed both of "another operation is in progress", which passes, and of a quota, which does not.
const noCapacity: Reason = ({ code, message }) => (finalCodes.test(code) || /\bquota\b/i.test(message) ? `${code}: ${message}` : null);
const finalCodes = /SkuNotAvailable|AllocationFailed|OverconstrainedAllocation|QuotaExceeded|InsufficientVCPUQuota|InsufficientSubnetSize|AuthorizationFailed|RequestDisallowedByPolicy|ScopeLocked/i;

const kubeconfig = z.object({
  clusters: z.array(z.object({ cluster: z.object({ server: z.url({ protocol: /^https$/ }), "certificate-authority-data": z.base64() }) })).min(1),
});

function addressIn(name: string, text: string): { readonly server: string; readonly ca: string } {
  // What is in the file beside these two fields may be a secret, so no part of it goes into the message.
  const read = kubeconfig.safeParse(orNull(() => parse(text)));
  const cluster = read.data?.clusters[0]?.cluster;
  if (cluster === undefined) throw new WorldError("read user credentials", name, "a kubeconfig without a server and its certificate authority");
  return { server: cluster.server, ca: Buffer.from(cluster["certificate-authority-data"], "base64").toString("utf8") };
}

function orNull(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return null;
  }
}
