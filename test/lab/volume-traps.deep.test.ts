/**
 * Ways to a restore that ends `Completed`, runs or is half there, with an empty volume. What Velero does in each, the contracts of its volumes
 * hold; here the app finds it. A fifth, the volume that the backup skipped, is the scenario `data-skipped`.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import type { LabPair } from "../../lab/pair-in-a-box.ts";
import { clusterClient } from "../../lab/run/cluster-client.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { type LabRunOptions, type RunningLab, runLab } from "../../lab/run/run-lab.ts";
import { turnstile } from "../../lab/turnstile.ts";
import { accounts, blobHost, secondary } from "../../lab/world/pair.ts";
import { patience } from "./stage.ts";

/** The recorded points, newest first. */
const [newest, older] = ["shop-hourly-20261121055825", "shop-hourly-20261121055818"] as const;
const velero = "/apis/velero.io/v1/namespaces/velero";
const take = turnstile(2);
const timeout = 3 * patience.test;

const play = (options: Partial<LabRunOptions>) => take(() => runLab({ ...quickRun, topology: "replicated", ...options }));

async function asked(lab: RunningLab, method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { status, object } = await clusterClient(lab.pair, secondary.region).request(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(object)}`);
  return object;
}

const phaseOf = ({ status }: Record<string, unknown>) => (status as { readonly phase?: string } | undefined)?.phase ?? "";

test.concurrent("a volume whose mover's result got lost: the point is passed over", { timeout }, async () => {
  const { report } = await play({ onPair: (pair) => withoutSnapshots(pair, newest) });
  expect(report).toMatchObject({ outcome: "recovered", restorePoint: { name: older } });
  expect(report.passedOver).toContainEqual(expect.objectContaining({ name: newest, reason: expect.stringContaining("names no snapshot") as string }));
});

test.concurrent("a storage class that the secondary lacks: nobody fails over, and the class is named", { timeout }, async () => {
  const { report } = await play({ onUp: async (lab) => void (await asked(lab, "DELETE", "/apis/storage.k8s.io/v1/storageclasses/managed-csi")) });
  expect(report.outcome).toBe("target-not-ready");
  expect(report.summary).toContain("there is no storage class managed-csi: volumes would come back empty");
});

test.concurrent("a backup that was imported before its volume list had arrived: the list is added, and the volume comes", { timeout }, async () => {
  const copies = `${velero}/podvolumebackups?labelSelector=velero.io%2Fbackup-name%3D${newest}`;
  const ends: string[] = [];
  const { report, failures } = await play({
    async onUp(lab) {
      for (const { metadata } of (await asked(lab, "GET", copies))["items"] as readonly { readonly metadata: { readonly name: string } }[]) await asked(lab, "DELETE", `${velero}/podvolumebackups/${metadata.name}`);
      expect((await asked(lab, "GET", copies))["items"]).toEqual([]);
    },
    async beforeClose(lab) {
      for (const mover of (await asked(lab, "GET", `${velero}/podvolumerestores`))["items"] as readonly Record<string, unknown>[]) ends.push(phaseOf(mover));
    },
  });
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ outcome: "recovered", restorePoint: { name: newest } });
  expect(ends).toEqual(["Completed"]);
});

test.concurrent("a storage location that was re-pointed just before: the restore waits until its repository is ready again", { timeout }, async () => {
  const repository = `${velero}/backuprepositories/shop-replica-kopia`;
  let seen = "";
  const { report, failures } = await play({
    async onUp(lab) {
      // As a drill leaves it: once used, a repository is known, and knows where it was.
      const repositorySpec = { backupStorageLocation: "replica", maintenanceFrequency: "1h0m0s", repositoryType: "kopia", volumeNamespace: "shop" };
      await asked(lab, "POST", `${velero}/backuprepositories`, { apiVersion: "velero.io/v1", kind: "BackupRepository", metadata: { name: "shop-replica-kopia", namespace: "velero" }, spec: repositorySpec, status: { phase: "Ready" } });
      const { spec } = (await asked(lab, "GET", `${velero}/backupstoragelocations/replica`)) as { readonly spec: { readonly config: Readonly<Record<string, string>> } };
      await asked(lab, "PATCH", `${velero}/backupstoragelocations/replica`, { spec: { config: { ...spec.config, resourceGroup: "rg-moved" } } });
      seen = phaseOf(await asked(lab, "GET", repository));
    },
  });
  expect(seen).toBe("NotReady");
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ outcome: "recovered", restorePoint: { name: newest } });
});

/** As a backup is whose mover ended and could not say with what; at both ends, before anybody has seen it. */
async function withoutSnapshots(pair: LabPair, backup: string): Promise<void> {
  const name = `backups/${backup}/${backup}-podvolumebackups.json.gz`;
  for (const store of [accounts.source.name, accounts.replica.name]) {
    const before = await frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(store)}`, container: "velero" }).get(name);
    if (before === null) throw new Error(`${store} has no ${name}`);
    const copies = JSON.parse(gunzipSync(before).toString("utf8")) as readonly { readonly status: object }[];
    await pair.bytes.put({ store, container: "velero", name }, gzipSync(JSON.stringify(copies.map((copy) => ({ ...copy, status: { ...copy.status, snapshotID: "" } })))));
  }
}
