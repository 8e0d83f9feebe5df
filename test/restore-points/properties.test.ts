import fc from "fast-check";
import { describe, test } from "vitest";
import { checkBackup } from "../../functions/activities/restore-points/check-backup.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import { arrivalOf, type BlobFound, gatherEnds, kopiaWriteOnce } from "../../shared/domain/replica.ts";
import { openStage, recordedContainer } from "./store.ts";

const newest = "shop-hourly-20261121055825";
const own = [...recordedContainer().keys()].filter((name) => name.startsWith(`backups/${newest}/`));
const packs = [...recordedContainer().keys()].filter((name) => name.startsWith("kopia/shop/"));
const endedAt = Math.max(...own.map((name) => recordedContainer().get(name)?.lastModifiedAt ?? 0));
/** Blobs that a restore of the point needs: its own, and what was in the repository when it ended. */
const needed = [...own, ...packs.filter((name) => (recordedContainer().get(name)?.lastModifiedAt ?? 0) <= endedAt)];

type Fate = "there" | "on its way" | "old copy" | "failed" | "deleted" | "cut off";
const fates: readonly Fate[] = ["on its way", "old copy", "failed", "deleted", "cut off"];
/** Mostly whole: a replica of which half is missing is told by anyone. */
const replicas = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Readonly<Record<string, Fate>>>({}) },
  { weight: 5, arbitrary: fc.dictionary(fc.constantFrom(...needed), fc.constantFrom<Fate>("there", ...fates), { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...needed), fc.constantFrom<Fate>(...fates), { maxKeys: 30 }) },
);
/** Blobs that have nothing to do with the point, under whatever names. */
const strangers = fc.array(fc.tuple(fc.constantFrom("backups/", "backups/other/", "kopia/other/", "restores/r/", ""), fc.string({ unit: fc.constantFrom("a", "é", "漢", "🛶", " ", "%", "&", "'"), minLength: 1, maxLength: 250 })), { maxLength: 5 });

describe("of a random partial replica", () => {
  test.for(["replicated", "shared"] as const)("a point is whole if and only if all that it needs is there, on %s storage", { timeout: 60_000 }, async (topology, { expect }) => {
    await fc.assert(
      fc.asyncProperty(replicas, strangers, async (replica, others) => {
        const stage = openStage(undefined, topology);
        for (const [folder, name] of others) for (const side of [stage.source, stage.replica]) if (!side.has(folder + name)) side.set(folder + name, { bytes: new Uint8Array(3), lastModifiedAt: stage.nowAt - 60_000, replication: "complete" });
        let whole = true;
        for (const [name, fate] of Object.entries(replica)) {
          const [from, copy] = [stage.source.get(name), stage.replica.get(name)];
          if (!from || !copy) throw new Error(`there is no ${name}`);
          const says = (replication: BlobFound["replication"]) => void (topology === "replicated" && stage.source.set(name, { ...from, replication }));
          if (fate === "on its way" || fate === "failed" || fate === "deleted") stage.replica.delete(name);
          if (fate === "cut off" && copy.bytes.length > 0) stage.replica.set(name, { ...copy, bytes: copy.bytes.slice(0, -1) });
          if (fate === "on its way" || fate === "old copy") says("pending");
          if (fate === "failed") says("failed");
          // A copy of the same length that the source calls old proves nothing, unless its name stands for its content; a geo-redundant account calls nothing old.
          const harmless = fate === "there" || (fate === "old copy" && (topology === "shared" || (name.startsWith("kopia/") && kopiaWriteOnce(name.slice("kopia/shop/".length)))));
          whole &&= harmless;
        }
        const { point, verdict } = await checkBackup(stage.world, stage.plan, newest, emptyRegister);
        expect([point.reached === "readable" && point.usable.kind === "usable", verdict.kind === "complete"]).toEqual([whole, whole]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("gathering two ends", () => {
  const blob = fc.record({ bytes: fc.integer({ min: 0, max: 2 }), lastModifiedAt: fc.integer({ min: 0, max: 20 }), replication: fc.constantFrom<BlobFound["replication"]>("complete", "pending", "failed") });
  const folder = fc.dictionary(fc.string({ unit: fc.constantFrom("a", "b", "\u{1F6F6}", "\uFFFD"), minLength: 1, maxLength: 4 }), blob, { maxKeys: 40 });

  test("forgets nothing that a question could be about, in whatever order the names come", ({ expect }) => {
    fc.assert(
      fc.property(folder, folder, fc.integer({ min: 1, max: 8 }), fc.boolean(), fc.infiniteStream(fc.boolean()), (there, here, max, once, order) => {
        const found = (blobs: typeof there) => new Map(Object.entries(blobs).map(([name, each]): [string, BlobFound] => [name, { ...each, etag: name }]));
        const [source, replica] = [found(there), found(here)];
        const gathered = gatherEnds(() => once, () => false, max);
        // Together where both have it, or each on its own and far apart, as a service with another order of names would send them.
        const apart: string[] = [];
        for (const name of [...new Set([...source.keys(), ...replica.keys()])].toSorted()) {
          if (order.next().value) gathered.add(name, source.get(name) ?? null, replica.get(name) ?? null);
          else {
            if (source.has(name)) gathered.add(name, source.get(name) ?? null, null);
            apart.push(name);
          }
        }
        const outOfOrder = apart.length > 0;
        for (const name of apart) if (replica.has(name)) gathered.add(name, null, replica.get(name) ?? null);
        const ends = gathered.ends();
        const [whole, kept] = [arrivalOf(source, replica, () => once), arrivalOf(ends.source.blobs, ends.replica.blobs, () => once)];
        const { arrived = 0, others = 0, othersFrom = Infinity } = ends.source.beyond ?? {};
        const behind = (arrival: typeof whole) => [...arrival.pending, ...arrival.failed, ...arrival.missing, ...arrival.differs].map((name) => source.get(name)?.lastModifiedAt ?? Number.NaN);
        // Whatever the instant that is asked for: something written up to it has not arrived, or everything has.
        const first = Math.min(...behind(whole));
        expect(outOfOrder ? [Math.min(...behind(kept), othersFrom) <= first, Math.min(...behind(kept)) >= first] : Math.min(...behind(kept))).toEqual(outOfOrder ? [true, true] : first);
        // Counts are right as long as names come in their order; out of it a name may have been dropped before its other half came.
        if (!outOfOrder) expect([kept.arrived + arrived, kept.of + arrived + others]).toEqual([whole.arrived, whole.of]);
        expect(ends.source.blobs.size).toBeLessThanOrEqual(3 * max);
        expect(ends.replica.blobs.size).toBeLessThanOrEqual(4 * max);
      }),
      { numRuns: 300 },
    );
  });
});
