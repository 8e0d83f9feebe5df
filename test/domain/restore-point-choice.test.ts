import fc from "fast-check";
import { test } from "vitest";
import { type Candidate, choose, newestFirst, timeInName, whyNot } from "../../shared/domain/restore-point-choice.ts";
import { assess, type RestorePoint } from "../../shared/domain/restore-point.ts";
import { inventoryOf, nowAt, plan } from "./restore-point-case.ts";

const base = assess(inventoryOf(), plan, nowAt, null);
const point = (name: string, more: Partial<RestorePoint> = {}): RestorePoint => ({ ...base, name, ...more });
const minutesAgo = (minutes: number) => nowAt - minutes * 60_000;

test("the newest proven point is taken, and each newer one has its reason", ({ expect }) => {
  const points = [
    point("oldest", { takenAt: minutesAgo(50) }),
    point("skipped", { takenAt: minutesAgo(10), usable: { kind: "unusable", reason: "its volume was skipped" } }),
    point("good", { takenAt: minutesAgo(30) }),
    point("unread", { takenAt: minutesAgo(20), reached: "complete", findings: [{ level: "L2", rung: "readable", ok: "unknown", about: "the tarball was not read" }] }),
  ];
  expect(choose(points, plan, nowAt)).toEqual({
    kind: "chosen",
    point: points[2],
    passedOver: [
      { name: "skipped", reason: "its volume was skipped" },
      { name: "unread", reason: 'it is proven as far as "complete" and the plan asks for "readable": the tarball was not read' },
    ],
    lossUpperBoundSeconds: 1_800,
  });
});

test("a plan may be content with less proof, or ask for a drill", ({ expect }) => {
  const points = [point("good", { reached: "replicated" })];
  const asking = (provenFrom: "replicated" | "restored") => choose(points, { ...plan, backups: { ...plan.backups, provenFrom } }, nowAt).kind;
  expect([asking("replicated"), asking("restored")]).toEqual(["chosen", "nothing-restorable"]);
});

test("a point judged yesterday is judged by its age and expiry now", ({ expect }) => {
  const points = [point("yesterday")];
  expect(choose(points, plan, nowAt).kind).toBe("chosen");
  expect(choose(points, plan, nowAt + 86_400_000)).toMatchObject({ kind: "nothing-restorable", passedOver: [{ name: "yesterday", reason: expect.stringContaining("longer ago than the 86400 s") as string }] });
});

test("a point that does not say when it was taken is dated by its schedule's name, or comes first", ({ expect }) => {
  const named = ["shop-hourly-20261121055809", "shop-hourly-20261121055825", "by-hand"].map((name) => ({ name, takenAt: null }));
  const dated = { name: "between", takenAt: Date.parse("2026-11-21T05:58:15Z") };
  expect(newestFirst([...named, dated]).map(({ name }) => name)).toEqual(["by-hand", "shop-hourly-20261121055825", "between", "shop-hourly-20261121055809"]);
});

test("points of one time stand by their names, the last one first", ({ expect }) => {
  const twins = ["b", "c", "a"].map((name) => ({ name, takenAt: nowAt }));
  expect(newestFirst(twins).map(({ name }) => name)).toEqual(["c", "b", "a"]);
  expect(newestFirst(twins.toReversed()).map(({ name }) => name)).toEqual(["c", "b", "a"]);
});

test("a name says when its schedule asked for it, to the second", ({ expect }) => {
  expect(timeInName("shop-hourly-20261121055825")).toBe(Date.parse("2026-11-21T05:58:25Z"));
  expect(timeInName("x-20260102030405")).toBe(Date.parse("2026-01-02T03:04:05Z"));
  for (const name of ["20261121055825", "shop-2026112105582", "shop-20261121055825-copy", ""]) expect(timeInName(name), name).toBeNull();
});

test("a point that is not proven far enough says how far, and the first two things that nobody could learn", ({ expect }) => {
  const unknown = (about: string): Candidate["findings"][number] => ({ ok: "unknown", about });
  const why = (findings: Candidate["findings"], reached: Candidate["reached"] = null) => whyNot({ ...point("p"), reached, findings }, plan, nowAt);
  expect(why([])).toBe('it is proven as far as "nothing" and the plan asks for "readable"');
  expect(why([{ ok: true, about: "fine" }], "seen")).toBe('it is proven as far as "seen" and the plan asks for "readable"');
  expect(why([{ ok: true, about: "fine" }, unknown("one"), { ok: false, about: "wrong" }, unknown("two"), unknown("three")])).toBe('it is proven as far as "nothing" and the plan asks for "readable": one; two');
});

test("what was taken this moment loses nothing", ({ expect }) => {
  expect(choose([point("now", { takenAt: nowAt })], plan, nowAt)).toMatchObject({ kind: "chosen", lossUpperBoundSeconds: 0 });
});

test("whatever the points, none that speaks against itself is taken, and no newer good one is passed over", ({ expect }) => {
  const any = fc.record({ takenAt: fc.option(fc.integer({ min: minutesAgo(3_000), max: nowAt })), usable: fc.boolean(), reached: fc.constantFrom(null, "seen", "replicated", "complete", "readable", "restored") });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), (facts) => {
      const points = facts.map(({ takenAt, usable, reached }, at) => point(`p${at}`, { takenAt, reached: reached as RestorePoint["reached"], usable: usable ? { kind: "usable" } : { kind: "unusable", reason: "no" } }));
      const good = points.filter((each) => each.takenAt !== null && each.takenAt >= nowAt - 86_400_000 && each.usable.kind === "usable" && (each.reached === "readable" || each.reached === "restored"));
      const newest = Math.max(...good.map(({ takenAt }) => takenAt ?? 0));
      const choice = choose(points, plan, nowAt);
      expect(choice.kind === "chosen" ? choice.point.takenAt : null).toBe(good.length > 0 ? newest : null);
      expect(choice.passedOver.every(({ reason }) => reason.length > 0)).toBe(true);
    }),
  );
});
