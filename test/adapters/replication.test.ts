import { afterEach, expect, test } from "vitest";
import { accounts } from "../../lab/world/pair.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openReplication } from "../../shared/azure/replication.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { policyContract } from "../contracts/replication.ts";
import { type ArmStage, openArmStage } from "./arm-stage.ts";
import { openScriptedServer } from "./scripted-server.ts";

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

test("an account is encrypted by the service's own key, or by one in a vault that is named; an account that is not there is no answer", async () => {
  const { replication, destination, arm } = await openStage();
  expect(await replication.encryptionKey?.(destination)).toBe("none");
  const server = await openScriptedServer();
  const scripted = openReplication({ ...arm, transport: openTransport({ "management.azure.com": server.url }) }, openBlobService(arm.credential, arm.transport, 10));
  server.say({ status: 200, body: { location: "northeurope", properties: { encryption: { keySource: "Microsoft.Keyvault", keyvaultproperties: { keyname: "store", keyvaulturi: "https://KV-cmk-weu.vault.azure.net" } } } } });
  expect(await scripted.encryptionKey?.(destination)).toEqual({ vault: "kv-cmk-weu" });
  server.say({ status: 404, body: { error: { code: "ResourceNotFound", message: "no such account" } } });
  await expect(scripted.encryptionKey?.(destination)).rejects.toMatchObject({ name: "WorldError" });
  await server.close();
});

test("the control plane of the source's region is not asked for anything", async () => {
  const { replication, destination, world, face } = await openStage();
  world.setReach("westeurope", "black-hole");
  const policyId = (await replication.policy(destination))?.policyId ?? "";
  expect(await replication.deletePolicy(destination, policyId)).toEqual({ kind: "deleted" });
  expect(face.audit.map(({ region }) => region)).toEqual(["northeurope", "northeurope"]);
});
