import { describe, expect, test } from "vitest";
import { Superseded } from "../../functions/activities/perform.ts";
import { newHead } from "../../shared/domain/ledger.ts";
import { WorldError } from "../../shared/ports.ts";
import { type Works, fails, stage } from "./stage.ts";

const { play } = stage();
const runOnce = { runbook: { name: "run-once", input: {} } };
const waiting = { pauseMsFirst: 1_000, pauseMsMax: 10_000, deadlineMs: 600_000 };
const waitUntil = { runbook: { name: "wait-until", input: waiting } };
const sideBySide = { runbook: { name: "side-by-side", input: {} } };

describe("run", () => {
  test("asks again until there is an answer", async () => {
    let tries = 0;
    const { answered, trace } = await play({ warmTarget: async () => (++tries < 4 ? fails("not now")() : { kind: "able" }) }, runOnce);
    expect(await answered()).toEqual({ kind: "done", value: { kind: "able" } });
    expect(trace).toEqual(Array(4).fill("warm-target"));
  });

  test("gives up after five attempts, with the last reason", async () => {
    const { answered, trace, run } = await play({ warmTarget: fails("not now") }, runOnce);
    const startedAt = run.clock.now();
    expect(await answered()).toEqual({ kind: "failed", step: "warm-target", because: "not now", phase: "confirm", superseded: false });
    expect(trace).toHaveLength(5);
    // Four pauses of 1, 2, 4 and 8 s, each at least half.
    expect(run.clock.now() - startedAt).toBeGreaterThanOrEqual(7_500);
    expect(run.clock.now() - startedAt).toBeLessThanOrEqual(15_500);
  });

  test("waits as long as the service asked for", async () => {
    const at: number[] = [];
    const warmTarget: Works["warmTarget"] = async (_, { world }) => {
      at.push(world.clock.now());
      if (at.length === 1) throw new WorldError("raise", "pool user", "429", { retryAfterSeconds: 90 });
      return { kind: "able" };
    };
    const { answered } = await play({ warmTarget }, runOnce);
    await answered();
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(90_000);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeLessThan(91_000);
  });

  test("takes a final no for an answer", async () => {
    const { answered, trace } = await play({ warmTarget: async () => ({ kind: "unable", reasons: ["no quota"] }) }, runOnce);
    expect(await answered()).toEqual({ kind: "done", value: { kind: "unable", reasons: ["no quota"] } });
    expect(trace).toHaveLength(1);
  });

  test("does not ask again when the run may not act any more", async () => {
    const overtaken = new Superseded("shop-1", { ...newHead("shop"), epoch: 2 });
    const { answered, trace } = await play({ warmTarget: async () => Promise.reject(overtaken) }, runOnce);
    expect(await answered()).toEqual({ kind: "failed", step: "warm-target", because: "shop-1 may not act any more: the ledger is at epoch 2 with no run open", phase: "confirm", superseded: true });
    expect(trace).toHaveLength(1);
  });

  test("takes an activity that broke for one that says try again", async () => {
    const { answered, trace } = await play({}, { ...runOnce, hostFails: new Set(["warm-target"]) });
    expect(await answered()).toMatchObject({ kind: "failed", because: expect.stringContaining("the worker died") });
    expect(trace).toHaveLength(5);
  });
});

describe("until", () => {
  test("asks until it is done and gives the step back what it said last", async () => {
    const given: unknown[] = [];
    const { answered } = await play(
      {
        async veleroAlive({ state }) {
          given.push(state);
          return given.length < 4 ? { kind: "not-yet", about: "starting", ...(given.length === 2 ? { state: { seen: given.length } } : {}) } : { kind: "done", value: { version: "v1" } };
        },
      },
      waitUntil,
    );
    expect(await answered()).toEqual({ kind: "done", value: { kind: "done", value: { version: "v1" } } });
    expect(given).toEqual([null, null, { seen: 2 }, { seen: 2 }]);
  });

  test("is late when the time is up, looks once more at that very instant, and says what it saw last", async () => {
    const at: number[] = [];
    const { answered } = await play(
      {
        async veleroAlive(_, { world }) {
          at.push(world.clock.now());
          return { kind: "not-yet", about: `look ${at.length}` };
        },
      },
      waitUntil,
    );
    expect(await answered()).toEqual({ kind: "done", value: { kind: "late", about: `look ${at.length}` } });
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBe(waiting.deadlineMs);
  });

  test("takes being unable to look for no answer, and keeps what the step said before", async () => {
    let looks = 0;
    const { answered, trace } = await play(
      {
        async veleroAlive({ state }) {
          looks += 1;
          if (looks === 1) return { kind: "not-yet", about: "starting", state: "kept" };
          if (looks < 10) throw new Error("no answer from the API");
          return { kind: "done", value: { version: String(state) } };
        },
      },
      waitUntil,
    );
    expect(await answered()).toEqual({ kind: "done", value: { kind: "done", value: { version: "kept" } } });
    expect(trace).toHaveLength(10);
  });

  test("starts itself anew after four polls, with its state and its deadline", async () => {
    let looks = 0;
    const { answered, eventsMost, run } = await play(
      {
        async veleroAlive({ state }) {
          looks += 1;
          return { kind: "not-yet", about: "still starting", state: ((state as number | null) ?? 0) + 1 };
        },
      },
      { runbook: { name: "wait-until", input: { ...waiting, pauseMsMax: 1_000, deadlineMs: 200_000 } } },
    );
    const startedAt = run.clock.now();
    expect(await answered()).toMatchObject({ value: { kind: "late" } });
    expect(run.clock.now() - startedAt).toBe(200_000);
    expect(looks).toBe(201);
    expect(eventsMost()).toBeGreaterThan(20);
    expect(eventsMost()).toBeLessThanOrEqual(40);
  });
});

describe("together", () => {
  test("waits for every member even when one fails, and fails then", async () => {
    let opened = 0;
    let tries = 0;
    const { answered, problems } = await play(
      {
        assessTarget: fails("no"),
        async reopenPrimary() {
          if (++tries < 5) throw new Error("not yet");
          opened += 1;
          return { kind: "reopened" };
        },
      },
      sideBySide,
    );
    expect(await answered()).toMatchObject({ kind: "failed", step: "assess-target" });
    expect(opened).toBe(1);
    expect(problems).toEqual([]);
  });

  test("gives each member's answer by its name", async () => {
    const { answered } = await play({}, sideBySide);
    expect(await answered()).toEqual({ kind: "done", value: { target: { kind: "able" }, points: { kind: "policy", policyId: "policy-1" }, store: { kind: "reopened" } } });
  });

  test("takes a member that broke for a step that failed", async () => {
    const { answered } = await play({}, { runbook: { name: "breaks-inside", input: {} } });
    expect(await answered()).toMatchObject({ kind: "failed", step: "breaks", because: expect.stringContaining("a mistake of ours") });
  });
});

test("a mistake of the runbook's own fails the instance where nobody reports, loudly", async () => {
  const { answered } = await play({}, { runbook: { name: "breaks", input: {} } });
  await expect(answered()).rejects.toThrow("a mistake of ours");
});
