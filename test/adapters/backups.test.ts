import { afterAll, beforeAll, test } from "vitest";
import { BlobUnreadable } from "../../shared/ports.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { backupsContract, listed } from "../contracts/backups.ts";
import { type AzuriteAccount, openAzuriteAccount } from "./azurite-account.ts";

let account: AzuriteAccount;
beforeAll(async () => {
  account = await openAzuriteAccount();
});
afterAll(() => account.close());

async function openStage() {
  const place = { url: account.url, container: await account.container() };
  const client = account.blobService.at(place.url).getContainerClient(place.container);
  return {
    backups: openBackups(account.blobService),
    place,
    put: async (name: string, body: string | Uint8Array) => void (await client.getBlockBlobClient(name).upload(body, Buffer.byteLength(body))),
  };
}

backupsContract("blob storage over Azurite", openStage);

test("a blob in the archive tier is unreadable by itself, and its neighbours are read", async ({ expect }) => {
  const { backups, place, put } = await openStage();
  for (const name of ["old", "new"]) await put(name, name);
  await account.blobService.at(place.url).getContainerClient(place.container).getBlobClient("old").setAccessTier("Archive");
  expect((await listed(backups.list(place, ""))).map(({ name, archived }) => [name, archived])).toEqual([["new", undefined], ["old", true]]);
  await expect(backups.read(place, "old")).rejects.toBeInstanceOf(BlobUnreadable);
  await expect(backups.open(place, "old")).rejects.toBeInstanceOf(BlobUnreadable);
  expect(Buffer.from((await backups.read(place, "new")) ?? []).toString()).toBe("new");
});

test("a container that is missing is an error for readers and a refusal for the probe", async ({ expect }) => {
  const { backups } = await openStage();
  const place = { url: account.url, container: "never-made" };
  await expect(listed(backups.list(place, ""))).rejects.toThrow("ContainerNotFound");
  await expect(backups.read(place, "x")).rejects.toThrow("ContainerNotFound");
  expect(await backups.probeWrite(place, "x")).toMatchObject({ kind: "refused", why: expect.stringContaining("ContainerNotFound") as string });
});
