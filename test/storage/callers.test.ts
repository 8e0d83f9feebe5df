import { BlobServiceClient } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { accountKey } from "../../lab/azurite.ts";
import { audiences } from "../../lab/world/identity.ts";
import { openStorageLab, refusal } from "./storage-lab.ts";

test("a token for storage opens every account, a token for another audience none", async () => {
  const lab = await openStorageLab();
  await lab.velero("stshopweu").getBlockBlobClient("a").upload("one", 3);
  expect((await lab.velero("stshopweu").getBlobClient("a").downloadToBuffer()).toString()).toBe("one");
  const stranger = lab.endpoint("stshopweu", lab.as(audiences.arm, "actuator")).getContainerClient("velero");
  expect(await refusal(stranger.getBlobClient("a").download())).toBe("401 InvalidAuthenticationInfo");
});

test("the observer reads backups and writes nothing there, and may write at home", async () => {
  const lab = await openStorageLab();
  await lab.velero("stshopweu").getBlockBlobClient("a").upload("one", 3);
  const observer = lab.as(audiences.storage, "observer");
  const backups = lab.endpoint("stshopweu", observer).getContainerClient("velero");
  expect((await backups.getBlobClient("a").getProperties()).contentLength).toBe(3);
  expect(await refusal(backups.getBlockBlobClient("b").upload("two", 3))).toBe("403 AuthorizationPermissionMismatch");
  expect(await refusal(backups.getBlobClient("a").delete())).toBe("403 AuthorizationPermissionMismatch");
  await lab.endpoint("stlifeboat", observer).getContainerClient("lifeboat").getBlockBlobClient("note").upload("seen", 4);
});

test("an account's key opens that account by its host name, a wrong one does not", async () => {
  const lab = await openStorageLab();
  const name = "backups/a b & ü.gz";
  await lab.withKey("stshopweu").getContainerClient("velero").getBlockBlobClient(name).upload("one", 3, { metadata: { first: "1" }, tags: { of: "velero" } });
  const listed = [];
  for await (const { name } of lab.withKey("stshopweu").getContainerClient("velero").listBlobsFlat({ prefix: "backups/", includeMetadata: true })) listed.push(name);
  expect(listed).toEqual([name]);
  expect(await refusal(lab.withKey("stshopweu", accountKey("stshopneu")).getContainerClient("velero").getProperties())).toBe("403 AuthenticationFailed");
});

test("a connection string opens an account at the front's own address, its secondary endpoint too", async () => {
  const lab = await openStorageLab();
  const at = (endpoint: string) => BlobServiceClient.fromConnectionString(`DefaultEndpointsProtocol=http;AccountName=stshopgeo;AccountKey=${accountKey("stshopgeo")};BlobEndpoint=${lab.front.url}/${endpoint};`);
  await at("stshopgeo").getContainerClient("velero").getBlockBlobClient("x/y").upload("geo", 3);
  await lab.storage.settled();
  expect((await at("stshopgeo-secondary").getContainerClient("velero").getBlobClient("x/y").downloadToBuffer()).toString()).toBe("geo");
});

test("nobody comes in without saying who they are, and is told where tokens come from", async () => {
  const lab = await openStorageLab();
  const answer = await fetch(`${lab.front.url}/velero/a`, { headers: { "x-forwarded-host": "stshopweu.blob.core.windows.net" } });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("x-ms-error-code")).toBe("NoAuthenticationInformation");
  expect(answer.headers.get("www-authenticate")).toContain("resource_id=https://storage.azure.com");
});

test("an account that is not there and an operation that is not played are said plainly", async () => {
  const lab = await openStorageLab();
  const unknown = await fetch(`${lab.front.url}/stnobody/velero/a`);
  expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining("no storage account answers as stnobody")]);
  expect(await refusal(lab.velero("stshopweu").getAppendBlobClient("log").create())).toBe("501 NotImplemented");
  expect(await refusal(lab.velero("stshopweu").getBlobClient("copy").syncCopyFromURL("https://stshopweu.blob.core.windows.net/velero/a"))).toBe("501 NotImplemented");
});
