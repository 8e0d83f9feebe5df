/** Looks at what was given before anything is made of it: everything that stands in the way, in one sentence each with its remedy. */
import { nodeState } from "../../shared/domain/cluster-objects.ts";
import { clusterObjects, scheduleName } from "../engine/applications.ts";
import { rightsObjects } from "../engine/rights.ts";
import { type Api, type ApiObject, type ApiServer, openApi, pathOf } from "../real/api.ts";
import type { RegionName } from "../world/pair.ts";
import { type Given, GivenRefused, ownName, ownRole, veleroNamespace } from "./given.ts";
import { serverIn } from "./kubeconfig.ts";
import { inTheWay, isOwn } from "./own-objects.ts";
import { accountIn, type GivenAccount, tryAccount } from "./storage-account.ts";
import { isNewEnough, oldestVelero, ownLocations, runningVelero } from "./velero.ts";

export interface GivenCluster {
  readonly file: string;
  /** As whoever the kubeconfig signs in. */
  readonly server: ApiServer;
  /** Ready nodes by pool, the label `agentpool` of AKS. */
  readonly pools: ReadonlyMap<string, number>;
}

export interface Looked {
  readonly clusters: Readonly<Record<RegionName, GivenCluster>>;
  readonly account: GivenAccount;
}

/** Whose claims the shop's database makes. */
const storageClass = "managed-csi";
/** The lab runs commands in pods through web sockets, and since this version every API server takes them (KEP-4006). */
const oldestKubernetes = 31;

/** Nothing is changed but that each Velero is asked for its version, as `velero version` does. */
export async function lookAtGiven(given: Given): Promise<{ readonly kind: "ready"; readonly looked: Looked } | { readonly kind: "hurdles"; readonly hurdles: readonly string[] }> {
  const hurdles: string[] = [];
  const orNull = async <T>(what: string, work: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      hurdles.push(error instanceof GivenRefused ? error.message : `${what}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const look = (file: string) => orNull(file, () => lookAtCluster(file, hurdles));
  const [account, one, other] = await Promise.all([orNull("the storage account", () => usableAccount(given.storageConnection)), look(given.primary), look(given.secondary)]);
  if (one !== null && other !== null && one.uid === other.uid) hurdles.push(`${given.primary} and ${given.secondary} lead to one and the same cluster (${one.server.url}): a failover needs two`);
  if (hurdles.length > 0 || account === null || one === null || other === null) return { kind: "hurdles", hurdles };
  return { kind: "ready", looked: { account, clusters: { westeurope: one, northeurope: other } } };
}

async function usableAccount(connection: string): Promise<GivenAccount> {
  const account = accountIn(connection);
  await tryAccount(account);
  return account;
}

async function lookAtCluster(file: string, hurdles: string[]): Promise<GivenCluster & { readonly uid: string }> {
  const server = await serverIn(file);
  const api = openApi(server);
  try {
    const uid = await signedIn(api, file, server.url);
    const pools = new Map<string, number>();
    // As the app counts them.
    for (const { ready, pool } of (await api.list("/api/v1/nodes")).map(nodeState)) if (ready && pool !== "") pools.set(pool, (pools.get(pool) ?? 0) + 1);
    if (pools.size === 0) hurdles.push(`${file}: no Ready node of ${server.url} has the label agentpool, by which AKS says a node's pool: start the cluster, or label its nodes`);
    hurdles.push(...(await Promise.all([aboutVelero(api, file), aboutNames(api, file), aboutStorageClass(api, file)])).flat());
    return { file, server, pools, uid };
  } finally {
    api.close();
  }
}

/** Resolves with what tells this cluster from all others. Throws a `GivenRefused`: nothing more can be asked then. */
async function signedIn(api: Api, file: string, url: string): Promise<string> {
  const stranger = () => new GivenRefused(`${file}: ${url} does not know who this is (401): sign in anew, for AKS with \`az aks get-credentials\` and \`kubelogin\``);
  const version = await api.request("GET", "/version").catch((error: Error) => {
    throw new GivenRefused(`${file}: ${url} does not answer: ${error.message}; is the cluster running, and may this machine reach it?`);
  });
  if (version.status === 401) throw stranger();
  const minor = Number.parseInt(String(version.body["minor"]), 10);
  if (minor < oldestKubernetes) throw new GivenRefused(`${file}: ${url} is Kubernetes 1.${minor}, and the lab needs 1.${oldestKubernetes}: upgrade the cluster, or give another one`);
  const review = await api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb: "*", group: "*", resource: "*" } },
  });
  if (review.status === 401) throw stranger();
  const { allowed = false } = (review.body["status"] ?? {}) as { readonly allowed?: boolean };
  if (!allowed) throw new GivenRefused(`${file}: whoever it signs in may not do everything in ${url}: the lab installs a custom kind, roles and an application there and gives the app its rights, so it needs cluster-admin; give such a kubeconfig, for AKS with \`az aks get-credentials --admin\``);
  return (await api.get("/api/v1/namespaces/kube-system"))?.metadata.uid ?? url;
}

/** What its Velero lacks, in a sentence with its remedy. */
export async function aboutVelero(api: Api, file: string): Promise<readonly string[]> {
  const install = "install it with the Azure plugin and `--use-node-agent`: https://velero.io/docs";
  if ((await api.request("GET", "/apis/velero.io/v1")).status !== 200 || (await api.get(`/api/v1/namespaces/${veleroNamespace}`)) === null) return [`${file}: there is no Velero in the namespace ${veleroNamespace}: ${install}`];
  const running = await runningVelero(api);
  if (running === null) return [`${file}: Velero's kinds are there, and no server of it answers in the namespace ${veleroNamespace}: look at \`kubectl -n ${veleroNamespace} logs deployment/velero\``];
  if (!isNewEnough(running.version)) return [`${file}: its Velero is ${running.version}, and the lab needs ${oldestVelero} or newer: upgrade it`];
  if (!running.hasAzure) return [`${file}: its Velero has no plugin for Azure's storage: add it, \`velero plugin add velero/velero-plugin-for-microsoft-azure:VERSION\``];
  const agents = (await api.get(`/apis/apps/v1/namespaces/${veleroNamespace}/daemonsets/node-agent`))?.["status"] as { readonly numberReady?: number } | undefined;
  return (agents?.numberReady ?? 0) > 0 ? [] : [`${file}: its Velero has no node agent that is ready, and without one no volume is backed up or filled: ${install}`];
}

/** The lab's names outside of its applications' namespaces, in either cluster. */
async function ownNames(): Promise<readonly ApiObject[]> {
  const inVelero = (apiVersion: string, kind: string, name: string): ApiObject => ({ apiVersion, kind, metadata: { name, namespace: veleroNamespace } });
  return [
    ...(await clusterObjects()),
    ...(await rightsObjects({ role: "primary", namespaces: [], named: ownRole })),
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: ownName } },
    inVelero("v1", "ServiceAccount", ownName),
    inVelero("v1", "Secret", ownName),
    inVelero("velero.io/v1", "Schedule", scheduleName),
    ...ownLocations.map((name) => inVelero("velero.io/v1", "BackupStorageLocation", name)),
  ];
}

/** One sentence for each of the lab's names that is somebody else's. */
export async function aboutNames(api: Api, file: string): Promise<readonly string[]> {
  const found = await Promise.all((await ownNames()).map(async (object) => ({ object, there: await api.get(pathOf(object)) })));
  return found.flatMap(({ object, there }) => (there === null || isOwn(there) ? [] : [`${file}: ${inTheWay(object)}`]));
}

async function aboutStorageClass(api: Api, file: string): Promise<readonly string[]> {
  if ((await api.get(`/apis/storage.k8s.io/v1/storageclasses/${storageClass}`)) !== null) return [];
  return [`${file}: there is no storage class ${storageClass}, which the shop's database asks for and AKS has by itself: make one of that name`];
}
