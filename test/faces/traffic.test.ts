import { expect, test } from "vitest";
import type { RegionName } from "../../lab/world/pair.ts";
import { openParts, type Options } from "./control-plane.ts";

const weu = "weu.shop.example.com";
const neu = "neu.shop.example.com";

/** A profile whose regions answer probes as told. */
function open(options: Options = {}) {
  const answers = new Set<RegionName>(["westeurope", "northeurope"]);
  const probed: RegionName[] = [];
  const { world, clock, parts } = openParts({
    probe: ({ region }) => {
      probed.push(region);
      return answers.has(region) ? Promise.resolve(true) : Promise.reject(new Error("connection reset"));
    },
    ...options,
  });
  const { traffic } = parts;
  return { world, clock, traffic, answers, probed, set: (name: RegionName, status: "Enabled" | "Disabled") => traffic.update({ endpoints: { [name]: { status } } }), targets: () => traffic.answer().targets };
}

test("an endpoint is being checked until its first probe, then online, and only an enabled one is probed", async () => {
  const { traffic, clock, probed, targets } = open();
  expect(traffic.monitorStatus("westeurope")).toBe("CheckingEndpoint");
  expect(traffic.profileMonitorStatus()).toBe("CheckingEndpoints");
  expect(targets(), "one being checked is served").toEqual([weu]);
  await clock.advance(30_000);
  expect(traffic.monitorStatus("westeurope")).toBe("Online");
  expect(traffic.profileMonitorStatus()).toBe("Online");
  expect(traffic.monitorStatus("northeurope")).toBe("Disabled");
  expect(probed).toEqual(["westeurope", "westeurope", "westeurope", "westeurope"]);
});

test("the third failed probe in a row degrades an endpoint, one good probe brings it back", async () => {
  const { traffic, clock, answers } = open();
  await clock.advance(10_000);
  answers.delete("westeurope");
  await clock.advance(20_000);
  expect(traffic.monitorStatus("westeurope")).toBe("Online");
  await clock.advance(10_000);
  expect(traffic.monitorStatus("westeurope")).toBe("Degraded");
  expect(traffic.profileMonitorStatus()).toBe("Degraded");
  answers.add("westeurope");
  await clock.advance(10_000);
  expect(traffic.monitorStatus("westeurope")).toBe("Online");
});

test("failures that are not in a row degrade nothing", async () => {
  const { traffic, clock, answers } = open();
  for (let round = 0; round < 4; round += 1) {
    answers.delete("westeurope");
    await clock.advance(20_000);
    expect(traffic.monitorStatus("westeurope")).toBe("Online");
    answers.add("westeurope");
    await clock.advance(10_000);
  }
});

test("a degraded primary is served all the same while the secondary is closed: nothing jumps by itself", async () => {
  const { clock, answers, targets } = open();
  answers.delete("westeurope");
  await clock.advance(60_000);
  expect(targets()).toEqual([weu]);
});

test("with both open a degraded primary loses to the secondary, and two degraded ones count as online", async () => {
  const { clock, answers, set, targets } = open();
  set("northeurope", "Enabled");
  await clock.advance(10_000);
  expect(targets()).toEqual([weu]);
  answers.delete("westeurope");
  await clock.advance(40_000);
  expect(targets()).toEqual([neu]);
  answers.delete("northeurope");
  await clock.advance(40_000);
  expect(targets()).toEqual([weu]);
});

test("a change is true in ARM at once and in DNS when the name servers have heard of it", async () => {
  const { clock, traffic, set, targets, world } = open({ latencies: { trafficManagerUpdate: 2_000 } });
  set("westeurope", "Disabled");
  set("northeurope", "Enabled");
  expect(traffic.profile().endpoints.map(({ status }) => status)).toEqual(["Disabled", "Enabled"]);
  expect(world.effects.map(({ act, key }) => `${act} ${key}`)).toEqual(["traffic.endpoint-updated westeurope", "traffic.endpoint-updated northeurope"]);
  await clock.advance(1_999);
  expect(targets()).toEqual([weu]);
  await clock.advance(1);
  expect(targets()).toEqual([neu]);
});

test("a closed endpoint is probed no more, and being opened again starts over", async () => {
  const { traffic, clock, set, probed } = open();
  await clock.advance(10_000);
  set("westeurope", "Disabled");
  const before = probed.length;
  await clock.advance(60_000);
  expect(probed).toHaveLength(before);
  expect(traffic.profileMonitorStatus()).toBe("Inactive");
  set("westeurope", "Enabled");
  expect(traffic.monitorStatus("westeurope")).toBe("CheckingEndpoint");
  await clock.advance(0);
  expect(probed).toHaveLength(before + 1);
});

test("an endpoint that is always served is not probed and never degraded", async () => {
  const { traffic, clock, answers, probed, targets } = open();
  answers.delete("westeurope");
  await clock.advance(60_000);
  traffic.update({ endpoints: { westeurope: { alwaysServe: true } } });
  const before = probed.length;
  await clock.advance(60_000);
  expect(probed).toHaveLength(before);
  expect(traffic.monitorStatus("westeurope")).toBe("Unmonitored");
  expect(targets()).toEqual([weu]);
});

test("a disabled profile answers nothing, and its endpoints are inactive", async () => {
  const { traffic, targets } = open();
  traffic.update({ status: "Disabled" });
  expect(traffic.profileMonitorStatus()).toBe("Disabled");
  expect(traffic.monitorStatus("westeurope")).toBe("Inactive");
  expect(targets()).toEqual([]);
});
