import type { Task } from "durable-functions";
import { describe, expect, test } from "vitest";
import { stage } from "./stage.ts";

const { orchestration, activity, open } = stage();
activity("echo", (value: unknown) => value);
let release: (() => void) | undefined;
activity("slow", () => new Promise<void>((resolve) => (release = resolve)));

describe("external events", () => {
  orchestration("collects", function* ({ df }) {
    yield df.callActivity("slow");
    const got: unknown[] = [];
    for (let index = 0; index < 3; index++) got.push(yield df.waitForExternalEvent("e"));
    return got;
  });
  test("raised before the wait are kept, first in first out", async () => {
    const { start, engine, raise, ended, events } = await open();
    start("collects", undefined, "i");
    await expect.poll(() => events.some(({ kind }) => kind === "activity-started"), { interval: 1 }).toBe(true);
    for (const value of [1, 2, 3]) raise("i", "e", value);
    release?.();
    expect((await ended("i")).output).toBe("[1,2,3]");
    expect(engine.history("i").filter(({ EventType }) => EventType === 15)).toHaveLength(3);
  });

  orchestration("two-waits", function* ({ df }) {
    const [first, second] = [df.waitForExternalEvent("e"), df.waitForExternalEvent("e")];
    const winner = (yield df.Task.any([first, second])) as Task;
    return winner.isFaulted ? "failed" : winner === second ? "second" : "first";
  });
  test("with several waits for one name go to the last one", async () => {
    const { start, engine, raise, ended } = await open();
    start("two-waits", undefined, "i");
    await engine.idle();
    raise("i", "e", 1);
    expect((await ended("i")).output).toBe('"second"');
  });

  orchestration("stale-wait", function* ({ df }) {
    const winner = (yield df.Task.any([df.waitForExternalEvent("e"), df.callActivity("echo", 1)])) as Task;
    if (winner.isFaulted) return "failed";
    yield df.Task.all([df.waitForExternalEvent("e"), df.callActivity("echo", 2)]);
    return yield df.callActivity("echo", 3);
  });
  test("go past a wait that was given up, in the extension's eyes too", async () => {
    const { start, engine, raise, ended, problems } = await open();
    start("stale-wait", undefined, "i");
    await engine.idle();
    raise("i", "e", 1);
    expect((await ended("i")).output).toBe("3");
    expect(problems).toEqual([]);
  });

  orchestration("waits", function* ({ df }) {
    return yield df.waitForExternalEvent("go");
  });
  test("of another name wake nobody, and the library minds the case", async () => {
    const { start, engine, raise, row } = await open({ strict: "warn" });
    start("waits", undefined, "i");
    raise("i", "stop", 1);
    raise("i", "Go", 2);
    await engine.idle();
    expect(row("i").status).toBe("Running");
  });

  test("with null arrive as null", async () => {
    const { start, raise, ended } = await open();
    start("waits", undefined, "i");
    raise("i", "go", null);
    expect((await ended("i")).output).toBe("null");
  });
});

describe("continueAsNew", () => {
  orchestration("counter", function* ({ df }) {
    const { n, seen } = df.getInput<{ n: number; seen: string[] }>();
    yield df.callActivity("echo", n);
    if (n === 0) return { seen: [...seen, df.instanceId], isReplaying: df.isReplaying };
    df.continueAsNew({ n: n - 1, seen: [...seen, df.instanceId] });
    return;
  });
  test("begins a new execution under the same id, with the new input and an empty history", async () => {
    const { start, ended, row, engine, events } = await open();
    start("counter", { n: 2, seen: [] }, "i");
    const { executionId } = row("i");
    expect(JSON.parse((await ended("i")).output ?? "")).toMatchObject({ seen: ["i", "i", "i"] });
    expect(row("i").executionId).not.toBe(executionId);
    expect(row("i").input).toBe('{"n":0,"seen":["i","i"]}');
    expect(engine.history("i").map(({ EventType }) => EventType)).toEqual([12, 0, 4, 13, 12, 5, 1, 13]);
    expect(events.filter(({ kind }) => kind === "instance-continued")).toHaveLength(2);
  });

  orchestration("loop", function* ({ df }) {
    const got = df.getInput<number[]>();
    const event: unknown = yield df.waitForExternalEvent("e");
    if (event === "end") return got;
    df.continueAsNew([...got, event]);
    return;
  });
  test("carries over the events of its batch that come after the one that led to it", async () => {
    const { start, raise, ended } = await open();
    start("loop", [], "i");
    // All four are there before the first episode: one batch.
    for (const value of [1, 2, 3, "end"]) raise("i", "e", value);
    expect((await ended("i")).output).toBe("[1,2,3]");
  });

  orchestration("drops", function* ({ df }) {
    const round = df.getInput<number>();
    if (round === 1) return yield df.waitForExternalEvent("stop");
    yield df.callActivity("slow");
    df.continueAsNew(round + 1);
    return;
  });
  test("an event that was delivered and not consumed is lost", async () => {
    const { start, raise, row, engine, events } = await open();
    start("drops", 0, "i");
    await expect.poll(() => events.some(({ kind }) => kind === "activity-started"), { interval: 1 }).toBe(true);
    raise("i", "stop", 1);
    await expect.poll(() => events.some(({ kind }) => kind === "event-raised"), { interval: 1 }).toBe(true);
    release?.();
    await engine.idle();
    expect(row("i").status).toBe("Running");
  });

  orchestration("slow-answer", function* ({ df }) {
    return yield df.callActivity(df.getInput<string>(), "new");
  });
  test("an answer that belongs to an earlier execution is dropped", async () => {
    const { start, engine, ended, row, events } = await open();
    start("slow-answer", "slow", "i");
    await expect.poll(() => events.some(({ kind }) => kind === "activity-started"), { interval: 1 }).toBe(true);
    engine.instances.terminate("i", "enough");
    await expect.poll(() => row("i").status, { interval: 1 }).toBe("Terminated");
    const releaseOld = release;
    start("slow-answer", "slow", "i");
    await expect.poll(() => release === releaseOld, { interval: 1 }).toBe(false);
    releaseOld?.();
    await expect.poll(() => events.filter(({ kind }) => kind === "activity-completed").length, { interval: 1 }).toBe(1);
    expect(row("i").status).toBe("Running");
    release?.();
    await ended("i");
    expect(engine.history("i").filter(({ EventType }) => EventType === 5)).toHaveLength(1);
  });

  orchestration("asks-child", function* ({ df }) {
    return yield df.callSubOrchestrator("waits", null, df.getInput<string>());
  });
  test("a child's answer to an earlier execution of its parent is dropped", async () => {
    const { start, engine, ended, raise, row } = await open();
    start("asks-child", "old-kid", "i");
    await engine.idle();
    engine.instances.terminate("i", "enough");
    await engine.idle();
    start("asks-child", "new-kid", "i");
    await engine.idle();
    raise("old-kid", "go", "old");
    await engine.idle();
    expect(row("i").status).toBe("Running");
    raise("new-kid", "go", "new");
    expect((await ended("i")).output).toBe('"new"');
  });

  test("the custom status is kept over generations until the next one is set", async () => {
    const { start, ended, row } = await open();
    await ended(start("status-once", 0, "i"));
    expect(row("i").customStatus).toBe('"set"');
  });
  orchestration("status-once", function* ({ df }) {
    if (df.getInput<number>() === 1) return;
    df.setCustomStatus("set");
    yield df.callActivity("echo", 1);
    df.continueAsNew(1);
  });
});
