import { describe, expect, test } from "vitest";
import type { Consumer, Contents } from "../../shared/domain/contents.ts";
import { consumersOf, modifierObject, releasePatch, restoreObject, type RestoreOrder, isReleased, whyNotHeld } from "../../shared/domain/restore-object.ts";
import { examplePlan } from "./example-plans.ts";

const applications = examplePlan("shop-replicated").applications;
const application = (name: string) => {
  const found = applications.find((known) => known.name === name);
  if (!found) throw new Error(`the example has no application ${name}`);
  return found;
};
const consumer = (kind: string, more: Partial<Consumer> = {}): Consumer => ({
  apiVersion: kind === "CronJob" || kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  namespace: "shop",
  name: kind.toLowerCase(),
  replicas: null,
  suspended: null,
  podLabels: { app: "order-mailer" },
  owned: false,
  selectedBy: ["lifeboat.dev/consumer=true"],
  claims: [],
  ...more,
});
const contentsWith = (...consumers: Consumer[]): Contents => ({ objects: 0, namespaces: {}, cluster: { objects: 0, kinds: {}, images: [], storageClasses: [] }, consumers, claims: [], dataUploads: [], customKinds: [], cut: [] });
const order = (more: Partial<RestoreOrder> = {}): RestoreOrder => ({ name: "lifeboat-shop-7-shop", namespace: "velero", runId: "shop-7", backup: "shop-hourly-1", application: application("shop"), part: "main", consumers: [], ...more });
const specOf = (object: Readonly<Record<string, unknown>>) => object["spec"] as Readonly<Record<string, unknown>>;

describe("the Restore", () => {
  test("is named, labelled with its run, and names the backup", () => {
    expect(restoreObject(order())).toMatchObject({ apiVersion: "velero.io/v1", kind: "Restore", metadata: { name: "lifeboat-shop-7-shop", namespace: "velero", labels: { "lifeboat.dev/run": "shop-7" } }, spec: { backupName: "shop-hourly-1" } });
  });

  test("of the main part takes the namespaces, without consumers, without their loose pods, without what controllers make anew", () => {
    expect(specOf(restoreObject(order()))).toEqual({
      backupName: "shop-hourly-1",
      includedNamespaces: ["shop"],
      excludedResources: ["endpoints", "endpointslices.discovery.k8s.io"],
      labelSelector: {
        matchExpressions: [
          { key: "lifeboat.dev/consumer", operator: "NotIn", values: ["true"] },
          { key: "app", operator: "NotIn", values: ["order-mailer"] },
        ],
      },
    });
  });

  test("of the consumers takes what the main one left out, their workloads held by a modifier; the pods those make are left to them", () => {
    expect(specOf(restoreObject(order({ part: "consumers", name: "lifeboat-shop-7-shop-held", consumers: [consumer("Deployment")] })))).toEqual({
      backupName: "shop-hourly-1",
      includedNamespaces: ["shop"],
      excludedResources: ["endpoints", "endpointslices.discovery.k8s.io", "pods", "replicasets.apps", "controllerrevisions.apps"],
      orLabelSelectors: [{ matchLabels: { "lifeboat.dev/consumer": "true" } }, { matchExpressions: [{ key: "app", operator: "In", values: ["order-mailer"] }] }],
      resourceModifier: { kind: "configmap", name: "lifeboat-shop-7-shop-held" },
    });
  });

  test("of an application without namespaces names its cluster-scoped kinds", () => {
    const spec = specOf(restoreObject(order({ application: application("shop-foundation") })));
    expect(spec).toMatchObject({ includeClusterResources: true, includedResources: expect.arrayContaining(["priorityclasses.scheduling.k8s.io"]) });
    expect(spec).not.toHaveProperty("includedNamespaces");
    expect(spec).not.toHaveProperty("labelSelector");
  });

  test("takes a label value with an equals sign in it whole", () => {
    const shop = application("shop");
    const spec = specOf(restoreObject(order({ application: { ...shop, consumers: { ...shop.consumers, podSelectors: ["hash=a=b"] } } })));
    expect(spec["labelSelector"]).toMatchObject({ matchExpressions: [{}, { key: "hash", operator: "NotIn", values: ["a=b"] }] });
  });
});

test("consumers are the labelled workloads of the application's namespaces that nobody owns", () => {
  const contents = contentsWith(consumer("Deployment"), consumer("Pod"), consumer("ReplicaSet", { owned: true }), consumer("Deployment", { namespace: "other" }), consumer("ClusterThing", { namespace: null }), consumer("ConfigMap", { podLabels: {} }), consumer("CronJob"), consumer("DaemonSet"));
  expect(consumersOf(contents, application("shop")).map(({ kind }) => kind)).toEqual(["Deployment", "CronJob"]);
  expect(whyNotHeld(contents, [], application("shop"))).toEqual([expect.stringContaining("DaemonSet shop/daemonset carries the label of a consumer and cannot be held back")]);
});

describe("what would act before release, or come back empty", () => {
  const shop = application("shop");
  const why = (consumers: Consumer[], volumes: Parameters<typeof whyNotHeld>[1] = []) => whyNotHeld(contentsWith(...consumers), volumes, shop);
  const byPods = { selectedBy: ["app=order-mailer"] };

  test("is nothing where labels and selectors cover everything", () => {
    expect(why([consumer("Deployment"), consumer("CronJob", { podLabels: {} }), consumer("Service", { ...byPods, podLabels: {} }), consumer("Pod", byPods)])).toEqual([]);
  });

  test("a workload that carries its pods' label alone is held with the others", () => {
    const bare = consumer("Deployment", byPods);
    expect(consumersOf(contentsWith(bare), shop)).toEqual([bare]);
    expect(why([bare])).toEqual([]);
    expect(consumersOf(contentsWith(bare), { ...shop, consumers: { ...shop.consumers, podSelectors: ["app=other"] } })).toEqual([]);
  });

  test.each([
    ["pods that no selector covers, by the label to add", consumer("Deployment", { podLabels: { "pod-template-hash": "1", app: "crier" } }), "add app=crier to consumers.podSelectors of shop"],
    ["pods without any label", consumer("StatefulSet", { podLabels: {} }), "give its pod template a label"],
    ["a CronJob's pods, where they have labels", consumer("CronJob", { podLabels: { app: "crier" } }), "add app=crier"],
    ["a workload that only its pods make a consumer", consumer("Deployment", { selectedBy: [] }), "label it lifeboat.dev/consumer=true"],
  ])("is said of %s", (_, one, said) => {
    expect(why([one])).toEqual([expect.stringContaining(said)]);
  });

  test("pods that carry the consumer label themselves are covered by it", () => {
    expect(why([consumer("Deployment", { podLabels: { "lifeboat.dev/consumer": "true" } })])).toEqual([]);
  });

  const volume = { namespace: "shop", claim: "outbox", method: "file-system-backup", snapshot: "abc", bytes: 1, restorable: true, why: "" } as const;
  const pod = consumer("Pod", { name: "order-mailer-1", ...byPods, claims: ["outbox"] });
  test.each([
    ["of a claim", volume, 1],
    ["of a volume without a claim", { ...volume, claim: "order-mailer-1/cache" }, 1],
    ["moved by data movement, which needs no pod", { ...volume, method: "data-movement" as const }, 0],
    ["of another namespace", { ...volume, namespace: "other" }, 0],
    ["of a pod that comes back", { ...volume, claim: "data-orders-0" }, 0],
  ])("a copy by file-system backup with a consumer's pod, %s", (_, copied, reasons) => {
    expect(why([pod], [copied])).toHaveLength(reasons);
  });
});

test.each([
  ["Deployment", { spec: { replicas: 0 } }, false],
  ["Deployment", { spec: {} }, true],
  ["CronJob", { spec: { suspend: true } }, false],
  ["Job", { spec: {} }, true],
] as const)("a %s with %j is released: %s", (kind, object, released) => {
  expect(isReleased(consumer(kind), object)).toBe(released);
});

test("the modifier holds each kind once: replicas to zero, schedules and jobs suspended", () => {
  const object = modifierObject(order({ consumers: [consumer("Deployment"), consumer("Deployment", { name: "second" }), consumer("CronJob"), consumer("Job"), consumer("StatefulSet")] }));
  const { "modifier.yaml": text } = object["data"] as { "modifier.yaml": string };
  expect(JSON.parse(text)).toEqual({
    version: "v1",
    resourceModifierRules: [
      { conditions: { groupResource: "deployments.apps" }, mergePatches: [{ patchData: '{"spec":{"replicas":0}}' }] },
      { conditions: { groupResource: "cronjobs.batch" }, mergePatches: [{ patchData: '{"spec":{"suspend":true}}' }] },
      { conditions: { groupResource: "jobs.batch" }, mergePatches: [{ patchData: '{"spec":{"suspend":true}}' }] },
      { conditions: { groupResource: "statefulsets.apps" }, mergePatches: [{ patchData: '{"spec":{"replicas":0}}' }] },
    ],
  });
});

test.each([
  ["a Deployment, to what it had", consumer("Deployment", { replicas: 3 }), { spec: { replicas: 3 } }],
  ["a Deployment that said nothing, to one", consumer("Deployment"), { spec: { replicas: 1 } }],
  ["a Deployment at rest in the backup, to nothing", consumer("Deployment", { replicas: 0 }), null],
  ["a CronJob", consumer("CronJob"), { spec: { suspend: false } }],
  ["a Job that was running", consumer("Job", { suspended: false }), { spec: { suspend: false } }],
  ["a CronJob suspended in the backup, to nothing", consumer("CronJob", { suspended: true }), null],
])("release sets %s", (_, held, patch) => {
  expect(releasePatch(held)).toEqual(patch);
});
