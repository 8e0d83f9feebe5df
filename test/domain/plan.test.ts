import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { accounts, dnsZone, primary, publicName, secondary, trafficManager } from "../../lab/world/pair.ts";
import { type Plan, type PlanFile, planSchema } from "../../shared/domain/plan.ts";
import { examplePlan, exampleText } from "./example-plans.ts";

const replicated = examplePlan("shop-replicated");
const shared = examplePlan("shop-shared");
const demo = examplePlan("demo");

/** Fields and messages of what is wrong with a plan after a change to a copy of it. */
function wrongAfter(plan: Plan, change: (copy: { [K in keyof Plan]: Plan[K] }) => void): string[] {
  const copy = structuredClone(plan);
  change(copy);
  const read = planSchema.safeParse(copy);
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
}

describe("the example plans", () => {
  test("speak of exactly the names of the pair", () => {
    for (const plan of [replicated, shared, demo]) {
      expect(plan.primary).toMatchObject({ name: primary.region, cluster: primary.cluster.id, ingress: `https://${primary.ingressHost}/` });
      expect(plan.secondary).toMatchObject({ name: secondary.region, cluster: secondary.cluster.id, ingress: `https://${secondary.ingressHost}/` });
      expect(plan.storage.newBackups).toMatchObject({ account: accounts.replica.id, container: accounts.replica.containers[1] });
    }
    for (const plan of [replicated, shared]) {
      expect(plan.traffic).toEqual({ kind: "traffic-manager", profile: trafficManager.id, endpoints: trafficManager.endpoints, publicUrl: `https://${publicName}/` });
    }
    expect(replicated.storage).toMatchObject({ source: { account: accounts.source.id, container: "velero" }, replica: { account: accounts.replica.id, container: "velero" } });
    expect(shared.storage).toMatchObject({ account: accounts.shared.id, container: "velero" });
    expect(demo.traffic).toMatchObject({ recordSet: `${dnsZone.id}/CNAME/demo`, targets: { primary: primary.ingressHost, secondary: secondary.ingressHost } });
  });

  test("the two shops differ in their storage and in nothing else", () => {
    expect({ ...shared, storage: null }).toEqual({ ...replicated, storage: null });
  });

  test("a shop is confirmed lost only by all five signals", () => {
    expect(replicated.confirmation.signals.map(({ kind }) => kind)).toEqual(["public-probe", "backend-probe", "kubernetes-api", "resource-health", "traffic-manager"]);
    expect(replicated.confirmation.agree).toBe(5);
  });

  test("are checked by editors as they are by us: the published schema takes them, and refuses what is not in it", () => {
    const editor = z.fromJSONSchema(JSON.parse(readFileSync(new URL("../../docs/plans/plan.schema.json", import.meta.url), "utf8")) as Parameters<typeof z.fromJSONSchema>[0]);
    for (const name of ["shop-replicated", "shop-shared", "demo"] as const) {
      expect(exampleText(name)).toMatch(/^# yaml-language-server: \$schema=plan\.schema\.json\n/);
      const data = parse(exampleText(name)) as Record<string, object>;
      expect(editor.safeParse(data).error?.issues ?? []).toEqual([]);
      expect(editor.safeParse({ ...data, abuot: "x" }).success).toBe(false);
      expect(editor.safeParse({ ...data, primary: { ...data["primary"], cluster: accounts.source.id } }).success).toBe(false);
    }
  });

  test("every choice in the body of an example stands under a comment", () => {
    for (const name of ["shop-replicated", "shop-shared", "demo"] as const) expect(exampleText(name).match(/^\s*# ./gm)?.length, name).toBeGreaterThan(12);
  });
});

describe("rules across fields", () => {
  test.each<[string, Plan, (plan: { [K in keyof Plan]: Plan[K] }) => void]>([
    ["secondary.name must differ from the primary region", replicated, (p) => (p.secondary.name = p.primary.name)],
    ["secondary.cluster must differ from the primary cluster", replicated, (p) => (p.secondary.cluster = p.primary.cluster.toUpperCase())],
    ["backups must select backups", demo, (p) => (p.backups.names = [])],
    ["applications.0 restores nothing", demo, (p) => (p.applications[0]!.namespaces = [])],
    ["applications.1.name `shop` is used twice", { ...demo, applications: replicated.applications.map((a) => ({ ...a, name: "shop" })) }, () => {}],
    ["applications.1.namespaces.0 lists namespace `shop` a second time", replicated, (p) => (p.applications[0]!.namespaces = ["shop"])],
    ["confirmation.agree must be at most the number of signals, which is 2", demo, (p) => (p.confirmation.agree = 3)],
    ["confirmation.signals.2.kind lists public-probe a second time", demo, (p) => (p.confirmation.signals[2] = { kind: "public-probe", path: "/other" })],
    ["confirmation.signals.2.kind needs traffic of kind traffic-manager", demo, (p) => (p.confirmation.signals[2] = { kind: "traffic-manager" })],
    ["confirmation.signals lists none that looks at the cluster itself", demo, (p) => (p.confirmation.signals[1] = { kind: "backend-probe", path: "/" })],
    ["confirmation.everySeconds must be at most half of soakSeconds, which is 60", demo, (p) => (p.confirmation.everySeconds = 31)],
    ["confirmation.giveUpSeconds must be more than soakSeconds, which is 60", demo, (p) => (p.confirmation.giveUpSeconds = 60)],
    ["fence.trafficOnlyBecause is missing, and `traffic-only` is listed in `enough`", replicated, (p) => delete p.fence.trafficOnlyBecause],
    ["storage.replica.account must differ from the source account", replicated, ({ storage }) => storage.topology === "replicated" && (storage.replica.account = storage.source.account.toUpperCase())],
    ["storage.newBackups.container must differ from the replica's container, which stays read-only for ever", replicated, ({ storage }) => (storage.newBackups.container = "velero")],
    ["storage.newBackups.account must differ from the source account, which is lost together with the primary region", replicated, ({ storage }) => storage.topology === "replicated" && (storage.newBackups.account = storage.source.account.toUpperCase())],
    ["storage.newBackups.account must differ from the shared account, which takes no writes while its primary region is lost", shared, ({ storage }) => storage.topology === "shared" && (storage.newBackups.account = storage.account)],
    ["storage.newBackups.storageLocation must differ from the replica's storage location", shared, ({ storage }) => (storage.newBackups.storageLocation = storage.storageLocation)],
  ])("%s", (message, plan, change) => {
    expect(wrongAfter(plan, change)).toEqual([message]);
  });

  test("speak beside other problems in the same part of the plan, not after them", () => {
    const problems = wrongAfter(replicated, (plan) => {
      Object.assign(plan.confirmation, { agree: 9, soakSecond: 5, everySeconds: "ten" });
      Object.assign(plan.secondary, { name: plan.primary.name, pools: [] });
    });
    expect(problems).toHaveLength(5);
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining("confirmation.agree must be at most"), expect.stringContaining("secondary.name must differ")]));
  });

  test("are silent about fields that are not there yet", () => {
    const problems = wrongAfter(replicated, (plan) => Object.assign(plan, { primary: undefined, confirmation: { signals: "none" } }));
    expect(problems.filter((p) => /must differ|must be at most|must be more/.test(p))).toEqual([]);
  });
});

describe("single fields", () => {
  test("resource ids are taken in any case, and only of the right type", () => {
    expect(wrongAfter(replicated, (p) => (p.primary.cluster = p.primary.cluster.toLowerCase()))).toEqual([]);
    expect(wrongAfter(replicated, (p) => (p.primary.cluster = accounts.source.id))).toEqual([expect.stringMatching(/^primary.cluster must be the full id of a resource of type Microsoft.ContainerService/)]);
    expect(wrongAfter(replicated, (p) => (p.primary.cluster += "?api-version=1"))).toHaveLength(1);
  });

  test("addresses are asked over https only", () => {
    for (const url of ["http://shop.example.com/", "ftp://shop.example.com/", "javascript:alert(1)", "shop.example.com"]) expect(wrongAfter(replicated, (p) => (p.traffic.publicUrl = url)), url).toHaveLength(1);
  });

  test("what a plan leaves out has a default", () => {
    const { primary, secondary, storage, applications, approval, fence, assertions, traffic, objectives, plan } = demo;
    const least: PlanFile = { plan, primary, secondary, storage, applications, approval, fence, assertions, traffic, objectives, backups: { names: ["demo-backup"] }, confirmation: { signals: [{ kind: "public-probe" }, { kind: "kubernetes-api" }], agree: 2, controls: ["https://example.com/"] } };
    expect(planSchema.parse(least)).toMatchObject({
      backups: { provenFrom: "readable", acceptPartiallyFailed: false, maxAgeSeconds: 86_400, expiryMarginSeconds: 7_200 },
      confirmation: { soakSeconds: 60, everySeconds: 10, giveUpSeconds: 900, timeoutSeconds: 3, signals: [{ path: "/healthz" }, {}] },
      alerts: { targets: [] },
      restore: { deadlineSeconds: 3_600, stallSeconds: 600 },
      cooldownSeconds: 3_600,
    });
  });
});
