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
    ["secondary.ingress must differ from the primary's ingress", replicated, (p) => (p.secondary.ingress = p.primary.ingress.replace("weu", "WEU"))],
    ["secondary.ingress must differ from the public address, which follows the traffic", replicated, (p) => (p.secondary.ingress = p.traffic.publicUrl)],
    ["traffic.endpoints.secondary must differ from the primary's endpoint", replicated, ({ traffic }) => traffic.kind === "traffic-manager" && (traffic.endpoints.secondary = "WestEurope")],
    ["traffic.targets.secondary must differ from the primary's target", demo, ({ traffic }) => traffic.kind === "dns" && (traffic.targets.secondary = `${traffic.targets.primary}.`)],
    ["traffic.targets.closed must differ from both regions' targets", demo, ({ traffic }) => traffic.kind === "dns" && (traffic.targets.closed = traffic.targets.secondary)],
    ["assertions.2.namespace is `shpo`, which no application restores", replicated, ({ assertions }) => Object.assign(assertions[2]!, { namespace: "shpo" })],
    ["storage.newBackups.schedule has `61` as minute, which goes from 0 to 59", replicated, ({ storage }) => (storage.newBackups.schedule = "61 * * * *")],
    ["storage.newBackups.schedule never comes: no month has that day", replicated, ({ storage }) => (storage.newBackups.schedule = "0 0 31 2 *")],
    ["backups.maxAgeSeconds must be at least what lies between two backups of `storage.newBackups.schedule`, which is 3600", replicated, (p) => (p.backups.maxAgeSeconds = 3_599)],
    ["objectives.rpoSeconds must be at least what lies between two backups of `storage.newBackups.schedule`, which is 7200", replicated, (p) => (p.storage.newBackups.schedule = "@every 2h")],
    ["restore.stallSeconds must be at most deadlineSeconds, which is 600", replicated, (p) => Object.assign(p.restore, { deadlineSeconds: 600, stallSeconds: 601 })],
    ["confirmation.timeoutSeconds must be at most everySeconds, which is 10", replicated, (p) => (p.confirmation.timeoutSeconds = 10.5)],
    ["backups must select backups", demo, (p) => (p.backups.names = [])],
    ["applications.1 restores nothing", demo, (p) => p.applications.push({ ...p.applications[0]!, name: "other", namespaces: [] })],
    ["applications.1.name `shop` is used twice", { ...replicated, applications: replicated.applications.map((a) => ({ ...a, name: "shop" })) }, () => {}],
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

  test.each(["https://user:pw@shop.example.com/", "https://user@shop.example.com/"])("an address with %s in it is refused wherever it stands, and not repeated", (url) => {
    const copy = structuredClone(replicated);
    copy.traffic.publicUrl = copy.primary.ingress = copy.confirmation.controls[0] = url;
    const read = planSchema.safeParse(copy);
    expect(read.error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)).toEqual(["primary.ingress", "confirmation.controls.0", "traffic.publicUrl"].map((path) => `${path} holds a user name or a password`));
    expect(wrongAfter(replicated, (p) => (p.traffic.publicUrl = "https://shop.example.com/a@b"))).toEqual([]);
  });

  test.each<[string, string, (plan: { [K in keyof Plan]: Plan[K] }) => unknown]>([
    ["a namespace", "must be the name of a namespace", ({ applications }) => (applications[1]!.namespaces[1] = "Schöp")],
    ["Velero's namespace", "must be the name of a namespace", ({ primary }) => (primary.veleroNamespace = "Velero")],
    ["a consumers' label", "must be the key of a label", ({ applications }) => (applications[1]!.consumers.label = "not a label!")],
    ["a pod's label", "must be label=value", ({ applications }) => (applications[1]!.consumers.podSelectors = ["app=order mailer"])],
    ["a workload", "must be the name of an object", ({ assertions }) => Object.assign(assertions[2]!, { name: "Store Front" })],
    ["a claim", "must be the name of an object", ({ assertions }) => Object.assign(assertions[4]!, { claim: "" })],
  ])("%s is called as Kubernetes takes it", (_, message, change) => {
    expect(wrongAfter(replicated, change)).toEqual([expect.stringContaining(message)]);
    expect(wrongAfter(replicated, (p) => Object.assign(p.applications[1]!.consumers, { label: "consumer", podSelectors: ["example.com/app.kubernetes=a_b.c"] }))).toEqual([]);
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
