import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { moverState, restoreState } from "../../shared/domain/cluster-objects.ts";
import { judgeRestore, type MoverSeen, type RestoreSeen, restoreName, restoreNames } from "../../shared/domain/restore-run.ts";

const watch = path.resolve(import.meta.dirname, "../../lab/velero-1.18.3/watch");
interface Recorded {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}
/** Every state of every object that a real Velero showed, in order. */
const recorded = (file: string): Recorded[] =>
  readFileSync(path.join(watch, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { object: Recorded }).object);
const restores = ["secondary-restores.jsonl", "denied-restores.jsonl"].flatMap(recorded);
const movers = ["secondary-podvolumerestores.jsonl", "denied-podvolumerestores.jsonl"].flatMap(recorded);

const lastOf = (objects: readonly Recorded[]): Recorded[] => [...new Map(objects.map((object) => [object.metadata.name, object])).values()];
const ended = (name: string, expected: number, storeTakesWrites: boolean) => {
  const restore = lastOf(restores).find(({ metadata }) => metadata.name === name);
  if (!restore) throw new Error(`no restore ${name} was recorded`);
  return judgeRestore(restoreState(restore), lastOf(movers).filter(({ metadata }) => metadata.labels?.["velero.io/restore-name"] === name).map(moverState), expected, storeTakesWrites);
};

describe("the restores of a real Velero", () => {
  test.each([
    ["shop-r1", 1, true, { kind: "whole", warnings: 14, items: 52 }],
    ["demo-r1", 0, true, { kind: "whole", warnings: 1, items: 11 }],
    ["catalog-r1", 0, true, { kind: "whole", warnings: 1, items: 1003 }],
    // Exactly one error, the log that could not be uploaded, from a store that refuses writes.
    ["sec403-demo", 0, false, { kind: "degraded", warnings: 1, items: 11 }],
    ["lock409-shop", 1, false, { kind: "degraded", warnings: 1, items: 34 }],
    // The same error from a store that takes writes is something else.
    ["lock409-shop", 1, true, { kind: "broken", why: "Velero counts 1 errors" }],
    // The repository was not ready: objects came, the volume did not, and Velero made no mover for it.
    ["sec403-shop", 1, false, { kind: "broken", why: expect.stringContaining("0 of 1 volumes came back") }],
    // Its data was skipped: `Completed`, and the database is empty.
    ["no-data-r1", 1, true, { kind: "broken", why: expect.stringContaining("0 of 1 volumes came back") }],
    ["no-such-backup", 0, true, { kind: "broken", why: expect.stringContaining("can't find backup") }],
  ])("%s, of which %i volume(s) must come back", (name, expected, storeTakesWrites, end) => {
    expect(ended(name, expected, storeTakesWrites)).toMatchObject(end);
  });

  test("over objects that exist say Completed: what it changed must be counted elsewhere", () => {
    expect(ended("again-r1", 0, true)).toMatchObject({ kind: "whole", warnings: 36 });
    // Its volume was there too, so nothing moved: the count of volumes finds it.
    expect(ended("again-r1", 1, true)).toMatchObject({ kind: "broken" });
  });

  test("are not at their end in any state before the last", () => {
    for (const name of new Set(restores.map(({ metadata }) => metadata.name))) {
      const states = restores.filter(({ metadata }) => metadata.name === name).map((object) => judgeRestore(restoreState(object), [], 0, false));
      const firstEnd = states.findIndex((end) => end !== null);
      expect(firstEnd, name).toBeGreaterThan(0);
      expect(states.slice(firstEnd).every((end) => end !== null), name).toBe(true);
    }
  });
});

const seen = (more: Partial<RestoreSeen> = {}): RestoreSeen => ({ phase: "Completed", errors: 0, warnings: 0, itemsRestored: 5, failureReason: "", validationErrors: [], ...more });
const mover = (phase: string, more: Partial<MoverSeen> = {}): MoverSeen => ({ name: "mover-1", phase, message: "", bytesDone: 0, ...more });

describe("a restore", () => {
  test.each(["", "New", "InProgress", "WaitingForPluginOperations", "Finalizing", "FinalizingPartiallyFailed", "SomethingOfVelero2"])("is not finished in phase %j", (phase) => {
    expect(judgeRestore(seen({ phase }), [], 0, true)).toBeNull();
  });

  test.each(["", "New", "Accepted", "Prepared", "InProgress", "Canceling", "SomethingNew"])("is not finished while a mover is %j, whatever Velero says of the whole", (phase) => {
    for (const whole of ["Completed", "PartiallyFailed"]) expect(judgeRestore(seen({ phase: whole }), [mover("Completed"), mover(phase)], 2, true)).toBeNull();
  });

  test.each(["Failed", "Canceled"])("whose mover ended %s is broken, and says which and why", (phase) => {
    expect(judgeRestore(seen(), [mover("Completed"), mover(phase, { name: "mover-2", message: "node gone" })], 2, true)).toEqual({ kind: "broken", why: `volume data did not come back: mover-2 ${phase} (node gone)` });
  });

  test("that failed as a whole does not wait for its movers", () => {
    expect(judgeRestore(seen({ phase: "Failed", failureReason: "disk" }), [mover("InProgress")], 1, true)).toEqual({ kind: "broken", why: "Velero gave up: disk" });
  });

  test("that ended with Velero's server is interrupted, once its movers have let go", () => {
    const failureReason = 'found a restore with status "InProgress" during the server starting, mark it as "Failed"';
    expect(judgeRestore(seen({ phase: "Failed", failureReason }), [mover("InProgress")], 1, true)).toBeNull();
    expect(judgeRestore(seen({ phase: "Failed", failureReason }), [mover("Canceled")], 1, true)).toEqual({ kind: "interrupted", why: failureReason });
  });

  test("with two errors is broken even where one of them may be its log", () => {
    expect(judgeRestore(seen({ phase: "PartiallyFailed", errors: 2 }), [], 0, false)).toMatchObject({ kind: "broken" });
  });

  test("that brought more volumes than expected is whole", () => {
    expect(judgeRestore(seen(), [mover("Completed"), mover("Completed")], 1, true)).toMatchObject({ kind: "whole" });
  });
});

describe("the name of a restore", () => {
  const plan = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);

  test("says the run, the application and the part", () => {
    expect(restoreName("shop-7", "web", "main")).toBe("lifeboat-shop-7-web");
    expect(restoreName("shop-7", "web", "consumers")).toBe("lifeboat-shop-7-web-held");
    expect(restoreName("shop-7", "web", "consumers", 2)).toBe("lifeboat-shop-7-web-held-again2");
  });

  test("is a name and a label value that Kubernetes takes, however long the plan's and the application's are", () => {
    fc.assert(
      fc.property(plan, fc.integer({ min: 1, max: 999_999_999 }), plan, (name, epoch, application) => {
        for (const restore of restoreNames(`${name}-${epoch}`, [application])) expect(restore).toMatch(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
      }),
    );
  });

  test("is another in every run, for every application and part: long names too", () => {
    const long = "a".repeat(40);
    const names = [1, 2, 10, 11, 999_999_999].flatMap((epoch) => restoreNames(`${long}-${epoch}`, [long, `${"a".repeat(39)}b`, "web"]));
    expect(new Set(names).size).toBe(names.length);
  });
});
