import { afterEach, expect, test } from "vitest";
import { primary } from "../../lab/world/pair.ts";
import { openHealth } from "../../shared/azure/resource-health.ts";
import { healthContract } from "../contracts/health.ts";
import { type ArmStage, openArmStage } from "./arm-stage.ts";

const stages: ArmStage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

async function openStage() {
  const stage = await openArmStage();
  stages.push(stage);
  return { world: stage.world, health: openHealth(stage.arm), resource: primary.cluster.id, lose: () => stage.world.setReach("westeurope", "reset") };
}

healthContract("Resource Health through ARM", openStage);

test("what Resource Health does not know is unknown", async () => {
  const { health, resource, world } = await openStage();
  world.inject({ call: "GET availabilityStatuses", kind: "blind" });
  expect((await health.of(resource)).state).toBe("unknown");
});
