/** The lab's own account in a given cluster: made with whoever the kubeconfig signs in, and used from then on. Its token ends with it. */
import { type Api, type ApiServer, ApiRefused } from "../real/api.ts";
import { ownName, veleroNamespace } from "./given.ts";

/** Longer than any run: an hour of it, and whoever looks around afterwards. */
const lifeSeconds = 8 * 3600;

/** The API server, with the lab's own token. */
export type OwnServer = ApiServer & { readonly token: string };

/** A service account that may do everything, as the lab needs it to give the app its rights. Throws an `ApiRefused`. */
export async function ownLogin(api: Api, { url, caPem }: ApiServer): Promise<OwnServer> {
  await api.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ownName, namespace: veleroNamespace } });
  await api.apply({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: ownName },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: ownName, namespace: veleroNamespace }],
  });
  const path = `/api/v1/namespaces/${veleroNamespace}/serviceaccounts/${ownName}/token`;
  const answer = await api.request("POST", path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: lifeSeconds } });
  const { token } = (answer.body["status"] ?? {}) as { readonly token?: string };
  if (token === undefined) throw new ApiRefused(`a token for the lab's account ${ownName}`, answer);
  return { url, caPem, token };
}
