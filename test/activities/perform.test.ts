import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closePrimary } from "../../functions/activities/fence-primary.ts";
import { openSecondary } from "../../functions/activities/open-secondary.ts";
import { perform } from "../../functions/activities/perform.ts";
import { closeRun, putQuestion, readPoints, turnPhase } from "../../functions/activities/phases.ts";
import { deletePolicy, passDataPoint, readPolicy, storeTakesWrites } from "../../functions/activities/promote.ts";
import { report } from "../../functions/activities/report.ts";
import { warmTarget } from "../../functions/activities/target.ts";
import { noRun } from "../../functions/runs.ts";
import type { StepAnswer } from "../../orchestrations/step.ts";
import { steps } from "../../orchestrations/steps.ts";
import { entryName } from "../../shared/domain/ledger.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import { type World, WorldError } from "../../shared/ports.ts";
import { exampleText } from "../domain/example-plans.ts";
import { inAnyOrder } from "./in-any-order.ts";
import { losing } from "./memory-world.ts";
import { ours, restored, verified } from "./restored-shop.ts";
import { fencedAndChosen, type OpenedRun, openedRun } from "./run.ts";

const policy = { policyId: "policy-1", sourceAccount: "a", destinationAccount: "b", rules: [] };

describe("every act", () => {
  test("writes its intent before it touches the world, and its outcome after", async () => {
    const run = await openedRun({ phase: "fence" });
    const before: string[] = [];
    const traffic: typeof run.world.traffic = {
      ...run.world.traffic,
      async closePrimary(of) {
        before.push(...(await run.entries()).map(({ step, kind }) => `${step} ${kind}`));
        return run.world.traffic.closePrimary(of);
      },
    };
    await run.answer(steps.closePrimary, closePrimary, {}, { world: { ...run.world, traffic } });
    expect(before).toEqual(["close-primary intent"]);
    expect((await run.entries()).map(({ step, kind, value }) => [step, kind, value])).toEqual([
      ["close-primary", "intent", {}],
      ["close-primary", "outcome", { kind: "closed", backAgain: true }],
    ]);
    expect(run.home.blobs.has(entryName("shop", 1, "fence", "close-primary", "", "intent"))).toBe(true);
  });

  test("done twice answers the same and touches the world once", async () => {
    const run = await openedRun({ phase: "fence" });
    const first = await run.take(steps.closePrimary, closePrimary, {});
    run.state.traffic = { ...run.state.traffic, primary: { open: true, monitor: "online" } };
    expect(await run.take(steps.closePrimary, closePrimary, {})).toEqual(first);
    expect(run.effects).toEqual(["close-primary"]);
  });

  test("of an overtaken run does nothing, writes nothing, and says why", async () => {
    const run = await openedRun({ phase: "fence" });
    await run.supersede();
    expect(await run.take(steps.closePrimary, closePrimary, {})).toEqual({ kind: "superseded", because: "shop-1 may not act any more: the ledger is at epoch 2 with no run open" });
    expect(run.effects).toEqual([]);
    expect(await run.entries()).toEqual([]);
  });

  test("that is delivered again after its phase has ended does nothing more: what it did may have been undone since", async () => {
    const run = await openedRun({ phase: "fence" });
    const turn = async (end: Phase | null, begin: Phase | null) => run.answer(steps.turnPhase, turnPhase, { end: end === null ? null : { phase: end, outcome: "aborted" }, begin });
    await turn(null, "fence");
    await turn("fence", "stand-down");
    expect(await run.take(steps.closePrimary, closePrimary, {})).toEqual({ kind: "superseded", because: "shop-1 may not act any more: the ledger is at epoch 1 with its phase ended" });
    expect(run.effects).toEqual([]);
    expect(await run.entries()).toEqual([]);
  });

  test("and every judgement whose answer comes after its phase has ended writes none: no link of the chain would cover it", async () => {
    const run = await openedRun({ phase: "fence" });
    await run.answer(steps.turnPhase, turnPhase, { end: null, begin: "fence" });
    const late: typeof readPolicy = async () => {
      await run.answer(steps.turnPhase, turnPhase, { end: { phase: "fence", outcome: "done" }, begin: null });
      return { kind: "none" };
    };
    expect(await run.take(steps.readPolicy, late, {})).toEqual({ kind: "answer", value: { kind: "none" } });
    expect(await run.entries()).toEqual([]);
  });

  test("outside a run does nothing", async () => {
    const run = await openedRun();
    await run.home.put("plans/shop.yaml", exampleText("shop-replicated"));
    const call = { ref: noRun("shop"), phase: null, step: "close-primary", key: "", input: {} };
    expect(await perform(steps.closePrimary, closePrimary, call, run.world, () => undefined)).toMatchObject({ kind: "superseded" });
    expect(run.effects).toEqual([]);
  });

  test("that throws says try again, with the wait that was asked for, and tells the log", async () => {
    const run = await openedRun({ phase: "fence" });
    const traffic = { ...run.world.traffic, read: async () => Promise.reject(new WorldError("read", "profile tm-shop", "429", { retryAfterSeconds: 12 })) };
    const told: unknown[] = [];
    const call = { ref: run.ref, phase: "fence" as const, step: "close-primary", key: "", input: {} };
    expect(await perform(steps.closePrimary, closePrimary, call, { ...run.world, traffic }, (event, fields) => told.push(event, fields))).toEqual({ kind: "again", because: "read on profile tm-shop: 429", retryAfterSeconds: 12 });
    expect(told).toEqual(["step.again", { run: "shop-1", step: "close-primary", key: "", because: "read on profile tm-shop: 429" }]);
  });

  test("whose outcome could not be written is done again, and the effect is still one", async () => {
    const run = await openedRun({ phase: "fence" });
    let writes = 0;
    const create: typeof run.home.create = async (name, body) => {
      if (name.endsWith(".outcome.json") && ++writes === 1) throw new WorldError("write", name, "no answer");
      return run.home.create(name, body);
    };
    const world = { ...run.world, home: { ...run.home, create } };
    expect((await run.take(steps.closePrimary, closePrimary, {}, { world })).kind).toBe("again");
    expect(await run.answer(steps.closePrimary, closePrimary, {}, { world })).toEqual({ kind: "closed", backAgain: true });
    expect(run.effects).toEqual(["close-primary"]);
  });
});

describe("a judgement", () => {
  test("is kept when it is made, and not while it waits", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.probeWrite = { kind: "locked" };
    expect(await run.answer(steps.storeTakesWrites, storeTakesWrites, { expect: "writable" })).toMatchObject({ kind: "not-yet", about: "the container is locked by its replication policy" });
    expect(await run.entries()).toEqual([]);
    run.state.probeWrite = { kind: "accepted" };
    expect(await run.answer(steps.storeTakesWrites, storeTakesWrites, { expect: "writable" })).toEqual({ kind: "done", value: { kind: "writable" } });
    expect((await run.entries()).map(({ kind }) => kind)).toEqual(["outcome"]);
    // Kept is kept: a repeat does not look again.
    run.state.probeWrite = { kind: "read-only" };
    expect(await run.answer(steps.storeTakesWrites, storeTakesWrites, { expect: "any" })).toEqual({ kind: "done", value: { kind: "writable" } });
  });

  test("of a store that is read for ever needs no writes", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.probeWrite = { kind: "read-only" };
    expect(await run.answer(steps.storeTakesWrites, storeTakesWrites, { expect: "any" })).toEqual({ kind: "done", value: { kind: "read-only", why: "it is a secondary endpoint, which only reads" } });
  });

  test("may be made again under another key", async () => {
    const run = await openedRun({ phase: "promote" });
    await run.answer(steps.readPolicy, readPolicy, {}, { key: "first" });
    run.state.policy = policy;
    expect(await run.answer(steps.readPolicy, readPolicy, {}, { key: "second" })).toMatchObject({ kind: "policy", policyId: "policy-1" });
  });
});

describe("effect without answer:", () => {
  type Taken = (run: OpenedRun, world: World) => Promise<StepAnswer>;
  const cases: (readonly [port: "traffic" | "aks" | "replication", method: string, take: Taken, effects: readonly string[]])[] = [
    ["traffic", "closePrimary", (run, world) => run.take(steps.closePrimary, closePrimary, {}, { world }), ["close-primary"]],
    ["traffic", "openSecondary", (run, world) => run.take(steps.openSecondary, openSecondary, {}, { world }), ["close-primary", "open-secondary"]],
    // The cluster runs after the first try, so its pools are looked at; they are large enough.
    ["aks", "start", (run, world) => run.take(steps.warmTarget, warmTarget, {}, { world }), ["start cluster"]],
    ["replication", "deletePolicy", (run, world) => run.take(steps.deletePolicy, deletePolicy, { policyId: "policy-1" }, { world }), ["delete policy"]],
  ];
  test.each(cases)("%s.%s is done once, though it is asked for twice", async (port, method, take, effects) => {
    // What it has done already, by its own record, it does not do again.
    const run = await (method === "closePrimary" ? restored("fence") : verified("open"));
    run.state.policy = policy;
    run.state.aks = { ...run.state.aks, power: "stopped" };
    const world = { ...run.world, [port]: losing(run.world[port] as unknown as Record<string, unknown>, method) };
    expect(await take(run, world)).toMatchObject({ kind: "again", retryAfterSeconds: 2 });
    expect((await take(run, world)).kind).toBe("answer");
    expect(run.effects).toEqual(effects);
  });
});

describe("the points of no return", () => {
  test("are passed once, and passed again by a repeat", async () => {
    const run = await openedRun({ phase: "promote" });
    await run.onRecord(fencedAndChosen);
    run.state.traffic = { ...run.state.traffic, primary: { open: false, monitor: "stopped" } };
    expect(await run.answer(steps.passDataPoint, passDataPoint, {})).toEqual({ kind: "passed" });
    expect(await run.answer(steps.passDataPoint, passDataPoint, {}, { key: "again" })).toEqual({ kind: "passed" });
    expect(await run.answer(steps.readPoints, readPoints, {})).toMatchObject({ data: true, traffic: false });
  });

  test("are not passed while the evidence for them is missing, or the fence was undone since", async () => {
    const bare = await openedRun({ phase: "promote" });
    expect(await bare.take(steps.passDataPoint, passDataPoint, {})).toMatchObject({ kind: "again", because: expect.stringContaining("there is no record of close-primary") });
    const undone = await openedRun({ phase: "promote" });
    await undone.onRecord(fencedAndChosen);
    expect(await undone.take(steps.passDataPoint, passDataPoint, {})).toMatchObject({ kind: "again", because: expect.stringContaining("somebody undid the fence") });
    for (const run of [bare, undone]) expect(await run.answer(steps.readPoints, readPoints, {})).toMatchObject({ data: false, traffic: false });
  });

  test("are not passed after an abort: the secondary stays closed", async () => {
    const run = await openedRun({ phase: "open" });
    await run.abort();
    // Found before the act, by the same read of the ledger that gives leave to act.
    expect(await run.take(steps.passDataPoint, passDataPoint, {})).toEqual({ kind: "aborted", by: "Grace" });
    expect(await run.take(steps.openSecondary, openSecondary, {})).toEqual({ kind: "aborted", by: "Grace" });
    expect(run.effects).toEqual([]);
    expect(await run.answer(steps.readPoints, readPoints, {})).toMatchObject({ data: false, traffic: false });
  });

  test("are not passed by an abort that comes between that look and the act either", async () => {
    const run = await verified("open");
    const home = run.world.home;
    const late = { ...run.world, traffic: { ...run.world.traffic, read: async (traffic: typeof run.plan.traffic) => (await run.abort(), run.world.traffic.read(traffic)) }, home };
    expect(await run.answer(steps.openSecondary, openSecondary, {}, { world: late })).toEqual({ kind: "abort-asked", by: "Grace" });
    expect(run.effects).toEqual([]);
  });

  test("are not passed for a region that this run has not verified, or that is not right any more", async () => {
    const unverified = await restored("open");
    expect(await unverified.take(steps.openSecondary, openSecondary, {})).toMatchObject({ kind: "again", because: expect.stringContaining("has verified nothing") });
    const spoilt = await verified("open");
    spoilt.storefront(ours, 0);
    expect(await spoilt.take(steps.openSecondary, openSecondary, {})).toMatchObject({ kind: "again", because: expect.stringContaining("0 of 5 replicas ready") });
    for (const run of [unverified, spoilt]) expect(await run.answer(steps.readPoints, readPoints, {})).toMatchObject({ traffic: false });
  });

  test("refuse the abort that comes after the secondary was opened", async () => {
    const run = await verified("open");
    expect(await run.answer(steps.openSecondary, openSecondary, {})).toEqual({ kind: "open", before: { primary: true, secondary: false }, after: { primary: false, secondary: true } });
    expect(await run.abort()).toMatchObject({ kind: "refused", why: "past-no-return" });
  });

  test("belong to the open run", async () => {
    const run = await openedRun();
    await run.supersede();
    for (const taken of [run.take(steps.readPoints, readPoints, {}), run.take(steps.turnPhase, turnPhase, { end: null, begin: "confirm" }), run.take(steps.closeRun, closeRun, { outcome: { kind: "declined", why: "no" } }), run.take(steps.report, report, { outcome: { kind: "declined", why: "no" } })])
      expect(await taken).toMatchObject({ kind: "superseded" });
  });
});

describe("the policy", () => {
  test("is deleted and read back as gone; gone already is done", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.policy = policy;
    expect(await run.answer(steps.deletePolicy, deletePolicy, { policyId: "policy-1" })).toEqual({ kind: "deleted" });
    expect(await run.answer(steps.deletePolicy, deletePolicy, { policyId: "policy-1" }, { key: "again" })).toEqual({ kind: "deleted" });
    expect(run.effects).toEqual(["delete policy"]);
  });

  test("that somebody changed meanwhile is not deleted", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.policy = { ...policy, policyId: "policy-2" };
    expect(await run.answer(steps.deletePolicy, deletePolicy, { policyId: "policy-1" })).toMatchObject({ kind: "refused", why: expect.stringContaining("somebody changed it") });
    expect(run.effects).toEqual([]);
  });

  test("that cannot be deleted is an answer, not an error", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.policy = policy;
    run.state.deleteRefused = "no right to";
    expect(await run.answer(steps.deletePolicy, deletePolicy, { policyId: "policy-1" })).toEqual({ kind: "refused", why: "no right to" });
  });

  test("that is still there after it was deleted is tried again", async () => {
    const run = await openedRun({ phase: "promote" });
    run.state.policy = policy;
    const replication = { ...run.world.replication, deletePolicy: async () => ({ kind: "deleted" as const }) };
    expect(await run.take(steps.deletePolicy, deletePolicy, { policyId: "policy-1" }, { world: { ...run.world, replication } })).toMatchObject({ kind: "again", because: expect.stringContaining("still there") });
  });
});

describe("the books", () => {
  const outcome = { kind: "declined", why: "no" } as const;
  const turn = { end: { phase: "confirm", outcome: "done" }, begin: "decide" } as const;

  test("grow by a phase once, though it is turned twice", async () => {
    const run = await openedRun();
    await run.answer(steps.turnPhase, turnPhase, { end: null, begin: "confirm" });
    await run.answer(steps.closePrimary, closePrimary, {});
    const world = { ...run.world, home: losing(run.home, "replace") };
    expect((await run.take(steps.turnPhase, turnPhase, turn, { world })).kind).toBe("again");
    const { digest } = await run.ledger.head("shop");
    expect(digest).not.toBe("0".repeat(64));
    expect(await run.answer(steps.turnPhase, turnPhase, turn, { world })).toEqual({ abortBy: null });
    expect((await run.ledger.head("shop")).digest).toBe(digest);
  });

  test("chain two phases that end at the same time one after the other, whichever was first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const run = await openedRun();
        const entry = { runId: "shop-1", epoch: 1, planHash: "h", step: "read-policy", key: "", kind: "outcome", startedAt: 0, at: 0, value: 1 } as const;
        for (const phase of ["promote", "make-ready"] as const) {
          await run.answer(steps.turnPhase, turnPhase, { end: null, begin: phase }, { key: phase });
          await run.ledger.write({ plan: "shop", epoch: 1, phase, step: "read-policy", key: "" }, { ...entry, phase });
        }
        const before = await run.ledger.head("shop");
        const chained = async (...phases: Phase[]) => {
          let digest = before.digest;
          for (const phase of phases) digest = await run.ledger.link({ ...before, digest }, phase);
          return digest;
        };
        const world = { ...run.world, home: inAnyOrder(run.home, scheduler) };
        const end = async (phase: Phase) => {
          while ((await run.take(steps.turnPhase, turnPhase, { end: { phase, outcome: "done" }, begin: null }, { world })).kind !== "answer");
        };
        await scheduler.waitFor(Promise.all([end("promote"), end("make-ready")]));
        expect([await chained("promote", "make-ready"), await chained("make-ready", "promote")]).toContain((await run.ledger.head("shop")).digest);
      }),
      { numRuns: 40 },
    );
  });

  test("close once, with the report's own records in the chain", async () => {
    const run = await openedRun({ phase: "report" });
    await run.answer(steps.report, report, { outcome });
    const before = (await run.ledger.head("shop")).digest;
    const world = { ...run.world, home: losing(run.home, "replace") };
    expect((await run.take(steps.closeRun, closeRun, { outcome }, { world })).kind).toBe("again");
    expect(await run.answer(steps.closeRun, closeRun, { outcome }, { world })).toEqual({ kind: "closed" });
    expect(await run.ledger.head("shop")).toMatchObject({ run: null, last: { runId: "shop-1", outcome: "declined" } });
    expect((await run.ledger.head("shop")).digest).not.toBe(before);
  });

  test("say who asked for an abort, at every turn", async () => {
    const run = await openedRun();
    await run.abort();
    expect(await run.answer(steps.turnPhase, turnPhase, { end: null, begin: "confirm" })).toEqual({ abortBy: "Grace" });
    expect(await run.answer(steps.putQuestion, putQuestion, { about: "decision", approvalsNeeded: 1, silence: "decline", text: "go?", expiresSeconds: 60 })).toEqual({ kind: "aborted", by: "Grace" });
  });

  test("write the report in three forms, which name the run", async () => {
    const run = await openedRun({ phase: "report" });
    expect(await run.answer(steps.report, report, { outcome })).toEqual({ report: "reports/shop-1/report.json" });
    for (const form of ["report.json", "report.md", "report.html"]) expect(run.home.blobs.get(`reports/shop-1/${form}`)?.body).toContain("shop-1");
  });
});
