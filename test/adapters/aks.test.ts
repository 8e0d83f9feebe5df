import { afterEach, expect, test } from "vitest";
import { primary, secondary } from "../../lab/world/pair.ts";
import { openAks } from "../../shared/azure/aks.ts";
import { aksContract } from "../contracts/aks.ts";
import { type ArmStage, openArmStage } from "./arm-stage.ts";

const stages: ArmStage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

async function openStage() {
  const stage = await openArmStage({
    aks: {
      power: { westeurope: "Stopped" },
      pools: { northeurope: [{ name: "user", mode: "User", count: 2 }, { name: "auto", mode: "User", count: 1, autoscale: { min: 1, max: 3 } }] },
    },
  });
  stages.push(stage);
  return { ...stage, aks: openAks(stage.arm), lab: stage.aks, running: secondary.cluster.id, stopped: primary.cluster.id };
}

aksContract("AKS through ARM", openStage);

test("the address of the API server and its authority come out of the user credentials", async () => {
  const { aks, running } = await openStage();
  expect(await aks.address(running)).toEqual({ server: "https://aks.northeurope.example.com:443", ca: "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n" });
});

test("a raise whose answer was lost is there once when it is asked for again", async () => {
  const { aks, running, world } = await openStage();
  world.inject({ call: "PUT agentPools", kind: "effect-without-answer" });
  await expect(aks.raisePool(running, "user", 4)).rejects.toMatchObject({ name: "WorldError" });
  await expect.poll(async () => (await aks.read(running)).pools[0]?.provisioning).toBe("Succeeded");
  expect(await aks.raisePool(running, "user", 4)).toEqual({ kind: "enough" });
  expect(world.effects.filter(({ act }) => act === "aks.pool-raised")).toHaveLength(1);
});

test("a start whose answer was lost is there once when it is asked for again", async () => {
  const { aks, stopped, world } = await openStage();
  world.inject({ call: "POST managedClusters/start", kind: "effect-without-answer" });
  await expect(aks.start(stopped)).rejects.toMatchObject({ name: "WorldError" });
  await aks.start(stopped);
  await expect.poll(async () => (await aks.read(stopped)).power).toBe("running");
  expect(world.effects.filter(({ act }) => act === "aks.started")).toHaveLength(1);
});

test("what runs already is not asked to start", async () => {
  const { aks, running, face } = await openStage();
  await aks.start(running);
  expect(face.audit.map(({ method }) => method)).toEqual(["GET"]);
});

test("a pool whose raise failed is tried again", async () => {
  const { aks, running, lab } = await openStage();
  lab.setCapacity("northeurope", { kind: "none", code: "SkuNotAvailable" });
  await aks.raisePool(running, "auto", 3);
  await expect.poll(async () => (await aks.read(running)).pools[1]?.provisioning).toBe("Failed");
  lab.setCapacity("northeurope", { kind: "enough" });
  expect(await aks.raisePool(running, "auto", 3)).toEqual({ kind: "asked" });
  await expect.poll(async () => (await aks.read(running)).pools[1]).toMatchObject({ count: 3, provisioning: "Succeeded" });
});
