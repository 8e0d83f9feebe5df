/** What objects of a backup hold on to outside of their cluster: vaults, identities, certificates, and the world that controllers act on. Pure. */
import { certificateEndsAt } from "./certificate-end.ts";
import type { Stored } from "./contents.ts";
import { containersOf, recordOf, stringOf } from "./loose.ts";

/** One such hold, and the object that was seen to have it: `Secret shop-tls`. */
export type OutsideTie =
  /** A key vault by its name, in lower case. */
  | { readonly kind: "vault"; readonly vault: string; readonly in: string }
  /** Its pods sign in as an identity of Azure. */
  | { readonly kind: "identity"; readonly in: string }
  /** `endsAt` null: its certificate cannot be read. */
  | { readonly kind: "certificate"; readonly endsAt: number | null; readonly in: string }
  /** A program that changes DNS, certificates, clouds or clusters by itself as soon as it runs, and that no consumer selector holds. */
  | { readonly kind: "actor"; readonly program: string; readonly in: string };

/** The ties of one object. `held`: a consumer selector picks it, so it does not run before release. Of a Secret only its certificate is looked at, never its key. */
export function tiesOf(stored: Stored, pod: Readonly<Record<string, unknown>>, held: boolean): readonly OutsideTie[] {
  const where = `${stored.kind} ${stored.name}`;
  const vault = vaultOf(stored);
  return [
    ...(vault === null ? [] : [{ kind: "vault", vault, in: where } as const]),
    ...(stored.kind === "ServiceAccount" && stringOf(recordOf(recordOf(stored.object["metadata"])["annotations"])[clientId]) !== null ? [{ kind: "identity", in: where } as const] : []),
    ...(stored.kind === "Secret" && stored.object["type"] === "kubernetes.io/tls" ? [{ kind: "certificate", endsAt: endOf(stored), in: where } as const] : []),
    ...(held ? [] : [...new Set(containersOf(pod).flatMap(({ image }) => actorOf(image) ?? []))].map((program) => ({ kind: "actor", program, in: where }) as const)),
  ];
}

/** https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html */
const clientId = "azure.workload.identity/client-id";

/** The Secrets Store driver names a vault, External Secrets gives its address. */
function vaultOf({ kind, object }: Stored): string | null {
  const spec = recordOf(object["spec"]);
  if (kind === "SecretProviderClass") return stringOf(recordOf(spec["parameters"])["keyvaultName"])?.toLowerCase() ?? null;
  if (kind !== "SecretStore") return null;
  return vaultInUrl(stringOf(recordOf(recordOf(spec["provider"])["azurekv"])["vaultUrl"]) ?? "");
}

/** The vault of an address, `https://kv-shop.vault.azure.net/keys/a`, or of a host name. `null`: it is none of a vault. */
export const vaultInUrl = (text: string): string | null => /^(?:https:\/\/)?([a-z0-9-]{3,24})\.vault\.azure\.net(?![\w.-])/i.exec(text)?.[1]?.toLowerCase() ?? null;

function endOf({ object }: Stored): number | null {
  try {
    return certificateEndsAt(atob(stringOf(recordOf(object["data"])["tls.crt"]) ?? ""));
  } catch {
    return null;
  }
}

/** Programs known by the last part of their image's name, as their projects publish them. */
const actors: Readonly<Record<string, string>> = {
  "external-dns": "external-dns",
  "cert-manager-controller": "cert-manager",
  "source-controller": "Flux",
  "kustomize-controller": "Flux",
  "helm-controller": "Flux",
  argocd: "Argo CD",
  crossplane: "Crossplane",
  azureserviceoperator: "Azure Service Operator",
};

function actorOf(image: unknown): string | null {
  const [name = ""] = (stringOf(image) ?? "").split("/").at(-1)?.split(/[:@]/) ?? [];
  return Object.hasOwn(actors, name) ? (actors[name] ?? null) : null;
}
