/** Microsoft.Storage: accounts, Object Replication policies, account failover. All of an account is served by its own region, for ever. */
import { z } from "zod";
import type { Account, Accounts, ReplicationPolicy } from "../../world/accounts.ts";
import { accounts as named, blobHost, homeRegion, type RegionName, subscription } from "../../world/pair.ts";
import { type Answer, json } from "../answer.ts";
import { type ArmRequest, type ArmRoute, failure, idOf, inGroup, type Names, notFound, refusal, withBody } from "./route.ts";

const type = "microsoft.storage/storageaccounts";
const accountPath = `${inGroup}/${type}/{account}`;

export function accountRoutes(accounts: Accounts): readonly ArmRoute[] {
  const route = (method: ArmRoute["method"], path: string, call: string, work: (name: string, request: ArmRequest) => Answer): ArmRoute => ({
    method,
    path: `${accountPath}${path}`,
    call,
    mutating: method !== "GET",
    region: (names) => namesOf(names)?.region ?? null,
    work(request) {
      const found = namesOf(request.names);
      return found ? work(found.name, request) : notFound(request.path);
    },
  });
  const policyAnswer = (account: string, policyId: string, path: string): Answer => {
    const policy = accounts.policies(account).find((policy) => policy.policyId === policyId);
    return policy ? json(200, policyBody(account, policy)) : failure(404, "ObjectReplicationPolicyNotFound", `There is no object replication policy at ${path}.`);
  };

  return [
    route("GET", "", "GET storageAccounts", (name, { query, path }) => {
      const account = accounts.account(name);
      return account ? json(200, accountBody(accounts, account, /georeplicationstats/i.test(query.get("$expand") ?? ""))) : notFound(path);
    }),
    route("POST", "/failover", "POST storageAccounts/failover", (name, request) => {
      const answer = accounts.failover(name, request.query.get("failoverType")?.toLowerCase() === "planned");
      return answer.kind === "refused" ? refusal(answer) : { status: 202, headers: { location: asyncLink(answer.operation.id, name, request) } };
    }),
    route("GET", "/objectreplicationpolicies", "GET objectReplicationPolicies", (name) => json(200, { value: accounts.policies(name).map((policy) => policyBody(name, policy)) })),
    route("GET", "/objectreplicationpolicies/{policy}", "GET objectReplicationPolicies", (name, { names, path }) => policyAnswer(name, names["policy"] ?? "", path)),
    route("PUT", "/objectreplicationpolicies/{policy}", "PUT objectReplicationPolicies", (name, request) => putPolicy(accounts, name, request)),
    route("DELETE", "/objectreplicationpolicies/{policy}", "DELETE objectReplicationPolicies", (name, { names }) => ({
      status: accounts.deletePolicy(name, names["policy"] ?? "") === "deleted" ? 200 : 204,
    })),
    {
      method: "GET",
      path: "/subscriptions/{subscription}/providers/microsoft.storage/locations/{location}/asyncoperations/{operation}",
      call: "GET asyncOperations",
      mutating: false,
      region: ({ location }) => (location === "westeurope" || location === "northeurope" ? location : null),
      work({ names, path }) {
        const operation = accounts.operations.get(names["operation"] ?? "");
        if (!operation) return notFound(path);
        // Polled by status code; a 204 would be an error to the client.
        return operation.status === "InProgress" ? { status: 202 } : { status: 200 };
      },
    },
  ];
}

function namesOf(names: Names) {
  const id = idOf(names, type, names["account"]);
  return Object.values(named).find((account) => account.id.toLowerCase() === id) ?? null;
}

function asyncLink(id: string, account: string, { base, apiVersion }: ArmRequest): string {
  const location = Object.values(named).find(({ name }) => name === account)?.region ?? homeRegion;
  return `${base}/subscriptions/${subscription}/providers/Microsoft.Storage/locations/${location}/asyncoperations/${id}?api-version=${apiVersion}`;
}

const policyPut = z.object({
  properties: z.object({
    sourceAccount: z.string(),
    destinationAccount: z.string(),
    rules: z.array(
      z.object({
        ruleId: z.string().optional(),
        sourceContainer: z.string(),
        destinationContainer: z.string(),
        filters: z.object({ prefixMatch: z.array(z.string()).optional(), minCreationTime: z.string().optional() }).optional(),
      }),
    ),
  }),
});

function putPolicy(accounts: Accounts, account: string, { names, body }: ArmRequest): Answer {
  return withBody(policyPut, body, ({ properties: { sourceAccount, destinationAccount, rules } }) => {
    const answer = accounts.putPolicy(account, names["policy"] ?? "", {
      source: lastOf(sourceAccount),
      destination: lastOf(destinationAccount),
      rules: rules.map(({ ruleId, sourceContainer, destinationContainer, filters }) => ({
        ruleId: ruleId || null,
        sourceContainer,
        destinationContainer,
        prefixes: filters?.prefixMatch ?? [],
        minCreationTime: filters?.minCreationTime ?? null,
      })),
    });
    return answer.kind === "refused" ? refusal(answer) : json(200, policyBody(account, answer.policy));
  });
}

/** The account's name, of a full id or a name alone. */
const lastOf = (id: string) => (id.split("/").at(-1) ?? id).toLowerCase();
const fullId = (name: string) => Object.values(named).find((account) => account.name === name)?.id ?? name;

const policyBody = (account: string, { policyId, source, destination, enabledAt, rules }: ReplicationPolicy) => ({
  id: `${fullId(account)}/objectReplicationPolicies/${policyId}`,
  name: policyId,
  type: "Microsoft.Storage/storageAccounts/objectReplicationPolicies",
  properties: {
    policyId,
    // The service fills it on the source alone, once both have the policy.
    ...(account === source ? { enabledTime: new Date(enabledAt).toISOString() } : {}),
    sourceAccount: fullId(source),
    destinationAccount: fullId(destination),
    rules: rules.map(({ ruleId, sourceContainer, destinationContainer, prefixes, minCreationTime }) => ({
      ruleId,
      sourceContainer,
      destinationContainer,
      filters: { prefixMatch: prefixes, ...(minCreationTime === null ? {} : { minCreationTime }) },
    })),
  },
});

function accountBody(accounts: Accounts, account: Account, withStats: boolean) {
  const { names, location, sku, primaryRegion, secondaryRegion, lastFailoverAt, failingOver } = account;
  const stats = withStats ? accounts.geoReplication(names.name) : null;
  return {
    id: names.id,
    name: names.name,
    type: "Microsoft.Storage/storageAccounts",
    location,
    kind: "StorageV2",
    sku: { name: sku, tier: "Standard" },
    properties: {
      provisioningState: "Succeeded",
      primaryLocation: primaryRegion ?? location,
      statusOfPrimary: "available",
      ...(secondaryRegion === null ? {} : secondaryProperties(names.name, secondaryRegion)),
      ...(lastFailoverAt === null ? {} : { lastGeoFailoverTime: new Date(lastFailoverAt).toISOString() }),
      ...(failingOver ? { failoverInProgress: true } : {}),
      allowCrossTenantReplication: false,
      allowSharedKeyAccess: false,
      encryption: { keySource: "Microsoft.Storage", services: { blob: { enabled: true, keyType: "Account" } } },
      primaryEndpoints: { blob: `https://${blobHost(names.name)}/` },
      ...(stats === null
        ? {}
        : {
            geoReplicationStats: {
              status: stats.status,
              ...(stats.lastSyncAt === null ? {} : { lastSyncTime: new Date(stats.lastSyncAt).toISOString() }),
              canFailover: stats.canFailover,
              canPlannedFailover: stats.canFailover,
              postFailoverRedundancy: "Standard_LRS",
              postPlannedFailoverRedundancy: sku,
            },
          }),
    },
  };
}

const secondaryProperties = (name: string, secondaryRegion: RegionName) => ({
  secondaryLocation: secondaryRegion,
  statusOfSecondary: "available",
  secondaryEndpoints: { blob: `https://${blobHost(`${name}-secondary`)}/` },
});
