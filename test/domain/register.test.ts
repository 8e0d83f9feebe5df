import fc from "fast-check";
import { describe, test } from "vitest";
import { emptyRegister, mergeRegisters, recordedView, registerBounds, registered, type Register, withProof } from "../../shared/domain/register.ts";
import { assess } from "../../shared/domain/restore-point.ts";
import { covers, laterWatermark, watermarkOfLastSync, watermarkOfListing } from "../../shared/domain/watermark.ts";
import { inventoryOf, nowAt, plan } from "./restore-point-case.ts";

const inventory = inventoryOf();
const point = assess(inventory, plan, nowAt, null);
const check = (name: string, checkedAt: number, more: Partial<Parameters<typeof registered>[1]> = {}) => registered({ ...point, name }, { checkedAt, by: "timer", source: inventory.source, ...more });

const anyRegister: fc.Arbitrary<Register> = fc
  .array(fc.record({ name: fc.constantFrom("a", "b", "c"), checkedAt: fc.integer({ min: 1, max: 5 }), seen: fc.boolean(), mark: fc.integer({ min: 1, max: 5 }), by: fc.constantFrom("blob", "timer", "run") }), { maxLength: 5 })
  .map((checks) =>
    checks
      .map(({ name, checkedAt, seen, mark, by }): Register => ({
        ...check(name, checkedAt, { by: by as "blob", source: seen ? inventory.source : { kind: "unknown", why: "dark" } }),
        watermark: { at: mark, recordedAt: checkedAt, how: "source-listing" },
      }))
      .reduce(mergeRegisters, emptyRegister),
  );

describe("merging registers", () => {
  test("whoever merges first, and however often, the register is the same", ({ expect }) => {
    fc.assert(
      fc.property(anyRegister, anyRegister, anyRegister, (a, b, c) => {
        expect(mergeRegisters(a, b)).toEqual(mergeRegisters(b, a));
        expect(mergeRegisters(a, a)).toEqual(a);
        expect(mergeRegisters(mergeRegisters(a, b), c)).toEqual(mergeRegisters(a, mergeRegisters(b, c)));
      }),
    );
  });

  test("the newest check counts, and what the source had is kept when a later check could not see it", ({ expect }) => {
    const merged = mergeRegisters(check("a", 1), check("a", 2, { by: "run", source: { kind: "unknown", why: "dark" } }));
    expect(merged.points["a"]).toMatchObject({ checkedAt: 2, by: "run", source: { listedAt: nowAt } });
    expect(recordedView(merged.points["a"]?.source, "dark")).toMatchObject({ kind: "recorded", listedAt: nowAt });
    expect(recordedView(null, "dark")).toEqual({ kind: "unknown", why: "dark" });
  });

  test("only the newest two hundred points stay, and the largest repositories go first", ({ expect }) => {
    const many = Array.from({ length: 260 }, (_, at) => registered({ ...point, name: `p${at}`, takenAt: at }, { checkedAt: 1, by: "timer", source: { kind: "unknown", why: "" } })).reduce(mergeRegisters);
    expect([Object.keys(many.points).length, "p59" in many.points, "p60" in many.points, "p259" in many.points]).toEqual([registerBounds.points, false, true, true]);
    const repository = (blobs: number) => ({ listedAt: 1, blobs: Object.fromEntries(Array.from({ length: blobs }, (_, at) => [`p${at}`, [1, 1] as const])) });
    const bounded = mergeRegisters({ ...emptyRegister, repositories: { large: repository(19_000), small: repository(2_000) } }, emptyRegister);
    expect(Object.keys(bounded.repositories)).toEqual(["small"]);
  });

  test("a register survives being written as JSON, and stays below what home takes", ({ expect }) => {
    const full = Array.from({ length: 200 }, (_, at) => check(`shop-hourly-${at}`, at)).reduce(mergeRegisters);
    expect(JSON.parse(JSON.stringify(full))).toEqual(full);
    expect(JSON.stringify(full).length).toBeLessThan(1_000_000);
  });

  test("a drill's proof stays with its point through later checks", ({ expect }) => {
    const proven = withProof(check("a", 1), "a", { rung: "restored", at: 5 });
    expect(mergeRegisters(proven, check("a", 9)).points["a"]).toMatchObject({ checkedAt: 9, proof: { rung: "restored", at: 5 } });
    expect(withProof(emptyRegister, "never-seen", { rung: "restored", at: 5 })).toEqual(emptyRegister);
  });
});

describe("the watermark", () => {
  test("of a listing is its beginning, cut to the second, or the oldest blob that is behind", ({ expect }) => {
    expect(watermarkOfListing(10_900, null)).toEqual({ at: 10_000, recordedAt: 10_900, how: "source-listing" });
    expect(watermarkOfListing(10_900, 7_000).at).toBe(7_000);
  });

  test("a service that does not know says so with the least date there is", ({ expect }) => {
    expect(watermarkOfLastSync({ state: "live", lastSyncAt: Date.parse("0001-01-01T00:00:00Z") }, nowAt)).toBeNull();
    expect(watermarkOfLastSync({ state: "live", lastSyncAt: Date.parse("1601-01-01T00:00:00Z") }, nowAt)).toBeNull();
    expect(watermarkOfLastSync({ state: "bootstrap", lastSyncAt: nowAt }, nowAt)).toBeNull();
    expect(watermarkOfLastSync({ state: "live", lastSyncAt: nowAt - 5_000 }, nowAt)).toEqual({ at: nowAt - 5_000, recordedAt: nowAt, how: "last-sync-time" });
  });

  test("never goes back, and speaks for what was written before it only", ({ expect }) => {
    const [early, late] = [watermarkOfListing(10_000, null), watermarkOfListing(20_000, null)];
    expect([laterWatermark(late, early), laterWatermark(null, early), laterWatermark(null, null)]).toEqual([late, early, null]);
    expect([covers(late, 19_999), covers(late, 20_000), covers(null, 1)]).toEqual([true, false, false]);
  });
});
