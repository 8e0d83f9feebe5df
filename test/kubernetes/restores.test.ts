/** Restores under all that can be different: stores that refuse, broken bytes, filters, modifiers, missing parts. Expectations as seen on a Velero 1.18.3. */
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import type { LabWorld } from "../../lab/world/world.ts";
import type { KubernetesObject } from "../../lab/world/kubernetes/object.ts";
import type { Writer } from "../../lab/world/kubernetes/store.ts";
import { getOf, isReady, listOf, workloadKinds as kinds } from "../../lab/world/kubernetes/workloads.ts";
import { ungzipJson } from "../../lab/world/velero/archive.ts";
import { changeVelero, getVelero, type RestoreSpec } from "../../lab/world/velero/objects.ts";
import { labWorld, until } from "./region.ts";
import { restoreOf, secondary, volumeRestoresOf, watchPhases } from "./velero-region.ts";

const point = "shop-hourly-20261121055809";
const client: Writer = { manager: "test", part: "object" };
let world: LabWorld;
let region: Awaited<ReturnType<typeof secondary>>;

beforeEach(async () => {
  world = labWorld();
  region = await secondary(world);
});

const store = () => region.cluster.store;
const orders = (namespace = "shop") => region.cluster.volumeFiles(namespace, "data-orders-0")?.["orders.txt"];
const results = async (restore: string) => {
  const bytes = region.replica.blobs.get(`restores/${restore}/restore-${restore}-results.gz`);
  return bytes ? ((await ungzipJson(bytes)) as { errors: Record<string, unknown>; warnings: Record<string, unknown> }) : null;
};
const namesIn = (namespace: string, kind: (typeof kinds)[keyof typeof kinds]) => store().list(kind, namespace).map(({ metadata }) => metadata.name);
const modifier = (name: string, yaml: string) => store().create(kinds.configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "velero" }, data: { "rules.yaml": yaml } }, client);

test.each([
  { code: "AuthorizationPermissionMismatch", refused: 403 as const },
  { code: "OperationNotAllowedOnDestination", refused: 409 as const },
])("from a store that refuses writes with $refused everything comes back, and the restore is PartiallyFailed with one error", async ({ code, refused }) => {
  region.replica.refuse({ refused, code });
  const seen = watchPhases(region.cluster, "restores");
  const demo = await restoreOf(region, "demo", { backupName: "demo-backup", includedNamespaces: ["*"] });
  // Field by field as in watch/denied-restores.jsonl, sec403-demo and lock409-demo.
  // How often it said how far it had come depends on the machine: the last time counts.
  const isProgress = (object: KubernetesObject | undefined) => {
    const { phase, progress } = (object?.["status"] ?? {}) as { phase?: string; progress?: unknown };
    return phase === "InProgress" && progress !== undefined;
  };
  const told = seen.filter(({ metadata }) => metadata.name === "demo").filter((object, at, all) => !(isProgress(object) && isProgress(all[at + 1])));
  expect(told.map(({ status }) => status)).toEqual([
    undefined,
    undefined,
    { phase: "InProgress", startTimestamp: expect.any(String) },
    { phase: "InProgress", startTimestamp: expect.any(String), progress: { itemsRestored: 11, totalItems: 11 } },
    { phase: "FinalizingPartiallyFailed", errors: 1, warnings: 1, startTimestamp: expect.any(String), progress: { itemsRestored: 11, totalItems: 11 } },
    { phase: "FinalizingPartiallyFailed", errors: 1, warnings: 1, hookStatus: {}, startTimestamp: expect.any(String), progress: { itemsRestored: 11, totalItems: 11 } },
    { phase: "PartiallyFailed", errors: 1, warnings: 1, hookStatus: {}, startTimestamp: expect.any(String), completionTimestamp: expect.any(String), progress: { itemsRestored: 11, totalItems: 11 } },
  ]);
  expect(demo.metadata.finalizers).toEqual(["restores.velero.io/external-resources-finalizer"]);
  const shop = await restoreOf(region, "shop", { backupName: point, includedNamespaces: ["shop"] });
  expect(shop.status).toMatchObject({ phase: "PartiallyFailed", errors: 1, warnings: 1 });
  expect(volumeRestoresOf(region.cluster, "shop").map(({ status }) => status?.phase)).toEqual(["Completed"]);
  expect(orders()).toBe("order 1001 paid\n");
  expect([...region.replica.blobs.keys()].some((name) => name.startsWith("restores/"))).toBe(false);
});

test("right after the location was pointed elsewhere the objects come back and the volume does not: two errors, the pod waits for ever", async () => {
  world = labWorld({ veleroValidation: 100_000 });
  region = await secondary(world);
  await restoreOf(region, "first", { backupName: point, includedNamespaces: ["shop"], namespaceMapping: { shop: "first" } });
  const other = region.container("velero-2");
  for (const [name, bytes] of region.replica.blobs) other.blobs.set(name, bytes);
  other.refuse({ refused: 403, code: "AuthorizationPermissionMismatch" });
  changeVelero(store(), "backupstoragelocations", "replica", (draft) => void (draft.spec = { ...draft.spec, objectStorage: { bucket: "velero-2" } }));
  expect(getVelero(store(), "backuprepositories", "shop-replica-kopia")?.status).toMatchObject({ phase: "NotReady", message: "re-establish on BSL change, create or delete" });
  const { status } = await restoreOf(region, "second", { backupName: point, includedNamespaces: ["shop"] });
  expect(status).toMatchObject({ phase: "PartiallyFailed", errors: 2, warnings: 1 });
  expect(volumeRestoresOf(region.cluster, "second")).toEqual([]);
  expect(getOf(store(), "pods", "shop", "orders-0")?.status).toMatchObject({ phase: "Pending", initContainerStatuses: [{ name: "restore-wait", ready: false }] });
  await until("the repository is ready again", () => (getVelero(store(), "backuprepositories", "shop-replica-kopia")?.status?.phase === "Ready" ? true : null));
  await restoreOf(region, "third", { backupName: point, includedNamespaces: ["shop"], namespaceMapping: { shop: "third" } });
  expect(orders("third")).toBe("order 1001 paid\n");
});

test("each point restores its own banner, replicas and orders", async () => {
  for (const [name, banner, replicas, lines] of [["shop-hourly-20261121055809", "Winter sale", 3, 1], ["shop-hourly-20261121055818", "Black Friday", 5, 2], ["shop-hourly-20261121055825", "Last day", 5, 3]] as const) {
    const namespace = `drill-${lines}`;
    await restoreOf(region, `point-${lines}`, { backupName: name, includedNamespaces: ["shop"], namespaceMapping: { shop: namespace } });
    expect(store().get(kinds.configMaps, namespace, "storefront")?.["data"]).toMatchObject({ banner });
    expect(getOf(store(), "deployments", namespace, "storefront")?.spec.replicas).toBe(replicas);
    expect(orders(namespace)?.trim().split("\n")).toHaveLength(lines);
  }
});

test("restored pods are adopted, run, and the workloads become ready", async () => {
  await restoreOf(region, "shop", { backupName: point, includedNamespaces: ["shop"] });
  await until("all pods ready", () => (listOf(store(), "pods", "shop").every(isReady) ? true : null));
  const pods = listOf(store(), "pods", "shop");
  expect(pods.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind ?? "nobody").toSorted()).toEqual(["ReplicaSet", "ReplicaSet", "ReplicaSet", "ReplicaSet", "StatefulSet"]);
  expect(pods.every(({ metadata }) => metadata.labels?.["velero.io/restore-name"] === "shop" && metadata.labels["velero.io/backup-name"] === point)).toBe(true);
  await until("deployments available", () => (listOf(store(), "deployments", "shop").every((one) => one.status?.["availableReplicas"] === one.spec.replicas) ? true : null));
});

test("a changed byte in the archive changes what the cluster holds", async () => {
  const name = "backups/demo-backup/demo-backup.tar.gz";
  const tar = gunzipSync(region.replica.blobs.get(name) ?? Buffer.of());
  const text = tar.toString("latin1").replaceAll("still here", "still hera");
  region.replica.blobs.set(name, gzipSync(Buffer.from(text, "latin1")));
  await restoreOf(region, "demo", { backupName: "demo-backup" });
  expect(store().get(kinds.configMaps, "disaster-demo", "page")?.["data"]).toEqual({ "index.html": "<h1>still hera</h1>" });
});

test.each([
  { what: "cut short", bytes: (whole: Uint8Array) => whole.subarray(0, 3_000), error: "unexpected EOF" },
  { what: "with a flipped byte", bytes: (whole: Uint8Array) => Uint8Array.from(whole, (byte, at) => (at === 1_000 ? byte ^ 0xff : byte)), error: "flate: corrupt input" },
  { what: "that is no archive", bytes: () => Buffer.from("not gzip at all"), error: "gzip: invalid header" },
])("an archive $what restores nothing: PartiallyFailed with one error", async ({ bytes, error }) => {
  const name = "backups/demo-backup/demo-backup.tar.gz";
  region.replica.blobs.set(name, bytes(region.replica.blobs.get(name) ?? Buffer.of()));
  const { status } = await restoreOf(region, "demo", { backupName: "demo-backup" });
  expect(status).toMatchObject({ phase: "PartiallyFailed", errors: 1 });
  expect(status?.progress).toBeUndefined();
  expect((await results("demo"))?.errors).toEqual({ velero: [error] });
  expect(store().get(kinds.namespaces, "", "disaster-demo")).toBeNull();
});

test("a missing archive fails the restore before it begins", async () => {
  region.replica.blobs.delete("backups/demo-backup/demo-backup.tar.gz");
  const { status } = await restoreOf(region, "demo", { backupName: "demo-backup" });
  expect(status).toMatchObject({ phase: "Failed", failureReason: expect.stringContaining("restore execution failed: error downloading backup"), completionTimestamp: expect.any(String) });
  expect(status?.failureReason).toContain("BlobNotFound");
});

test.each<{ spec: RestoreSpec; errors: string[] }>([
  { spec: { backupName: "not-there" }, errors: [`Error retrieving backup: can't find backup velero/not-there: Backup.velero.io "not-there" not found`] },
  { spec: { includedNamespaces: ["x"] }, errors: ["Either a backup or schedule must be specified as a source for the restore, but not both"] },
  { spec: { backupName: "demo-backup", labelSelector: { matchLabels: { a: "b" } }, orLabelSelectors: [{ matchLabels: { a: "b" } }] }, errors: ["encountered labelSelector as well as orLabelSelectors in restore spec, only one can be specified"] },
  {
    spec: { backupName: "demo-backup", includedResources: ["pods"], excludedResources: ["pods"], includedNamespaces: ["a"], excludedNamespaces: ["a"] },
    errors: ["Invalid included/excluded resource lists: excludes list cannot contain an item in the includes list: pods", "Invalid included/excluded namespace lists: excludes list cannot contain an item in the includes list: a"],
  },
  { spec: { backupName: "demo-backup", existingResourcePolicy: "bogus" }, errors: ["Invalid ExistingResourcePolicy: bogus"] },
  { spec: { backupName: "demo-backup", resourceModifier: { kind: "configmap", name: "nope" } }, errors: ["failed to get resource modifiers configmap velero/nope"] },
])("a restore that cannot be is refused: $errors", async ({ spec, errors }) => {
  const { status } = await restoreOf(region, "refused", spec);
  expect(status).toEqual({ phase: "FailedValidation", validationErrors: errors });
});

test("a location with a foreign folder is Unavailable at once, and restores from it are refused", async () => {
  region.replica.blobs.set("lifeboat/x.json", Buffer.from("{}"));
  await until("Unavailable", () => (getVelero(store(), "backupstoragelocations", "replica")?.status?.phase === "Unavailable" ? true : null), 20_000);
  expect(getVelero(store(), "backupstoragelocations", "replica")?.status?.message).toBe('BackupStorageLocation "replica" is unavailable: Backup store contains invalid top-level directories: [lifeboat]');
  const { status } = await restoreOf(region, "demo", { backupName: "demo-backup" });
  expect(status?.validationErrors).toEqual(["The BSL replica is unavailable, cannot retrieve the backup"]);
});

test("labels select: NotIn keeps what has no such label, and a pod brings its priority class along", async () => {
  const { status } = await restoreOf(region, "some", {
    backupName: "shop-hourly-20261121055825",
    includedNamespaces: ["shop"],
    namespaceMapping: { shop: "shop2" },
    labelSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["order-mailer"] }] },
    restorePVs: false,
  });
  // As seen: 31 items, among them the priority class, and the volume's data although restorePVs is false.
  expect(status).toMatchObject({ phase: "Completed", warnings: 1, progress: { itemsRestored: 31, totalItems: 31 } });
  expect(namesIn("shop2", kinds.deployments)).toEqual(["storefront"]);
  expect(store().get(kinds.priorityClasses, "", "shop-critical")).not.toBeNull();
  expect(orders("shop2")).toContain("order 1003");
});

test("one of several selectors is enough; without cluster resources nothing cluster-scoped comes", async () => {
  const { status } = await restoreOf(region, "some", {
    backupName: "shop-hourly-20261121055825",
    includedNamespaces: ["shop"],
    namespaceMapping: { shop: "lab1" },
    orLabelSelectors: [{ matchLabels: { app: "storefront" } }, { matchExpressions: [{ key: "lifeboat.dev/consumer", operator: "Exists" }] }],
    includeClusterResources: false,
  });
  expect(status).toMatchObject({ phase: "Completed", progress: { itemsRestored: 10, totalItems: 10 } });
  expect(namesIn("lab1", kinds.deployments)).toEqual(["order-mailer", "storefront"]);
  expect(store().get(kinds.priorityClasses, "", "shop-critical")).toBeNull();
});

test("named kinds with cluster resources bring the definitions, and existing policy update changes what differs", async () => {
  const spec: RestoreSpec = { backupName: "shop-hourly-20261121055825", includedNamespaces: ["shop"], includeClusterResources: true, includedResources: ["customresourcedefinitions.apiextensions.k8s.io", "deployments"] };
  expect((await restoreOf(region, "kinds", spec)).status).toMatchObject({ phase: "Completed", warnings: 13, progress: { itemsRestored: 17 } });
  expect(store().kinds.named("promotions.shop.example.com")).not.toBeNull();
  store().change(kinds.deployments, "shop", "storefront", (draft) => void Object.assign(draft["spec"] as object, { replicas: 1 }), client);
  const none = await restoreOf(region, "none", { ...spec, includedResources: ["deployments"], existingResourcePolicy: "none" });
  expect(none.status?.warnings).toBe(2);
  expect(getOf(store(), "deployments", "shop", "storefront")?.spec.replicas).toBe(1);
  expect((await restoreOf(region, "update", { ...spec, includedResources: ["deployments"], existingResourcePolicy: "update" })).status?.warnings).toBeUndefined();
  expect(getOf(store(), "deployments", "shop", "storefront")).toMatchObject({ spec: { replicas: 5 }, metadata: { labels: { "velero.io/restore-name": "update" } } });
});

test("resource modifiers patch objects on their way in, and know quoted from unquoted values", async () => {
  modifier(
    "quiet",
    `version: v1
resourceModifierRules:
- conditions: {groupResource: deployments.apps, resourceNameRegex: ".*", namespaces: [disaster-demo]}
  patches: [{operation: replace, path: /spec/replicas, value: "0"}]
- conditions: {groupResource: configmaps, resourceNameRegex: ^page$}
  mergePatches: [{patchData: '{"data":{"added":"yes"}}'}]
- conditions: {groupResource: services, labelSelector: {matchLabels: {nope: nope}}}
  mergePatches: [{patchData: '{"metadata":{"annotations":{"no":"no"}}}'}]
- conditions: {groupResource: services, matches: [{path: /spec/ports/0/port, value: "80"}]}
  strategicPatches: [{patchData: '{"metadata":{"annotations":{"strategic":"yes"}}}'}]
`,
  );
  await restoreOf(region, "quiet", { backupName: "demo-backup", namespaceMapping: { "disaster-demo": "quiet" }, resourceModifier: { kind: "configmap", name: "quiet" } });
  expect(getOf(store(), "deployments", "quiet", "nginx")?.spec.replicas).toBe(0);
  expect(store().get(kinds.configMaps, "quiet", "page")?.["data"]).toEqual({ "index.html": "<h1>still here</h1>", added: "yes" });
  expect(store().get(kinds.services, "quiet", "nginx")?.metadata.annotations).toMatchObject({ strategic: "yes" });
  await until("no pods left", () => (listOf(store(), "pods", "quiet").length === 0 ? true : null));
});

test.each([
  { what: "a number where Velero wants text", rules: "- conditions: {groupResource: deployments.apps}\n  patches: [{operation: replace, path: /spec/replicas, value: 0}]" },
  { what: "an unknown field", rules: "- conditions: {groupResource: deployments.apps, resource: x}\n  patches: [{operation: remove, path: /spec/replicas}]" },
])("modifiers with $what are refused before anything is restored", async ({ rules }) => {
  modifier("wrong", `version: v1\nresourceModifierRules:\n${rules}\n`);
  const { status } = await restoreOf(region, "wrong", { backupName: "demo-backup", resourceModifier: { kind: "configmap", name: "wrong" } });
  expect(status).toMatchObject({ phase: "FailedValidation", validationErrors: [expect.stringContaining("Error in parsing resource modifiers provided in configmap velero/wrong")] });
});
