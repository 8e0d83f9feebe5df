/** The API face against the real client of Kubernetes. The expected answers are those that a Kubernetes 1.34.4 gave to the same requests. */
import { ApiException, Watch } from "@kubernetes/client-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../../lab/world/kubernetes/cluster.ts";
import type { LabWorld } from "../../lab/world/world.ts";
import { asJsonPatch, asMergePatch, asStrategicPatch, goodToken, labWorld, runningCluster, serve, until } from "./region.ts";

let world: LabWorld;
let cluster: Cluster;
let api: Awaited<ReturnType<typeof serve>>;

beforeEach(async () => {
  world = labWorld();
  cluster = runningCluster(world);
  api = await serve(world, cluster);
  await api.core.createNamespace({ body: { metadata: { name: "shop" } } });
});
afterEach(() => api.close());

/** What the API server said when it refused. */
async function refusal(call: Promise<unknown>): Promise<{ code: number; body: Record<string, unknown> }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiException) return { code: error.code, body: JSON.parse(error.body as string) as Record<string, unknown> };
    throw error;
  }
  throw new Error("it was not refused");
}

const page = (name: string, labels: Record<string, string> = {}) => ({ namespace: "shop", body: { metadata: { name, labels }, data: { text: name } } });
const raw = (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) => fetch(`${api.url}${path}`, { ...init, headers: { authorization: `Bearer ${goodToken}`, ...init.headers } });
const acts = () => world.effects.map(({ act, key }) => `${act} ${key}`);

test("an object is created with uid, resource version and time, and read again", async () => {
  const created = await api.core.createNamespacedConfigMap(page("storefront"));
  expect(created.metadata).toMatchObject({ name: "storefront", namespace: "shop", uid: expect.stringMatching(/^[0-9a-f-]{36}$/), resourceVersion: expect.stringMatching(/^\d+$/) });
  const read = await api.core.readNamespacedConfigMap({ namespace: "shop", name: "storefront" });
  expect(read.data).toEqual({ text: "storefront" });
  expect(Math.abs((read.metadata?.creationTimestamp?.getTime() ?? 0) - world.clock.now())).toBeLessThan(60_000);
  expect(acts()).toContain("kubernetes.created northeurope/configmaps/shop/storefront");
});

test("refusals carry the Status that a real API server writes", async () => {
  await api.core.createNamespacedConfigMap(page("storefront"));
  expect(await refusal(api.core.readNamespacedConfigMap({ namespace: "shop", name: "none" }))).toEqual({
    code: 404,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: 'configmaps "none" not found', reason: "NotFound", details: { name: "none", kind: "configmaps" }, code: 404 },
  });
  expect(await refusal(api.core.createNamespacedConfigMap(page("storefront")))).toMatchObject({ code: 409, body: { reason: "AlreadyExists", message: 'configmaps "storefront" already exists' } });
  expect(await refusal(api.core.createNamespacedConfigMap({ ...page("x"), namespace: "nope" }))).toMatchObject({ code: 404, body: { message: 'namespaces "nope" not found', details: { name: "nope", kind: "namespaces" } } });
  const nameless = await raw("/api/v1/namespaces/shop/configmaps", { method: "POST", headers: { "content-type": "application/json" }, body: '{"metadata":{}}' });
  expect(await nameless.json()).toMatchObject({ code: 422, reason: "Invalid", message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required' });
  const stale = await raw("/api/v1/namespaces/shop/configmaps/storefront", { method: "PUT", headers: { "content-type": "application/json" }, body: '{"metadata":{"name":"storefront","resourceVersion":"1"}}' });
  expect(await stale.json()).toMatchObject({ code: 409, reason: "Conflict", message: expect.stringContaining("the object has been modified") });
  await expect(api.stranger.listNode()).rejects.toMatchObject({ code: 401 });
  expect(await refusal(api.core.listPodForAllNamespaces({ labelSelector: "app foo (a)" }))).toMatchObject({ code: 400, body: { message: "unable to parse requirement: found 'foo', expected: in, notin, =, ==, !=, gt, lt" } });
});

test("a kind whose CRD is missing is not found, until the CRD comes", async () => {
  const promotions = { group: "shop.example.com", version: "v1", plural: "promotions" };
  await expect(api.custom.listClusterCustomObject(promotions)).rejects.toMatchObject({ code: 404 });
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { percent: { type: "integer", maximum: 90 } } } } } };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "promotions.shop.example.com" },
    spec: { group: "shop.example.com", scope: "Namespaced", names: { plural: "promotions", kind: "Promotion" }, versions: [{ name: "v1", served: true, storage: true, schema }] },
  };
  await api.custom.createClusterCustomObject({ group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions", body: definition });
  const body = { apiVersion: "shop.example.com/v1", kind: "Promotion", metadata: { name: "winter" }, spec: { percent: 20, unknown: "is pruned" } };
  const created = await api.custom.createNamespacedCustomObject({ ...promotions, namespace: "shop", body });
  expect(created.spec).toEqual({ percent: 20 });
  expect(await refusal(api.custom.createNamespacedCustomObject({ ...promotions, namespace: "shop", body: { ...body, metadata: { name: "much" }, spec: { percent: 95 } } }))).toMatchObject({
    code: 422,
    body: { message: 'Promotion.shop.example.com "much" is invalid: spec.percent: Invalid value: 95: spec.percent in body should be less than or equal to 90' },
  });
  expect(await refusal(api.custom.getNamespacedCustomObject({ ...promotions, namespace: "shop", name: "none" }))).toMatchObject({ code: 404, body: { message: 'promotions.shop.example.com "none" not found' } });
});

test("lists select by labels and fields and go page by page", async () => {
  for (const [name, app] of [["a", "web"], ["b", "db"], ["c", "mail"]] as const) await api.core.createNamespacedConfigMap(page(name, { app }));
  await api.core.createNamespacedConfigMap(page("d"));
  const names = async (labelSelector: string) => (await api.core.listNamespacedConfigMap({ namespace: "shop", labelSelector })).items.map(({ metadata }) => metadata?.name);
  expect(await names("app=web")).toEqual(["a"]);
  expect(await names("app in (web,db)")).toEqual(["a", "b"]);
  expect(await names("app notin (web,db)")).toEqual(["c", "d", "kube-root-ca.crt"]);
  expect(await names("app,app!=db")).toEqual(["a", "c"]);
  expect(await names("!app")).toEqual(["d", "kube-root-ca.crt"]);
  expect((await api.core.listConfigMapForAllNamespaces({ fieldSelector: "metadata.name=b" })).items).toHaveLength(1);
  const first = await api.core.listNamespacedConfigMap({ namespace: "shop", limit: 2 });
  expect(first.items.map(({ metadata }) => metadata?.name)).toEqual(["a", "b"]);
  expect(first.metadata?.remainingItemCount).toBe(3);
  // The client's own name for it: `continue` is a word of the language.
  const { ["_continue"]: next = "" } = first.metadata ?? {};
  const second = await api.core.listNamespacedConfigMap({ namespace: "shop", limit: 5, ["_continue"]: next });
  expect(second.items.map(({ metadata }) => metadata?.name)).toEqual(["c", "d", "kube-root-ca.crt"]);
  expect(second.metadata?.remainingItemCount).toBeUndefined();
});

test("merge, strategic and JSON patches change what they name, and only a real change is an effect", async () => {
  await api.core.createNamespacedConfigMap(page("storefront", { app: "web" }));
  const at = { namespace: "shop", name: "storefront" };
  const merged = await api.core.patchNamespacedConfigMap({ ...at, body: { data: { text: null, banner: "Winter sale" } } }, asMergePatch);
  expect(merged.data).toEqual({ banner: "Winter sale" });
  const again = await api.core.patchNamespacedConfigMap({ ...at, body: { data: { banner: "Winter sale" } } }, asMergePatch);
  expect(again.metadata?.resourceVersion).toBe(merged.metadata?.resourceVersion);
  expect((await api.core.patchNamespacedConfigMap({ ...at, body: { metadata: { labels: { tier: "front" } } } }, asStrategicPatch)).metadata?.labels).toEqual({ app: "web", tier: "front" });
  expect((await api.core.patchNamespacedConfigMap({ ...at, body: [{ op: "replace", path: "/data/banner", value: "Last day" }] }, asJsonPatch)).data).toEqual({ banner: "Last day" });
  expect(acts().filter((act) => act === "kubernetes.patched northeurope/configmaps/shop/storefront")).toHaveLength(3);
  expect((await raw("/api/v1/namespaces/shop/configmaps/storefront", { method: "PATCH", headers: { "content-type": "application/json" }, body: "{}" })).status).toBe(415);
  expect(await refusal(api.core.patchNamespacedConfigMap({ ...at, body: { metadata: { resourceVersion: "1" }, data: { a: "b" } } }, asMergePatch))).toMatchObject({ code: 409, body: { reason: "Conflict" } });
});

test("a watch tells every change after its resource version, and that a version is too old", async () => {
  const seen: string[] = [];
  const { metadata } = await api.core.listNamespacedConfigMap({ namespace: "shop" });
  const watch = await new Watch(api.kubeConfig).watch(
    "/api/v1/namespaces/shop/configmaps",
    { resourceVersion: metadata?.resourceVersion ?? "", labelSelector: "app=web" },
    (phase, object: { metadata: { name: string } }) => void seen.push(`${phase} ${object.metadata.name}`),
    () => {},
  );
  await api.core.createNamespacedConfigMap(page("a", { app: "web" }));
  await api.core.createNamespacedConfigMap(page("b"));
  await api.core.patchNamespacedConfigMap({ namespace: "shop", name: "a", body: { data: { x: "y" } } }, asMergePatch);
  await api.core.patchNamespacedConfigMap({ namespace: "shop", name: "b", body: { metadata: { labels: { app: "web" } } } }, asMergePatch);
  await api.core.patchNamespacedConfigMap({ namespace: "shop", name: "a", body: { metadata: { labels: { app: null } } } }, asMergePatch);
  await api.core.deleteNamespacedConfigMap({ namespace: "shop", name: "b" });
  await until("five events", () => (seen.length >= 5 ? seen : null));
  expect(seen).toEqual(["ADDED a", "MODIFIED a", "ADDED b", "DELETED a", "DELETED b"]);
  watch.abort();
  const old = await raw("/api/v1/pods?watch=1&resourceVersion=1");
  expect(JSON.parse((await old.text()).trim())).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  const bookmarked = await raw("/api/v1/namespaces/shop/configmaps?watch=1&allowWatchBookmarks=true&timeoutSeconds=5");
  expect((await bookmarked.text()).trim().split("\n").at(-1)).toContain('"BOOKMARK"');
});

test("health, version and discovery are as clients expect them", async () => {
  expect(await (await raw("/readyz")).text()).toBe("ok");
  expect(await (await raw("/version")).json()).toMatchObject({ gitVersion: "v1.34.4" });
  expect(await (await raw("/apis/apps/v1")).json()).toMatchObject({ kind: "APIResourceList", resources: expect.arrayContaining([expect.objectContaining({ name: "deployments", kind: "Deployment", namespaced: true })]) });
  expect((await raw("/apis/nothing.io/v1/foos")).status).toBe(404);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(401);
});

test("a fault named for a call loses its answer but not its effect; a lost region answers nothing", async () => {
  world.inject({ call: "POST v1/configmaps", kind: "effect-without-answer" });
  await expect(api.core.createNamespacedConfigMap(page("storefront"))).rejects.not.toBeInstanceOf(ApiException);
  expect(acts().filter((act) => act.endsWith("shop/storefront"))).toEqual(["kubernetes.created northeurope/configmaps/shop/storefront"]);
  world.inject({ call: "GET v1/nodes", kind: "blind" });
  expect(await refusal(api.core.listNode())).toMatchObject({ code: 503 });
  world.setReach("northeurope", "reset");
  await expect(api.core.listNode()).rejects.not.toBeInstanceOf(ApiException);
});
