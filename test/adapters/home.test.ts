import { afterAll, beforeAll, test } from "vitest";
import { openHome } from "../../shared/azure/home-blob.ts";
import { homeContract } from "../contracts/home.ts";
import { type AzuriteAccount, openAzuriteAccount } from "./azurite-account.ts";

let account: AzuriteAccount;
beforeAll(async () => {
  account = await openAzuriteAccount();
});
afterAll(() => account.close());

homeContract("the home account over Azurite", async () => openHome(account.blobService, { url: account.url, container: await account.container() }));

test("the content type follows the name, and survives a replace", async ({ expect }) => {
  const container = await account.container();
  const home = openHome(account.blobService, { url: account.url, container });
  const typeOf = async (name: string) => (await account.blobService.at(account.url).getContainerClient(container).getBlobClient(name).getProperties()).contentType;
  await home.create("head.json", "{}");
  await home.replace("head.json", '{"epoch":2}', (await home.read("head.json"))?.etag ?? "");
  await home.put("report.html", "<p>", "text/html");
  await home.create("plan.yaml", "plan: shop");
  expect([await typeOf("head.json"), await typeOf("report.html"), await typeOf("plan.yaml")]).toEqual(["application/json", "text/html", "application/yaml"]);
});

test("a container that is missing is an error, and says nothing about blobs", async ({ expect }) => {
  const home = openHome(account.blobService, { url: account.url, container: "never-made" });
  await expect(home.read("head.json")).rejects.toThrow(/read blob on home\/head\.json: status 404 ContainerNotFound/);
  await expect(home.create("head.json", "{}")).rejects.toThrow("ContainerNotFound");
});
