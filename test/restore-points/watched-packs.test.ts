/** Which blobs of a repository are watched, and which of them are read: at the bounds, where neither must be left out for ever. */
import { test } from "vitest";
import { listRepository } from "../../functions/activities/restore-points/look-over.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { takeUpRepository, watchRepository } from "../../functions/activities/restore-points/watch-repository.ts";
import { gatherEnds, kopiaWriteOnce, placesOf } from "../../shared/domain/replica.ts";
import { newRepositoryManifest } from "../../shared/domain/repository-manifest.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { openStage } from "./store.ts";

const byHundred = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, "0"));

test("logs and session markers of a repository, however many, crowd no pack out of its manifest", async ({ expect }) => {
  const { world, replica, plan, nowAt } = openStage();
  for (const n of byHundred) for (const kind of ["_log_", "s", "p"]) replica.set(`kopia/many/${kind}${n}`, { bytes: new Uint8Array(1), lastModifiedAt: nowAt, replication: "pending" });
  replica.set("kopia/many/kopia.maintenance", { bytes: new Uint8Array(1), lastModifiedAt: nowAt, replication: "pending" });
  const listed = await listRepository(world, placesOf(plan).replica, newRepositoryManifest("many"), 101);
  expect([...listed.keys()]).toEqual(["kopia.maintenance", ...byHundred.map((n) => `p${n}`)]);
});

test("a pack too large for one look keeps no other from being read", async ({ expect }) => {
  const { world, replica, plan, nowAt } = openStage();
  const places = placesOf(plan);
  for (const n of byHundred) replica.set(`kopia/many/p${n}`, { bytes: new Uint8Array([Number(n)]), lastModifiedAt: nowAt, replication: "pending" });
  const records = openRecords(memoryHome(), "shop", null);
  const watched = await watchRepository(world, records, places, false, "many");
  const listed = new Map([...watched.listed].map(([name, blob]) => [name, name === "p00" ? { ...blob, bytes: 2 * 1024 ** 3 } : blob]));
  const { blobs } = await takeUpRepository(world, records, places.replica, { ...watched, listed }, nowAt);
  expect(Object.entries(blobs).filter(([, [, , sha256]]) => sha256 === null).map(([name]) => name)).toEqual(["p00"]);
});

test("of a folder with more blobs than are kept, those in the archive tier are kept", ({ expect }) => {
  const blob = { bytes: 1, etag: "x", lastModifiedAt: 0, replication: "complete" } as const;
  const gathered = gatherEnds(kopiaWriteOnce, undefined, 2);
  for (const n of byHundred) gathered.add(`p${n}`, blob, n === "77" ? { ...blob, archived: true } : blob);
  gathered.add("q1", null, blob);
  gathered.add("q2", null, blob);
  gathered.add("q3", null, { ...blob, archived: true });
  const { replica } = gathered.ends();
  expect([...replica.blobs].filter(([, { archived }]) => archived === true).map(([name]) => name)).toEqual(["p77", "q3"]);
  expect(replica.blobs.size).toBe(6);
});
