import { afterAll, beforeAll, expect, test } from "vitest";
import { primary, secondary, trafficManager } from "../../lab/world/pair.ts";
import type { Fault } from "../../lab/world/world.ts";
import { changed, openStage, patience, type Stage, until } from "./stage.ts";

/** Six soaks: a confirmation needs three once every witness has seen the loss, and a busy machine as many again. */
const giveUpSeconds = 180;
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ topology: "replicated", rate: 100, changePlan: (plan) => changed(plan, { giveUpSeconds }) });
  // The region is lost for good: whatever keeps a run from failing over below is what was blinded.
  stage.pair.lose(primary.region);
  await until("the slowest witness to see the loss", () => Promise.resolve(stage.pair.traffic.monitorStatus(trafficManager.endpoints.primary) === "Degraded"));
}, patience.up);
afterAll(() => stage.close(), patience.down);

/** What blinds each witness: something that stands between it and us, never the region. */
const witnesses = [
  { signal: "public-probe", call: `GET ingress/${primary.region}/healthz` },
  { signal: "backend-probe", call: `GET ingress/${primary.region}/orders` },
  { signal: "kubernetes-api", call: "GET readyz" },
  { signal: "resource-health", call: "GET availabilityStatuses" },
  { signal: "traffic-manager", call: "GET trafficManagerProfiles" },
] as const;

for (const { signal, call } of witnesses) {
  test(`with ${signal} blinded nobody fails over, and the report says who could not see`, { timeout: patience.test }, async () => {
    const report = await runUnder({ call, kind: "blind", times: Infinity }, `blind-${signal}`);
    expect(report.outcome).toBe("not-failed-over");
    const says = Object.fromEntries((report.confirmation?.readings ?? []).map((reading) => [reading.signal, reading.says]));
    expect(says).toEqual({ ...allDown, [signal]: "unknown" });
    expect(report.summary).toContain(`unknown: ${signal}`);
    expectNothingTouched();
  });
}

test("with the control targets silent it is we who are cut off: every signal is unknown, and nobody fails over", { timeout: patience.test }, async () => {
  const report = await runUnder({ call: "DNS A control.example.com", kind: "refused-503", times: Infinity }, "controls-silent");
  expect(report.outcome).toBe("not-failed-over");
  expect(report.confirmation?.readings.map(({ says }) => says)).toEqual(Object.keys(allDown).map(() => "unknown"));
  expect(report.summary).toContain("unknown: public-probe, backend-probe, kubernetes-api, resource-health, traffic-manager");
  expectNothingTouched();
});

test("with all eyes open the same loss is confirmed", { timeout: patience.test }, async () => {
  // However long it takes on a busy machine; and far enough to see that it was confirmed, and no farther.
  await stage.putPlan((plan) => changed(plan, { giveUpSeconds: 9_000 }));
  stage.pair.aks.setCapacity(secondary.region, { kind: "none", code: "SkuNotAvailable" });
  const report = await stage.ended(await stage.fire("unblinded"));
  expect(report.confirmation).toMatchObject({ kind: "lost", scope: "region" });
  expect(report.outcome).toBe("target-not-ready");
});

const allDown = Object.fromEntries(witnesses.map(({ signal }) => [signal, "down"]));

async function runUnder(fault: Fault, alertId: string) {
  const disarm = stage.pair.world.inject(fault);
  try {
    return await stage.ended(await stage.fire(alertId));
  } finally {
    disarm();
  }
}

/** No endpoint moved, no restore, no policy deleted, no pool raised. */
function expectNothingTouched(): void {
  const { effects } = stage.pair.world;
  expect(effects.filter(({ act }) => /^(traffic\.endpoint-updated|dns\.record-updated|aks\.|storage\.policy|velero\.restore)/.test(act))).toEqual([]);
  expect(stage.pair.traffic.profile().endpoints.map(({ name, status }) => [name, status])).toEqual([[trafficManager.endpoints.primary, "Enabled"], [trafficManager.endpoints.secondary, "Disabled"]]);
}
