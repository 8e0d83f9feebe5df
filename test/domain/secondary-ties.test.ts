/** What a restored application holds on to outside of its cluster, and what would keep it out of the secondary's. */
import { generateKeyPairSync, webcrypto } from "node:crypto";
import "reflect-metadata";
import { X509CertificateGenerator } from "@peculiar/x509";
import { describe, expect, test } from "vitest";
import { failClosedIn } from "../../shared/domain/admission.ts";
import { certificateEndsAt } from "../../shared/domain/certificate-end.ts";
import { podTrouble } from "../../shared/domain/cluster-objects.ts";
import { type Contents, gatherContents, storedOf } from "../../shared/domain/contents.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { secondaryFit } from "../../shared/domain/secondary-fit.ts";
import type { StateSeen } from "../../shared/domain/secondary-state.ts";
import { examplePlan } from "./example-plans.ts";

const nowAt = Date.parse("2026-11-21T06:00:00Z");
const plan = examplePlan("shop-replicated");
const well: StateSeen = { webhooks: [], ownPods: { count: 3, stuck: [] }, identity: { oidcIssuer: true, workloadIdentity: true }, storeKey: "none" };
const inShop = (kind: string, name: string, rest: object, apiVersion = "v1", metadata: object = {}) => ({ apiVersion, kind, metadata: { namespace: "shop", name, ...metadata }, ...rest });
const running = (image: string, labels: Record<string, string> = {}) => ({ spec: { template: { metadata: { labels }, spec: { containers: [{ name: "a", image }] } } } });

function contentsOf(objects: readonly object[], selectors: readonly string[] = []): Contents {
  const gathered = gatherContents(selectors);
  for (const object of objects) {
    const stored = storedOf(object);
    if (stored !== null) gathered.add(stored);
  }
  return gathered.contents();
}

/** The answer to one question, with the finding that a "no" makes. */
function answer(level: string, objects: readonly object[], { seen = well, withPlan = plan, selectors = [] }: { readonly seen?: StateSeen; readonly withPlan?: Plan; readonly selectors?: readonly string[] } = {}) {
  const fit = secondaryFit("shop-1", contentsOf(objects, selectors), withPlan, { served: null, storageClasses: null, ingressClasses: null, quotas: null, pools: null, state: seen }, nowAt, "hash");
  const evidence = fit.evidence.find((one) => one.level === level);
  return { ok: evidence?.ok, about: evidence?.about ?? "", findings: fit.findings.map(({ kind }) => kind) };
}

async function pemUntil(notAfter: string): Promise<string> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned({ name: "CN=shop.example.com", notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date(notAfter), keys, signingAlgorithm: { name: "ECDSA", hash: "SHA-256" } }, webcrypto);
  return made.toString("pem");
}
const tlsSecret = (pem: string) => inShop("Secret", "shop-tls", { type: "kubernetes.io/tls", data: { "tls.crt": Buffer.from(pem).toString("base64"), "tls.key": "not looked at" } });

describe("certificates", () => {
  test("that end within 30 days are a finding, within a day a stronger one, over ones the strongest; later ones are none", async () => {
    const said = async (until: string) => answer("certificates", [tlsSecret(await pemUntil(until))]);
    expect(await said("2027-02-01T00:00:00Z")).toMatchObject({ ok: true, findings: [] });
    expect(await said("2026-12-01T00:00:00Z")).toMatchObject({ ok: false, about: "a certificate has 9 days left: Secret shop-tls of shop ends at 2026-12-01 00:00:00 UTC", findings: ["certificate-ends"] });
    expect(await said("2026-11-21T20:00:00Z")).toMatchObject({ ok: false, about: expect.stringContaining("less than a day left") as string });
    expect(await said("2026-11-01T00:00:00Z")).toMatchObject({ ok: false, about: expect.stringContaining("is over") as string });
  });

  test("are read by their end, in both forms of time, and never thrown over: what is none, or is cut off anywhere, is not read", async () => {
    const pem = await pemUntil("2051-03-04T05:06:07Z");
    expect([certificateEndsAt(pem), certificateEndsAt(await pemUntil("2031-03-04T05:06:07Z"))]).toEqual([Date.parse("2051-03-04T05:06:07Z"), Date.parse("2031-03-04T05:06:07Z")]);
    const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64");
    for (let length = 0; length < der.length; length++) expect(certificateEndsAt(`-----BEGIN CERTIFICATE-----${der.subarray(0, length).toString("base64")}-----END CERTIFICATE-----`)).toBeNull();
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256", publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
    expect([certificateEndsAt(publicKey), certificateEndsAt("")]).toEqual([null, null]);
    expect(answer("certificates", [tlsSecret("nonsense")])).toMatchObject({ ok: "unknown", findings: [] });
  });
});

describe("key vaults", () => {
  const provider = inShop("SecretProviderClass", "from-vault", { spec: { provider: "azure", parameters: { keyvaultName: "KV-shop-weu" } } }, "secrets-store.csi.x-k8s.io/v1");
  const store = inShop("SecretStore", "external", { spec: { provider: { azurekv: { vaultUrl: "https://kv-shop-ext.vault.azure.net/" } } } }, "external-secrets.io/v1");
  const setting = inShop("ConfigMap", "settings", { data: { vault: "https://kv-set.vault.azure.net/secrets/a" } });
  const outside = (...keyVaults: string[]): Plan => ({ ...plan, secondary: { ...plan.secondary, keyVaults } });

  test("that the backup names and the plan does not list as outside of the primary are a finding, however they are named", () => {
    expect(answer("vaults", [provider, store, setting], { withPlan: outside("kv-shop-ext") })).toMatchObject({ ok: false, about: "not in secondary.keyVaults: kv-shop-weu in SecretProviderClass from-vault of shop, kv-set in ConfigMap settings of shop", findings: ["key-vault"] });
    expect(answer("vaults", [provider, store, setting], { withPlan: outside("kv-shop-ext", "kv-shop-weu", "KV-set") })).toMatchObject({ ok: true, findings: [] });
    expect(answer("vaults", [provider])).toMatchObject({ ok: "unknown", about: expect.stringContaining("list them in secondary.keyVaults") as string });
    expect(answer("vaults", [])).toMatchObject({ ok: true });
  });

  test("that hold the key of the replica's account are a finding too, and an account that cannot be read is unknown", () => {
    const seen: StateSeen = { ...well, storeKey: { vault: "kv-cmk-weu" } };
    expect(answer("vaults", [], { seen, withPlan: outside() })).toMatchObject({ ok: false, about: "not in secondary.keyVaults: kv-cmk-weu in the encryption of the replica's storage account" });
    expect(answer("vaults", [], { seen, withPlan: outside("kv-cmk-weu") })).toMatchObject({ ok: true });
    expect(answer("vaults", [], { seen: { ...well, storeKey: null } })).toMatchObject({ ok: "unknown" });
  });
});

test("service accounts that sign in by workload identity need a secondary that issues tokens for it", () => {
  const account = inShop("ServiceAccount", "orders", {}, "v1", { annotations: { "azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000001" } });
  const seen = (oidcIssuer: boolean, workloadIdentity: boolean): StateSeen => ({ ...well, identity: { oidcIssuer, workloadIdentity } });
  expect(answer("identity", [account])).toMatchObject({ ok: true, about: expect.stringContaining("only a token tells") as string });
  expect(answer("identity", [account], { seen: seen(true, false) })).toMatchObject({ ok: false, about: "the secondary cluster has no workload identity, and by them sign in ServiceAccount orders of shop", findings: ["identity"] });
  expect(answer("identity", [account], { seen: seen(false, false) }).about).toContain("no OIDC issuer and no workload identity");
  expect(answer("identity", [account], { seen: { ...well, identity: null } })).toMatchObject({ ok: "unknown" });
  expect(answer("identity", [inShop("ServiceAccount", "plain", {})], { seen: seen(false, false) })).toMatchObject({ ok: true });
});

test("controllers that act on the world are told of by their image, unless a consumer selector holds them until release", () => {
  const dns = inShop("Deployment", "dns", running("registry.k8s.io/external-dns/external-dns:v0.19.0", { app: "dns" }), "apps/v1");
  const owned = inShop("ReplicaSet", "dns-1", running("registry.k8s.io/external-dns/external-dns:v0.19.0"), "apps/v1", { ownerReferences: [{ kind: "Deployment", name: "dns", uid: "1" }] });
  const certificates = inShop("Deployment", "cm", running("quay.io/jetstack/cert-manager-controller@sha256:aa"), "apps/v1");
  const looksAlike = inShop("Deployment", "docs", running("shop.azurecr.io/external-dns-docs:1"), "apps/v1");
  expect(answer("actors", [dns, owned, certificates, looksAlike])).toMatchObject({ ok: false, about: "it would act as soon as it is restored, before the secondary is opened: external-dns in Deployment dns of shop, cert-manager in Deployment cm of shop", findings: ["acts-outside"] });
  expect(answer("actors", [dns, owned], { selectors: ["app=dns"] })).toMatchObject({ ok: true, findings: [] });
  expect(answer("actors", [looksAlike])).toMatchObject({ ok: true });
});

describe("admission webhooks", () => {
  const pod = inShop("Pod", "a", {});
  const webhook = (more: object = {}, rule: object = {}) => ({ name: "pods.example.com", clientConfig: { service: { namespace: "policies", name: "judge" } }, rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], ...rule }], ...more });
  const seeing = (answered: boolean | "unknown", ...webhooks: object[]): StateSeen => ({ ...well, webhooks: failClosedIn({ metadata: { name: "policies" }, webhooks }, "ValidatingWebhookConfiguration").map((one) => ({ ...one, answered })) });
  const said = (answered: boolean | "unknown", ...webhooks: object[]) => answer("admission", [pod], { seen: seeing(answered, ...webhooks) });
  const byName = (operator: string) => webhook({ namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, values: ["shop"] }] } });

  test("that refuse when nobody answers, and have nobody who does, block the restore and are a finding", () => {
    expect(said(false, webhook())).toMatchObject({ ok: false, about: "nobody answers for ValidatingWebhookConfiguration policies: pods.example.com, and what it should judge is refused meanwhile", findings: ["admission-blocked"] });
    expect(said(false, webhook({}, { apiGroups: ["*"], resources: ["*/*"], operations: ["*"] }))).toMatchObject({ ok: false });
    expect(said(true, webhook())).toMatchObject({ ok: true });
    expect(answer("admission", [pod], { seen: { ...well, webhooks: null } })).toMatchObject({ ok: "unknown" });
  });

  test("that let things pass, judge other kinds, acts or namespaces, do not; those that select by what is not known yet are unknown", () => {
    for (const other of [webhook({ failurePolicy: "Ignore" }), webhook({}, { resources: ["services"] }), webhook({}, { apiGroups: ["apps"] }), webhook({}, { operations: ["DELETE"] }), webhook({}, { scope: "Cluster" }), byName("NotIn")]) expect(said(false, other)).toMatchObject({ ok: true });
    expect(said(false, byName("In"))).toMatchObject({ ok: false });
    for (const unsure of [webhook({ objectSelector: { matchLabels: { a: "b" } } }), webhook({ namespaceSelector: { matchLabels: { team: "a" } } }), webhook({ matchConditions: [{ name: "a", expression: "true" }] })]) expect(said(false, unsure)).toMatchObject({ ok: "unknown", findings: [] });
    expect(said("unknown", webhook({ clientConfig: { url: "https://judge.example.com" } }))).toMatchObject({ ok: "unknown" });
  });
});

test("a pod that has a node and gets no address or no image is in trouble; one that waits for a node, begins, or has begun is not", () => {
  const pending = (reason: string, phase = "Pending", scheduled = "True") => podTrouble({ status: { phase, conditions: [{ type: "PodScheduled", status: scheduled }], containerStatuses: [{ state: { waiting: { reason } } }] } });
  expect([pending("ContainerCreating"), pending("ImagePullBackOff"), pending("ContainerCreating", "Pending", "False"), pending("CrashLoopBackOff", "Running"), podTrouble({})]).toEqual(["ContainerCreating", "ImagePullBackOff", null, null, null]);
  expect(answer("network", [], { seen: { ...well, ownPods: { count: 4, stuck: ["coredns-1 (ContainerCreating)"] } } })).toMatchObject({ ok: false, about: "1 of 4 pods in kube-system do not come up: coredns-1 (ContainerCreating)", findings: ["network"] });
  expect(answer("network", [], { seen: { ...well, ownPods: { count: 0, stuck: [] } } })).toMatchObject({ ok: "unknown" });
});
