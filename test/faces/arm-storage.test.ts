import { StorageManagementClient } from "@azure/arm-storage";
import { expect, test } from "vitest";
import { labPolicy } from "../../lab/world/accounts.ts";
import { accounts, subscription } from "../../lab/world/pair.ts";
import { type Options, openControlPlane } from "./control-plane.ts";

const quick = { updateIntervalInMs: 10 };
const source = { group: "rg-shop-weu", name: accounts.source.name };
const replica = { group: "rg-shop-neu", name: accounts.replica.name };
const shared = { group: "rg-shop-weu", name: accounts.shared.name };

async function open(options: Options = {}) {
  const plane = await openControlPlane(options);
  const storage = new StorageManagementClient(plane.credential, subscription, plane.client);
  const policiesOf = async ({ group, name }: typeof source) => {
    const policies = [];
    for await (const policy of storage.objectReplicationPolicies.list(group, name)) policies.push(policy);
    return policies;
  };
  return { ...plane, storage, policiesOf };
}

test("an account reads as Azure gives it, its geo-replication only when asked for", async () => {
  const lastSyncAt = Date.parse("2026-11-21T06:04:30Z");
  const { storage } = await open({ lastSyncAt: (account) => (account === shared.name ? lastSyncAt : null) });
  const plain = await storage.storageAccounts.getProperties(shared.group, shared.name);
  expect(plain).toMatchObject({ id: accounts.shared.id, location: "westeurope", primaryLocation: "westeurope", secondaryLocation: "northeurope", sku: { name: "Standard_RAGZRS" } });
  expect(plain.secondaryEndpoints?.blob).toBe("https://stshopgeo-secondary.blob.core.windows.net/");
  expect(plain.geoReplicationStats).toBeUndefined();
  const { geoReplicationStats } = await storage.storageAccounts.getProperties(shared.group, shared.name, { expand: "geoReplicationStats" });
  expect(geoReplicationStats).toEqual({ status: "Live", lastSyncTime: new Date(lastSyncAt), canFailover: true, canPlannedFailover: true, postFailoverRedundancy: "Standard_LRS", postPlannedFailoverRedundancy: "Standard_RAGZRS" });
  expect((await storage.storageAccounts.getProperties("rg-lifeboat", accounts.home.name)).location).toBe("francecentral");
});

test("one replication policy stands on both accounts, and none in the shared topology", async () => {
  const { policiesOf, storage } = await open();
  const [onDestination] = await policiesOf(replica);
  expect(onDestination).toMatchObject({ policyId: labPolicy.policyId, sourceAccount: accounts.source.id, destinationAccount: accounts.replica.id, rules: [{ ruleId: labPolicy.ruleId, sourceContainer: "velero", destinationContainer: "velero" }] });
  expect((await storage.objectReplicationPolicies.get(source.group, source.name, labPolicy.policyId)).enabledTime).toBeInstanceOf(Date);
  expect(await (await open({ replicated: false })).policiesOf(replica)).toEqual([]);
});

test("a deleted policy is gone from ARM at once, its lock when the deletion has come through", async () => {
  const { storage, policiesOf, parts, effects, clock } = await open({ latencies: { policyDelete: 20_000 } });
  const released: string[] = [];
  parts.accounts.onPolicyDeleted((account, { policyId }) => released.push(`${account} ${policyId}`));
  await storage.objectReplicationPolicies.delete(replica.group, replica.name, labPolicy.policyId);
  expect(await policiesOf(replica)).toEqual([]);
  await expect(storage.objectReplicationPolicies.get(replica.group, replica.name, labPolicy.policyId)).rejects.toMatchObject({ statusCode: 404 });
  await clock.advance(19_999);
  expect(parts.accounts.policyOn(replica.name)).toMatchObject({ policyId: labPolicy.policyId });
  expect(effects("storage.policy-deleted")).toEqual([]);
  await clock.advance(1);
  expect(parts.accounts.policyOn(replica.name)).toBeNull();
  expect(released).toEqual([`${replica.name} ${labPolicy.policyId}`]);
  expect(await policiesOf(source), "the source keeps its copy").toHaveLength(1);
  await storage.objectReplicationPolicies.delete(replica.group, replica.name, labPolicy.policyId);
  expect(effects("storage.policy-deleted")).toHaveLength(1);
});

test("replication the other way is made on its destination first, then with those ids on its source", async () => {
  const { storage, policiesOf } = await open();
  const back = { sourceAccount: accounts.replica.id, destinationAccount: accounts.source.id, rules: [{ sourceContainer: "velero-neu", destinationContainer: "velero" }] };
  const put = ({ group, name }: typeof source, id: string, policy: object) => storage.objectReplicationPolicies.createOrUpdate(group, name, id, policy);
  await expect(put(replica, "default", back)).rejects.toThrow("on the destination account first");
  const made = await put(source, "default", back);
  expect(made.rules?.[0]?.ruleId).toMatch(/^[0-9a-f-]{36}$/);
  await expect(put(replica, made.policyId ?? "", back)).rejects.toThrow("rule ids");
  await put(replica, made.policyId ?? "", { ...back, rules: made.rules });
  expect((await policiesOf(replica)).map(({ policyId }) => policyId)).toEqual([labPolicy.policyId, made.policyId]);
  await expect(put(source, "default", back)).rejects.toMatchObject({ statusCode: 409 });
});

test("an unplanned failover leaves one copy in the other region and the control plane where it was", async () => {
  const { storage, effects, clock } = await open({ latencies: { accountFailover: 3_600_000 } });
  const poller = storage.storageAccounts.failover(shared.group, shared.name, quick);
  await poller.submitted();
  expect((await storage.storageAccounts.getProperties(shared.group, shared.name)).failoverInProgress).toBe(true);
  await clock.advance(3_600_000);
  await poller.pollUntilDone();
  const after = await storage.storageAccounts.getProperties(shared.group, shared.name, { expand: "geoReplicationStats" });
  expect(after).toMatchObject({ location: "westeurope", primaryLocation: "northeurope", sku: { name: "Standard_LRS" } });
  expect(after.secondaryLocation).toBeUndefined();
  expect(after.lastGeoFailoverTime).toBeInstanceOf(Date);
  expect(after.geoReplicationStats).toBeUndefined();
  expect(effects("storage.account-failed-over")).toHaveLength(1);
});

test("a replication policy on the account blocks its failover", async () => {
  const { storage } = await open();
  const policy = { sourceAccount: accounts.replica.id, destinationAccount: accounts.shared.id, rules: [{ sourceContainer: "velero-neu", destinationContainer: "velero" }] };
  await storage.objectReplicationPolicies.createOrUpdate(shared.group, shared.name, "default", policy);
  await expect(storage.storageAccounts.failover(shared.group, shared.name, quick)).rejects.toMatchObject({ statusCode: 409, code: "FailoverNotAllowed" });
  expect((await storage.storageAccounts.getProperties(shared.group, shared.name, { expand: "geoReplicationStats" })).geoReplicationStats?.canFailover).toBe(false);
});

test("a planned failover swaps the regions; an account without a second region refuses", async () => {
  const { storage } = await open();
  await storage.storageAccounts.failover(shared.group, shared.name, { failoverType: "Planned", ...quick }).pollUntilDone();
  expect(await storage.storageAccounts.getProperties(shared.group, shared.name)).toMatchObject({ primaryLocation: "northeurope", secondaryLocation: "westeurope", sku: { name: "Standard_RAGZRS" } });
  await expect(storage.storageAccounts.failover(replica.group, replica.name, quick)).rejects.toMatchObject({ statusCode: 400 });
});

test("accounts of a lost region cannot be asked, neither can the shared one be failed over; the replica and home can", async () => {
  const { storage, world, policiesOf } = await open();
  world.setReach("westeurope", "reset");
  await expect(storage.storageAccounts.getProperties(source.group, source.name)).rejects.toThrow(/ECONNRESET|socket hang up/);
  await expect(storage.storageAccounts.failover(shared.group, shared.name, quick)).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(await policiesOf(replica)).toHaveLength(1);
  expect((await storage.storageAccounts.getProperties("rg-lifeboat", accounts.home.name)).name).toBe(accounts.home.name);
});

test.each([
  ["DELETE objectReplicationPolicies", "storage.policy-deleted"],
  ["PUT objectReplicationPolicies", "storage.policy-put"],
  ["POST storageAccounts/failover", "storage.account-failed-over"],
] as const)("%s done without an answer and sent again has one effect", async (call, act) => {
  const { storage, world, effects, clock } = await open({ latencies: { accountFailover: 20_000, policyDelete: 20_000 } });
  world.inject({ call, kind: "effect-without-answer" });
  const send = {
    "DELETE objectReplicationPolicies": () => storage.objectReplicationPolicies.delete(replica.group, replica.name, labPolicy.policyId),
    "PUT objectReplicationPolicies": () =>
      storage.objectReplicationPolicies.createOrUpdate(source.group, source.name, "default", {
        sourceAccount: accounts.replica.id,
        destinationAccount: accounts.source.id,
        rules: [{ sourceContainer: "velero-neu", destinationContainer: "velero" }],
      }),
    "POST storageAccounts/failover": () => storage.storageAccounts.failover(shared.group, shared.name, quick).pollUntilDone(),
  }[call];
  const second = await send().then(
    () => "done",
    (error: { statusCode?: number }) => error.statusCode,
  );
  expect(second, "the repeat finds it done or under way").toBe(call.startsWith("DELETE") ? "done" : 409);
  await clock.advance(20_000);
  expect(effects(act)).toHaveLength(1);
  await send().catch(() => {});
  expect(effects(act)).toHaveLength(1);
});
