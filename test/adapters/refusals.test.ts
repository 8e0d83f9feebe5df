import { afterAll, beforeAll, expect, test } from "vitest";
import { accounts, primary } from "../../lab/world/pair.ts";
import { openAks } from "../../shared/azure/aks.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openReplication } from "../../shared/azure/replication.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { listed } from "../contracts/backups.ts";
import { openScriptedServer, type Said, type ScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  server = await openScriptedServer();
});
afterAll(() => server.close());

function openPorts() {
  const transport = openTransport({ "management.azure.com": server.url, "stshopneu.blob.core.windows.net": server.url });
  const arm = { credential: { getToken: () => Promise.resolve({ token: "made-up", expiresOnTimestamp: Date.now() + 3_600_000 }) }, transport, deadlineSeconds: 10 };
  const blobService = openBlobService(arm.credential, transport, 10);
  return { aks: openAks(arm), replication: openReplication(arm, blobService), backups: openBackups(blobService) };
}

const place = { url: "https://stshopneu.blob.core.windows.net", container: "velero" };
const no = (status: number, code: string, message: string): Said => ({ status, headers: { "x-ms-error-code": code }, body: { error: { code, message } } });
/** As AKS itself says no: without the envelope around it. */
const flatNo = (status: number, code: string, message: string): Said => ({ status, body: { code, message } });

/** The pool is read, and its PUT answered with `said`. */
async function raised(said: Said) {
  const pool = { name: "user", properties: { eTag: "e1", count: 1, type: "VirtualMachineScaleSets", vmSize: "Standard_D4s_v5", provisioningState: "Succeeded", nodeLabels: { tier: "web" } } };
  server.say(({ method }) => (method === "PUT" ? said : { status: 200, body: pool }));
  return openPorts().aks.raisePool(primary.cluster.id, "user", 3);
}

test("no capacity, no quota and no permission are refusals for good", async () => {
  for (const said of [
    no(400, "SkuNotAvailable", "The requested VM size is not available in location westeurope."),
    flatNo(400, "AllocationFailed", "Allocation failed."),
    no(409, "OperationNotAllowed", "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."),
    no(400, "ErrCode_InsufficientVCPUQuota", "Insufficient vcpu quota requested 8, remaining 2."),
    no(403, "AuthorizationFailed", "The client does not have authorization to perform action 'agentPools/write'."),
    no(403, "RequestDisallowedByPolicy", "Resource 'user' was disallowed by policy."),
  ])
    expect(await raised(said)).toMatchObject({ kind: "refused", why: expect.stringMatching(/^\w+: .+/) as string });
});

test("another operation in progress passes, and so does a pool that was changed meanwhile", async () => {
  await expect(raised(no(409, "OperationNotAllowed", "Another operation (Updating) is in progress"))).rejects.toThrow("status 409 OperationNotAllowed");
  await expect(raised(no(412, "PreconditionFailed", "etag mismatch"))).rejects.toThrow("status 412 PreconditionFailed");
});

test("a raise puts back the whole pool as it was read, on the condition that it still is so", async () => {
  expect(await raised({ status: 200, headers: { "azure-asyncoperation": "https://management.azure.com/operations/1?api-version=1" }, body: {} })).toEqual({ kind: "asked" });
  const put = server.asked.at(-1);
  expect(put).toMatchObject({ method: "PUT", headers: { "if-match": "e1", "x-forwarded-host": "management.azure.com", authorization: "Bearer made-up" } });
  expect(JSON.parse(put?.body ?? "")).toMatchObject({ properties: { count: 3, type: "VirtualMachineScaleSets", vmSize: "Standard_D4s_v5", nodeLabels: { tier: "web" } } });
});

test("a lock or a missing permission keeps a policy for good; a busy account only for now", async () => {
  const { replication } = openPorts();
  const deleted = (said: Said) => {
    server.say(said);
    return replication.deletePolicy(accounts.replica.id, "p1");
  };
  expect(await deleted(no(409, "ScopeLocked", "The scope cannot perform delete operation because following scope(s) are locked."))).toMatchObject({ kind: "refused", why: expect.stringContaining("ScopeLocked") as string });
  expect(await deleted(no(403, "AuthorizationFailed", "no authorization"))).toMatchObject({ kind: "refused" });
  expect(await deleted({ status: 204 })).toEqual({ kind: "deleted" });
  expect(await deleted(no(404, "ObjectReplicationPolicyNotFound", "no such policy"))).toEqual({ kind: "deleted" });
  await expect(deleted(no(404, "ResourceNotFound", "no such account"))).rejects.toThrow("ResourceNotFound");
  await expect(deleted(no(409, "StorageAccountOperationInProgress", "busy"))).rejects.toThrow("StorageAccountOperationInProgress");
});

test("of two policies with one destination neither is taken by guess", async () => {
  const policy = (policyId: string) => ({ name: policyId, properties: { policyId, sourceAccount: accounts.source.id, destinationAccount: accounts.replica.name, rules: [] } });
  server.say({ status: 200, body: { value: [policy("p1"), policy("p2")] } });
  await expect(openPorts().replication.policy(accounts.replica.id)).rejects.toThrow("destination of 2 policies");
  server.say({ status: 200, body: { value: [policy("p1")] } });
  expect(await openPorts().replication.policy(accounts.replica.id.toLowerCase())).toMatchObject({ policyId: "p1" });
});

test("the refusals of writes are told apart", async () => {
  const probed = (said: Said) => {
    server.say(said);
    return openPorts().backups.probeWrite(place, "restores/probe");
  };
  expect(await probed(no(409, "Conflict", "locked"))).toEqual({ kind: "locked" });
  expect(await probed(no(403, "WriteOperationNotSupportedOnSecondary", "no"))).toEqual({ kind: "read-only" });
  expect(await probed(no(409, "BlobImmutableDueToPolicy", "kept"))).toMatchObject({ kind: "refused" });
  expect(await probed(no(403, "AuthorizationPermissionMismatch", "not you"))).toMatchObject({ kind: "refused" });
  expect(await probed(no(412, "LeaseIdMissing", "leased"))).toMatchObject({ kind: "refused" });
  await expect(probed(no(409, "ContainerBeingDeleted", "soon gone"))).rejects.toThrow("ContainerBeingDeleted");
  await expect(probed(no(503, "ServerBusy", "busy"))).rejects.toThrow("ServerBusy");
});

test("a list goes on page by page, and one word stands for all of a blob's copies", async () => {
  const blob = (name: string, statuses: readonly string[]) =>
    `<Blob><Name>${name}</Name><Properties><Last-Modified>Sat, 21 Nov 2026 06:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>7</Content-Length><BlobType>BlockBlob</BlobType></Properties>${
      statuses.length === 0 ? "" : `<OrMetadata>${statuses.map((status, rule) => `<or-p1_r${rule}>${status}</or-p1_r${rule}>`).join("")}</OrMetadata>`
    }</Blob>`;
  const page = (blobs: string, next: string): Said => ({ status: 200, body: `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="velero"><Blobs>${blobs}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>` });
  const first = blob("a", ["complete", "complete"]) + blob("b", ["complete", "failed"]);
  server.say(({ url }) => (url.includes("marker=second") ? page(blob("c", []) + blob("d", ["complete", "delayed"]), "") : page(first, "second")));
  const before = server.asked.length;
  const items = await listed(openPorts().backups.list(place, "backups/"));
  expect(items.map(({ name, replication }) => [name, replication])).toEqual([["a", "complete"], ["b", "failed"], ["c", "pending"], ["d", "pending"]]);
  expect(items[0]).toMatchObject({ bytes: 7, etag: "0x1", lastModifiedAt: Date.parse("2026-11-21T06:00:00Z") });
  expect(server.asked.slice(before).map(({ url }) => new URL(url, "http://x").searchParams.get("maxresults"))).toEqual(["5000", "5000"]);
});

test("a secondary that is not in service has no last sync time", async () => {
  const stats = (geo: string): Said => ({ status: 200, body: `<?xml version="1.0" encoding="utf-8"?><StorageServiceStats><GeoReplication>${geo}</GeoReplication></StorageServiceStats>` });
  server.say(stats("<Status>unavailable</Status><LastSyncTime></LastSyncTime>"));
  expect(await openPorts().replication.lastSync(place.url)).toEqual({ state: "unavailable", lastSyncAt: null });
  server.say(stats("<Status>bootstrap</Status><LastSyncTime>Mon, 01 Jan 1601 00:00:00 GMT</LastSyncTime>"));
  expect(await openPorts().replication.lastSync(place.url)).toEqual({ state: "bootstrap", lastSyncAt: null });
});
