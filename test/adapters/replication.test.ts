import { afterEach, expect, test } from "vitest";
import { accounts } from "../../lab/world/pair.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openReplication } from "../../shared/azure/replication.ts";
import { policyContract } from "../contracts/replication.ts";
import { type ArmStage, openArmStage } from "./arm-stage.ts";

const stages: ArmStage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

async function openStage() {
  const stage = await openArmStage();
  stages.push(stage);
  const replication = openReplication(stage.arm, openBlobService(stage.arm.credential, stage.arm.transport, 10));
  return { ...stage, replication, destination: accounts.replica.id, other: accounts.shared.id };
}

policyContract("Object Replication through ARM", openStage);

test("the source shows no policy of its own: it is the destination of none", async () => {
  const { replication } = await openStage();
  expect(await replication.policy(accounts.source.id)).toBeNull();
});

test("a deletion whose answer was lost is there once when it is asked for again", async () => {
  const { replication, destination, world } = await openStage();
  const policyId = (await replication.policy(destination))?.policyId ?? "";
  world.inject({ call: "DELETE objectReplicationPolicies", kind: "effect-without-answer" });
  await expect(replication.deletePolicy(destination, policyId)).rejects.toMatchObject({ name: "WorldError" });
  expect(await replication.deletePolicy(destination, policyId)).toEqual({ kind: "deleted" });
  expect(world.effects.filter(({ act }) => act === "storage.policy-deleted")).toHaveLength(1);
});

test("the control plane of the source's region is not asked for anything", async () => {
  const { replication, destination, world, face } = await openStage();
  world.setReach("westeurope", "black-hole");
  const policyId = (await replication.policy(destination))?.policyId ?? "";
  expect(await replication.deletePolicy(destination, policyId)).toEqual({ kind: "deleted" });
  expect(face.audit.map(({ region }) => region)).toEqual(["northeurope", "northeurope"]);
});
