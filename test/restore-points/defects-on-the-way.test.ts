import { describe, test } from "vitest";
import { checkBackup } from "../../functions/activities/restore-points/check-backup.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { type Backups, type BlobPlace, WorldError } from "../../shared/ports.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { openStage, type Stage } from "./store.ts";

const newest = "shop-hourly-20261121055825";
const tarball = `backups/${newest}/${newest}.tar.gz`;
const pack = "kopia/shop/p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147";

/** The stage's world with some of its storage's answers changed. */
const withBackups = (stage: Stage, change: (real: Backups, isReplica: (place: BlobPlace) => boolean) => Partial<Backups>) => {
  const { backups } = stage.world;
  return { ...stage.world, backups: { ...backups, ...change(backups, ({ url }) => url === placesOf(stage.plan).replica.url) } };
};
/** Calls to one method that come to the one side, counted from 1. */
const counting = () => {
  let calls = 0;
  return () => (calls += 1);
};
const check = (stage: Stage, world = stage.world) => checkBackup(world, stage.plan, newest, emptyRegister);

describe("pages that change between calls", () => {
  test.for([[tarball], [pack]] as const)("%s, not yet in the replica's list when the source's already has it, is no loss", async ([late], { expect }) => {
    const stage = openStage();
    const calls = counting();
    const world = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        const first = isReplica(place) && late.startsWith(prefix) && calls() === 1;
        for await (const item of real.list(place, prefix)) if (!first || item.name !== late) yield item;
      },
    }));
    const { verdict, point } = await check(stage, world);
    expect([verdict.kind, point.reached, point.usable.kind]).toEqual(["complete", "readable", "usable"]);
  });

  test("a blob that maintenance deletes at both ends between the two lists is no loss", async ({ expect }) => {
    const stage = openStage();
    const world = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        // The source's page is older than the deletion, the replica's is younger.
        if (prefix === "kopia/shop/" && isReplica(place)) stage.replica.delete(pack);
        yield* real.list(place, prefix);
        if (prefix === "kopia/shop/" && !isReplica(place)) stage.source.delete(pack);
      },
    }));
    const { point } = await check(stage, world);
    expect(point.findings.find(({ level }) => level === "L8")).toMatchObject({ ok: true });
  });

  test("a name that comes twice is one blob", async ({ expect }) => {
    const stage = openStage();
    const world = withBackups(stage, (real) => ({
      async *list(place, prefix) {
        for await (const item of real.list(place, prefix)) {
          yield item;
          if (item.name === pack) yield item;
        }
      },
    }));
    expect((await check(stage, world)).verdict.kind).toBe("complete");
  });

  test("a service that orders other alphabets otherwise loses no blob", async ({ expect }) => {
    const stage = openStage();
    for (const name of ["p\u{1F6F6}", "p\uFFFD", "pé"]) for (const side of [stage.source, stage.replica]) side.set(`kopia/shop/${name}`, { bytes: new Uint8Array(3), lastModifiedAt: stage.nowAt - 900_000, replication: "complete" });
    const world = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        const items = [];
        for await (const item of real.list(place, prefix)) items.push(item);
        yield* isReplica(place) ? items.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))) : items;
      },
    }));
    expect((await check(stage, world)).verdict.kind).toBe("complete");
    stage.replica.delete("kopia/shop/p\u{1F6F6}");
    expect((await check(stage, world)).verdict).toEqual({ kind: "missing", blobs: ["kopia/shop/p\u{1F6F6}"] });
  });

  test("a tarball that is written anew while it is read is not vouched for", async ({ expect }) => {
    const stage = openStage();
    const world = withBackups(stage, (real) => ({
      async open(place, name) {
        const chunks = await real.open(place, name);
        const blob = stage.replica.get(tarball);
        if (name === tarball && blob) stage.replica.set(tarball, { ...blob, lastModifiedAt: stage.nowAt });
        return chunks;
      },
    }));
    const records = openRecords(memoryHome(), "shop", null);
    const { register } = await verifyBackups(world, stage.plan, emptyRegister, { proof: { records, planHash: "p" } });
    expect([register.points[newest]?.sealed, register.points[newest]?.read]).toEqual([null, null]);
    expect(register.points["shop-hourly-20261121055809"]?.sealed).not.toBeNull();
  });

  test("a blob that goes between the list and the read is missed", async ({ expect }) => {
    const stage = openStage();
    const world = withBackups(stage, (real) => ({ open: async (place, name) => (name === tarball ? null : real.open(place, name)) }));
    const { point } = await check(stage, world);
    expect([point.reached, point.usable]).toEqual(["complete", { kind: "unusable", reason: "the tarball is not at the replica" }]);
  });
});

describe("storage that does not answer", () => {
  const busy = (code: string) => new WorldError("list blobs", "stshopneu", `status ${code}`, { retryAfterSeconds: 7 });

  test.for(["503 ServerBusy", "429 TooManyRequests", "404 ContainerNotFound", "403 AuthorizationPermissionMismatch"])("a replica that says %s is an error that names it, to be asked again, and no statement about a backup", async (code, { expect }) => {
    const stage = openStage();
    const broken = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        if (isReplica(place)) throw busy(code);
        yield* real.list(place, prefix);
      },
      folders: async (place, prefix) => (isReplica(place) ? Promise.reject(busy(code)) : real.folders(place, prefix)),
    }));
    await expect(check(stage, broken)).rejects.toThrow(`list blobs on stshopneu: status ${code}`);
    await expect(verifyBackups(broken, stage.plan, emptyRegister)).rejects.toMatchObject({ retryAfterSeconds: 7 });
  });

  test("a replica that breaks off in the middle of a list or of the archive is an error too", async ({ expect }) => {
    const stage = openStage();
    const list = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        let items = 0;
        for await (const item of real.list(place, prefix)) {
          if (isReplica(place) && ++items > 3) throw busy("503 ServerBusy");
          yield item;
        }
      },
    }));
    await expect(check(stage, list)).rejects.toThrow("503 ServerBusy");
    const open = withBackups(stage, (real) => ({
      open: async (place, name) => {
        const chunks = await real.open(place, name);
        return chunks && (async function* () {
          for await (const chunk of chunks) {
            yield chunk;
            throw busy("503 ServerBusy");
          }
        })();
      },
    }));
    await expect(check(stage, open)).rejects.toThrow("503 ServerBusy");
  });

  test.for([1, 2, 7, 20])("a source that breaks off after %i blobs makes nothing whole that is not known to be", async (after, { expect }) => {
    const stage = openStage();
    stage.replica.delete(pack);
    const world = withBackups(stage, (real, isReplica) => ({
      async *list(place, prefix) {
        let items = 0;
        for await (const item of real.list(place, prefix)) {
          if (!isReplica(place) && prefix === "kopia/shop/" && ++items > after) throw busy("503 ServerBusy");
          yield item;
        }
      },
    }));
    const { point, verdict } = await check(stage, world);
    expect([verdict.kind, point.reached]).toEqual(["unknown", "replicated"]);
    expect(point.findings.find(({ level }) => level === "L8")).toMatchObject({ ok: "unknown", about: expect.stringContaining("503 ServerBusy") as string });
  });

  test("a secondary that lags behind its Last Sync Time is known whole up to it and no further", async ({ expect }) => {
    const stage = openStage(undefined, "shared");
    stage.lastSyncAt = Date.parse("2026-11-21T05:58:26Z");
    stage.replica.delete(pack);
    const lit = await verifyBackups(stage.world, stage.plan, emptyRegister, { askSource: true });
    expect(lit.points.map(({ usable }) => usable.kind)).toEqual(["unusable", "unusable", "unusable"]);
    stage.dark = true;
    const dark = await verifyBackups(stage.world, stage.plan, lit.register, { askSource: false });
    expect(dark.points.filter(({ reached, usable }) => reached === "readable" && usable.kind === "usable")).toEqual([]);
  });
});
