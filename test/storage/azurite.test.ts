import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { accountKey, AzuriteFailed, startAzurite } from "../../lab/azurite.ts";
import { until } from "./until.ts";

const container = (url: string) => new BlobServiceClient(`${url}/stshopweu`, new StorageSharedKeyCredential("stshopweu", accountKey("stshopweu"))).getContainerClient("velero");

const runs = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("keeps blobs in a folder when told to, and is gone when it is closed", async () => {
  const location = await mkdtemp(path.join(tmpdir(), "lifeboat-azurite-"));
  const options = { accounts: ["stshopweu"], location };
  const first = await startAzurite(options);
  await container(first.url).create();
  await container(first.url).getBlockBlobClient("a").upload("one", 3);
  await first.close();
  await first.close();
  expect(runs(first.pid)).toBe(false);
  const second = await startAzurite(options);
  expect((await container(second.url).getBlobClient("a").downloadToBuffer()).toString()).toBe("one");
  await second.close();
  await rm(location, { recursive: true });
});

test("says what went wrong when it cannot start", async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), "lifeboat-azurite-")), "no-folder");
  await writeFile(file, "");
  const start = startAzurite({ accounts: ["stshopweu"], location: path.join(file, "deeper") });
  await expect(start).rejects.toThrow(AzuriteFailed);
  await expect(start).rejects.toThrow(/Azurite did not start: it ended with exit code 1; it said: .*ENOTDIR/s);
});

test("does not outlive a lab that is killed", async () => {
  const script = `const { startAzurite } = await import(${JSON.stringify(path.resolve("lab/azurite.ts"))}); process.stdout.write(String((await startAzurite({ accounts: ["stshopweu"] })).pid)); setInterval(() => {}, 1000);`;
  const lab = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(lab.stdout, "data")) as [Buffer];
  const pid = Number(said.toString());
  expect(runs(pid)).toBe(true);
  lab.kill("SIGKILL");
  await until("Azurite is gone", () => !runs(pid));
});
