/** The names of everything in the lab's two regions, as a real subscription would have them. The example plans in docs/plans use the same. */

export const subscription = "0f5c9a3e-1111-4a4a-9b9b-000000000001";
const id = (group: string, type: string, name: string) => `/subscriptions/${subscription}/resourceGroups/${group}/providers/${type}/${name}`;

export type RegionName = "westeurope" | "northeurope";

export interface RegionNames {
  readonly region: RegionName;
  readonly resourceGroup: string;
  readonly cluster: { readonly id: string; readonly name: string; readonly fqdn: string };
  /** Host name of this region's ingress. */
  readonly ingressHost: string;
  /** Loopback address that its ingress listens on, so that one port serves both regions. */
  readonly ingressAddress: string;
}

const region = (region: RegionName, short: string, ingressAddress: string): RegionNames => ({
  region,
  resourceGroup: `rg-shop-${short}`,
  cluster: {
    id: id(`rg-shop-${short}`, "Microsoft.ContainerService/managedClusters", `aks-shop-${short}`),
    name: `aks-shop-${short}`,
    fqdn: `aks-shop-${short}.hcp.${region}.azmk8s.io`,
  },
  ingressHost: `${short}.shop.example.com`,
  ingressAddress,
});

export const primary = region("westeurope", "weu", "127.0.0.11");
export const secondary = region("northeurope", "neu", "127.0.0.12");
export const regions: Readonly<Record<RegionName, RegionNames>> = { westeurope: primary, northeurope: secondary };

/** A storage account. `region` null: the home region, which no scenario loses. */
export interface AccountNames {
  readonly name: string;
  readonly id: string;
  readonly region: RegionName | null;
  /** Where a geo-redundant account keeps its second copy. */
  readonly secondaryRegion: RegionName | null;
  readonly sku: "Standard_ZRS" | "Standard_RAGZRS";
  readonly containers: readonly string[];
}

const account = (name: string, group: string, rest: Omit<AccountNames, "name" | "id">): AccountNames => ({ name, id: id(group, "Microsoft.Storage/storageAccounts", name), ...rest });

export const accounts = {
  /** Outside both regions: task hub, plans, ledger, registers, reports. */
  home: account("stlifeboat", "rg-lifeboat", { region: null, secondaryRegion: null, sku: "Standard_ZRS", containers: ["lifeboat"] }),
  /** Replicated storage: the primary's Velero writes here … */
  source: account("stshopweu", "rg-shop-weu", { region: "westeurope", secondaryRegion: null, sku: "Standard_ZRS", containers: ["velero"] }),
  /** … and Object Replication copies it here. `velero-neu` takes the first backups after a failover, in both topologies. */
  replica: account("stshopneu", "rg-shop-neu", { region: "northeurope", secondaryRegion: null, sku: "Standard_ZRS", containers: ["velero", "velero-neu"] }),
  /** Shared storage: one account whose second copy is read at `stshopgeo-secondary`. */
  shared: account("stshopgeo", "rg-shop-weu", { region: "westeurope", secondaryRegion: "northeurope", sku: "Standard_RAGZRS", containers: ["velero"] }),
} as const satisfies Record<string, AccountNames>;

export const blobHost = (account: string) => `${account}.blob.core.windows.net`;

export const trafficManager = {
  id: id("rg-shop-global", "Microsoft.Network/trafficManagerProfiles", "tm-shop"),
  fqdn: "shop-lifeboat.trafficmanager.net",
  endpoints: { primary: "westeurope", secondary: "northeurope" },
  ttlSeconds: 10,
  monitor: { path: "/healthz", intervalSeconds: 10, timeoutSeconds: 5, toleratedFailures: 2 },
} as const;

export const dnsZone = { id: id("rg-shop-global", "Microsoft.Network/dnsZones", "example.com"), name: "example.com" } as const;
/** The address that users have: a CNAME to the Traffic Manager profile. */
export const publicName = "shop.example.com";
/** A neutral place that no scenario loses: whoever cannot reach it is cut off. */
export const controlName = "control.example.com";
export const controlAddress = "127.0.0.13";
export const homeRegion = "francecentral";

/** Application id of the AKS server, the same everywhere: the audience of a token for an API server. */
export const aksServerApp = "6dae42f8-4368-4678-94ff-3960e28e3630";
