import { describe, expect, test } from "vitest";
import { readAgentConfig } from "../../shared/agent-config.ts";
import { ConfigError } from "../../shared/config.ts";

const cluster = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shop-weu/providers/Microsoft.ContainerService/managedClusters/aks-shop-weu";
const least = { PLAN: "shop", CLUSTER_ID: cluster, HOME_STORAGE_URL: "https://stlifeboat.blob.core.windows.net/", KUBERNETES_SERVICE_HOST: "10.0.0.1" };

describe("the settings of the lease agent", () => {
  test("give what is not set its default, and sign in as the machine", () => {
    expect(readAgentConfig(least)).toEqual({
      plan: "shop",
      clusterId: cluster,
      home: { url: "https://stlifeboat.blob.core.windows.net", container: "lifeboat" },
      identity: { kind: "managed", clientId: null },
      apiServer: { host: "10.0.0.1", port: 443 },
      serviceAccountDirectory: "/var/run/secrets/kubernetes.io/serviceaccount",
      healthPort: 8080,
      endpointHosts: {},
    });
  });

  test("sign in by the service account's token where workload identity has put one", () => {
    const env = { ...least, AZURE_FEDERATED_TOKEN_FILE: "/token", AZURE_CLIENT_ID: "11111111-2222-4333-8444-555555555555", AZURE_TENANT_ID: "tenant" };
    expect(readAgentConfig(env).identity).toEqual({ kind: "workload", clientId: "11111111-2222-4333-8444-555555555555", tenantId: "tenant", tokenFile: "/token" });
  });

  test("are all told when they are wrong, and what was written is not", () => {
    let problems: readonly string[] = [];
    try {
      readAgentConfig({ ...least, PLAN: "My Shop", CLUSTER_ID: "aks-secret-name", KUBERNETES_SERVICE_PORT: "no", HEALTH_PORT: "70000", AZURE_FEDERATED_TOKEN_FILE: "/token" });
    } catch (error) {
      if (error instanceof ConfigError) problems = error.problems;
    }
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["PLAN", "CLUSTER_ID", "KUBERNETES_SERVICE_PORT", "HEALTH_PORT", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]);
    expect(problems.join("\n")).not.toMatch(/My Shop|aks-secret-name|70000/);
  });
});
