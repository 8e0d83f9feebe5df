/** The world for real: one credential, one transport, and every port's adapter built on them. */
import type { TokenCredential } from "@azure/identity";
import { openClusters } from "../kubernetes/clusters.ts";
import type { World } from "../ports.ts";
import { openAks } from "./aks.ts";
import { deadlines } from "./azure-call.ts";
import { openBlobService } from "./blob-service.ts";
import { openHome } from "./home-blob.ts";
import { aksTokens, type Identity, openIdentity } from "./identity.ts";
import { openProbes } from "./probes.ts";
import { openReplication } from "./replication.ts";
import { openHealth } from "./resource-health.ts";
import { openBackups } from "./storage.ts";
import { openKeyVaultSeal } from "./seal-key-vault.ts";
import { openTraffic } from "./traffic.ts";
import { type Hosts, openTransport, retarget } from "./transport.ts";

/** Plain data, from the settings. */
export interface AzureOptions {
  readonly identity: Identity;
  /** Blob endpoint of the home account, `https://stlifeboat.blob.core.windows.net`, and our container there. */
  readonly homeUrl: string;
  readonly homeContainer: string;
  /** Hosts that are reached at other addresses: none in production. */
  readonly hosts: Hosts;
  /** Name servers for probes, `address` or `address:port`; empty: the system's. */
  readonly dnsServers: readonly string[];
  /** A key in a key vault that signs manifests, by its address. */
  readonly manifestKey?: string;
}

/** Opens the world without a single call: clients are made when first needed. */
export function azureWorld({ identity, homeUrl, homeContainer, hosts, dnsServers, manifestKey }: AzureOptions): World {
  const credential: TokenCredential = openIdentity(identity);
  const transport = openTransport(hosts);
  const arm = { credential, transport, deadlineSeconds: deadlines.controlSeconds };
  const blobService = openBlobService(credential, transport, deadlines.dataSeconds);
  const clock = { now: () => Date.now() };
  const home = openHome(blobService, { url: homeUrl, container: homeContainer });
  const aks = openAks(arm);
  return {
    clock,
    home,
    probes: openProbes({ dnsServers }),
    aks,
    clusters: openClusters({
      home,
      address: aks.address,
      token: aksTokens(credential),
      deadlineSeconds: deadlines.controlSeconds,
      connectTo: (server) => retarget(server, hosts)?.url,
      now: clock.now,
    }),
    backups: openBackups(blobService),
    replication: openReplication(arm, blobService),
    traffic: openTraffic(arm),
    health: openHealth(arm),
    ...(manifestKey === undefined ? {} : { seal: openKeyVaultSeal(manifestKey, arm) }),
  };
}
