import { describe, test } from "vitest";
import { afterLook, findingEntryName, type FindingKind, findingKinds, findingsMax, mergeFindings, words } from "../../shared/domain/findings.ts";
import { emptyRegister, mergeRegisters, registered, type Register } from "../../shared/domain/register.ts";
import { onePointTold, restorePointsTold } from "../../shared/domain/restore-points-told.ts";
import { assess, type RestorePoint } from "../../shared/domain/restore-point.ts";
import { findingsOf, standingOf, verificationIsDue } from "../../shared/domain/standing.ts";
import { inventoryOf, nowAt, plan } from "../domain/restore-point-case.ts";

const source = { kind: "unknown", why: "dark" } as const;
const at = (hours: number) => nowAt - hours * 3_600_000;
const point = (name: string, more: Partial<RestorePoint> = {}): Register => registered({ ...assess(inventoryOf(), plan, nowAt, null), name, ...more }, { checkedAt: nowAt, by: "timer", source });
const of = (...registers: Register[]): Register => registers.reduce(mergeRegisters, { ...emptyRegister, look: { at: nowAt, why: null } });
const bad = (reason: string, trouble: FindingKind | "none" = "corrupt") => ({ usable: { kind: "unusable", reason } as const, reached: "seen" as const, findings: [{ level: "L2", rung: "complete", ok: false, about: reason, trouble } as const] });
const kindsNow = (register: Register, now = nowAt, withPlan = plan) => findingsOf(register, withPlan, now).map(({ kind, point }) => [kind, point]);

describe("how a plan stands", () => {
  test("by its newest proven point, with the reason for every newer one", ({ expect }) => {
    const register = of(point("old", { takenAt: at(2) }), point("proven", { takenAt: at(0.5) }), point("newer", { takenAt: at(0.25), ...bad("the tarball is empty") }));
    expect(standingOf(register, plan, nowAt)).toMatchObject({ newestProven: { name: "proven", ageSeconds: 1_800 }, objective: { state: "kept" }, passedOver: [{ name: "newer", reason: "the tarball is empty" }] });
  });

  test("the objective is broken when the newest proven point is older than it, or there is none", ({ expect }) => {
    const rpoHours = plan.objectives.rpoSeconds / 3_600;
    expect(kindsNow(of(point("a", { takenAt: at(rpoHours) })))).toEqual([]);
    expect(kindsNow(of(point("a", { takenAt: at(rpoHours) - 1_000 })))).toEqual([["objective-broken", null]]);
    expect(findingsOf(of(), plan, nowAt)).toMatchObject([{ kind: "objective-broken", fact: "no restore point of shop is proven" }]);
  });

  test("is unknown, never kept, when nobody has looked for a while or ever", ({ expect }) => {
    const fresh = of(point("a", { takenAt: at(0.1) }));
    const later = nowAt + 3 * plan.backups.verifyEverySeconds * 1_000 + 1_000;
    const patient = { ...plan, objectives: { ...plan.objectives, rpoSeconds: 86_400 } };
    expect(standingOf(fresh, patient, later).objective.state).toBe("unknown");
    expect(kindsNow(fresh, later, patient)).toEqual([["unknown", null]]);
    expect(standingOf(emptyRegister, plan, nowAt).objective.state).toBe("unknown");
  });

  test("is looked at once in each of the plan's intervals, and once after any number of missed ones", ({ expect }) => {
    const every = plan.backups.verifyEverySeconds * 1_000;
    const begin = Math.ceil(nowAt / every) * every;
    const lookedAt = (at: number) => ({ ...emptyRegister, look: { at, why: null } });
    expect(verificationIsDue(emptyRegister, plan, begin)).toBe(true);
    expect([begin, begin + every - 1, begin + every, begin + 9 * every].map((now) => verificationIsDue(lookedAt(begin + 1), plan, now))).toEqual([false, false, true, true]);
  });

  test("a store that could not be looked at is a finding with the store's own words", ({ expect }) => {
    const why = "list blobs on https://x/velero/backups/: status 404 ContainerNotFound";
    expect(findingsOf({ ...of(point("a", { takenAt: at(0.1) })), look: { at: nowAt, why } }, plan, nowAt)[0]).toMatchObject({ kind: "store-unreadable", fact: why });
  });
});

describe("a point that is about to expire", () => {
  const margin = plan.backups.expiryMarginSeconds * 1_000;
  test("is a finding while nothing newer is proven", ({ expect }) => {
    const last = point("last", { takenAt: at(0.5), expiresAt: nowAt + margin + 1_000 });
    expect(kindsNow(of(last))).toEqual([["expiring", "last"]]);
    expect(kindsNow(of(last, point("newer", { takenAt: at(0.1) })))).toEqual([]);
    expect(kindsNow(of(last, point("newer", { takenAt: at(0.1), ...bad("the tarball is empty") })))).toEqual([["expiring", "last"], ["corrupt", "newer"]]);
  });

  test("is one although its manifest's signature could not be checked, and none that may have been tampered with", ({ expect }) => {
    const unknown = (rung: "asserted" | "replicated") => ({ level: "manifest", rung, ok: "unknown", about: "the vault is dark" }) as const;
    const soon = { level: "L1", rung: "complete", ok: false, about: "it expires", trouble: "none" } as const;
    const last = (more: Partial<RestorePoint>) => kindsNow(of(point("last", { takenAt: at(0.5), expiresAt: nowAt + margin + 1_000, ...more }))).filter(([kind]) => kind === "expiring");
    expect(last({ findings: [unknown("asserted")] })).toHaveLength(1);
    expect(last({ findings: [unknown("asserted"), soon], reached: "replicated" })).toHaveLength(1);
    expect(last({ findings: [unknown("replicated"), soon], reached: "seen" })).toEqual([]);
    expect(last({ findings: [unknown("replicated")], reached: "seen" })).toEqual([]);
  });

  test("is not hidden behind a newer one that has expired and still lies there", ({ expect }) => {
    const expired = [{ level: "L1", rung: "complete", ok: false, about: "it expired", trouble: "none" }] as const;
    const over = point("over", { takenAt: at(0.25), expiresAt: nowAt - 1_000, reached: "replicated", findings: expired });
    const last = point("last", { takenAt: at(0.5), expiresAt: nowAt + margin + 1_000 });
    expect(kindsNow(of(over, last))).toEqual([["expiring", "last"]]);
  });

  test("and is nothing to be mended when it has expired or has grown too old", ({ expect }) => {
    const old = point("old", { takenAt: at(plan.backups.maxAgeSeconds / 3_600 + 1), ...bad("the tarball is empty") });
    const over = point("over", { takenAt: at(0.5), expiresAt: nowAt - 1_000, ...bad("the tarball is empty") });
    expect(kindsNow(of(old, over))).toEqual([["objective-broken", null]]);
  });
});

test("what is told of a point never shows what is unknown as proven", ({ expect }) => {
  const unsure = point("unsure", { takenAt: at(0.1), reached: "seen", findings: [{ level: "L3", rung: "replicated", ok: "unknown", about: "no watermark is known" }] });
  const register = of(unsure, point("sure", { takenAt: at(0.2) }), point("broken", { takenAt: at(0.3), ...bad("the tarball is empty") }));
  const told = restorePointsTold(register, plan, nowAt);
  expect(told.points.map(({ name, proven }) => [name, proven])).toEqual([["unsure", "unknown"], ["sure", true], ["broken", false]]);
  const one = register.points["unsure"];
  expect(one && onePointTold("unsure", one, null, register, plan, nowAt)).toMatchObject({ proven: "unknown", reason: expect.stringContaining("no watermark is known") as string, evidence: [], manifest: null });
});

test("what nobody has looked at for a while is not called proven any more, nor is the evidence for it", ({ expect }) => {
  const patient = { ...plan, objectives: { ...plan.objectives, rpoSeconds: 86_400 }, backups: { ...plan.backups, maxAgeSeconds: 86_400 } };
  const looksMissed = nowAt + 3 * plan.backups.verifyEverySeconds * 1_000;
  const evidence = { level: "api", rung: "readable", ok: true, about: "all are served", at: nowAt, planHash: "p", expiresAt: nowAt } as const;
  const register: Register = { ...of(point("a", { takenAt: at(0.1) })), secondary: { at: nowAt, point: "a", findings: [], evidence: [evidence, { ...evidence, ok: false }] } };
  const [one] = Object.values(register.points);
  if (!one) throw new Error("there is one");
  const found = { at: nowAt, evidence: [evidence], blobs: [] };
  const seen = (now: number) => {
    const { points, secondary } = restorePointsTold(register, patient, now);
    return [points[0]?.proven, points[0]?.reason, secondary?.evidence.map(({ ok }) => ok), onePointTold("a", one, found, register, patient, now).evidence.map(({ ok }) => ok)];
  };
  expect(seen(looksMissed)).toEqual([true, null, [true, false], [true]]);
  expect(seen(looksMissed + 1)).toEqual(["unknown", expect.stringContaining("looked at last at") as string, ["unknown", false], ["unknown"]]);
});

describe("findings", () => {
  test("each kind has a reason and a remedy, and none is called good", ({ expect }) => {
    for (const kind of findingKinds) {
      const { reason, remedy } = words({ kind, point: "a" });
      expect([reason.length > 20, remedy.length > 20]).toEqual([true, true]);
    }
  });

  test("the same look twice changes nothing, and one that opens again is another", ({ expect }) => {
    const found = [{ kind: "corrupt", point: "a", fact: "x" }] as const;
    const first = afterLook({}, found, 1_000);
    expect(first.changed).toHaveLength(1);
    expect(afterLook(first.findings, found, 1_000)).toEqual({ findings: first.findings, changed: [] });
    const closed = afterLook(first.findings, [], 2_000);
    expect(closed.changed).toMatchObject([{ openedAt: 1_000, closedAt: 2_000 }]);
    const again = afterLook(closed.findings, found, 3_000);
    expect(again.changed).toMatchObject([{ openedAt: 3_000, closedAt: null }]);
    const names = [first, closed, again].flatMap(({ changed }) => changed.map((finding) => findingEntryName("shop", finding)));
    expect(new Set(names).size).toBe(3);
  });

  test("are bounded, and those that hold stay", ({ expect }) => {
    const many = Array.from({ length: findingsMax + 50 }, (_, n) => ({ kind: "corrupt", point: `p${n}`, fact: "x" }) as const);
    const closed = afterLook(afterLook({}, many, 1).findings, [], 2).findings;
    const { findings } = afterLook(closed, [{ kind: "tampered", point: "a", fact: "y" }], 3);
    expect(Object.keys(findings)).toHaveLength(findingsMax);
    expect(findings["tampered/a"]?.closedAt).toBeNull();
    expect(mergeFindings(findings, closed)).toEqual(mergeFindings(closed, findings));
  });
});
