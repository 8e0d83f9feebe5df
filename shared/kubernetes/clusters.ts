/** The API servers of AKS clusters. Addresses learnt from ARM are kept at home, so that a failover needs no ARM to reach the secondary. */
import { z } from "zod";
import type { Cluster, Clusters, Home } from "../ports.ts";
import type { ApiOptions, ClusterAddress } from "./api-call.ts";
import { openCluster } from "./cluster.ts";

export interface ClustersOptions {
  readonly home: Home;
  /** Asks ARM. */
  readonly address: (cluster: string) => Promise<ClusterAddress>;
  readonly token: ApiOptions["token"];
  /** How long each call to an API server may take. */
  readonly deadlineSeconds: number;
  /** Where a server is really reached, when not under its own name. */
  readonly connectTo: (server: string) => string | undefined;
  readonly now: () => number;
}

const kept = z.object({ server: z.url(), ca: z.string().min(1), learntAt: z.number() });

const readMs = 60_000;

export function openClusters({ home, address, token, deadlineSeconds, connectTo, now }: ClustersOptions): Clusters {
  /** One for each address, so that connections are kept alive from step to step. */
  const opened = new Map<string, Cluster>();
  /** What was read at home, for a minute: each step asks, and a cluster moves once in years. */
  const read = new Map<string, { readonly at: number; readonly address: ClusterAddress }>();

  const learn = async (cluster: string): Promise<ClusterAddress> => {
    const { server, ca } = await address(cluster);
    await home.put(blobOf(cluster), JSON.stringify({ server, ca, learntAt: now() } satisfies z.input<typeof kept>));
    read.delete(cluster);
    return { server, ca };
  };

  const addressOf = async (cluster: string): Promise<ClusterAddress> => {
    const before = read.get(cluster);
    if (before !== undefined && now() - before.at < readMs) return before.address;
    const address = (await remembered(home, cluster)) ?? (await learn(cluster));
    read.set(cluster, { at: now(), address });
    return address;
  };

  return {
    async of(cluster) {
      const { server, ca } = await addressOf(cluster);
      const key = `${server}\n${ca}`;
      const found = opened.get(key) ?? openCluster(nameOf(cluster), { server, ca, token, deadlineSeconds, connectTo: connectTo(server) });
      opened.set(key, found);
      return found;
    },
    async refresh(cluster) {
      await learn(cluster);
    },
  };
}

async function remembered(home: Home, cluster: string): Promise<ClusterAddress | null> {
  const stored = await home.read(blobOf(cluster));
  if (stored === null) return null;
  // Not readable is not remembered: it is learnt again and written over.
  try {
    return kept.parse(JSON.parse(stored.body));
  } catch {
    return null;
  }
}

/** Clusters of one name in two resource groups are common in a region pair, so the group is part of the blob's name. */
function blobOf(cluster: string): string {
  const group = /\/resourceGroups\/([^/]+)\//i.exec(cluster)?.[1] ?? "";
  return `clusters/${group.toLowerCase()}/${nameOf(cluster).toLowerCase()}.json`;
}

const nameOf = (cluster: string) => cluster.slice(cluster.lastIndexOf("/") + 1);
