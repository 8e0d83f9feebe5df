import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { seed } from "../../lab/seed.ts";
import { all, openStorageLab } from "./storage-lab.ts";

interface Recorded {
  readonly name: string;
  readonly bytes: number;
  readonly lastModified: string;
  readonly created: string;
}
const recorded = JSON.parse(await readFile("lab/velero-1.18.3/container.listing.json", "utf8")) as readonly Recorded[];
const bytewise = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
const listed = async (lab: Awaited<ReturnType<typeof openStorageLab>>, account: string) =>
  (await all(lab.velero(account).listBlobsFlat())).map(({ name, properties, objectReplicationSourceProperties }) => ({
    name,
    bytes: properties.contentLength,
    lastModified: properties.lastModified.toISOString(),
    created: properties.createdOn?.toISOString(),
    type: properties.contentType,
    md5: properties.contentMD5,
    replication: objectReplicationSourceProperties?.[0]?.rules[0]?.replicationStatus,
  }));
const expected = (replication?: string) => recorded.toSorted(bytewise).map(({ name, bytes, lastModified, created }) => ({ name, bytes, lastModified, created, type: "application/octet-stream", md5: undefined, replication }));

test("the source holds the recorded container with its recorded times, every blob replicated", async () => {
  const lab = await openStorageLab({ empty: true });
  expect(await seed(lab, { topology: "replicated" })).toBe(recorded.length);
  expect((await listed(lab, "stshopweu")).toSorted(bytewise)).toEqual(expected("complete"));
  const replica = await listed(lab, "stshopneu");
  expect(replica.map(({ name, bytes }) => [name, bytes])).toEqual(recorded.toSorted(bytewise).map(({ name, bytes }) => [name, bytes]));
  expect(replica.every(({ lastModified }) => Date.parse(lastModified) <= lab.world.clock.now())).toBe(true);
  const tarball = "backups/shop-hourly-20261121055825/shop-hourly-20261121055825.tar.gz";
  expect(await lab.velero("stshopneu").getBlobClient(tarball).downloadToBuffer()).toEqual(await readFile(`lab/velero-1.18.3/container/${tarball}`));
  expect(lab.world.effects).toEqual([]);
});

test("shared storage holds it twice, with the same times, and Last Sync Time is past all of it", async () => {
  const lab = await openStorageLab({ empty: true, latencies: { geoLag: 30_000 } });
  await seed(lab, { topology: "shared" });
  for (const account of ["stshopgeo", "stshopgeo-secondary"]) expect((await listed(lab, account)).toSorted(bytewise)).toEqual(expected());
  expect(lab.storage.lastSyncAt("stshopgeo")).toBeGreaterThan(Math.max(...recorded.map(({ lastModified }) => Date.parse(lastModified))));
  expect(await listed(lab, "stshopweu")).toEqual([]);
});

test("what is left out was never written; what has not arrived is pending on the source and missing in the replica", async () => {
  const lab = await openStorageLab({ empty: true });
  const newest = "backups/shop-hourly-20261121055825/*";
  const release = lab.storage.holdBack(newest);
  await seed(lab, { topology: "replicated", leaveOut: ["restores/*"], notArrived: [newest] });
  await lab.storage.settled();
  const source = await listed(lab, "stshopweu");
  expect(source.filter(({ name }) => name.startsWith("restores/"))).toEqual([]);
  const pending = source.filter(({ replication }) => replication !== "complete");
  expect(pending.map(({ name }) => name)).toEqual(recorded.map(({ name }) => name).filter((name) => name.startsWith(newest.slice(0, -1))).toSorted());
  expect(lab.storage.pending("stshopweu")).toEqual({ count: pending.length, oldestAt: Math.min(...pending.map(({ lastModified }) => Date.parse(lastModified))) });
  expect(await listed(lab, "stshopneu")).toHaveLength(source.length - pending.length);
  release();
  await lab.storage.settled();
  expect(await listed(lab, "stshopneu")).toHaveLength(source.length);
});

test("in shared storage what has not arrived holds Last Sync Time before it", async () => {
  const lab = await openStorageLab({ empty: true });
  const newest = "backups/shop-hourly-20261121055825/*";
  lab.storage.holdBack(newest);
  await seed(lab, { topology: "shared", notArrived: [newest] });
  const late = recorded.filter(({ name }) => name.startsWith(newest.slice(0, -1)));
  expect(await listed(lab, "stshopgeo-secondary")).toHaveLength(recorded.length - late.length);
  expect(lab.storage.lastSyncAt("stshopgeo")).toBe(Math.min(...late.map(({ lastModified }) => Date.parse(lastModified))));
});
