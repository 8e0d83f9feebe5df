import { describe, test } from "vitest";
import { type Contents, gatherContents, storedOf } from "../../shared/domain/contents.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { secondaryFit, type SecondarySeen } from "../../shared/domain/secondary-fit.ts";
import { examplePlan } from "./example-plans.ts";

const plan = examplePlan("shop-replicated");
const restores = (...clusterResources: string[]): Plan => ({ ...plan, applications: plan.applications.map((application, at) => (at === 0 ? { ...application, clusterResources } : application)) });

function contentsOf(objects: readonly Readonly<Record<string, unknown>>[]): Contents {
  const gathered = gatherContents([]);
  for (const object of objects) {
    const stored = storedOf(object);
    if (stored === null) throw new Error("no object");
    gathered.add(stored);
  }
  return gathered.contents();
}

const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "shop", name: "a" }, spec: { containers: [{ name: "a", image: "shop.azurecr.io/a" }] } };
const issuer = { apiVersion: "cert-manager.io/v1", kind: "ClusterIssuer", metadata: { name: "letsencrypt" } };
const policy = { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy", metadata: { name: "signed" } };
const state: SecondarySeen["state"] = { webhooks: [], ownPods: { count: 1, stuck: [] }, identity: { oidcIssuer: true, workloadIdentity: true }, storeKey: "none" };
const seen: SecondarySeen = { served: { v1: ["Pod"] }, storageClasses: [...plan.secondary.storageClasses], ingressClasses: [], quotas: [], pools: plan.secondary.pools.map(({ name }) => ({ name, maxCount: null, autoscaled: false })), state };
const fit = (contents: Contents, withPlan: Plan = plan, more: Partial<SecondarySeen> = {}) => secondaryFit("shop-1", contents, { ...withPlan, secondary: { ...withPlan.secondary, registries: ["shop.azurecr.io"] } }, { ...seen, ...more }, 0, "hash");

describe("the secondary, held against a point", () => {
  test("lacks the cluster-wide kinds that the plan restores and nobody has taught it, and those alone", ({ expect }) => {
    const contents = contentsOf([pod, issuer, policy]);
    expect(fit(contents).findings).toEqual([]);
    expect(fit(contents, restores("clusterissuers.cert-manager.io", "clusterpolicies.kyverno.io")).findings).toEqual([{ kind: "missing-api", point: "shop-1", fact: "the secondary does not serve ClusterIssuer in cert-manager.io/v1, ClusterPolicy in kyverno.io/v1" }]);
    expect(fit(contents, restores("clusterissuers.cert-manager.io"), { served: { v1: ["Pod"], "cert-manager.io/v1": ["ClusterIssuer"] } }).findings).toEqual([]);
  });

  test("is brought those whose definition comes along", ({ expect }) => {
    const definition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "odd-issuers.cert-manager.io" }, spec: { group: "cert-manager.io", names: { kind: "ClusterIssuer" }, versions: [{ name: "v1", served: true }] } };
    const contents = contentsOf([pod, issuer, definition]);
    // Its own plural counts, not the one that one would guess.
    expect(fit(contents, restores("odd-issuers.cert-manager.io")).findings).toMatchObject([{ kind: "missing-api" }]);
    expect(fit(contents, restores("odd-issuers.cert-manager.io", "customresourcedefinitions.apiextensions.k8s.io")).findings).toEqual([]);
  });

  test("is no place for settings that lead back to the primary", ({ expect }) => {
    const settings = (data: Record<string, string>) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "shop", name: "settings" }, data });
    const facts = (...objects: Readonly<Record<string, unknown>>[]) => fit(contentsOf([pod, ...objects])).findings.filter(({ kind }) => kind === "points-back").map(({ fact }) => fact);
    expect(facts(settings({ public: "https://shop.example.com/", queue: "orders.shop.svc.cluster.local:5672", page: "index.min.html", other: "https://neu.shop.example.com" }))).toEqual([]);
    expect(facts(settings({ self: "https://WEU.shop.example.com/", cache: "redis://shop-cache.westeurope.redisenterprise.cache.azure.net:10000" }))).toEqual(["its settings lead back to westeurope: shop-cache.westeurope.redisenterprise.cache.azure.net in ConfigMap settings of shop, weu.shop.example.com in ConfigMap settings of shop"]);
    const worker = { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace: "shop", name: "worker" }, spec: { template: { spec: { containers: [{ name: "w", image: "shop.azurecr.io/w", env: [{ name: "BLOBS", value: "https://stshopweu.blob.core.windows.net/x" }], args: ["--to=https://stshopneu.blob.core.windows.net"] }] } } } };
    expect(facts(worker)).toEqual(["its settings lead back to westeurope: stshopweu.blob.core.windows.net in Deployment worker of shop"]);
    const alias = { apiVersion: "v1", kind: "Service", metadata: { namespace: "shop", name: "db" }, spec: { type: "ExternalName", externalName: "db.westeurope.cloudapp.azure.com" } };
    expect(facts(alias)).toHaveLength(1);
    // Neither what a Secret holds, nor another namespace's settings.
    expect(facts({ apiVersion: "v1", kind: "Secret", metadata: { namespace: "shop", name: "s" }, stringData: { url: "weu.shop.example.com" } }, { ...settings({ a: "weu.shop.example.com" }), metadata: { namespace: "billing", name: "settings" } })).toEqual([]);
    const { namespaces, ...rest } = contentsOf([pod]);
    const { hosts: _hosts, ...before } = namespaces["shop"] ?? {};
    expect(fit({ ...rest, namespaces: { shop: before as never } }).evidence).toContainEqual(expect.objectContaining({ level: "hosts", ok: "unknown" }));
  });

  test("is not said to fit where the backup holds more than was counted", ({ expect }) => {
    const whole = contentsOf([pod]);
    const said = (...cut: string[]) => fit({ ...whole, cut }).evidence.slice(0, 6).map(({ ok }) => ok);
    expect([said(), said("images"), said("storageClasses"), said("kinds"), said("namespaces"), said("hosts"), said("consumers")]).toEqual([
      [true, true, true, true, true, true],
      [true, true, "unknown", true, true, true],
      [true, "unknown", true, true, true, true],
      ["unknown", true, true, "unknown", true, true],
      ["unknown", "unknown", "unknown", "unknown", true, "unknown"],
      [true, true, true, true, true, "unknown"],
      [true, true, true, true, true, true],
    ]);
    expect(fit({ ...whole, cut: ["images"] }).evidence[2]?.about).toContain("the backup holds more images than are counted");
  });
});
