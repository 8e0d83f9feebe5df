import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { accountKey, type Azurite, startAzurite } from "../../lab/azurite.ts";
import { type ApiObject, openApi } from "../../lab/real/api.ts";
import { type RealCluster, startRealCluster } from "../../lab/real/cluster.ts";
import { openTokenReviewer, type TokenReviewer } from "../../lab/real/token-review.ts";
import { eventually, podFoldersOf, processesLeft, processesOf } from "./machine.ts";

const programs = inject("realPrograms");
const node = (at: number) => `aks-user-20261121-vmss00000${at}`;
const accountKeys = { stlabone: accountKey("stlabone"), stlabtwo: accountKey("stlabtwo") };
const setup = { accountKeys, syncPeriodSeconds: 2, validationSeconds: 2 };

describe.skipIf(programs === null)("two real regions side by side", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-real-"));
  let azurite: Azurite;
  let reviewer: TokenReviewer;
  let primary: RealCluster;
  let secondary: RealCluster;
  const took = { clusters: 0, velero: 0 };

  beforeAll(async () => {
    if (programs === null) return;
    azurite = await startAzurite({ accounts: Object.keys(accountKeys) });
    for (const [account, container] of [["stlabone", "velero"], ["stlabtwo", "velero-own"]] as const) {
      const service = new BlobServiceClient(`${azurite.url}/${account}`, new StorageSharedKeyCredential(account, accountKeys[account]));
      await service.getContainerClient(container).create();
    }
    reviewer = await openTokenReviewer(async (token) => (token === "the-observer" ? { user: "observer", groups: ["lifeboat"] } : { refused: "nobody has this token" }));
    const start = async (region: string, nodes: readonly string[]) =>
      startRealCluster({ programs, directory: path.join(directory, region), region, nodes, tokenReview: reviewer, auditLog: path.join(directory, `${region}.audit`) });
    const begunAt = performance.now();
    [primary, secondary] = await Promise.all([start("westeurope", [node(0), node(1)]), start("northeurope", [node(0)])]);
    took.clusters = (performance.now() - begunAt) / 1000;
    const locations = {
      default: { name: "default", account: "stlabone", url: `${azurite.url}/stlabone`, container: "velero", accessMode: "ReadWrite", isDefault: true },
      replica: { name: "replica", account: "stlabone", url: `${azurite.url}/stlabone`, container: "velero", accessMode: "ReadOnly" },
      own: { name: "own", account: "stlabtwo", url: `${azurite.url}/stlabtwo`, container: "velero-own", accessMode: "ReadWrite", isDefault: true },
    } as const;
    await Promise.all([primary.installVelero({ ...setup, locations: [locations.default] }), secondary.installVelero({ ...setup, locations: [locations.replica, locations.own] })]);
    took.velero = (performance.now() - begunAt) / 1000 - took.clusters;
    process.stderr.write(`two clusters were up in ${took.clusters.toFixed(1)} s, Velero was Available in both ${took.velero.toFixed(1)} s later\n`);
  });

  afterAll(async () => {
    await Promise.all([primary?.close(), secondary?.close()]);
    await azurite?.close();
    await reviewer?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("each has its own Kubernetes, and Velero is Available at every location", async () => {
    expect(primary.url).not.toBe(secondary.url);
    // A few seconds each on an idle machine of two cores.
    expect(took.clusters).toBeLessThan(60);
    expect(took.velero).toBeLessThan(60);
    const version = await primary.api.request("GET", "/version");
    expect(version.body).toMatchObject({ gitVersion: "v1.34.4" });
    expect(await phases(secondary, "backupstoragelocations")).toEqual({ own: "Available", replica: "Available" });
    expect(await phases(primary, "backupstoragelocations")).toEqual({ default: "Available" });
  });

  test("nodes come and go by name, each with its node-agent", async () => {
    const nodes = async () => (await secondary.api.list("/api/v1/nodes")).map(({ metadata }) => metadata.name);
    const agentsAre = async (...names: readonly string[]) => [...secondary.pids.keys()].filter((name) => name.startsWith("node-agent-")).sort().join() === names.map((name) => `node-agent-${name}`).join();
    await secondary.setNodes([node(0), node(1), node(2)]);
    expect(await nodes()).toEqual([node(0), node(1), node(2)]);
    const { metadata } = (await secondary.api.get(`/api/v1/nodes/${node(2)}`)) as ApiObject;
    expect(metadata.labels).toMatchObject({ agentpool: "user", "topology.kubernetes.io/region": "northeurope" });
    await eventually("an agent on each node", 30, () => agentsAre(node(0), node(1), node(2)));
    await secondary.setNodes([node(0), node(2)]);
    expect(await nodes()).toEqual([node(0), node(2)]);
    await eventually("an agent on each node and on no other", 30, () => agentsAre(node(0), node(2)));
  });

  test("a token is whose the reviewer says it is, and RBAC decides what that user may do", async () => {
    const as = (token: string) => openApi({ url: primary.url, caPem: primary.caPem, token });
    const [observer, stranger] = [as("the-observer"), as("a-strangers")];
    const path = "/api/v1/namespaces/default/configmaps";
    expect(await stranger.request("GET", path)).toMatchObject({ status: 401 });
    expect(await observer.request("GET", path)).toMatchObject({ status: 403, body: { message: expect.stringContaining('User "observer" cannot list') } });
    await primary.api.apply({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "observers" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "lifeboat" }],
    });
    await eventually("the binding counts", 10, async () => (await observer.request("GET", path)).status === 200);
    expect(await observer.request("POST", path, { metadata: { name: "mine" } })).toMatchObject({ status: 403 });
    for (const api of [observer, stranger]) api.close();
  });

  test("Kopia moves a volume to the other region, byte by byte, and the loss of the first is survived by its disk", async () => {
    for (const object of database) await primary.api.apply(object);
    await eventually("the claim is bound", 30, async () => (await primary.volumeFiles("books", "data-db-0")) !== null);
    await primary.writeVolumeFile("books", "data-db-0", "canary", Buffer.from("still here"));
    await primary.writeVolumeFile("books", "data-db-0", "base/1.bin", randomBytes(2_000_000));
    await eventually("the pod runs", 30, async () => (await primary.kubectl("-n", "books", "get", "pod", "db-0", "-o", "jsonpath={.status.phase}")) === "Running");
    await primary.api.apply({ apiVersion: "velero.io/v1", kind: "Backup", metadata: { name: "books", namespace: "velero" }, spec: { includedNamespaces: ["books"], defaultVolumesToFsBackup: true } });
    await eventually("the backup is Completed", 60, async () => (await phases(primary, "backups"))["books"] === "Completed");
    const before = await primary.volumeFiles("books", "data-db-0");
    expect(before?.map(({ path }) => path)).toEqual(["base/1.bin", "canary"]);

    await primary.kill();
    expect(processesOf(primary.directory)).toEqual([]);
    await expect(primary.api.get("/api/v1/nodes")).rejects.toThrow("ECONNREFUSED");
    // The first look of a Velero that starts is at once, where the next may be a minute off.
    await secondary.crash("velero");
    await eventually("the secondary knows the backup", 90, async () => "books" in (await phases(secondary, "backups")));
    await secondary.api.apply({ apiVersion: "velero.io/v1", kind: "Restore", metadata: { name: "books", namespace: "velero" }, spec: { backupName: "books" } });
    await eventually("the restore is over", 90, async () => /Completed|Failed/.test((await phases(secondary, "restores"))["books"] ?? ""));
    expect(await phases(secondary, "restores")).toEqual({ books: "Completed" });
    expect(await secondary.volumeFiles("books", "data-db-0")).toEqual(before);
    expect(Buffer.from((await secondary.readVolumeFile("books", "data-db-0", "canary")) ?? []).toString()).toBe("still here");
    await eventually("the pod runs", 30, async () => (await secondary.kubectl("-n", "books", "get", "pod", "db-0", "-o", "jsonpath={.status.phase}")) === "Running");

    await primary.revive();
    expect(await primary.volumeFiles("books", "data-db-0")).toEqual(before);
    await eventually("Velero is back", 30, async () => primary.pids.has("velero"));
  });

  test("a released volume goes with its files, as a disk does", async () => {
    const disks = path.join(secondary.directory, "disks");
    expect(readdirSync(disks)).toHaveLength(1);
    await secondary.kubectl("delete", "namespace", "books", "--wait=true");
    await eventually("the disk is gone", 30, async () => readdirSync(disks).length === 0);
    expect(await secondary.volumeFiles("books", "data-db-0")).toBeNull();
  });

  test("one part can be stopped and started again", async () => {
    await secondary.stop("velero");
    expect(secondary.pids.has("velero")).toBe(false);
    await secondary.start("velero");
    await eventually("Velero runs", 20, async () => secondary.pids.has("velero"));
    await secondary.stop("api");
    await expect(secondary.api.list("/api/v1/nodes")).rejects.toThrow("ECONNREFUSED");
    await secondary.start("api");
    expect(await secondary.api.list("/api/v1/nodes")).toHaveLength(2);
  });

  test("a location that cannot be had is named, with what Velero says of it and where its log is", async () => {
    const url = `${azurite.url}/stlabtwo`;
    const lost = { name: "lost", account: "stlabtwo", url, container: "nobody-made-it", accessMode: "ReadWrite" } as const;
    await expect(secondary.installVelero({ ...setup, locations: [lost], readySeconds: 15 })).rejects.toThrow(
      new RegExp(`^Velero v1\\.18\\.3 in northeurope did not get ready within 15 s: location lost \\(container nobody-made-it at ${url}\\) is Unavailable: [^]*ContainerNotFound[^]*; its log: ${secondary.directory}/log/velero`),
    );
    expect(Object.keys(await phases(secondary, "backupstoragelocations"))).toEqual(["lost"]);
    await expect(secondary.installVelero({ ...setup, accountKeys: {}, locations: [lost] })).rejects.toThrow("location lost names the account stlabtwo, and its key is not given");
  });

  test("after closing nothing is left, no process and no folder of a pod", async () => {
    expect(podFoldersOf(process.pid)).not.toEqual([]);
    await Promise.all([primary.close(), secondary.close()]);
    expect(await processesLeft(directory, 5)).toEqual([]);
    expect(podFoldersOf(process.pid)).toEqual([]);
    await primary.close();
  });
});

async function phases(cluster: RealCluster, plural: string): Promise<Readonly<Record<string, string>>> {
  const found = await cluster.api.list(`/apis/velero.io/v1/namespaces/velero/${plural}`);
  return Object.fromEntries(found.map(({ metadata, status }) => [metadata.name, ((status ?? {}) as { readonly phase?: string }).phase ?? ""]));
}

/** A namespace with a database of one pod on a volume. */
const database: readonly ApiObject[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "books" } },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "books" },
    spec: {
      serviceName: "db",
      replicas: 1,
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "postgres:17", volumeMounts: [{ name: "data", mountPath: "/data" }] }] } },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }],
    },
  },
];
