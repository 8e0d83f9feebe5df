import { describe, expect, test } from "vitest";
import { examplePlan } from "../domain/example-plans.ts";
import { type Works, fails, point, stage } from "./stage.ts";

const { play } = stage();
const recovery = { kind: "recovery", door: "http" } as const;

describe("a recovery in place", () => {
  test("restores what is gone, and fences, promotes and switches nothing", async () => {
    const restored: string[] = [];
    const { ended, trace, head } = await play(
      {
        async startRestore({ application, part }) {
          restored.push(`${application} ${part}`);
          return part === "main" ? { application, part, name: `restore-${application}`, volumes: 1, turns: 2 } : null;
        },
      },
      recovery,
    );
    const { outcome, report } = await ended();
    expect(outcome).toEqual({ kind: "recovered", restorePoint: point.name, unprotected: false });
    expect(restored).toEqual(["shop main", "shop consumers"]);
    expect(trace).toEqual(["confirm-gone", "choose-restore-point", "velero-alive", "storage-location-ready", "repositories-ready", "align-view", "check-target", "start-restore", "restore-ended", "start-restore", "verify-applications", "release-consumers", "report", "close-run"]);
    expect(report).toMatchObject({ kind: "recovery", traffic: { before: "westeurope", after: "westeurope" }, fence: null, rtoSeconds: null });
    expect(await head()).toMatchObject({ active: "primary", run: null, cooldownUntilAt: null, unprotectedSinceAt: null });
  });

  test("restores wave by wave, what is gone and nothing else", async () => {
    const restored: string[] = [];
    const plan = examplePlan("shop-replicated");
    const [, shop] = plan.applications;
    if (shop === undefined) throw new Error("the example has no second application");
    const other = (name: string, wave: number) => ({ ...shop, name, wave, namespaces: [name] });
    const { ended } = await play(
      {
        confirmGone: async () => ({ kind: "gone", applications: ["late", "early"] }),
        async startRestore({ application, part }) {
          if (part === "main") restored.push(application);
          return part === "main" ? { application, part, name: `restore-${application}`, volumes: 0, turns: 2 } : null;
        },
        async restoreEnded({ part }) {
          restored.push(`${part.application} ended`);
          return { kind: "done", value: { kind: "whole", warnings: 0, items: 1 } };
        },
      },
      { ...recovery, plan: { ...plan, applications: [other("late", 7), other("standing", 6), other("early", 5)] } },
    );
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(restored).toEqual(["early", "early ended", "late", "late ended"]);
  });

  test("looks at its own target for what it brings back alone, and restores nothing that would be skipped", async () => {
    let asked: unknown;
    const { ended, trace } = await play(
      {
        async checkTarget(input) {
          asked = input;
          return { kind: "unable", reasons: ["namespace shop is not empty"] };
        },
      },
      recovery,
    );
    expect((await ended()).outcome).toEqual({ kind: "target-not-ready", reasons: ["namespace shop is not empty"] });
    expect(asked).toMatchObject({ point: point.name, applications: ["shop"] });
    expect(trace).not.toContain("start-restore");
  });

  test("touches nothing that is there", async () => {
    const { ended, trace } = await play({ confirmGone: async () => ({ kind: "there", why: "shop still runs shop/storefront" }) }, recovery);
    expect((await ended()).outcome).toEqual({ kind: "not-failed-over", why: "shop still runs shop/storefront" });
    expect(trace).not.toContain("start-restore");
  });

  test.each([
    ["nothing can be restored", { chooseRestorePoint: async () => ({ kind: "nothing-restorable", passedOver: [] }) }, { kind: "nothing-restorable" }],
    ["a restore breaks", { restoreEnded: async () => ({ kind: "done", value: { kind: "broken", why: "2 errors" } }) }, { kind: "halted", phase: "restore", step: "restore-ended" }],
    ["a step fails", { chooseRestorePoint: fails("no answer") }, { kind: "halted", phase: "choose", step: "choose-restore-point", cause: "no answer" }],
    ["it does not come up", { verifyApplications: async () => ({ kind: "not-yet", about: "0 of 3 replicas" }) }, { kind: "halted", phase: "verify", cause: "0 of 3 replicas" }],
  ] satisfies [string, Partial<Works>, object][])("ends with a report when %s", async (_, works, outcome) => {
    const { ended, head } = await play(works, recovery);
    const end = await ended();
    expect(end.outcome).toMatchObject(outcome);
    expect(end.report?.outcome).toBe(outcome.kind);
    expect((await head()).run).toBeNull();
  });

  test("can be aborted, and says that what it restored stays", async () => {
    let abort = async () => "";
    const { ended, ...rest } = await play(
      {
        async chooseRestorePoint() {
          await abort();
          return { kind: "chosen", point, passedOver: [] };
        },
      },
      recovery,
    );
    abort = () => rest.abort();
    expect((await ended()).outcome).toEqual({ kind: "aborted", by: "Grace Approver", left: ["what was restored so far is left in place"] });
    expect(rest.trace).not.toContain("start-restore");
  });
});

describe("what is no run", () => {
  test("verifies all backups of a plan", async () => {
    const { answered, trace } = await play({}, { runbook: { name: "verify-backups", input: {} } });
    expect(await answered()).toMatchObject({ kind: "done", value: { checked: 3, usable: 3 } });
    expect(trace).toContain("check-all-backups");
  });

  test("checks a new backup until it has arrived, or says after an hour how far it came", async () => {
    const arrives = await play({ checkBackup: async ({ state }) => (state === "seen" ? { kind: "done", value: { state: "whole" } } : { kind: "not-yet", about: "7 of 9 blobs", state: "seen" }) }, { runbook: { name: "check-replication", input: { backup: "shop-1" } } });
    expect(await arrives.answered()).toEqual({ kind: "done", value: { state: "whole" } });
    const never = await play({ checkBackup: async () => ({ kind: "not-yet", about: "7 of 9 blobs" }) }, { runbook: { name: "check-replication", input: { backup: "shop-1" } } });
    expect(await never.answered()).toEqual({ kind: "done", value: { state: "not whole after 60 minutes: 7 of 9 blobs" } });
  });
});
