/** `--primary-kubeconfig` and `--secondary-kubeconfig`: two real clusters with real Velero that are there already, in the part of somebody's own. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Report } from "../../shared/domain/report.ts";
import { accountKey, type Azurite, startAzurite } from "../../lab/azurite.ts";
import { lookAtGiven } from "../../lab/given/look.ts";
import { type RealCluster, startRealCluster } from "../../lab/real/cluster.ts";
import { kubeconfig } from "../../lab/real/credentials.ts";
import { eventually } from "./machine.ts";

const programs = inject("realPrograms");
const root = fileURLToPath(new URL("../..", import.meta.url));
const account = "stgiven";
const key = accountKey(account);

describe.skipIf(programs === null)("clusters that somebody has", { timeout: 300_000 }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-given-"));
  const inside = (...names: readonly string[]) => path.join(directory, ...names);
  let azurite: Azurite;
  let west: RealCluster;
  let north: RealCluster;
  let connection = "";
  let service: BlobServiceClient;
  const watching = new AbortController();

  beforeAll(async () => {
    if (programs === null) return;
    azurite = await startAzurite({ accounts: [account] });
    connection = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${azurite.url}/${account};`;
    service = BlobServiceClient.fromConnectionString(connection);
    await service.createContainer("theirs");
    const start = async (region: string, nodes: readonly string[]) => {
      const cluster = await startRealCluster({ programs, directory: inside(region), region, nodes, shells: [{ namespace: "shop", pod: "orders-0", container: "postgres", folder: inside(region, "shell") }] });
      await cluster.installVelero({ locations: [{ name: "default", account, url: `${azurite.url}/${account}`, container: "theirs", accessMode: "ReadWrite", isDefault: true }], accountKeys: { [account]: key }, syncPeriodSeconds: 60, validationSeconds: 10 });
      // Somebody's own, which no run may touch.
      await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "theirs" } });
      await cluster.api.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs", namespace: "theirs" }, data: { kept: "yes" } });
      await cluster.api.apply({ apiVersion: "velero.io/v1", kind: "Schedule", metadata: { name: "theirs", namespace: "velero" }, spec: { schedule: "0 3 * * *", template: { includedNamespaces: ["theirs"] } } });
      void mountOrders(cluster, inside(region, "shell"), watching.signal);
      return cluster;
    };
    [west, north] = await Promise.all([start("west", ["aks-user-20261121-vmss000000", "aks-user-20261121-vmss000001"]), start("north", ["aks-user-20261121-vmss000000"])]);
  }, 180_000);
  afterAll(async () => {
    watching.abort();
    await Promise.all([west?.close(), north?.close()]);
    await azurite?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const kubeconfigOf = (cluster: RealCluster) => path.join(cluster.directory, "kubeconfig");
  const given = (more: Partial<Parameters<typeof lookAtGiven>[0]> = {}) => ({ primary: kubeconfigOf(west), secondary: kubeconfigOf(north), storageConnection: connection, ...more });
  const hurdlesOf = async (more: Partial<Parameters<typeof lookAtGiven>[0]>) => {
    const looked = await lookAtGiven(given(more));
    return looked.kind === "hurdles" ? looked.hurdles : [];
  };
  /** All that a run could have left: objects by kind and name, and containers. */
  const state = async () => {
    const lists = ["/api/v1/namespaces", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "/apis/rbac.authorization.k8s.io/v1/roles", "/apis/rbac.authorization.k8s.io/v1/rolebindings", "/apis/scheduling.k8s.io/v1/priorityclasses", "/api/v1/serviceaccounts", "/api/v1/secrets", "/api/v1/persistentvolumes", "/api/v1/namespaces/velero/configmaps", ...["backups", "restores", "schedules", "backupstoragelocations", "backuprepositories", "podvolumebackups", "podvolumerestores", "serverstatusrequests"].map((plural) => `/apis/velero.io/v1/${plural}`)];
    const found: string[] = [];
    for (const cluster of [west, north]) for (const list of lists) found.push(...(await cluster.api.list(list)).map(({ metadata }) => `${cluster.region} ${list} ${metadata.namespace ?? ""}/${metadata.name}`));
    for await (const { name } of service.listContainers()) found.push(`container ${name}`);
    return found;
  };

  test("recover the lab's application, and have nothing of it left afterwards", async () => {
    const before = await state();
    const lab = runLab(connection, ["--real", "--primary-kubeconfig", kubeconfigOf(west), "--secondary-kubeconfig", kubeconfigOf(north), "--json", "--report", inside("report")]);
    const [out, [code]] = await Promise.all([text(lab.stdout), once(lab, "exit") as Promise<[number | null]>]);
    const events = out.trimEnd().split("\n").map((line) => JSON.parse(line) as { readonly event: string; readonly why?: string; readonly report?: Report });
    expect(events.filter(({ event }) => event === "failed")).toEqual([]);
    expect(code).toBe(0);
    expect(events.at(-1)?.report).toMatchObject({ outcome: "recovered", observed: { shows: "Night market", writesToPrimary: 0, canary: { equal: true } } });
    for (const said of [out, ...readdirSync(inside("report")).map((name) => readFileSync(inside("report", name), "utf8"))]) expect(said).not.toContain(key);
    await expect.poll(state, { timeout: 30_000, interval: 500 }).toEqual(before);
  });

  test.each(["making the lab's containers", "storage locations and rights", '"event":"serving"'])("are left as they were by a run that is stopped at %j", async (moment) => {
    const before = await state();
    const lab = runLab(connection, ["--real", "--topology", "shared", "--primary-kubeconfig", kubeconfigOf(west), "--secondary-kubeconfig", kubeconfigOf(north), "--json", "--report", inside("report")]);
    for await (const line of createInterface({ input: lab.stdout })) {
      if (line.includes(moment)) lab.kill("SIGINT");
    }
    const [code] = lab.exitCode === null ? ((await once(lab, "exit")) as [number | null]) : [lab.exitCode];
    expect(code).toBe(130);
    await expect.poll(state, { timeout: 30_000, interval: 500 }).toEqual(before);
  });

  test("are refused in a sentence each, before anything is made", async () => {
    const before = await state();
    const file = (name: string, body: string) => {
      writeFileSync(inside(name), body);
      return inside(name);
    };
    const one = (change: Partial<{ url: string; token: string }>) => kubeconfig({ name: "given", url: west.url, caPem: west.caPem, token: west.adminToken, ...change });
    const weak = await west.api.request("POST", "/api/v1/namespaces/theirs/serviceaccounts/default/token", { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} });
    const { token = "" } = weak.body["status"] as { readonly token?: string };
    for (const [primary, sentence] of [
      [inside("nowhere"), /nowhere cannot be read as a kubeconfig: ENOENT/],
      [file("torn", "clusters: [{"), /torn cannot be read as a kubeconfig: /],
      [file("aimless", JSON.stringify({ ...(JSON.parse(one({})) as object), "current-context": "" })), /aimless says of no cluster that it is the one to use/],
      [file("open", one({ url: "http://127.0.0.1:8080" })), /without checking its certificate/],
      [file("away", one({ url: "https://127.0.0.1:9" })), /away: https:\/\/127\.0\.0\.1:9 does not answer: .*ECONNREFUSED/],
      [file("stranger", one({ token: "made-up" })), /stranger: .* does not know who this is \(401\)/],
      [file("weak", one({ token })), /weak: whoever it signs in may not do everything in .* cluster-admin/],
      [kubeconfigOf(north), /lead to one and the same cluster/],
    ] as const) {
      expect(await hurdlesOf({ primary }), primary).toEqual([expect.stringMatching(sentence)]);
    }
    for (const [storageConnection, sentence] of [
      ["nonsense", /AZURE_STORAGE_CONNECTION_STRING has no AccountName and AccountKey/],
      [connection.replace(key, accountKey("another")), /the storage account cannot be used, http.*: (?:AuthorizationFailure|AuthenticationFailed|status 403); the key must be the account's own/],
      [connection.replace(azurite.url, "http://127.0.0.1:9"), /the storage account cannot be used, .*ECONNREFUSED/],
    ] as const) {
      expect(await hurdlesOf({ storageConnection }), storageConnection.replace(key, "")).toEqual([expect.stringMatching(sentence)]);
    }
    // What has a name of the lab's, and is not the lab's.
    await north.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    expect(await hurdlesOf({})).toEqual([expect.stringMatching(/there is a Namespace shop already that is not the lab's/)]);
    await north.api.request("DELETE", "/api/v1/namespaces/shop");
    await eventually("the namespace is gone", 30, async () => (await north.api.get("/api/v1/namespaces/shop")) === null);

    const lab = runLab(connection, ["--real", "--primary-kubeconfig", kubeconfigOf(west), "--secondary-kubeconfig", inside("weak"), "--report", inside("report")]);
    expect(await once(lab, "exit")).toEqual([2, null]);
    expect(await state()).toEqual(before);
  });

  test("are refused when their Velero is missing, silent or too old", async () => {
    if (programs === null) return;
    const bare = await startRealCluster({ programs, directory: inside("bare"), region: "bare", nodes: ["aks-user-20261121-vmss000000"] });
    try {
      expect(await hurdlesOf({ secondary: kubeconfigOf(bare) })).toEqual([expect.stringMatching(/there is no Velero in the namespace velero: install it/)]);
    } finally {
      await bare.close();
    }
    await north.stop("velero");
    const answering = new AbortController();
    const answered = answerAs("v1.15.2", north, answering.signal);
    expect(await hurdlesOf({})).toEqual([expect.stringMatching(/its Velero is v1\.15\.2, and the lab needs 1\.18 or newer: upgrade it/)]);
    answering.abort();
    await answered;
    expect(await hurdlesOf({})).toEqual([expect.stringMatching(/no server of it answers in the namespace velero/)]);
    await north.start("velero");
  });
});

/** What a kubelet would have done: the folder in which commands run is the volume that the pod has mounted. */
async function mountOrders({ api, directory }: RealCluster, folder: string, signal: AbortSignal): Promise<void> {
  let mounted = "";
  while (!signal.aborted) {
    const claim = await api.get("/api/v1/namespaces/shop/persistentvolumeclaims/data-orders-0").catch(() => null);
    const { volumeName = "" } = (claim?.["spec"] ?? {}) as { readonly volumeName?: string };
    if (volumeName !== "" && volumeName !== mounted) {
      rmSync(folder, { force: true });
      symlinkSync(path.join(directory, "disks", volumeName), folder);
      mounted = volumeName;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An older server: all that is asked of it is its version. */
async function answerAs(serverVersion: string, { api }: RealCluster, signal: AbortSignal): Promise<void> {
  const path = "/apis/velero.io/v1/namespaces/velero/serverstatusrequests";
  while (!signal.aborted) {
    for (const { metadata } of await api.list(path)) await api.request("PATCH", `${path}/${metadata.name}`, { status: { phase: "Processed", serverVersion } });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function runLab(connection: string, args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, ["--import", "tsx", "lab/run/main.ts", ...args], { cwd: root, env: { ...process.env, AZURE_STORAGE_CONNECTION_STRING: connection }, stdio: ["ignore", "pipe", "inherit"] });
}
