import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, test } from "vitest";
import { importFrom, parity, type PointFiles } from "../../shared/domain/parity.ts";
import { readBackup, readPodVolumeBackups, type Raw } from "../../shared/domain/velero-backup.ts";

const recorded = path.resolve(import.meta.dirname, "../../lab/velero-1.18.3");
const watched = (file: string): readonly { readonly type: string; readonly object: Raw & { readonly metadata: Raw & { readonly name: string } } }[] =>
  readFileSync(path.join(recorded, "watch", file), "utf8").trim().split("\n").map((line) => JSON.parse(line) as never);

function pointOf(name: string): PointFiles {
  const file = (end: string) => readFileSync(path.join(recorded, "container/backups", name, end));
  const backup = readBackup(file("velero-backup.json").toString("utf8"));
  const copies = readPodVolumeBackups(gunzipSync(file(`${name}-podvolumebackups.json.gz`)).toString("utf8"));
  if (backup.kind !== "read" || copies.kind !== "read") throw new Error(`${name} cannot be read`);
  return { backup: backup.value, podVolumeBackups: copies.value };
}

/** What an API server adds to what a client creates. */
const served = (object: Raw, own: Raw): Raw => ({ ...object, metadata: { ...(object["metadata"] as Raw), uid: "new-uid", resourceVersion: "7", generation: 1, creationTimestamp: "2026-11-21T06:00:00Z", ...own } });
const point = pointOf("shop-hourly-20261121055825");
const secondary = new Map(watched("secondary-backups.jsonl").map(({ object }) => [object.metadata.name, object]));
const primaryCopies = new Map(watched("primary-podvolumebackups.jsonl").map(({ object }) => [object.metadata.name, object]));
const imported = importFrom(point, "replica", "velero", "new-uid");
const copiesThere = () => {
  if (imported.kind !== "import") throw new Error(imported.why);
  return imported.podVolumeBackups;
};

describe("import", () => {
  test.for([...secondary.keys()])("of %s makes the object that a real Velero's sync made", (name, { expect }) => {
    const there = secondary.get(name);
    const made = importFrom(pointOf(name), "default", "velero");
    if (made.kind !== "import" || !there) throw new Error(`${name} was imported there`);
    const { uid, resourceVersion, generation, creationTimestamp } = there.metadata;
    expect(served(made.backup, { uid, resourceVersion, generation, creationTimestamp })).toEqual(there);
  });

  test("of a volume's copy gives it the new backup as owner and the local storage location", ({ expect }) => {
    const [copy] = copiesThere();
    const original = primaryCopies.get("shop-hourly-20261121055825-n2c26");
    expect(copy).toMatchObject({
      apiVersion: "velero.io/v1",
      kind: "PodVolumeBackup",
      metadata: { name: "shop-hourly-20261121055825-n2c26", namespace: "velero", labels: { "velero.io/backup-uid": "new-uid", "velero.io/backup-name": "shop-hourly-20261121055825" }, ownerReferences: [{ kind: "Backup", uid: "new-uid" }] },
      spec: { backupStorageLocation: "replica", volume: "data" },
      status: original?.["status"] as Raw,
    });
    expect(copy?.["metadata"]).not.toHaveProperty("uid");
    expect(copy?.["metadata"]).not.toHaveProperty("managedFields");
  });

  test("makes nothing of a backup that is not finished", ({ expect }) => {
    expect(importFrom({ ...point, backup: { ...point.backup, phase: "Finalizing" } }, "replica", "velero")).toEqual({ kind: "skipped", why: "its phase is Finalizing" });
  });
});

describe("parity", () => {
  test.for([...secondary.keys()])("of %s with what a real secondary showed", (name, { expect }) => {
    const copies = [...primaryCopies.values()].filter(({ metadata }) => (metadata["labels"] as Raw)["velero.io/backup-name"] === name);
    expect(parity(pointOf(name), secondary.get(name) ?? null, copies)).toEqual({ kind: "equal" });
  });

  test.for([...secondary.keys()])("of %s with the cluster that made it", (name, { expect }) => {
    const copies = [...primaryCopies.values()].filter(({ metadata }) => (metadata["labels"] as Raw)["velero.io/backup-name"] === name);
    const last = watched("primary-backups.jsonl").findLast(({ type, object }) => type !== "DELETED" && object.metadata.name === name);
    expect(parity(pointOf(name), last?.object ?? null, copies)).toEqual({ kind: "equal" });
  });

  test("holds after an import into another namespace and storage location", ({ expect }) => {
    const other = importFrom(point, "replica", "velero-system", "u");
    if (other.kind !== "import") throw new Error(other.why);
    expect(parity(point, served(other.backup, {}), other.podVolumeBackups.map((copy) => served(copy, {})))).toEqual({ kind: "equal" });
  });

  const backup = secondary.get("shop-hourly-20261121055825") as Raw;
  const status = backup["status"] as Raw;
  test.for<readonly [string, Raw, string]>([
    ["phase", { ...backup, status: { ...status, phase: "PartiallyFailed" } }, 'phase is "PartiallyFailed" there and "Completed" in the backup'],
    ["time", { ...backup, status: { ...status, startTimestamp: "2026-11-21T05:00:00Z" } }, "startedAt is 1795237200000 there"],
    ["expiry", { ...backup, status: { ...status, expiration: null } }, "expiresAt is null there"],
    ["items", { ...backup, status: { ...status, progress: { totalItems: 5 } } }, "totalItems is 5 there and 74 in the backup"],
    ["namespaces", { ...backup, spec: { ...(backup["spec"] as Raw), includedNamespaces: ["shop", "other"] } }, 'spec.includedNamespaces.1 is "other" there and absent in the backup'],
    ["shape", { ...backup, kind: "Restore" }, "its Backup object cannot be read"],
  ])("is lost by another %s", ([, there, what], { expect }) => {
    expect(parity(point, there, copiesThere())).toMatchObject({ kind: "differs", what: expect.stringContaining(what) as string });
  });

  test("is lost by a volume's copy that is not there, differs, or is too many", ({ expect }) => {
    const [copy = {}] = copiesThere();
    expect(parity(point, backup, [])).toMatchObject({ kind: "differs", what: expect.stringContaining("PodVolumeBackup shop-hourly-20261121055825-n2c26 is not there: the volume data-orders-0") as string });
    expect(parity(point, backup, [{ ...copy, status: { ...(copy["status"] as Raw), snapshotID: "" } }])).toMatchObject({ kind: "differs", what: expect.stringContaining("snapshot") as string });
    expect(parity(point, backup, [copy, { ...copy, metadata: { name: "foreign" } }])).toMatchObject({ kind: "differs", what: "PodVolumeBackup foreign is there and not in the backup" });
    expect(parity(point, null, [copy])).toEqual({ kind: "absent" });
  });
});
