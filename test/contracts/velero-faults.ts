import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type Seen } from "./cluster-speaker.ts";
import { copyBlobs, handOn, namesIn, phaseOf, readyShop, smallShop, type VeleroHand, type VeleroSpeaker } from "./velero-speaker.ts";

/** So many that a restore of them is caught in its middle. */
const crowd = 200;

/** What becomes of work when Velero's server ends, when a store refuses writes, when files are not as they should be. */
export function describeVeleroFaultsContract(name: string, open: () => Promise<VeleroSpeaker>): void {
  describe(`${name} keeps the contract of Velero in trouble`, () => {
    let speaker: VeleroSpeaker;
    let velero: VeleroHand;
    let shop: string;
    const source = () => speaker.container("source", "velero");
    beforeAll(async () => {
      speaker = await open();
      velero = handOn(speaker);
      await velero.location("source", "source", "velero");
      await velero.location("shared", "shared", "velero");
      await velero.location("locked", "locked", "velero", { accessMode: "ReadOnly", backupSyncPeriod: "0s" });
      await velero.location("secondary", "secondary", "velero", { accessMode: "ReadOnly", backupSyncPeriod: "0s" });
      shop = await smallShop(velero, speaker.patienceMs);
    });
    afterAll(async () => speaker?.close());

    /** A backup that this cluster knows in a location whose container has got it from elsewhere. */
    async function backedUpIn(location: "locked" | "secondary", backup: string): Promise<void> {
      const origin = location === "locked" ? "source" : "shared";
      await velero.backup(backup, { includedNamespaces: [shop], storageLocation: origin });
      await speaker.settled();
      const { metadata, spec, status } = await velero.read("backups", backup);
      await velero.remove("backups", backup);
      await velero.gone("backups", backup);
      // As the app itself imports: the object in the location that holds the copy.
      const { labels, annotations } = metadata;
      await velero.wire.create("/apis/velero.io/v1/namespaces/velero/backups", { apiVersion: "velero.io/v1", kind: "Backup", metadata: { name: backup, labels: { ...labels, "velero.io/storage-location": location }, annotations }, spec: { ...spec, storageLocation: location }, status });
    }

    test.each([
      { location: "locked", code: "BlobOperationNotSupported", status: 409 },
      { location: "secondary", code: "InsufficientAccountPermissions", status: 403 },
    ] as const)("from a store that answers $status to writes everything comes back, and the one error is the log", async ({ location, code, status }) => {
      const backup = `from-${location}`;
      const target = `${shop}-${location}`;
      await backedUpIn(location, backup);
      expect((await velero.read("backupstoragelocations", location)).status).toMatchObject({ phase: "Available" });
      const container = speaker.container(location, "velero");
      const before = await namesIn(container, "");
      expect(before.some((blob) => blob.startsWith(`backups/${backup}/`))).toBe(true);
      const done = await velero.restore(backup, { backupName: backup, namespaceMapping: { [shop]: target } });
      // One warning at most: who makes `kube-root-ca.crt` in the new namespace is a race, and Velero warns only when it comes second.
      expect(done.status).toMatchObject({ phase: "PartiallyFailed", errors: 1 });
      expect([undefined, 1]).toContain(done.status?.["warnings"]);
      await readyShop(velero, target, speaker.patienceMs);
      expect((await namesIn(container, `restores/${backup}/`))).toEqual([]);
      await expect(container.getBlockBlobClient("restores/mark").upload("x", 1)).rejects.toMatchObject({ statusCode: status, code });
    });

    test("a backup into a store that refuses writes is Failed, and leaves nothing", async () => {
      await velero.patch("backupstoragelocations", "locked", { spec: { accessMode: "ReadWrite" } });
      const done = await velero.backup("into-locked", { includedNamespaces: [shop], storageLocation: "locked" });
      await velero.patch("backupstoragelocations", "locked", { spec: { accessMode: "ReadOnly" } });
      expect(phaseOf(done)).toBe("Failed");
      expect(done.status?.["failureReason"]).toContain("BlobOperationNotSupported");
      expect(await namesIn(speaker.container("locked", "velero"), "backups/into-locked/")).toEqual([]);
    });

    test("a restore whose archive is missing fails before it begins", async () => {
      await velero.backup("gutted", { includedNamespaces: [shop], storageLocation: "source" });
      await source().deleteBlob("backups/gutted/gutted.tar.gz");
      const done = await velero.restore("gutted", { backupName: "gutted", namespaceMapping: { [shop]: `${shop}-gutted` } });
      expect(phaseOf(done)).toBe("Failed");
      expect(done.status?.["failureReason"]).toMatch(/^restore execution failed: error downloading backup: error copying Backup to temp file: rpc error: code = Unknown desc = [^]*BlobNotFound/);
      expect((await velero.wire.ask("GET", `/api/v1/namespaces/${shop}-gutted`)).status).toBe(404);
    });

    test("a server that ends in the middle of a restore leaves it Failed; a new restore goes on where it was", async () => {
      const crowded = await velero.wire.namespace();
      for (let from = 0; from < crowd; from += 20)
        await Promise.all(Array.from({ length: 20 }, (_, at) => velero.wire.create(`/api/v1/namespaces/${crowded}/configmaps`, { metadata: { name: `page-${String(from + at).padStart(4, "0")}` }, data: { at: String(from + at) } })));
      await velero.backup("crowd", { includedNamespaces: [crowded], storageLocation: "source" });
      const target = `${crowded}-broken`;
      const restored = async () => (await velero.wire.ask("GET", `/api/v1/namespaces/${target}/configmaps`)).body["items"] as readonly Seen[] | undefined;
      const mapping = { backupName: "crowd", namespaceMapping: { [crowded]: target } };
      await velero.create("restores", "broken", mapping);
      await eventually("its middle", speaker.patienceMs, async () => (((await restored())?.length ?? 0) >= 10 ? true : null));
      await speaker.stopVelero();
      expect(phaseOf(await velero.read("restores", "broken"))).toBe("InProgress");
      const there = (await restored())?.length ?? 0;
      expect(there).toBeLessThan(crowd);
      await speaker.startVelero();
      const broken = await velero.until("restores", "broken", (object) => phaseOf(object) === "Failed");
      expect(broken.status).toMatchObject({ phase: "Failed", failureReason: 'found a restore with status "InProgress" during the server starting, mark it as "Failed"', completionTimestamp: expect.stringMatching(/Z$/) as string });
      const again = await velero.restore("mended", mapping);
      expect(again.status).toMatchObject({ phase: "Completed" });
      expect(await restored()).toHaveLength(crowd + 1);
      // Which restore brought an object is written on it: those of the first are left alone. The CA bundle is whose was quicker.
      const of = async (restore: string) => (await velero.wire.list(`/api/v1/namespaces/${target}/configmaps?labelSelector=velero.io%2Frestore-name%3D${restore}`)).filter(({ metadata }) => metadata.name.startsWith("page-")).length;
      expect((await of("broken")) + (await of("mended"))).toBe(crowd);
      expect(await of("broken")).toBeGreaterThanOrEqual(there - 1);
    });

    test("what a server left finalizing the next one ends", async () => {
      await velero.backup("last-steps", { includedNamespaces: [shop], includedResources: ["configmaps"], storageLocation: "source" });
      await velero.restore("last-steps", { backupName: "last-steps", namespaceMapping: { [shop]: `${shop}-last` } });
      await speaker.stopVelero();
      await velero.patch("restores", "last-steps", { status: { phase: "Finalizing", completionTimestamp: null } });
      await speaker.startVelero();
      const ended = await velero.until("restores", "last-steps", (object) => phaseOf(object) === "Completed");
      expect(ended.status?.["completionTimestamp"]).toMatch(/Z$/);
    });

    test("what is wished while no server runs is done when one does", async () => {
      await velero.backup("patient", { includedNamespaces: [shop], includedResources: ["configmaps"], storageLocation: "source" });
      await speaker.stopVelero();
      await velero.create("restores", "patient", { backupName: "patient", namespaceMapping: { [shop]: `${shop}-patient` } });
      await velero.create("backups", "waiting", { includedNamespaces: [shop], includedResources: ["configmaps"], storageLocation: "source" });
      await velero.create("serverstatusrequests", "waiting", {});
      expect([phaseOf(await velero.read("restores", "patient")), phaseOf(await velero.read("backups", "waiting"))]).toEqual(["", ""]);
      await speaker.startVelero();
      for (const [plural, phase, object] of [["restores", "Completed", "patient"], ["backups", "Completed", "waiting"], ["serverstatusrequests", "Processed", "waiting"]] as const) await velero.until(plural, object, (one) => phaseOf(one) === phase);
    });

    test("a copy of a backup restores like the backup itself", async () => {
      await velero.backup("copied", { includedNamespaces: [shop], includedResources: ["configmaps"], storageLocation: "source" });
      const copy = speaker.container("plain", "contract-copy");
      await copy.createIfNotExists();
      await copyBlobs(source(), copy, "backups/copied/");
      await velero.location("copy", "plain", "contract-copy", { backupSyncPeriod: "0s" });
      const { metadata, spec, status } = await velero.read("backups", "copied");
      await velero.remove("backups", "copied");
      await velero.gone("backups", "copied");
      await velero.wire.create("/apis/velero.io/v1/namespaces/velero/backups", { apiVersion: "velero.io/v1", kind: "Backup", metadata: { name: "copied", labels: { ...metadata.labels, "velero.io/storage-location": "copy" } }, spec: { ...spec, storageLocation: "copy" }, status });
      const done = await velero.restore("copied", { backupName: "copied", namespaceMapping: { [shop]: `${shop}-copied` } });
      expect(done.status).toMatchObject({ phase: "Completed" });
      expect(await namesIn(copy, "restores/copied/")).toHaveLength(5);
    });
  });
}
