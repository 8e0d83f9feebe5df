import { describe, test } from "vitest";
import type { Inventory } from "../../shared/domain/inventory.ts";
import { assess, type RestorePoint } from "../../shared/domain/restore-point.ts";
import type { Watermark } from "../../shared/domain/watermark.ts";
import { type Ingredients, inventoryOf, nowAt, plan, podVolumeBackup, takenAt, volumeInfo, writtenAt } from "./restore-point-case.ts";

const judge = (inventory: Inventory, watermark: Watermark | null = null) => assess(inventory, plan, nowAt, watermark);
const reasonOf = ({ usable }: RestorePoint) => (usable.kind === "unusable" ? usable.reason : null);
const reasonFor = (from: Ingredients) => reasonOf(judge(inventoryOf(from)));
const mark = (at: number): Watermark => ({ at, recordedAt: at, how: "source-listing" });
const level = (point: RestorePoint, wanted: string) => point.findings.filter(({ level }) => level === wanted).map(({ ok }) => ok);

test("a point that is whole in every respect is readable, and says so level by level", ({ expect }) => {
  const point = judge(inventoryOf());
  expect(point).toMatchObject({ reached: "readable", usable: { kind: "usable" }, takenAt, itemCount: 2, bytes: 800 });
  expect(point.findings.map(({ level, ok }) => [level, ok])).toEqual(["L0", "L3", "L3", "L1", "L2", "L5", "L7", "L8", "L2", "L4", "L6"].map((name) => [name, true]));
});

describe("phase, time and expiry", () => {
  test.for([
    ["Finalizing", "the backup is not finished: its phase at the replica is Finalizing"],
    ["WaitingForPluginOperationsPartiallyFailed", "the backup is not finished: its phase at the replica is WaitingForPluginOperationsPartiallyFailed"],
    ["Failed", "the backup ended Failed"],
    ["Deleting", "the backup ended Deleting"],
    ["SomethingNew", "the backup ended SomethingNew"],
    ["PartiallyFailed", "the backup ended PartiallyFailed with 3 errors, and the plan accepts no such backup"],
  ] as const)("phase %s is passed over", ([phase, reason], { expect }) => {
    expect(reasonFor({ status: { phase, errors: 3 } })).toBe(reason);
  });

  test("a partly failed backup counts where the plan accepts it", ({ expect }) => {
    const accepting = { ...plan, backups: { ...plan.backups, acceptPartiallyFailed: true } };
    expect(assess(inventoryOf({ status: { phase: "PartiallyFailed", errors: 1 } }), accepting, nowAt, null)).toMatchObject({ reached: "readable", usable: { kind: "usable" } });
  });

  test("what expires within the margin, or is too old, is passed over", ({ expect }) => {
    expect(reasonFor({ status: { expiration: "2026-11-21T05:30:00Z" } })).toBe("it expired at 2026-11-21 05:30:00 UTC");
    expect(reasonFor({ status: { expiration: "2026-11-21T07:59:00Z" } })).toMatch(/^it expires at 2026-11-21 07:59:00 UTC, which is nearer than the plan's margin of 7200 s/);
    expect(reasonFor({ status: { expiration: "2026-11-21T08:00:01Z" } })).toBeNull();
    expect(reasonFor({ status: { startTimestamp: "2026-11-20T05:59:59Z" } })).toMatch(/^it was taken at 2026-11-20 05:59:59 UTC, longer ago than the 86400 s/);
  });

  test("what says that it was taken in the future is passed over, but for the minutes by which clocks differ", ({ expect }) => {
    const until = (completionTimestamp: string) => reasonFor({ status: { completionTimestamp } });
    expect([until("2026-11-21T06:04:59Z"), until("2026-11-21T06:05:01Z")]).toEqual([null, expect.stringContaining("still to come")]);
    expect(reasonFor({ status: { startTimestamp: "2027-01-01T00:00:00Z" } })).toContain("whoever wrote it had another clock");
  });

  test("a metadata file of another backup, or none, is no backup", ({ expect }) => {
    const whole = inventoryOf();
    expect(judge({ ...whole, name: "other" })).toMatchObject({ reached: null, takenAt: null, usable: { kind: "unusable", reason: expect.stringContaining("that of another backup") as string } });
    expect(judge({ ...whole, files: { ...whole.files, metadata: { kind: "unreadable", why: "it is not JSON" } } })).toMatchObject({ reached: null, usable: { reason: "velero-backup.json cannot be read: it is not JSON" } });
  });
});

describe("volumes", () => {
  test.for<readonly [string, Ingredients, string]>([
    ["skipped", { volumeInfo: [volumeInfo({ skipped: true, skippedReason: "podvolume: opted out due to annotation in pod orders-0;" })], podVolumeBackups: [] }, "was skipped by the backup (podvolume: opted out due to annotation in pod orders-0), so its data is not in it"],
    ["a disk snapshot", { volumeInfo: [volumeInfo({ backupMethod: "NativeSnapshot" })] }, "is a disk snapshot; such a snapshot does not leave its region"],
    ["a CSI snapshot that stayed", { volumeInfo: [volumeInfo({ backupMethod: "CSISnapshot", snapshotDataMoved: false })] }, "is a CSI snapshot whose data was not moved to the store"],
    ["Completed without a snapshot", { podVolumeBackups: [podVolumeBackup({ snapshotID: "" })] }, "says Completed and names no snapshot: a restore would leave it empty"],
    ["a copy that failed", { podVolumeBackups: [podVolumeBackup({ phase: "Failed", message: "disk gone" })] }, "ended Failed: disk gone"],
    ["a copy that was still running", { podVolumeBackups: [podVolumeBackup({ phase: "InProgress" })] }, "ended InProgress"],
    ["a copy whose record is lost", { podVolumeBackups: [] }, "the record of that copy is not in it"],
    ["files of two generations", { podVolumeBackups: [podVolumeBackup({ snapshotID: "def" })] }, "names two different snapshots"],
    ["a copy made with restic", { podVolumeBackups: [podVolumeBackup({}, { uploaderType: "restic" })] }, "was made with restic"],
    ["a copy that no volume list names, and that failed", { volumeInfo: [], podVolumeBackups: [podVolumeBackup({ phase: "Failed" })] }, "ended Failed"],
    ["a movement without a snapshot", { volumeInfo: [volumeInfo({ backupMethod: "CSISnapshot", snapshotDataMoved: true, snapshotDataMovementInfo: { snapshotHandle: "", Phase: "Completed" } })] }, "names no snapshot"],
    ["a movement that was cancelled", { volumeInfo: [volumeInfo({ backupMethod: "CSISnapshot", snapshotDataMoved: true, snapshotDataMovementInfo: { snapshotHandle: "x", Phase: "Canceled" } })] }, "ended Canceled"],
    ["a method from the future", { volumeInfo: [volumeInfo({ backupMethod: "Teleport" })] }, "a method that is not known here (Teleport)"],
  ])("%s: not whole", ([, from, reason], { expect }) => {
    const point = judge(inventoryOf(from));
    expect(reasonOf(point)).toContain("volume data-orders-0 in shop");
    expect(reasonOf(point)).toContain(reason);
    expect(point.volumes.map(({ restorable }) => restorable)).toContain(false);
  });

  test("a bound claim of which no file says where its data went is not whole", ({ expect }) => {
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "shop", name: "cache", object: { spec: { volumeName: "pv-9" }, status: { phase: "Bound" } } };
    expect(reasonFor({ objects: [claim] })).toContain("the volume cache in shop is in the backup as a claim only");
    expect(reasonFor({ objects: [{ ...claim, object: { status: { phase: "Pending" } } }] })).toBeNull();
  });

  test("a pod's own volume without a claim is named by its pod", ({ expect }) => {
    const copy = { ...podVolumeBackup(), metadata: { name: "copy-1" } };
    const info = volumeInfo({ pvcName: "", pvcNamespace: "" });
    expect(judge(inventoryOf({ volumeInfo: [info], podVolumeBackups: [copy] }))).toMatchObject({ reached: "readable", volumes: [{ namespace: "shop", claim: "orders-0/data", snapshot: "abc", restorable: true }] });
  });
});

describe("moved data and the last archive", () => {
  const moved = volumeInfo({ backupMethod: "CSISnapshot", snapshotDataMoved: true, pvbInfo: null, snapshotDataMovementInfo: { snapshotHandle: "k1", size: 5, Phase: "Completed" } });
  const operation = (phase = "Completed") => ({ spec: { operationID: "du-1", postOperationItems: [{ Group: "velero.io", Resource: "datauploads", Namespace: "velero", Name: "up-1" }] }, status: { phase } });
  const upload = (status: Readonly<Record<string, unknown>> = { phase: "Completed", snapshotID: "k1" }) => ({ apiVersion: "velero.io/v2alpha1", kind: "DataUpload", namespace: "velero", name: "up-1", object: { status } });
  const movedWith = (more: Ingredients): Ingredients => ({ status: { backupItemOperationsAttempted: 1 }, volumeInfo: [moved], podVolumeBackups: [], itemOperations: [operation()], objects: [upload()], ...more });

  test("the archive with the end of every movement is whole", ({ expect }) => {
    expect(judge(inventoryOf(movedWith({})))).toMatchObject({ reached: "readable", volumes: [{ method: "data-movement", snapshot: "k1", bytes: 5 }] });
  });

  test.for<readonly [string, Ingredients, string]>([
    ["is from before the movement ended", { objects: [upload({ phase: "InProgress" })] }, "the tarball is from before the data movement ended: velero/up-1"],
    ["has no record of it", { objects: [] }, "the tarball is from before the data movement ended"],
    ["has an empty snapshot", { objects: [upload({ phase: "Completed" })] }, "the tarball is from before the data movement ended"],
    ["has another snapshot than the volume list", { objects: [upload({ phase: "Completed", snapshotID: "k2" })] }, "the tarball is from before the data movement ended"],
    ["lists fewer movements than were begun", { status: { backupItemOperationsAttempted: 2 } }, "2 data movements were begun and 1 are listed"],
    ["lists one still running", { itemOperations: [operation("InProgress")] }, "1 of 1 data movements had not ended"],
  ])("a backup whose archive or list %s is not the final one", ([, more, reason], { expect }) => {
    const point = judge(inventoryOf(movedWith(more)));
    expect(reasonOf(point)).toContain(reason);
    expect(point.reached).toBe("replicated");
  });

  test("unread, it may be the stale one: unknown is not green", ({ expect }) => {
    const point = judge({ ...inventoryOf(movedWith({})), tarball: { kind: "not-read" } });
    expect([level(point, "L5"), point.reached, point.usable.kind]).toEqual([["unknown"], "replicated", "usable"]);
  });
});

describe("what the source has, had, or may have", () => {
  const dark = (inventory: Inventory): Inventory => {
    const why = "the source does not answer";
    return { ...inventory, source: { kind: "unknown", why }, repositories: Object.fromEntries(Object.entries(inventory.repositories).map(([namespace, { replica }]) => [namespace, { replica, source: { kind: "unknown", why } }])) };
  };

  test("dark and nothing known: replicated is not known, and the reason names what is missing", ({ expect }) => {
    const point = judge(dark(inventoryOf()));
    expect(point).toMatchObject({ reached: "seen", usable: { kind: "usable" } });
    expect(point.findings.find(({ level }) => level === "L8")?.about).toBe("no watermark is known, the backup's last write was at 2026-11-21 05:00:10 UTC, and the source does not answer");
  });

  test("the watermark must be later than the last write, not equal to it", ({ expect }) => {
    expect(judge(dark(inventoryOf()), mark(writtenAt)).reached).toBe("seen");
    expect(judge(dark(inventoryOf()), mark(writtenAt + 1)).reached).toBe("readable");
  });

  test("what was recorded proves only what had been written by then", ({ expect }) => {
    const whole = inventoryOf();
    const { shop } = whole.repositories;
    if (!shop) throw new Error("the case has a repository");
    const seenAt = (listedAt: number) => judge({ ...whole, source: { ...whole.replica, kind: "recorded", listedAt }, repositories: { shop: { ...shop, source: { ...shop.replica, kind: "recorded", listedAt } } } });
    expect(seenAt(writtenAt + 1_000).reached).toBe("readable");
    const tooEarly = seenAt(writtenAt - 5_000);
    expect([tooEarly.reached, tooEarly.usable.kind, level(tooEarly, "L3"), level(tooEarly, "L8")]).toEqual(["seen", "usable", ["unknown", true], ["unknown"]]);
  });

  test("later writes into a shared repository are no part of this point", ({ expect }) => {
    const whole = inventoryOf();
    const { shop } = whole.repositories;
    if (shop?.source.kind !== "listed") throw new Error("the case has a listed source");
    const later = new Map([...shop.source.blobs, ["p2", { bytes: 5, etag: "p2", lastModifiedAt: writtenAt + 60_000, replication: "pending" as const }]]);
    expect(judge({ ...whole, repositories: { shop: { ...shop, source: { ...shop.source, blobs: later } } } }).reached).toBe("readable");
    const earlier = new Map([...shop.source.blobs, ["p2", { bytes: 5, etag: "p2", lastModifiedAt: writtenAt - 1_000, replication: "pending" as const }]]);
    expect(reasonOf(judge({ ...whole, repositories: { shop: { ...shop, source: { ...shop.source, blobs: earlier } } } }))).toBe("in kopia/shop/, 1 of 3 blobs have not arrived at the replica: p2");
  });

  test("a volume in a repository that has no format blob cannot be restored", ({ expect }) => {
    const whole = inventoryOf();
    const empty = { listedAt: nowAt, blobs: new Map() };
    expect(reasonOf(judge({ ...whole, repositories: { shop: { replica: empty, source: { kind: "itself" } } } }))).toBe("kopia/shop/kopia.repository is not at the replica: no volume of that namespace can be restored");
  });

  test("read where it was written, nothing has to arrive", ({ expect }) => {
    const whole = inventoryOf();
    const { shop } = whole.repositories;
    if (!shop) throw new Error("the case has a repository");
    expect(judge({ ...whole, source: { kind: "itself" }, repositories: { shop: { ...shop, source: { kind: "itself" } } } }).reached).toBe("readable");
  });
});

test("a drill's proof raises a readable point, and no other", ({ expect }) => {
  expect(assess(inventoryOf(), plan, nowAt, null, "asserted").reached).toBe("asserted");
  expect(assess({ ...inventoryOf(), tarball: { kind: "not-read" } }, plan, nowAt, null, "asserted").reached).toBe("complete");
});
