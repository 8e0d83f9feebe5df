/** Who we are to Azure. Tokens stay inside the clients: nothing here hands one to a log, a status or an error. */
import { AzureCliCredential, ManagedIdentityCredential, type TokenCredential, WorkloadIdentityCredential } from "@azure/identity";

/** `managed`: the function app's identity; `clientId` null is the system-assigned one. `workload`: a pod's, by its service account's token. `cli`: the person who ran `az login`. */
export type Identity =
  | { readonly kind: "managed"; readonly clientId: string | null }
  | { readonly kind: "workload"; readonly clientId: string; readonly tenantId: string; readonly tokenFile: string }
  | { readonly kind: "cli" };

/** The credential of an identity. No chain of guesses: a wrong identity is an error, not a slower success as someone else. */
export function openIdentity(identity: Identity): TokenCredential {
  switch (identity.kind) {
    case "managed":
      return new ManagedIdentityCredential(identity.clientId === null ? {} : { clientId: identity.clientId });
    case "workload":
      return new WorkloadIdentityCredential({ clientId: identity.clientId, tenantId: identity.tenantId, tokenFilePath: identity.tokenFile });
    case "cli":
      return new AzureCliCredential();
  }
}

/** Application id of the AKS server, the same in every tenant: the audience of a token for an API server (kubelogin documents it). */
export const aksServerApp = "6dae42f8-4368-4678-94ff-3960e28e3630";

/** Entra tokens for the API servers of AKS clusters. The credential caches and renews them. Errors hold no token. */
export function aksTokens(credential: TokenCredential): () => Promise<string> {
  return async () => {
    const token = await credential.getToken(`${aksServerApp}/.default`);
    if (token === null) throw new Error("no token was issued for the AKS server application");
    return token.token;
  };
}
