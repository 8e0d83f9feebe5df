import { describe, expect, test } from "vitest";
import { type Works, fails, point, stage } from "./stage.ts";
import { examplePlan } from "../domain/example-plans.ts";

const { play } = stage();

describe("a failover that goes well", () => {
  test("takes its steps in the order of the runbook, and says so in the ledger and the report", async () => {
    const { ended, trace, problems, head } = await play();
    const { outcome, report } = await ended();
    expect(outcome).toEqual({ kind: "recovered", restorePoint: point.name, unprotected: true });
    const place = (step: string) => trace.indexOf(step);
    for (const [first, then] of [
      ["confirm-loss", "assess-target"],
      ["assess-target", "warm-target"],
      ["weigh-restore-points", "warm-target"],
      ["target-warm", "close-primary"],
      ["close-primary", "choose-restore-point"],
      ["quiet-primary", "choose-restore-point"],
      ["choose-restore-point", "read-policy"],
      ["velero-alive", "close-primary"],
      ["choose-restore-point", "align-view"],
      ["read-policy", "pass-data-point"],
      ["pass-data-point", "delete-policy"],
      ["check-target", "start-restore"],
      ["store-takes-writes", "start-restore"],
      ["restore-ended", "verify-applications"],
      ["verify-applications", "open-secondary"],
      ["open-secondary", "seen-from-outside"],
      ["seen-from-outside", "release-consumers"],
      ["start-backups", "first-backup-completed"],
      ["first-backup-completed", "report"],
      ["report", "close-run"],
    ] as const) {
      expect(place(first), first).toBeGreaterThanOrEqual(0);
      expect(place(first), `${first} before ${then}`).toBeLessThan(place(then));
    }
    expect(problems).toEqual([]);
    expect(report?.steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["accept accepted", ...["confirm", "decide", "fence", "choose", "promote", "make-ready", "restore", "verify", "open", "release", "report"].map((phase) => `${phase} done`)]);
    expect(report?.traffic).toEqual({ before: "westeurope", after: "northeurope" });
    expect(await head()).toMatchObject({ run: null, active: "secondary", last: { outcome: "recovered" } });
  });

  test("promotes the store while it makes the secondary ready: each waits for the other to have begun", async () => {
    const begun = { promote: signal(), makeReady: signal() };
    const { ended, trace } = await play({
      async readPolicy() {
        begun.promote.give();
        await begun.makeReady.given;
        return { kind: "none" };
      },
      async veleroAlive(_, { call }) {
        // Looked at once before the fence, where nothing is promoted.
        if (call.phase !== "make-ready") return { kind: "done", value: { version: "v1.18.3" } };
        begun.makeReady.give();
        await begun.promote.given;
        return { kind: "done", value: { version: "v1.18.3" } };
      },
    });
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(trace).not.toContain("delete-policy");
  });

  test("restores wave by wave, and the applications of one wave side by side", async () => {
    const plan = examplePlan("shop-replicated");
    const [foundation, shop] = plan.applications as [Application, Application];
    const both = { shop: signal(), second: signal() };
    const order: string[] = [];
    const { ended } = await play(
      {
        async startRestore({ application, part }) {
          order.push(`${application} ${part}`);
          if (part === "main" && application !== "shop-foundation") {
            const [mine, other] = application === "shop" ? [both.shop, both.second] : [both.second, both.shop];
            mine.give();
            await other.given;
          }
          return part === "consumers" ? null : { application, part, name: `restore-${application}`, volumes: 0, turns: 4 };
        },
      },
      { plan: { ...plan, applications: [foundation, shop, { ...shop, name: "second", namespaces: ["second"] }] } },
    );
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(order.slice(0, 2)).toEqual(["shop-foundation main", "shop-foundation consumers"]);
    expect(order.slice(2).sort()).toEqual(["second consumers", "second main", "shop consumers", "shop main"]);
  });

  test("needs no policy, passes no data point and deletes nothing on shared storage", async () => {
    const { ended, trace, head } = await play({ storeTakesWrites: async () => ({ kind: "done", value: { kind: "read-only", why: "a secondary endpoint" } }) }, { plan: examplePlan("shop-shared") });
    const { outcome, report } = await ended();
    expect(outcome.kind).toBe("recovered");
    expect(trace).not.toContain("read-policy");
    expect(report?.pointsOfNoReturn).toEqual({ data: null, traffic: expect.any(String) });
    expect((await head()).active).toBe("secondary");
  });

  test("restores from a locked replica when the policy cannot be deleted, and tells the restore so", async () => {
    const told: boolean[] = [];
    const { ended } = await play({
      deletePolicy: async () => ({ kind: "refused", why: "no right to" }),
      async restoreEnded({ storeTakesWrites }) {
        told.push(storeTakesWrites);
        return { kind: "done", value: { kind: "degraded", why: "no log", warnings: 1, items: 60 } };
      },
    });
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(new Set(told)).toEqual(new Set([false]));
  });

  test("stays within 500 events an instance while a restore is polled for an hour, and carries what the step gave it", async () => {
    let polls = 0;
    const { ended, eventsMost, problems } = await play(
      {
        async restoreEnded({ part, state }, { world, startedAt }) {
          const since = (state as { since: number } | undefined)?.since ?? startedAt;
          polls += 1;
          if (part.application === "shop" && world.clock.now() - since < 3_500_000) return { kind: "not-yet", about: "InProgress", state: { since } };
          return { kind: "done", value: { kind: "whole", warnings: 0, items: 1 } };
        },
        confirmLoss: soaksFor(600_000),
      },
      {},
    );
    const { outcome, tookMs } = await ended();
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeGreaterThan(2 * 3_500_000);
    expect(polls).toBeGreaterThan(2 * 40);
    expect(eventsMost()).toBeGreaterThan(100);
    expect(eventsMost()).toBeLessThanOrEqual(500);
    expect(problems).toEqual([]);
  });

  test("restores again what Velero gave up because its server ended, and says what was there before", async () => {
    const asked: unknown[] = [];
    const { ended } = await play({
      async startRestore({ application, part, earlier = [] }) {
        asked.push({ application, part, earlier });
        return part === "consumers" ? null : { application, part, name: `${application}-${earlier.length + 1}`, volumes: 0, turns: 2, ...(earlier.length > 0 ? { earlier } : {}) };
      },
      restoreEnded: async ({ part }) => ({ kind: "done", value: part.name === "shop-1" ? { kind: "interrupted", why: "server starting" } : { kind: "whole", warnings: 0, items: 1 } }),
    });
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(asked.slice(2)).toEqual([
      { application: "shop", part: "main", earlier: [] },
      { application: "shop", part: "main", earlier: ["shop-1"] },
      { application: "shop", part: "consumers", earlier: [] },
    ]);
  });

  test("stops restoring when Velero's server ends a third time", async () => {
    const { ended } = await play({ restoreEnded: async () => ({ kind: "done", value: { kind: "interrupted", why: "server starting" } }) });
    const { outcome } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", cause: expect.stringContaining("Velero's server ended in the middle of") });
  });

  test("polls a restore at least every fifteen seconds, and quickly at first", async () => {
    const at: number[] = [];
    const { ended } = await play({
      async restoreEnded({ part }, { world }) {
        if (part.application !== "shop" || part.part !== "main") return { kind: "done", value: { kind: "whole", warnings: 0, items: 1 } };
        at.push(world.clock.now());
        return at.at(-1)! - at[0]! < 600_000 ? { kind: "not-yet", about: "InProgress" } : { kind: "done", value: { kind: "whole", warnings: 0, items: 1 } }; // one was pushed just now
      },
    });
    await ended();
    const pauses = at.slice(1).map((now, index) => now - (at[index] ?? 0));
    expect(pauses.slice(0, 3)).toEqual([250, 250, 250]);
    expect(Math.max(...pauses)).toBe(15_000);
    pauses.forEach((pause, index) => expect(pause).toBeLessThanOrEqual(Math.max(250, ((at[index] ?? 0) - (at[0] ?? 0)) / 10)));
  });
});

type Application = ReturnType<typeof examplePlan>["applications"][number];

/** Something that one side gives and the other waits for. */
function signal(): { give: () => void; given: Promise<void> } {
  let give = () => undefined as void;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { give, given };
}

/** A confirmation that takes its time. */
function soaksFor(ms: number): Works["confirmLoss"] {
  return async ({ state }, { world }) => {
    const since = (state as { since: number } | undefined)?.since ?? world.clock.now();
    return world.clock.now() - since < ms ? { kind: "not-yet", about: "soaking", state: { since } } : { kind: "done", value: { kind: "lost", scope: "region", since, agreedSince: since, readings: [] } };
  };
}

describe("a machine that may be wrong", () => {
  test("does not fail over when the loss is not confirmed", async () => {
    const { ended, trace } = await play({ confirmLoss: async () => ({ kind: "done", value: { kind: "not-lost", why: "a blip", readings: [] } }) });
    expect((await ended()).outcome).toEqual({ kind: "not-failed-over", why: "a blip" });
    expect(trace).not.toContain("warm-target");
    expect(trace).not.toContain("close-primary");
  });

  test.each([
    ["cannot look", fails("we are cut off")],
    ["never comes to a verdict", async () => ({ kind: "not-yet" as const, about: "unknown: kubernetes-api" })],
  ])("does not fail over when it %s", async (_, confirmLoss) => {
    const { ended, trace, plan } = await play({ confirmLoss });
    const { outcome, tookMs } = await ended();
    expect(outcome).toMatchObject({ kind: "not-failed-over", why: expect.stringContaining("could not look") });
    expect(tookMs).toBeGreaterThanOrEqual(plan.confirmation.giveUpSeconds * 1_000);
    expect(trace).not.toContain("close-primary");
  });

  test("that could not look for an hour looks anew, and fails over", async () => {
    let firstAt: number | null = null;
    const { ended } = await play({
      async confirmLoss(_, { world }) {
        const at = world.clock.now();
        firstAt ??= at;
        if (at - firstAt < 59 * 60_000) throw new Error("no host is up");
        return { kind: "done", value: { kind: "lost", scope: "region", since: at, agreedSince: at, readings: [] } };
      },
    });
    expect((await ended()).outcome.kind).toBe("recovered");
  });

  test("goes on for a person who asked, whatever the signals say, after one soak at the most", async () => {
    const { ended } = await play({ confirmLoss: fails("we are cut off") }, { door: "http" });
    const { outcome, tookMs } = await ended();
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeLessThan(120_000);
  });
});
