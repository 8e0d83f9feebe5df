import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AlertReading, readAlert } from "../../shared/domain/alert.ts";
import { availabilityFired, availabilityResolved, nodesNotReady, resourceHealth, serviceHealth } from "./alert-samples.ts";
import { examplePlan } from "./example-plans.ts";

const shop = examplePlan("shop-replicated");
const demo = { ...examplePlan("demo"), primary: { ...shop.primary, cluster: shop.primary.cluster.replace("aks-shop-weu", "aks-demo-weu") } };
const plans = [shop, demo];

/** The cluster alert with other essentials, context or custom properties. */
function alert(change: { readonly essentials?: object; readonly alertContext?: unknown; readonly customProperties?: unknown } = {}): unknown {
  const { data, schemaId } = nodesNotReady;
  const { essentials, ...others } = change;
  return { schemaId, data: { ...data, essentials: { ...data.essentials, ...essentials }, ...others } };
}

const summary = (reading: AlertReading) => (reading.kind === "ours" ? { plan: reading.plan.plan, condition: reading.condition, rule: reading.rule, severity: reading.severity, firedAt: reading.firedAt } : reading.kind);

describe("the samples of Azure Monitor are read", () => {
  test.each([
    ["availabilityFired", availabilityFired, { plan: "shop", condition: "fired", rule: "ar-ingress-availability-weu", severity: "Sev0", firedAt: Date.UTC(2026, 10, 20, 9, 14, 7, 512) }],
    ["availabilityResolved", availabilityResolved, { plan: "shop", condition: "resolved", rule: "ar-ingress-availability-weu", severity: "Sev0", firedAt: Date.UTC(2026, 10, 20, 9, 14, 7, 512) }],
    ["nodesNotReady", nodesNotReady, { plan: "shop", condition: "fired", rule: "ar-nodes-notready-weu", severity: "Sev1", firedAt: Date.UTC(2026, 10, 20, 9, 15, 30) }],
    ["resourceHealth", resourceHealth, { plan: "shop", condition: "fired", rule: "ar-rh-aks", severity: "Sev4", firedAt: Date.UTC(2026, 10, 20, 9, 18, 2, 700) }],
    ["serviceHealth", serviceHealth, "foreign"],
  ] as const)("%s", (_, sample, expected) => {
    expect(summary(readAlert(sample, plans))).toEqual(expected);
  });

  test("an alert and its resolution have the same id", () => {
    const readings = [readAlert(availabilityFired, plans), readAlert(availabilityResolved, plans)];
    expect(new Set(readings.map((r) => r.kind === "ours" && r.alertId)).size).toBe(1);
  });
});

describe("an alert finds its plan", () => {
  test.each([
    ["customProperties", { customProperties: { "lifeboat-plan": "demo" } }],
    ["the alert context's properties", { alertContext: { properties: { "Lifeboat-Plan": " Demo " } } }],
    ["customProperties before the context's", { customProperties: { "lifeboat-plan": "demo" }, alertContext: { properties: { "lifeboat-plan": "shop" } } }],
  ])("by its property in %s, whatever its targets say", (_, change) => {
    expect(readAlert(alert(change), plans)).toMatchObject({ kind: "ours", plan: { plan: "demo" }, alsoPlans: [], because: expect.stringContaining("lifeboat-plan") });
  });

  test("a property that names an unknown plan starts no other one, even where a target would fit", () => {
    expect(readAlert(alert({ customProperties: { "lifeboat-plan": "shpo" } }), plans)).toEqual({ kind: "foreign", why: expect.stringContaining("`shpo`") });
  });

  test.each([
    ["its primary cluster in any case", shop.primary.cluster.toUpperCase()],
    ["its primary cluster with a slash at the end", `${shop.primary.cluster}/`],
    ["its traffic profile", shop.traffic.kind === "traffic-manager" ? shop.traffic.profile.toLowerCase() : ""],
    ["a target of the plan's own list", shop.alerts.targets[0]],
  ])("by %s", (_, target) => {
    expect(readAlert(alert({ essentials: { alertTargetIDs: ["/subscriptions/other", target] } }), plans)).toMatchObject({ kind: "ours", plan: { plan: "shop" }, because: expect.stringContaining(String(target).replace(/\/$/, "")) });
  });

  test("by its DNS record, where the plan has one", () => {
    const record = demo.traffic.kind === "dns" ? demo.traffic.recordSet : "";
    expect(readAlert(alert({ essentials: { alertTargetIDs: [record] } }), plans)).toMatchObject({ kind: "ours", plan: { plan: "demo" } });
  });

  test("a cluster of several plans concerns all of them", () => {
    const twin = { ...shop, plan: "twin" };
    expect(readAlert(alert(), [shop, twin])).toMatchObject({ kind: "ours", plan: { plan: "shop" }, alsoPlans: [{ plan: "twin" }] });
  });

  test("trouble in the secondary's cluster is no reason to go there", () => {
    expect(readAlert(alert({ essentials: { alertTargetIDs: [shop.secondary.cluster] } }), plans).kind).toBe("foreign");
  });

  test.each([[undefined], [null], ["text"], [[]], [[null, 7, ""]]])("targets of %j name nothing, and that is said", (alertTargetIDs) => {
    expect(readAlert(alert({ essentials: { alertTargetIDs } }), plans)).toEqual({ kind: "foreign", why: expect.stringMatching(/neither a plan .* nor a target/) });
  });

  test("a test notification is never ours", () => {
    expect(readAlert(alert({ alertContext: { properties: { IsSynthetic: "True", "lifeboat-plan": "shop" } } }), plans)).toEqual({ kind: "foreign", why: expect.stringContaining("IsSynthetic") });
  });
});

describe("what a run can do without may be missing or strange", () => {
  test.each([
    [{ severity: "sev 0" }, { severity: "unknown" }],
    [{ severity: " sev2 " }, { severity: "Sev2" }],
    [{ firedDateTime: "yesterday" }, { firedAt: null }],
    [{ firedDateTime: 7 }, { firedAt: null }],
    [{ alertRule: null }, { rule: "(unnamed rule)" }],
    [{ alertRule: "a\r\nb\u001B[31m" }, { rule: "a b [31m" }],
    [{ monitorCondition: " FIRED " }, { condition: "fired" }],
  ])("%j gives %j", (essentials, expected) => {
    expect(readAlert(alert({ essentials }), plans)).toMatchObject({ kind: "ours", ...expected });
  });

  test("the bags of properties may be anything", () => {
    for (const bag of [null, 7, "text", [], { "lifeboat-plan": 7 }, { "lifeboat-plan": " " }])
      expect(readAlert(alert({ customProperties: bag, alertContext: { properties: bag } }), plans).kind).toBe("ours");
  });
});

describe("what is malformed is refused with every reason", () => {
  test.each([
    [undefined, /JSON object/],
    [null, /JSON object/],
    ["alert", /JSON object/],
    [[], /JSON object/],
    [{ schemaId: "other" }, /schemaId .*\n.*data must be an object/],
    [{ schemaId: "AzureMonitorMetricAlert", data: { essentials: { alertId: "x" } } }, /common alert schema.*\n.*monitorCondition/],
    [alert({ essentials: { alertId: null, monitorCondition: "Maybe" } }), /alertId.*\n.*monitorCondition/],
    [alert({ essentials: { alertId: " " } }), /alertId is empty/],
    [alert({ essentials: { alertId: "x".repeat(2_000) } }), /longer than/],
    [{ schemaId: "azureMonitorCommonAlertSchema", data: { essentials: [] } }, /essentials must be an object/],
  ])("%#", (body, problems) => {
    const reading = readAlert(body, plans);
    expect(reading.kind).toBe("unreadable");
    expect(reading.kind === "unreadable" && reading.problems.join("\n")).toMatch(problems);
  });
});

describe("whatever comes in", () => {
  const kinds = ["ours", "foreign", "unreadable"];

  test("any value gets an answer", () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (body) => kinds.includes(readAlert(body, plans).kind)), { numRuns: 500 });
  });

  test("an alert with anything in any of its places gets an answer that stays on one line", () => {
    const bag = fc.dictionary(fc.constantFrom("lifeboat-plan", "IsSynthetic", "__proto__", "constructor", "x"), fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" })));
    const essentials = fc.record(
      { alertId: fc.oneof(fc.string(), fc.jsonValue()), monitorCondition: fc.oneof(fc.constantFrom("Fired", "Resolved"), fc.jsonValue()), alertRule: fc.string({ unit: "binary" }), severity: fc.jsonValue(), alertTargetIDs: fc.oneof(fc.constant([shop.primary.cluster]), fc.jsonValue()), firedDateTime: fc.oneof(fc.string(), fc.jsonValue()) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(essentials, bag, fc.oneof(bag, fc.jsonValue()), (e, customProperties, properties) => {
        const reading = readAlert({ schemaId: "azureMonitorCommonAlertSchema", data: { essentials: e, customProperties, alertContext: { properties } } }, plans);
        switch (reading.kind) {
          case "ours":
            return !/\p{Cc}/u.test(reading.rule + reading.because) && reading.targets.length <= 100;
          case "foreign":
            return !/\p{Cc}/u.test(reading.why);
          case "unreadable":
            return reading.problems.length > 0;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("of ten thousand targets a hundred are kept, and five thousand levels of nonsense do no harm", () => {
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`) as unknown;
    const alertTargetIDs = [shop.primary.cluster, ...Array.from({ length: 10_000 }, (_, at) => `/x/${at}`)];
    const reading = readAlert(alert({ essentials: { alertTargetIDs }, alertContext: { properties: deep } }), plans);
    expect(reading).toMatchObject({ kind: "ours", targets: { length: 100 } });
  });
});
