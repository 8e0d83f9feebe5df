/** Microsoft.ContainerService: managed clusters and their node pools. */
import { z } from "zod";
import type { Aks, AksAnswer, ManagedCluster, Pool } from "../../world/aks.ts";
import { type RegionName, regions, subscription } from "../../world/pair.ts";
import { type Answer, json } from "../answer.ts";
import { type ArmRequest, type ArmRoute, failure, idOf, inGroup, type Names, notFound, operationStatus, refusal, withBody } from "./route.ts";

const type = "microsoft.containerservice/managedclusters";
const clusterPath = `${inGroup}/${type}/{cluster}`;
const locationPath = "/subscriptions/{subscription}/providers/microsoft.containerservice/locations/{location}";

/** `kubeconfig` gives the file for `listClusterUserCredential`. */
export function clusterRoutes(aks: Aks, kubeconfig: (region: RegionName) => string): readonly ArmRoute[] {
  const route = (method: ArmRoute["method"], path: string, call: string, work: (region: RegionName, request: ArmRequest) => Answer, mutating = false): ArmRoute => ({
    method,
    path: `${clusterPath}${path}`,
    call,
    mutating,
    region: regionOf,
    work(request) {
      const region = regionOf(request.names);
      return region === null ? notFound(request.path) : work(region, request);
    },
  });
  const pool = (region: RegionName, { names, path }: ArmRequest, work: (pool: Pool) => Answer): Answer => {
    const found = aks.cluster(region).pools.find(({ name }) => name === names["pool"]);
    return found ? work(found) : notFound(path);
  };

  return [
    route("GET", "", "GET managedClusters", (region) => json(200, clusterBody(aks.cluster(region)))),
    route("POST", "/start", "POST managedClusters/start", (region, request) => begun(aks.start(region), region, request), true),
    route("POST", "/stop", "POST managedClusters/stop", (region, request) => begun(aks.stop(region), region, request), true),
    route("GET", "/agentpools", "GET agentPools", (region) => json(200, { value: aks.cluster(region).pools.map((found) => poolBody(region, found)) })),
    route("GET", "/agentpools/{pool}", "GET agentPools", (region, request) => pool(region, request, (found) => json(200, poolBody(region, found)))),
    route("PUT", "/agentpools/{pool}", "PUT agentPools", (region, request) => putPool(aks, region, request), true),
    route("POST", "/listclusterusercredential", "POST managedClusters/listClusterUserCredential", (region) =>
      json(200, { kubeconfigs: [{ name: "clusterUser", value: Buffer.from(kubeconfig(region)).toString("base64") }] }),
    ),
    route("POST", "/listclusteradmincredential", "POST managedClusters/listClusterAdminCredential", () =>
      failure(400, "BadRequest", "Getting static credential is not allowed because this cluster is set to disable local accounts."),
    ),
    {
      method: "GET",
      path: `${locationPath}/operations/{operation}`,
      call: "GET operations",
      mutating: false,
      region: locationOf,
      work({ names, path }) {
        const operation = aks.operations.get(names["operation"] ?? "");
        return operation ? operationStatus(operation) : notFound(path);
      },
    },
    {
      method: "GET",
      path: `${locationPath}/operationresults/{operation}`,
      call: "GET operationResults",
      mutating: false,
      region: locationOf,
      work(request) {
        const operation = aks.operations.get(request.names["operation"] ?? "");
        if (!operation) return notFound(request.path);
        return operation.status === "InProgress" ? { status: 202, headers: { location: resultLink(operation.id, locationOf(request.names), request) } } : { status: 204 };
      },
    },
  ];
}

function regionOf(names: Names): RegionName | null {
  const id = idOf(names, type, names["cluster"]);
  return Object.values(regions).find(({ cluster }) => cluster.id.toLowerCase() === id)?.region ?? null;
}

const locationOf = ({ location }: Names): RegionName | null => (location === "westeurope" || location === "northeurope" ? location : null);

const locationLink = (kind: string, id: string, region: RegionName | null, { base, apiVersion }: ArmRequest) =>
  `${base}/subscriptions/${subscription}/providers/Microsoft.ContainerService/locations/${region}/${kind}/${id}?api-version=${apiVersion}`;
const resultLink = (id: string, region: RegionName | null, request: ArmRequest) => locationLink("operationresults", id, region, request);
const statusLink = (id: string, region: RegionName | null, request: ArmRequest) => locationLink("operations", id, region, request);

/** Start and stop have no body: 202 with both kinds of links, or 204 when there was nothing to do. */
function begun(answer: AksAnswer, region: RegionName, request: ArmRequest): Answer {
  switch (answer.kind) {
    case "refused":
      return refusal(answer);
    case "nothing-to-do":
      return { status: 204 };
    case "begun":
      return { status: 202, headers: { location: resultLink(answer.operation.id, region, request), "azure-asyncoperation": statusLink(answer.operation.id, region, request) } };
  }
}

const poolPut = z.object({
  properties: z.object({
    count: z.number(),
    minCount: z.number().nullish(),
    maxCount: z.number().nullish(),
    enableAutoScaling: z.boolean().nullish(),
  }),
});

/** PUT replaces: what is left out is off. */
function putPool(aks: Aks, region: RegionName, request: ArmRequest): Answer {
  return withBody(poolPut, request.body, ({ properties: { count, minCount, maxCount, enableAutoScaling } }) => {
    const name = request.names["pool"] ?? "";
    const answer = aks.putPool(region, name, { count, minCount: minCount ?? null, maxCount: maxCount ?? null, autoscaled: enableAutoScaling ?? false }, request.header("if-match"));
    if (answer.kind === "refused") return refusal(answer);
    const pool = aks.cluster(region).pools.find((pool) => pool.name === name);
    if (!pool) return notFound(request.path);
    return json(200, poolBody(region, pool), answer.kind === "begun" ? { "azure-asyncoperation": statusLink(answer.operation.id, region, request) } : {});
  });
}

function poolProperties(pool: Pool, kubernetesVersion: string) {
  const { mode, count, minCount, maxCount, autoscaled, vmSize, provisioning, eTag } = pool;
  return {
    eTag,
    count,
    ...(autoscaled ? { minCount, maxCount } : {}),
    enableAutoScaling: autoscaled,
    mode,
    vmSize,
    type: "VirtualMachineScaleSets",
    osType: "Linux",
    osSKU: "Ubuntu",
    orchestratorVersion: kubernetesVersion,
    currentOrchestratorVersion: kubernetesVersion,
    availabilityZones: ["1", "2", "3"],
    provisioningState: provisioning,
    powerState: { code: "Running" },
  };
}

const poolBody = (region: RegionName, pool: Pool, kubernetesVersion = "1.34.4") => ({
  id: `${regions[region].cluster.id}/agentPools/${pool.name}`,
  name: pool.name,
  type: "Microsoft.ContainerService/managedClusters/agentPools",
  properties: poolProperties(pool, kubernetesVersion),
});

function clusterBody({ region, power, provisioning, kubernetesVersion, eTag, pools }: ManagedCluster) {
  const { cluster, resourceGroup } = regions[region];
  return {
    id: cluster.id,
    name: cluster.name,
    type: "Microsoft.ContainerService/ManagedClusters",
    location: region,
    sku: { name: "Base", tier: "Standard" },
    eTag,
    properties: {
      provisioningState: provisioning,
      powerState: { code: power },
      kubernetesVersion,
      currentKubernetesVersion: kubernetesVersion,
      fqdn: cluster.fqdn,
      nodeResourceGroup: `MC_${resourceGroup}_${cluster.name}_${region}`,
      enableRBAC: true,
      disableLocalAccounts: true,
      oidcIssuerProfile: { enabled: true },
      securityProfile: { workloadIdentity: { enabled: true } },
      aadProfile: { managed: true, enableAzureRBAC: true },
      apiServerAccessProfile: { enablePrivateCluster: false, disableRunCommand: true },
      networkProfile: { networkPlugin: "azure", networkPluginMode: "overlay", loadBalancerSku: "standard", outboundType: "loadBalancer" },
      agentPoolProfiles: pools.map((pool) => ({ name: pool.name, ...poolProperties(pool, kubernetesVersion) })),
    },
  };
}
