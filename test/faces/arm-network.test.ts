import { DnsManagementClient } from "@azure/arm-dns";
import { MicrosoftResourceHealth } from "@azure/arm-resourcehealth";
import { TrafficManagerManagementClient } from "@azure/arm-trafficmanager";
import { expect, test } from "vitest";
import { primary, secondary, subscription } from "../../lab/world/pair.ts";
import { type Options, openControlPlane } from "./control-plane.ts";

const group = "rg-shop-global";
const external = "ExternalEndpoints";

async function open(options: Options = {}) {
  const plane = await openControlPlane(options);
  const traffic = new TrafficManagerManagementClient(plane.credential, subscription, plane.client);
  const dns = new DnsManagementClient(plane.credential, subscription, plane.client);
  const health = new MicrosoftResourceHealth(plane.credential, subscription, plane.client);
  return {
    ...plane,
    traffic,
    dns,
    setEndpoint: (name: string, endpointStatus: "Enabled" | "Disabled") => traffic.endpoints.update(group, "tm-shop", external, name, { endpointStatus }),
    healthOf: async (cluster: string) => (await health.availabilityStatuses.getByResource(cluster.slice(1))).properties?.availabilityState,
    eventsOf: async () => {
      const events = [];
      for await (const event of health.eventsOperations.listBySubscriptionId()) events.push(event);
      return events;
    },
  };
}

test("the profile has the primary open, the secondary closed, and the monitor of the pair", async () => {
  const { traffic } = await open({ probe: () => Promise.resolve(true) });
  const profile = await traffic.profiles.get(group, "tm-shop");
  expect(profile).toMatchObject({
    location: "global",
    profileStatus: "Enabled",
    trafficRoutingMethod: "Priority",
    dnsConfig: { fqdn: "shop-lifeboat.trafficmanager.net", ttl: 10 },
    monitorConfig: { protocol: "HTTPS", path: "/healthz", intervalInSeconds: 10, timeoutInSeconds: 5, toleratedNumberOfFailures: 2, profileMonitorStatus: "Online" },
  });
  expect(profile.endpoints?.map(({ name, target, endpointStatus, endpointMonitorStatus, priority }) => ({ name, target, endpointStatus, endpointMonitorStatus, priority }))).toEqual([
    { name: "westeurope", target: "weu.shop.example.com", endpointStatus: "Enabled", endpointMonitorStatus: "Online", priority: 1 },
    { name: "northeurope", target: "neu.shop.example.com", endpointStatus: "Disabled", endpointMonitorStatus: "Disabled", priority: 2 },
  ]);
});

test("an endpoint is changed once, however often it is asked for", async () => {
  const { setEndpoint, effects } = await open();
  expect(await setEndpoint("westeurope", "Disabled")).toMatchObject({ name: "westeurope", endpointStatus: "Disabled", endpointMonitorStatus: "Disabled" });
  await setEndpoint("westeurope", "Disabled");
  expect(effects("traffic.endpoint-updated")).toMatchObject([{ key: "westeurope", detail: { status: "Disabled" } }]);
  await expect(setEndpoint("nowhere", "Disabled")).rejects.toMatchObject({ statusCode: 404 });
});

test("priorities must differ; swapped both at once they may", async () => {
  const { traffic } = await open();
  await expect(traffic.endpoints.update(group, "tm-shop", external, "westeurope", { priority: 2 })).rejects.toMatchObject({ statusCode: 400 });
  const swapped = await traffic.profiles.update(group, "tm-shop", { dnsConfig: { ttl: 30 }, endpoints: [{ name: "westeurope", priority: 2 }, { name: "northeurope", priority: 1 }] });
  expect(swapped.dnsConfig?.ttl).toBe(30);
  expect(swapped.endpoints?.map(({ priority }) => priority)).toEqual([2, 1]);
});

test("blinded, Traffic Manager has seen nothing yet", async () => {
  const { traffic, world } = await open({ probe: () => Promise.resolve(true) });
  world.inject({ call: "GET trafficManagerProfiles*", kind: "blind" });
  const blind = await traffic.profiles.get(group, "tm-shop");
  expect(blind.monitorConfig?.profileMonitorStatus).toBe("CheckingEndpoints");
  expect(blind.endpoints?.map(({ endpointMonitorStatus }) => endpointMonitorStatus)).toEqual(["CheckingEndpoint", "Disabled"]);
  expect((await traffic.profiles.get(group, "tm-shop")).monitorConfig?.profileMonitorStatus).toBe("Online");
});

test("a record set changes only under the ETag that was read", async () => {
  const { dns, effects } = await open();
  const before = await dns.recordSets.get(group, "example.com", "shop", "CNAME");
  expect(before).toMatchObject({ fqdn: "shop.example.com.", cnameRecord: { cname: "shop-lifeboat.trafficmanager.net" } });
  const point = (cname: string, ifMatch: string) => dns.recordSets.update(group, "example.com", "shop", "CNAME", { ttl: 15, cnameRecord: { cname } }, { ifMatch });
  const after = await point("neu.shop.example.com", before.etag ?? "");
  expect(after).toMatchObject({ ttl: 15, cnameRecord: { cname: "neu.shop.example.com" } });
  expect(after.etag).not.toBe(before.etag);
  await expect(point("weu.shop.example.com", before.etag ?? "")).rejects.toMatchObject({ statusCode: 412, code: "PreconditionFailed" });
  await point("neu.shop.example.com", after.etag ?? "");
  expect(effects("dns.record-updated")).toMatchObject([{ key: "CNAME/shop.example.com", detail: { to: ["neu.shop.example.com"] } }]);
});

test("a record set is made only where there is none, when that is the condition", async () => {
  const { dns } = await open();
  const make = (name: string) => dns.recordSets.createOrUpdate(group, "example.com", name, "A", { ttl: 60, aRecords: [{ ipv4Address: "127.0.0.12" }] }, { ifNoneMatch: "*" });
  expect(await make("drill")).toMatchObject({ aRecords: [{ ipv4Address: "127.0.0.12" }] });
  await expect(make("drill")).rejects.toMatchObject({ statusCode: 412 });
  expect((await dns.recordSets.get(group, "example.com", "weu.shop", "A")).aRecords).toEqual([{ ipv4Address: "127.0.0.11" }]);
  expect((await dns.recordSets.get(group, "example.com", "closed", "A")).aRecords).toEqual([]);
});

test("Resource Health learns of a loss late, of a blip never, and tells of what it knew", async () => {
  const { world, clock, healthOf, eventsOf, effects } = await open({ latencies: { resourceHealth: 60_000 } });
  world.setReach("westeurope", "reset");
  expect(await healthOf(primary.cluster.id)).toBe("Available");
  await clock.advance(40_000);
  world.setReach("westeurope", "up");
  await clock.advance(120_000);
  expect(effects("health.reported")).toEqual([]);
  world.setReach("westeurope", "black-hole");
  await clock.advance(59_999);
  expect(await healthOf(primary.cluster.id)).toBe("Available");
  await clock.advance(1);
  expect(await healthOf(primary.cluster.id)).toBe("Unavailable");
  expect(await healthOf(secondary.cluster.id)).toBe("Available");
  expect(await eventsOf()).toMatchObject([{ status: "Active", title: "Azure Kubernetes Service - West Europe" }]);
  world.inject({ call: "GET availabilityStatuses", kind: "blind" });
  expect(await healthOf(primary.cluster.id)).toBe("Unknown");
  world.setReach("westeurope", "up");
  await clock.advance(60_000);
  expect(await healthOf(primary.cluster.id)).toBe("Available");
  expect(await eventsOf()).toMatchObject([{ status: "Resolved", impactMitigationTime: expect.any(Date) as Date }]);
});

test("a lost region takes neither Traffic Manager, DNS nor Resource Health with it", async () => {
  const { world, setEndpoint, dns, healthOf } = await open();
  world.setReach("westeurope", "black-hole");
  world.setReach("northeurope", "reset");
  await setEndpoint("westeurope", "Disabled");
  expect((await dns.recordSets.get(group, "example.com", "shop", "CNAME")).ttl).toBe(30);
  expect(await healthOf(primary.cluster.id)).toBeTruthy();
});

test.each(["PATCH trafficManagerProfiles/externalEndpoints", "PATCH trafficManagerProfiles", "PATCH dnsZones/CNAME", "PUT dnsZones/A"] as const)(
  "%s done without an answer and sent again has one effect",
  async (call) => {
    const { world, traffic, dns, setEndpoint } = await open();
    const { etag = "" } = await dns.recordSets.get(group, "example.com", "shop", "CNAME");
    const before = world.effects.length;
    world.inject({ call, kind: "effect-without-answer" });
    const sent = {
      "PATCH trafficManagerProfiles/externalEndpoints": () => setEndpoint("northeurope", "Enabled"),
      "PATCH trafficManagerProfiles": () => traffic.profiles.update(group, "tm-shop", { endpoints: [{ name: "westeurope", endpointStatus: "Disabled" }] }),
      "PATCH dnsZones/CNAME": () => dns.recordSets.update(group, "example.com", "shop", "CNAME", { cnameRecord: { cname: "neu.shop.example.com" } }, { ifMatch: etag }),
      "PUT dnsZones/A": () => dns.recordSets.createOrUpdate(group, "example.com", "closed", "A", { ttl: 30, aRecords: [{ ipv4Address: "127.0.0.12" }] }),
    }[call]();
    const second = await sent.then(
      () => "done",
      (error: { statusCode?: number }) => error.statusCode,
    );
    expect(second, "under an ETag the repeat learns that it is late").toBe(call === "PATCH dnsZones/CNAME" ? 412 : "done");
    expect(world.effects.slice(before).map(({ act }) => act)).toEqual([call.includes("dnsZones") ? "dns.record-updated" : "traffic.endpoint-updated"]);
  },
);
