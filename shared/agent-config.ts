/** Everything the lease agent reads from its settings, in one table; `docs/settings.md` is made from it. None is a secret. */
import { z } from "zod";
import { ConfigError, givenIn, setting, type SettingNotes, settings } from "./config.ts";
import { name, resourceId } from "./domain/plan-fields.ts";

const text = z.string().trim().min(1, "is empty");
const { HOME_STORAGE_URL, HOME_CONTAINER, AZURE_CLIENT_ID, ENDPOINT_HOSTS } = settings.shape;

/** One rule for each variable, in the order of the settings page. */
export const agentSettings = z.object({
  PLAN: setting(name, { about: "Name of the plan whose primary this is.", example: "shop" }),
  CLUSTER_ID: setting(resourceId("Microsoft.ContainerService/managedClusters"), {
    about: "Resource id of the cluster that the agent stands in. In any other than the plan's primary it does nothing.",
    example: "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shop-weu/providers/Microsoft.ContainerService/managedClusters/aks-shop-weu",
  }),
  HOME_STORAGE_URL,
  HOME_CONTAINER,
  AZURE_CLIENT_ID,
  AZURE_TENANT_ID: setting(text.optional(), { about: "Tenant of the identity. AKS workload identity sets it.", example: "00000000-0000-0000-0000-000000000000" }),
  AZURE_FEDERATED_TOKEN_FILE: setting(text.optional(), { about: "Where AKS workload identity puts the token that is exchanged for one of Azure's; it sets this itself. Not set: the machine's managed identity.", example: "/var/run/secrets/azure/tokens/azure-identity-token" }),
  KUBERNETES_SERVICE_HOST: setting(text, { about: "The API server of its own cluster. The kubelet sets it.", example: "10.0.0.1" }),
  KUBERNETES_SERVICE_PORT: setting(z.coerce.number("must be a port").int().min(1).max(65_535).default(443), { about: "Its port. The kubelet sets it.", example: "443" }),
  SERVICE_ACCOUNT_DIRECTORY: setting(text.default("/var/run/secrets/kubernetes.io/serviceaccount"), { about: "Where the kubelet mounts the token, the CA and the namespace of the pod.", example: "/var/run/secrets/kubernetes.io/serviceaccount" }),
  HEALTH_PORT: setting(z.coerce.number("must be a port").int().min(0).max(65_535).default(8_080), { about: "Where `GET /livez` says whether the agent still takes its turns; 0: any free port.", example: "8080" }),
  ENDPOINT_HOSTS,
});

/** The settings, read and checked. */
export interface AgentConfig {
  readonly plan: string;
  readonly clusterId: string;
  readonly home: { readonly url: string; readonly container: string };
  readonly identity: { readonly kind: "workload"; readonly clientId: string; readonly tenantId: string; readonly tokenFile: string } | { readonly kind: "managed"; readonly clientId: string | null };
  readonly apiServer: { readonly host: string; readonly port: number };
  readonly serviceAccountDirectory: string;
  readonly healthPort: number;
  readonly endpointHosts: Readonly<Record<string, string>>;
}

/** Reads the environment once, at start-up. Throws a `ConfigError` that holds every problem. */
export function readAgentConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const given = givenIn(env, agentSettings);
  const read = agentSettings.safeParse(given);
  const problems = read.success ? [] : read.error.issues.map((issue) => `${String(issue.path[0])}: ${given[String(issue.path[0])] === undefined ? "is not set" : issue.message}; set it like this: ${agentNotesOf(String(issue.path[0]) as keyof typeof agentSettings.shape).example}`);
  const tokenFile = given["AZURE_FEDERATED_TOKEN_FILE"];
  for (const needed of ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"]) if (tokenFile !== undefined && given[needed] === undefined) problems.push(`${needed}: is not set beside AZURE_FEDERATED_TOKEN_FILE; label the pod azure.workload.identity/use: "true" and annotate its service account with the client id`);
  if (!read.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  const all = read.data;
  return {
    plan: all.PLAN,
    clusterId: all.CLUSTER_ID,
    home: { url: all.HOME_STORAGE_URL, container: all.HOME_CONTAINER },
    identity: tokenFile === undefined ? { kind: "managed", clientId: all.AZURE_CLIENT_ID ?? null } : { kind: "workload", clientId: all.AZURE_CLIENT_ID ?? "", tenantId: all.AZURE_TENANT_ID ?? "", tokenFile },
    apiServer: { host: all.KUBERNETES_SERVICE_HOST, port: all.KUBERNETES_SERVICE_PORT },
    serviceAccountDirectory: all.SERVICE_ACCOUNT_DIRECTORY,
    healthPort: all.HEALTH_PORT,
    endpointHosts: all.ENDPOINT_HOSTS,
  };
}

/** What a row of the table says, by the name of its variable. */
export const agentNotesOf = (key: keyof typeof agentSettings.shape): SettingNotes => agentSettings.shape[key].meta() as unknown as SettingNotes; // put there by `setting`, for every row
