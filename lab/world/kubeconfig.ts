/** The kubeconfig that `listClusterUserCredential` gives for a cluster with Entra: who calls gets a token by `kubelogin`. */
import { stringify } from "yaml";
import { aksServerApp } from "./pair.ts";

/** `server` as `https://host:port`; `caPem` what its certificate is checked against. */
export function kubeconfigYaml(server: string, caPem: string, cluster = "aks"): string {
  const user = `clusterUser_${cluster}`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    contexts: [{ name: cluster, context: { cluster, user } }],
    "current-context": cluster,
    preferences: {},
    users: [
      {
        name: user,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "kubelogin",
            args: ["get-token", "--environment", "AzurePublicCloud", "--server-id", aksServerApp, "--login", "devicecode"],
            env: null,
            installHint: "kubelogin is not installed: see https://aka.ms/aks/kubelogin",
            provideClusterInfo: false,
          },
        },
      },
    ],
  });
}
