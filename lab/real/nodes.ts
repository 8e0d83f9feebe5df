/** The nodes of a real cluster: objects that KWOK keeps alive, labelled as AKS labels its own. */
import { type Api, ApiRefused, type ApiObject } from "./api.ts";

const collection = "/api/v1/nodes";
/** Room enough for every application of the lab: what a node is too small for is not what real regions are asked about. */
const room = { cpu: "16", memory: "64Gi", pods: "250" };

/** Makes the nodes of these names, and deletes all others. Throws when the API server refuses. */
export async function applyNodes(api: Api, region: string, names: readonly string[]): Promise<void> {
  const before = (await api.list(collection)).map(({ metadata }) => metadata.name);
  for (const name of before.filter((name) => !names.includes(name))) {
    const answer = await api.request("DELETE", `${collection}/${name}`);
    if (answer.status !== 404 && answer.status >= 300) throw new ApiRefused(`DELETE node ${name}`, answer);
  }
  for (const [at, name] of names.entries()) {
    if (before.includes(name)) continue;
    const answer = await api.request("POST", collection, nodeOf(region, name, at));
    if (answer.status >= 300) throw new ApiRefused(`POST node ${name}`, answer);
  }
}

/** Those that are Ready now. */
export async function readyNodes(api: Api): Promise<readonly string[]> {
  return (await api.list(collection)).filter(isReady).map(({ metadata }) => metadata.name);
}

/** Those on which a pod without any tolerations finds a place. */
export async function openNodes(api: Api): Promise<readonly string[]> {
  // The taints of a node that is not ready outlast that by a moment.
  const isOpen = ({ spec }: ApiObject) => ((spec ?? {}) as { readonly taints?: readonly { readonly key: string }[] }).taints?.every(({ key }) => key.startsWith("node.kubernetes.io/")) ?? true;
  return (await api.list(collection)).filter((node) => isReady(node) && isOpen(node)).map(({ metadata }) => metadata.name);
}

/** Lets a KWOK that starts anew serve them at once: it would wait until the leases of the one before have run out. */
export async function releaseNodes(api: Api): Promise<void> {
  const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const answer = await api.request("DELETE", path);
  if (answer.status >= 300) throw new ApiRefused(`DELETE ${path}`, answer);
}

function isReady({ status }: ApiObject): boolean {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  return conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
}

function nodeOf(region: string, name: string, at: number): ApiObject {
  // `aks-user-20261121-vmss000000`, as AKS names the machines of a pool.
  const pool = /^aks-([a-z0-9]+)-/.exec(name)?.[1] ?? "user";
  const system = pool === "system";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        agentpool: pool,
        "kubernetes.azure.com/agentpool": pool,
        "kubernetes.azure.com/mode": system ? "system" : "user",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": `${region}-${(at % 3) + 1}`,
      },
      annotations: { "kwok.x-k8s.io/node": "fake" },
    },
    spec: system ? { taints: [{ key: "CriticalAddonsOnly", value: "true", effect: "NoSchedule" }] } : {},
    status: { allocatable: room, capacity: room },
  };
}
