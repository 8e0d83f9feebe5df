import { afterAll, beforeAll, describe, test } from "vitest";
import { eventually, patiently, type Seen } from "./cluster-speaker.ts";
import { copyBlobs, handOn, namesIn, phaseOf, phasesUntil, unpacked, type VeleroHand, type VeleroSpeaker } from "./velero-speaker.ts";

export interface VolumeSpeaker extends VeleroSpeaker {
  /** As a program in a container would. */
  writeFile(namespace: string, claim: string, file: string, text: string): Promise<void>;
  /** `null`: no such file on the volume bound to this claim. */
  readFile(namespace: string, claim: string, file: string): Promise<string | null>;
}

const labelled = (label: string, value: string) => `?labelSelector=${encodeURIComponent(`velero.io/${label}=${value}`)}`;
const list = (plural: string, selector: string) => `/apis/velero.io/v1/namespaces/velero/${plural}${selector}`;

/** File-system backups of volumes: their objects, what they bring back, and how they bring back nothing without a word. */
export function describeVeleroVolumesContract(name: string, open: () => Promise<VolumeSpeaker>): void {
  describe(`${name} keeps the contract of Velero's volumes`, () => {
    let speaker: VolumeSpeaker;
    let velero: VeleroHand;
    let shop: string;
    const own = () => speaker.container("plain", "contract-volumes");
    beforeAll(async () => {
      speaker = await open();
      velero = handOn(speaker);
      await velero.location("volumes", "plain", "contract-volumes");
      shop = await velero.wire.namespace();
      await database(shop, "managed-csi");
      await speaker.writeFile(shop, "data", "canary.txt", "written before the loss\n");
      await velero.backup("full", { includedNamespaces: [shop], storageLocation: "volumes", defaultVolumesToFsBackup: true });
    });
    afterAll(async () => speaker?.close());

    /** One pod on one volume; resolves when it is ready. */
    async function database(namespace: string, storageClassName: string): Promise<void> {
      const core = `/api/v1/namespaces/${namespace}`;
      await velero.wire.create(`${core}/persistentvolumeclaims`, { metadata: { name: "data" }, spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } });
      await velero.wire.create(`${core}/pods`, { metadata: { name: "db" }, spec: { containers: [{ name: "db", image: "db:1", resources: { requests: { cpu: "10m" } }, volumeMounts: [{ name: "data", mountPath: "/data" }] }], volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] } });
      await ready(namespace);
    }
    const pod = (namespace: string) => velero.wire.get(`/api/v1/namespaces/${namespace}/pods/db`);
    const isReady = ({ status }: Seen) => (status?.["conditions"] as readonly { type: string; status: string }[] | undefined)?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
    const ready = (namespace: string) => eventually(`the pod in ${namespace}`, speaker.patienceMs, async () => (isReady(await pod(namespace)) ? true : null), async () => (await pod(namespace)).status);
    const mapped = (backup: string, suffix: string) => ({ backupName: backup, namespaceMapping: { [shop]: `${shop}-${suffix}` } });

    test("a volume backup has its own object, its repository, and its line in the volume list", async ({ expect }) => {
      const backup = await velero.read("backups", "full");
      expect(phaseOf(backup)).toBe("Completed");
      const [volume, ...others] = await velero.wire.list(list("podvolumebackups", labelled("backup-name", "full")));
      expect(others).toEqual([]);
      expect(volume).toMatchObject({
        metadata: { labels: { "velero.io/backup-uid": backup.metadata.uid }, ownerReferences: [{ kind: "Backup", name: "full", controller: true }] },
        spec: { backupStorageLocation: "volumes", uploaderType: "kopia", volume: "data", pod: { kind: "Pod", name: "db", namespace: shop }, tags: { backup: "full", ns: shop, pod: "db", volume: "data" } },
        status: { phase: "Completed", snapshotID: expect.stringMatching(/^[0-9a-f]{32}$/) as string, progress: { totalBytes: 24, bytesDone: 24 }, completionTimestamp: expect.stringMatching(/Z$/) as string },
      });
      const repository = await velero.wire.get(list("backuprepositories", `/${shop}-volumes-kopia`));
      expect(repository).toMatchObject({ metadata: { labels: { "velero.io/volume-namespace": shop, "velero.io/storage-location": "volumes", "velero.io/repository-type": "kopia" } }, spec: { volumeNamespace: shop, backupStorageLocation: "volumes", repositoryType: "kopia" }, status: { phase: "Ready" } });
      expect(await namesIn(own(), `kopia/${shop}/`)).toEqual(expect.arrayContaining([`kopia/${shop}/kopia.repository`]));
      const [line] = (await unpacked(own(), "backups/full/full-volumeinfo.json.gz")) as readonly Record<string, unknown>[];
      expect(line).toMatchObject({ pvcName: "data", pvcNamespace: shop, backupMethod: "PodVolumeBackup", skipped: false, pvbInfo: { snapshotHandle: volume?.status?.["snapshotID"], volumeName: "data", podName: "db" } });
      expect(await unpacked(own(), "backups/full/full-podvolumebackups.json.gz")).toMatchObject([{ metadata: { name: volume?.metadata.name }, status: { snapshotID: volume?.status?.["snapshotID"] } }]);
    });

    test("a volume's files come back, and the restore ends when they have", patiently, async ({ expect }) => {
      const target = `${shop}-back`;
      const watch = await velero.wire.watch(list("podvolumerestores", "?watch=1"));
      const done = await velero.restore("back", mapped("full", "back"));
      expect(done.status).toMatchObject({ phase: "Completed" });
      const [volume, ...others] = await velero.wire.list(list("podvolumerestores", labelled("restore-name", "back")));
      expect(others).toEqual([]);
      expect((await phasesUntil("Completed", watch, volume?.metadata.name ?? "", speaker.patienceMs)).filter((phase) => phase !== "")).toEqual(["Accepted", "Prepared", "InProgress", "Completed"]);
      expect(volume).toMatchObject({ metadata: { labels: { "velero.io/restore-uid": done.metadata.uid }, ownerReferences: [{ kind: "Restore", name: "back", controller: true }] }, spec: { backupStorageLocation: "volumes", sourceNamespace: shop, volume: "data", pod: { name: "db", namespace: target } }, status: { phase: "Completed", progress: { totalBytes: 24, bytesDone: 24 } } });
      expect(Date.parse(String(volume?.status?.["completionTimestamp"]))).toBeLessThanOrEqual(Date.parse(String(done.status?.["completionTimestamp"])));
      const restored = await pod(target);
      expect(restored.spec).toMatchObject({ initContainers: [{ name: "restore-wait", args: [done.metadata.uid], volumeMounts: [{ name: "data", mountPath: "/restores/data" }] }] });
      await ready(target);
      expect(await speaker.readFile(target, "data", "canary.txt")).toBe("written before the loss\n");
      const [line] = (await unpacked(own(), "restores/back/back-volumeinfo.json.gz")) as readonly Record<string, unknown>[];
      expect(line).toMatchObject({ pvcName: "data", pvcNamespace: target, restoreMethod: "PodVolumeRestore" });
    });

    test("a volume that nobody opted in is skipped: Completed, running, and empty", patiently, async ({ expect }) => {
      await velero.backup("skipped", { includedNamespaces: [shop], storageLocation: "volumes" });
      const [line] = (await unpacked(own(), "backups/skipped/skipped-volumeinfo.json.gz")) as readonly Record<string, unknown>[];
      expect(line).toMatchObject({ pvcName: "data", skipped: true });
      expect((await velero.restore("empty", mapped("skipped", "empty"))).status).toMatchObject({ phase: "Completed" });
      await ready(`${shop}-empty`);
      expect(await speaker.readFile(`${shop}-empty`, "data", "canary.txt")).toBeNull();
      expect(await velero.wire.list(list("podvolumerestores", labelled("restore-name", "empty")))).toEqual([]);
    });

    test("a volume backup without its snapshot brings nothing back, and nobody says so", patiently, async ({ expect }) => {
      await velero.backup("lost-result", { includedNamespaces: [shop], storageLocation: "volumes", defaultVolumesToFsBackup: true });
      const [volume] = await velero.wire.list(list("podvolumebackups", labelled("backup-name", "lost-result")));
      await velero.wire.patch(list("podvolumebackups", `/${volume?.metadata.name ?? ""}`), { status: { snapshotID: null } });
      const done = await velero.restore("lost-result", mapped("lost-result", "lost"));
      expect(done.status).toMatchObject({ phase: "Completed" });
      expect(done.status).not.toHaveProperty("errors");
      await ready(`${shop}-lost`);
      expect(await speaker.readFile(`${shop}-lost`, "data", "canary.txt")).toBeNull();
    });

    test("without its storage class a volume waits for ever, and so does its restore; a server that ends gives both up, and a mover made anew fills the volume", patiently, async ({ expect }) => {
      const late = await velero.wire.namespace();
      const storageClass = { metadata: { name: "contract-late" }, provisioner: "disk.csi.azure.com", reclaimPolicy: "Delete", volumeBindingMode: "WaitForFirstConsumer" };
      await velero.wire.create("/apis/storage.k8s.io/v1/storageclasses", storageClass);
      await database(late, "contract-late");
      await speaker.writeFile(late, "data", "canary.txt", "late, and whole\n");
      await velero.backup("late", { includedNamespaces: [late], storageLocation: "volumes", defaultVolumesToFsBackup: true });
      await velero.wire.ask("DELETE", "/apis/storage.k8s.io/v1/storageclasses/contract-late");

      const target = `${late}-late`;
      const mapping = { backupName: "late", namespaceMapping: { [late]: target } };
      const movers = () => velero.wire.list(list("podvolumerestores", labelled("restore-name", "late")));
      await velero.create("restores", "late", mapping);
      const waiting = await eventually("its volume's restore", speaker.patienceMs, async () => (await movers())[0] ?? null);
      expect(phaseOf(waiting)).toBe("");
      expect(phaseOf(await velero.read("restores", "late"))).toBe("InProgress");
      expect((await pod(target)).status).toMatchObject({ phase: "Pending" });

      await speaker.stopVelero();
      await speaker.startVelero();
      const given = await velero.until("restores", "late", (object) => phaseOf(object) === "Failed");
      expect(given.status?.["failureReason"]).toBe('found a restore with status "InProgress" during the server starting, mark it as "Failed"');
      const cancelled = await eventually("its end", speaker.patienceMs, async () => (await movers()).find((object) => phaseOf(object) === "Canceled") ?? null, movers);
      expect(cancelled).toMatchObject({ spec: { cancel: true }, status: { message: 'PVR is in status "" during the velero server starting, mark it as cancel' } });

      // Another restore finds the pod there, and leaves it waiting.
      expect((await velero.restore("late-again", mapping)).status).toMatchObject({ phase: "Completed" });
      expect(await velero.wire.list(list("podvolumerestores", labelled("restore-name", "late-again")))).toEqual([]);
      await velero.wire.create("/apis/storage.k8s.io/v1/storageclasses", storageClass);
      await eventually("the pod to wait", speaker.patienceMs, async () => ((((await pod(target)).status?.["initContainerStatuses"] ?? []) as readonly { readonly state?: { readonly running?: unknown } }[])[0]?.state?.running ? true : null), async () => (await pod(target)).status);
      expect(isReady(await pod(target))).toBe(false);

      const { cancel: _, ...spec } = cancelled.spec ?? {};
      const { labels, ownerReferences } = cancelled.metadata;
      await velero.wire.create(list("podvolumerestores", ""), { apiVersion: "velero.io/v1", kind: "PodVolumeRestore", metadata: { name: "late-anew", labels: { ...labels, "velero.io/restore-name": "late-again" }, ownerReferences }, spec });
      await ready(target);
      expect(await speaker.readFile(target, "data", "canary.txt")).toBe("late, and whole\n");
      await eventually("its end", speaker.patienceMs, async () => (phaseOf(await velero.wire.get(list("podvolumerestores", "/late-anew"))) === "Completed" ? true : null));
    });

    test("from a location that was pointed elsewhere the objects come back, the volume does not, and its pod waits for ever", patiently, async ({ expect }) => {
      await velero.location("moving", "plain", "contract-moving");
      await velero.backup("moved", { includedNamespaces: [shop], storageLocation: "moving", defaultVolumesToFsBackup: true });
      const repository = () => velero.wire.get(list("backuprepositories", `/${shop}-moving-kopia`));
      expect(phaseOf(await repository())).toBe("Ready");
      // The backup is there too, and its volumes' data is on its way.
      const elsewhere = speaker.container("plain", "contract-moved");
      await elsewhere.createIfNotExists();
      await copyBlobs(speaker.container("plain", "contract-moving"), elsewhere, "backups/moved/");
      await velero.patch("backupstoragelocations", "moving", { spec: { objectStorage: { bucket: "contract-moved" }, accessMode: "ReadOnly" } });
      await eventually("its repository not to be ready", speaker.patienceMs, async () => (phaseOf(await repository()) === "NotReady" ? true : null));
      const done = await velero.restore("moved", mapped("moved", "moved"));
      expect(done.status).toMatchObject({ phase: "PartiallyFailed", errors: 1 });
      expect(JSON.stringify((await velero.results(elsewhere, "moved")).errors)).toContain("backup repository is not ready");
      expect(await velero.wire.list(list("podvolumerestores", labelled("restore-name", "moved")))).toEqual([]);
      expect((await pod(`${shop}-moved`)).status).toMatchObject({ phase: "Pending" });
      expect(isReady(await pod(`${shop}-moved`))).toBe(false);
    });

    test("a backup that is known without its volume list brings nothing back either", patiently, async ({ expect }) => {
      await velero.backup("unlisted", { includedNamespaces: [shop], storageLocation: "volumes", defaultVolumesToFsBackup: true });
      for (const { metadata } of await velero.wire.list(list("podvolumebackups", labelled("backup-name", "unlisted")))) await velero.wire.ask("DELETE", list("podvolumebackups", `/${metadata.name}`));
      const done = await velero.restore("unlisted", mapped("unlisted", "unlisted"));
      expect(done.status).toMatchObject({ phase: "Completed" });
      await ready(`${shop}-unlisted`);
      expect(await speaker.readFile(`${shop}-unlisted`, "data", "canary.txt")).toBeNull();
    });
  });
}
