import { gunzipSync } from "node:zlib";
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, test } from "vitest";
import { eventually, patiently } from "./cluster-speaker.ts";
import { bytesOf, copyBlobs, handOn, namesIn, phaseOf, phasesUntil, smallShop, unpacked, type VeleroHand, type VeleroSpeaker } from "./velero-speaker.ts";

/** Storage locations, backups, their import elsewhere and their end. */
export function describeVeleroBackupsContract(name: string, open: () => Promise<VeleroSpeaker>): void {
  describe(`${name} keeps the contract of Velero's backups`, () => {
    let speaker: VeleroSpeaker;
    let velero: VeleroHand;
    let shop: string;
    const own = () => speaker.container("plain", "contract");
    beforeAll(async () => {
      speaker = await open();
      velero = handOn(speaker);
      await velero.location("own", "plain", "contract");
      shop = await smallShop(velero, speaker.patienceMs);
    });
    afterAll(async () => speaker?.close());
    const ofShop = (more: Record<string, unknown> = {}) => ({ includedNamespaces: [shop], storageLocation: "own", ...more });

    test("a location is Available when its container can be listed, and says why it is not", async ({ expect }) => {
      expect((await velero.read("backupstoragelocations", "own")).status).toMatchObject({ phase: "Available", lastValidationTime: expect.stringMatching(/^\d{4}-.*Z$/) as string });
      await velero.create("backupstoragelocations", "nowhere", { provider: "azure", objectStorage: { bucket: "no-such-container" }, config: speaker.config("plain"), validationFrequency: "1s" });
      const nowhere = await velero.until("backupstoragelocations", "nowhere", ({ status }) => status?.["message"] !== undefined);
      expect(nowhere.status).toMatchObject({ phase: "Unavailable", message: expect.stringMatching(/^BackupStorageLocation "nowhere" is unavailable: rpc error: code = Unknown desc = [^]*ContainerNotFound/) as string });
      await speaker.container("plain", "foreign").createIfNotExists();
      await speaker.container("plain", "foreign").getBlockBlobClient("marks/one").upload("x", 1);
      await velero.create("backupstoragelocations", "foreign", { provider: "azure", objectStorage: { bucket: "foreign" }, config: speaker.config("plain"), validationFrequency: "1s" });
      const foreign = await velero.until("backupstoragelocations", "foreign", ({ status }) => status?.["message"] !== undefined);
      expect(foreign.status).toMatchObject({ phase: "Unavailable", message: expect.stringContaining("Backup store contains invalid top-level directories: [marks]") as string });
      // With the reason the message goes.
      await speaker.container("plain", "foreign").getBlockBlobClient("marks/one").delete();
      await velero.patch("backupstoragelocations", "foreign", { spec: { config: { ...speaker.config("plain") }, objectStorage: { prefix: "inside" } } });
      const mended = await velero.until("backupstoragelocations", "foreign", (object) => phaseOf(object) === "Available");
      expect(mended.status).not.toHaveProperty("message");
      await velero.remove("backupstoragelocations", "nowhere");
      await velero.remove("backupstoragelocations", "foreign");
    });

    test("a backup walks through its phases, counts, and leaves its files", async ({ expect }) => {
      const watch = await velero.watch("backups");
      const done = await velero.backup("whole", ofShop());
      expect(await phasesUntil("Completed", watch, "whole", speaker.patienceMs)).toEqual(["", "Queued", "ReadyToStart", "InProgress", "Finalizing", "Completed"]);
      const { progress, ...status } = done.status as { readonly progress: { readonly totalItems: number; readonly itemsBackedUp: number } } & Record<string, unknown>;
      expect(Object.keys(status).toSorted()).toEqual(["completionTimestamp", "expiration", "formatVersion", "hookStatus", "phase", "startTimestamp", "version"]);
      expect(status).toMatchObject({ phase: "Completed", formatVersion: "1.1.0", version: 1, hookStatus: {} });
      expect(progress.itemsBackedUp).toBe(progress.totalItems);
      expect(progress.totalItems).toBeGreaterThanOrEqual(12);
      expect(done.metadata).toMatchObject({ labels: { "velero.io/storage-location": "own" }, annotations: { "velero.io/source-cluster-k8s-gitversion": expect.stringMatching(/^v1\./) as string, "velero.io/source-cluster-k8s-major-version": "1", "velero.io/resource-timeout": "10m0s" } });
      expect(done.spec).toMatchObject({ ttl: "720h0m0s", csiSnapshotTimeout: "10m0s", itemOperationTimeout: "4h0m0s", snapshotMoveData: false, defaultVolumesToFsBackup: false, storageLocation: "own" });
      const files = ["-itemoperations.json.gz", "-logs.gz", "-podvolumebackups.json.gz", "-resource-list.json.gz", "-results.gz", ".tar.gz", "-volumeinfo.json.gz", "-volumesnapshots.json.gz"];
      expect((await namesIn(own(), "backups/whole/")).toSorted()).toEqual([...files.map((file) => `backups/whole/whole${file}`), "backups/whole/velero-backup.json"].toSorted());
      const written = JSON.parse((await bytesOf(own(), "backups/whole/velero-backup.json")).toString("utf8")) as Record<string, unknown>;
      expect(written).toMatchObject({ kind: "Backup", apiVersion: "velero.io/v1", metadata: { name: "whole" }, status: { phase: "Completed", progress } });
      const listed = (await unpacked(own(), "backups/whole/whole-resource-list.json.gz")) as Record<string, readonly string[]>;
      expect(listed["v1/ConfigMap"]?.toSorted()).toEqual([`${shop}/kube-root-ca.crt`, `${shop}/plain`, `${shop}/settings`]);
      expect(listed["apps/v1/Deployment"]).toEqual([`${shop}/web`]);
      expect(Object.values(listed).flat()).toHaveLength(progress.totalItems);
      expect(await unpacked(own(), "backups/whole/whole-results.gz")).toEqual({ errors: {}, warnings: {} });
      expect(gunzipSync(await bytesOf(own(), "backups/whole/whole-logs.gz")).toString("utf8")).toContain("backup=velero/whole");
      expect((await own().getBlobClient("backups/whole/whole.tar.gz").getProperties()).contentMD5).toBeUndefined();
    });

    test("labels and kinds decide what goes in", async ({ expect }) => {
      await velero.backup("labelled", ofShop({ labelSelector: { matchLabels: { app: "web" } }, includedResources: ["configmaps", "deployments.apps"] }));
      const listed = (await unpacked(own(), "backups/labelled/labelled-resource-list.json.gz")) as Record<string, readonly string[]>;
      expect(listed).toMatchObject({ "v1/ConfigMap": [`${shop}/settings`] });
      expect(Object.keys(listed)).not.toContain("v1/Secret");
      expect(Object.keys(listed)).not.toContain("v1/Pod");
    });

    test("a hook that fails keeps its pod out: PartiallyFailed, although the list of resources names it", async ({ expect }) => {
      const watch = await velero.watch("backups");
      const exec = { container: "page", command: ["/bin/freeze"], onError: "Fail", timeout: "5s" };
      const done = await velero.backup("hooked", ofShop({ hooks: { resources: [{ name: "freeze", includedNamespaces: [shop], labelSelector: { matchLabels: { app: "web" } }, pre: [{ exec }] }] } }));
      expect(await phasesUntil("PartiallyFailed", watch, "hooked", speaker.patienceMs)).toEqual(["", "Queued", "ReadyToStart", "InProgress", "FinalizingPartiallyFailed", "PartiallyFailed"]);
      expect(done.status).toMatchObject({ phase: "PartiallyFailed", errors: 4, hookStatus: { hooksAttempted: 2, hooksFailed: 2 } });
      const { errors } = (await unpacked(own(), "backups/hooked/hooked-results.gz")) as { readonly errors: { readonly velero: readonly string[] } };
      expect(errors.velero).toHaveLength(4);
      expect(errors.velero.filter((message) => message.includes("Error executing hook error: /"))).toHaveLength(2);
      expect(errors.velero.filter((message) => /name: \/web-\S+ message: \/Error running pre hooks for pod error: \//.test(message))).toHaveLength(2);
      const listed = (await unpacked(own(), "backups/hooked/hooked-resource-list.json.gz")) as Record<string, readonly string[]>;
      expect(listed["v1/Pod"]).toHaveLength(2);
      // What is restored from it makes its pods anew.
      const target = `${shop}-hooked`;
      expect((await velero.restore("hooked", { backupName: "hooked", namespaceMapping: { [shop]: target } })).status).toMatchObject({ phase: "Completed" });
      const restored = (await unpacked(own(), "restores/hooked/restore-hooked-resource-list.json.gz")) as Record<string, readonly string[]>;
      expect(restored["v1/Pod"]).toBeUndefined();
    });

    test("what cannot be is FailedValidation, says why, and leaves nothing in the store", async ({ expect }) => {
      const errors = async (name: string, spec: Record<string, unknown>) => {
        const { status } = await velero.backup(name, spec);
        expect(status?.["phase"]).toBe("FailedValidation");
        return status?.["validationErrors"];
      };
      await velero.location("closed", "plain", "contract-closed", { accessMode: "ReadOnly" });
      expect(await errors("bad-closed", { includedNamespaces: [shop], storageLocation: "closed" })).toEqual(["backup can't be created because backup storage location closed is currently in read-only mode"]);
      expect(await errors("bad-lost", { storageLocation: "no-such-location" })).toEqual([expect.stringContaining('BackupStorageLocation.velero.io "no-such-location" not found') as string]);
      expect(await errors("bad-lists", ofShop({ excludedNamespaces: [shop] }))).toEqual([`Invalid included/excluded namespace lists: excludes list cannot contain an item in the includes list: ${shop}`]);
      expect(await errors("bad-selectors", ofShop({ labelSelector: { matchLabels: { a: "b" } }, orLabelSelectors: [{ matchLabels: { a: "c" } }] }))).toEqual(["encountered labelSelector as well as orLabelSelectors in backup spec, only one can be specified"]);
      for (const bad of ["bad-closed", "bad-lists"]) expect(await namesIn(own(), `backups/${bad}/`)).toEqual([]);
      expect(await namesIn(speaker.container("plain", "contract-closed"), "")).toEqual([]);
    });

    test("a name that lies in the store already fails, and what lies there stays", async ({ expect }) => {
      // Where no sync brings the first one back meanwhile.
      await velero.location("unsynced", "plain", "contract-unsynced", { backupSyncPeriod: "0s" });
      const twice = ofShop({ storageLocation: "unsynced", includedResources: ["configmaps"] });
      const written = () => bytesOf(speaker.container("plain", "contract-unsynced"), "backups/twice/velero-backup.json");
      await velero.backup("twice", twice);
      const before = await written();
      await velero.remove("backups", "twice");
      await velero.gone("backups", "twice");
      const again = await velero.backup("twice", twice);
      expect(again.status).toMatchObject({ phase: "Failed", failureReason: expect.stringContaining("backup already exists in object storage") as string });
      expect(await written()).toEqual(before);
    });

    test("a location's backups are imported by name, finished ones only, and go when their files go; none is looked for before its period is over", patiently, async ({ expect }) => {
      await velero.backup("travels", ofShop());
      const other = speaker.container("plain", "contract-other");
      await other.createIfNotExists();
      await copyBlobs(own(), other, "backups/travels/");
      const rename = async (to: string, change: (backup: { metadata: { name: string }; status: Record<string, unknown> }) => void, container = other) => {
        const backup = JSON.parse((await bytesOf(own(), "backups/travels/velero-backup.json")).toString("utf8")) as { metadata: { name: string }; status: Record<string, unknown> };
        backup.metadata.name = to;
        change(backup);
        const text = JSON.stringify(backup);
        await container.getBlockBlobClient(`backups/${to}/velero-backup.json`).upload(text, Buffer.byteLength(text));
      };
      // Looked into once an hour, and never: both are there before the one that is looked into all the time.
      const [hourly, never] = ["hourly", "never"].map((period) => speaker.container("plain", `contract-${period}`)) as [ContainerClient, ContainerClient];
      for (const container of [hourly, never]) await container.createIfNotExists();
      await rename("first-hour", () => {}, hourly);
      await rename("unseen", () => {}, never);
      await velero.location("hourly", "plain", "contract-hourly", { accessMode: "ReadOnly", backupSyncPeriod: "1h" });
      await velero.location("never", "plain", "contract-never", { accessMode: "ReadOnly", backupSyncPeriod: "0s" });
      await rename("imported", () => {});
      await rename("constant", () => {});
      await rename("expired", ({ status }) => void (status["expiration"] = new Date(speaker.now() - 60_000).toISOString()));
      await rename("unfinished", ({ status }) => void (status["phase"] = "Finalizing"));
      await other.getBlockBlobClient("backups/half/velero-backup.json").upload('{"kind":"Ba', 11);
      await velero.location("other", "plain", "contract-other", { accessMode: "ReadOnly" });
      const imported = await velero.until("backups", "imported", () => true);
      const { status, spec } = await velero.read("backups", "travels");
      expect(imported).toMatchObject({ metadata: { labels: { "velero.io/storage-location": "other" } }, spec: { storageLocation: "other", includedNamespaces: spec?.["includedNamespaces"], ttl: spec?.["ttl"] }, status: { phase: "Completed", expiration: status?.["expiration"], progress: status?.["progress"] } });
      // The name is taken by the first location's: it stays that one's.
      expect((await velero.read("backups", "travels")).spec).toMatchObject({ storageLocation: "own" });
      const synced = await velero.until("backupstoragelocations", "other", ({ status }) => status?.["lastSyncedTime"] !== undefined);
      expect(synced.status).toMatchObject({ lastSyncedTime: expect.stringMatching(/Z$/) as string });
      expect(await velero.find("backups", "unfinished")).toBeNull();
      expect(await velero.find("backups", "half")).toBeNull();
      await velero.until("backupstoragelocations", "hourly", ({ status }) => status?.["lastSyncedTime"] !== undefined);
      expect(await velero.find("backups", "first-hour")).not.toBeNull();
      await rename("second-hour", () => {}, hourly);
      const labelled = await velero.until("backups", "expired", ({ metadata }) => metadata.labels?.["velero.io/gc-failure"] !== undefined);
      expect(labelled.metadata.labels).toMatchObject({ "velero.io/gc-failure": "BSLReadOnly", "velero.io/storage-location": "other" });
      // What was imported is never looked at again; what is not there any more goes.
      await rename("constant", ({ status }) => void (status["phase"] = "PartiallyFailed"));
      for (const blob of await namesIn(other, "backups/imported/")) await other.deleteBlob(blob);
      // A server that starts looks at once; the next look of this one is a minute off.
      await speaker.stopVelero();
      await speaker.startVelero();
      await velero.gone("backups", "imported");
      for (const early of ["second-hour", "unseen"]) expect(await velero.find("backups", early), early).toBeNull();
      expect((await velero.read("backupstoragelocations", "never")).status).not.toHaveProperty("lastSyncedTime");
      expect(phaseOf(await velero.read("backups", "constant"))).toBe("Completed");
      expect(await namesIn(other, "backups/expired/")).toHaveLength(1);
      expect(await velero.find("backups", "travels")).not.toBeNull();
    });

    test("a backup is deleted by request, with its files and its restores; a read-only location refuses", async ({ expect }) => {
      await velero.backup("doomed", ofShop({ includedResources: ["configmaps"] }));
      await velero.restore("of-doomed", { backupName: "doomed", namespaceMapping: { [shop]: `${shop}-doomed` } });
      const watch = await velero.watch("backups");
      await velero.create("deletebackuprequests", "doom", { backupName: "doomed" });
      await velero.gone("backups", "doomed");
      expect(await phasesUntil("Deleting", watch, "doomed", speaker.patienceMs)).toEqual(["Completed", "Deleting"]);
      await velero.gone("deletebackuprequests", "doom");
      await velero.gone("restores", "of-doomed");
      expect(await namesIn(own(), "backups/doomed/")).toEqual([]);
      expect(await namesIn(own(), "restores/of-doomed/")).toEqual([]);
      await velero.create("deletebackuprequests", "nothing", { backupName: "no-such-backup" });
      const nothing = await velero.until("deletebackuprequests", "nothing", (object) => phaseOf(object) === "Processed");
      expect(nothing.status).toMatchObject({ errors: ["backup deletion failed: backup not found"] });
      await velero.backup("kept", ofShop({ includedResources: ["configmaps"] }));
      await velero.patch("backupstoragelocations", "own", { spec: { accessMode: "ReadOnly" } });
      await velero.create("deletebackuprequests", "refused", { backupName: "kept" });
      const refused = await velero.until("deletebackuprequests", "refused", (object) => phaseOf(object) === "Processed");
      expect(refused.status).toMatchObject({ errors: ["backup deletion failed: cannot delete backup because backup storage location own is currently in read-only mode"] });
      expect(phaseOf(await velero.read("backups", "kept"))).toBe("Completed");
      await velero.patch("backupstoragelocations", "own", { spec: { accessMode: "ReadWrite" } });
    });

    test("an expired backup is deleted when a server starts", async ({ expect }) => {
      const short = await velero.backup("short", ofShop({ ttl: "2s", includedResources: ["configmaps"] }));
      const expiresAt = Date.parse(String(short.status?.["expiration"]));
      expect(expiresAt - Date.parse(String(short.status?.["startTimestamp"]))).toBeLessThanOrEqual(3_000);
      await eventually("its expiry", speaker.patienceMs, () => (speaker.now() > expiresAt + 1_000 ? true : null));
      expect(phaseOf(await velero.read("backups", "short"))).toBe("Completed");
      await speaker.stopVelero();
      await speaker.startVelero();
      await velero.gone("backups", "short");
      expect(await namesIn(own(), "backups/short/")).toEqual([]);
    });

    test("a status request is answered with version and plugins", async ({ expect }) => {
      await velero.create("serverstatusrequests", "alive", {});
      const { status } = await velero.until("serverstatusrequests", "alive", (object) => phaseOf(object) === "Processed");
      expect(status).toMatchObject({ phase: "Processed", serverVersion: "v1.18.3", processedTimestamp: expect.stringMatching(/Z$/) as string, plugins: expect.arrayContaining([{ name: "velero.io/azure", kind: "ObjectStore" }, { name: "velero.io/pod", kind: "RestoreItemAction" }]) as unknown });
    });
  });
}
