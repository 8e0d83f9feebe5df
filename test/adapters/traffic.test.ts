import { afterEach, expect, test } from "vitest";
import { dnsZone, regions, trafficManager } from "../../lab/world/pair.ts";
import { openTraffic } from "../../shared/azure/traffic.ts";
import type { PlanTraffic } from "../../shared/ports.ts";
import { trafficContract } from "../contracts/traffic.ts";
import { type ArmStage, openArmStage } from "./arm-stage.ts";

const profilePlan: PlanTraffic = { kind: "traffic-manager", profile: trafficManager.id, endpoints: trafficManager.endpoints, publicUrl: "https://shop.example.com/" };
const dnsPlan: PlanTraffic = {
  kind: "dns",
  recordSet: `${dnsZone.id}/CNAME/demo`,
  targets: { primary: regions.westeurope.ingressHost, secondary: regions.northeurope.ingressHost, closed: "closed.example.com" },
  ttlSeconds: 15,
  publicUrl: "https://demo.example.com/",
};

const stages: ArmStage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});
async function openStage(plan: PlanTraffic) {
  const stage = await openArmStage();
  stages.push(stage);
  return { ...stage, plan, traffic: openTraffic(stage.arm) };
}

trafficContract("Traffic Manager through ARM", () => openStage(profilePlan));
trafficContract("Azure DNS through ARM", () => openStage(dnsPlan));

test("what Traffic Manager's own probes say is passed on", async () => {
  const { traffic, world } = await openStage(profilePlan);
  await expect.poll(async () => (await traffic.read(profilePlan)).primary.monitor).toBe("online");
  expect((await traffic.read(profilePlan)).secondary.monitor).toBe("stopped");
  world.inject({ call: "GET trafficManagerProfiles", kind: "blind" });
  expect((await traffic.read(profilePlan)).primary.monitor).toBe("checking");
});

test("an effect whose answer was lost is there once when it is asked for again", async () => {
  for (const [plan, call, act] of [
    [profilePlan, "PATCH trafficManagerProfiles/externalEndpoints", "traffic.endpoint-updated"],
    [dnsPlan, "PATCH dnsZones/CNAME", "dns.record-updated"],
  ] as const) {
    const { traffic, world } = await openStage(plan);
    world.inject({ call, kind: "effect-without-answer" });
    await expect(traffic.openSecondary(plan)).rejects.toMatchObject({ name: "WorldError" });
    await traffic.openSecondary(plan);
    expect((await traffic.read(plan)).secondary.open).toBe(true);
    expect(world.effects.filter((effect) => effect.act === act)).toHaveLength(1);
  }
});

test("a record that someone changed between look and act is not written over", async () => {
  const { traffic, zones, world, face } = await openStage(dnsPlan);
  // The change comes while our PATCH is on its way: held long enough to be overtaken.
  world.inject({ call: "PATCH dnsZones/CNAME", kind: "slow", delayMs: 4_000 });
  const opened = traffic.openSecondary(dnsPlan).catch((error: unknown) => error);
  await expect.poll(() => face.audit.some(({ method }) => method === "PATCH")).toBe(true);
  zones.update("CNAME", "demo", { values: ["elsewhere.example.com"] }, { ifMatch: null, ifNoneMatch: null });
  expect(await opened).toMatchObject({ name: "WorldError", message: expect.stringContaining("status 412 PreconditionFailed") as string });
  expect(zones.get("CNAME", "demo")?.values).toEqual(["elsewhere.example.com"]);
  await traffic.openSecondary(dnsPlan);
  expect(zones.get("CNAME", "demo")).toMatchObject({ values: [regions.northeurope.ingressHost], ttlSeconds: 15 });
});

test("a fence is taken back only where there is one: users who are at the secondary stay there", async () => {
  const { traffic } = await openStage(dnsPlan);
  await traffic.openSecondary(dnsPlan);
  await traffic.reopenPrimary(dnsPlan);
  expect((await traffic.read(dnsPlan)).secondary.open).toBe(true);
});

test("an endpoint that the profile does not have is named in the error", async () => {
  const { traffic } = await openStage(profilePlan);
  const plan: PlanTraffic = { ...profilePlan, endpoints: { primary: "westeurope", secondary: "southeurope" } };
  await expect(traffic.read(plan)).rejects.toThrow('read profile on tm-shop: it has no endpoint "southeurope"');
});
