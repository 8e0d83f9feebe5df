/** What the agent reaches as it stands in its cluster: the API server by its own service account, and home by its own identity. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { AgentConfig } from "../shared/agent-config.ts";
import { openBlobService } from "../shared/azure/blob-service.ts";
import { openHome } from "../shared/azure/home-blob.ts";
import { openIdentity } from "../shared/azure/identity.ts";
import { openTransport } from "../shared/azure/transport.ts";
import { openCluster } from "../shared/kubernetes/cluster.ts";
import type { Cluster, Home } from "../shared/ports.ts";

/** For each call, seconds: a renewal has its own bound beside it. */
const deadlineSeconds = 10;

/** The API server, with the token that the kubelet keeps fresh; read for each call. Throws when the pod has no service account. */
export async function ownCluster({ apiServer: { host, port }, serviceAccountDirectory }: AgentConfig): Promise<{ readonly cluster: Cluster; readonly namespace: string }> {
  const mounted = async (file: string) => (await readFile(path.join(serviceAccountDirectory, file), "utf8")).trim();
  const [ca, namespace] = await Promise.all([mounted("ca.crt"), mounted("namespace")]);
  const address = host.includes(":") ? `[${host}]` : host;
  return { cluster: openCluster("this cluster", { server: `https://${address}:${port}`, ca, token: async () => mounted("token"), deadlineSeconds }), namespace };
}

/** The home account. */
export function ownHome({ identity, home, endpointHosts }: AgentConfig): Home {
  return openHome(openBlobService(openIdentity(identity), openTransport(endpointHosts), deadlineSeconds), home);
}
