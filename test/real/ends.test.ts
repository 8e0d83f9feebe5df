import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { accountKey, type Azurite, startAzurite } from "../../lab/azurite.ts";
import { removeStalePodFolders } from "../../lab/real/pod-folders.ts";
import { podFoldersOf, processesLeft, processesOf } from "./machine.ts";

const account = "stlabone";

describe.skipIf(inject("realPrograms") === null)("a lab with a real region and Velero in it", () => {
  const root = mkdtempSync(path.join(tmpdir(), "lifeboat-real-ends-"));
  const held: ChildProcess[] = [];
  const ended: number[] = [];
  let azurite: Azurite;

  beforeAll(async () => {
    azurite = await startAzurite({ accounts: [account] });
    const service = new BlobServiceClient(`${azurite.url}/${account}`, new StorageSharedKeyCredential(account, accountKey(account)));
    await service.getContainerClient("velero").create();
  });
  afterAll(async () => {
    for (const child of held) child.kill("SIGKILL");
    await azurite?.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Resolves once Velero runs in it. As a shell starts it: a process group of its own, which gets what is typed. */
  async function hold(directory: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("./holder.ts", import.meta.url)), directory, azurite.url], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    held.push(child);
    const [said] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
    expect(String(said)).toMatch(/^https:\/\/127\.0\.0\.1:\d+\n$/);
    return child;
  }

  test.each(["SIGKILL", "SIGINT", "SIGTERM"] as const)("that ends with %s leaves no process behind", async (signal) => {
    const directory = path.join(root, signal);
    const child = await hold(directory);
    const before = processesOf(directory).join("\n");
    for (const program of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "velero server", "node-agent server"]) expect(before).toContain(program);
    const pid = child.pid ?? 0;
    expect(podFoldersOf(pid)).not.toEqual([]);
    // Ctrl-C goes to the whole group, a kill to the process.
    process.kill(signal === "SIGINT" ? -pid : pid, signal);
    ended.push(pid);
    await once(child, "exit");
    expect(await processesLeft(directory, 5)).toEqual([]);
  });

  test("the folders that it left for pods are removed by the next", () => {
    // Those of all but the last are, by the one after them.
    expect(ended.slice(0, -1).flatMap(podFoldersOf)).toEqual([]);
    const left = () => ended.flatMap(podFoldersOf);
    expect(left()).not.toEqual([]);
    removeStalePodFolders();
    expect(left()).toEqual([]);
  });
});
