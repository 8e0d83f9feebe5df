import { RetryOptions, type Task } from "durable-functions";
import { describe, expect, test } from "vitest";
import type { EngineApp } from "../../lab/host/contract.ts";
import { kindsOf, spyOn } from "./spy.ts";
import { stage } from "./stage.ts";

const { orchestration, activity, open, app } = stage();
const secondsFrom = (context: { df: { currentUtcDateTime: Date } }, seconds: number) => new Date(context.df.currentUtcDateTime.getTime() + seconds * 1_000);

async function spied(options: Parameters<typeof open>[0] = {}) {
  const spy = spyOn(app());
  return { ...(await open({ ...options, app: spy.app })), ...spy };
}

activity("echo", (value: unknown) => value);
const fails = new Set<string>();
activity("once", (name: string) => {
  if (fails.delete(name)) throw new Error(`${name} fails once`);
  return name;
});

/** Task ids and names in the order in which they were scheduled; timers have no name. */
function scheduled(history: readonly { EventType: number; EventId: number }[]): [number, string][] {
  return history.filter(({ EventId }) => EventId >= 0).map((event) => [event.EventId, (event as { Name?: string }).Name ?? "timer"]);
}

describe("task ids", () => {
  orchestration("nested", function* (context) {
    const { df } = context;
    const timer = df.createTimer(secondsFrom(context, 60));
    yield df.Task.any([df.Task.all([df.callActivity("echo", 1), df.waitForExternalEvent("go")]), timer, df.callSubOrchestrator("leaf", null, "kid")]);
    timer.cancel();
    yield df.callActivity("echo", 2);
  });
  orchestration("leaf", function* (context) {
    return yield context.df.callActivity("echo", 3);
  });
  test("go to new leaves depth first, in list order; a wait for an event takes none", async () => {
    const { start, raise, ended, engine } = await open();
    start("nested", undefined, "i");
    raise("i", "go", 1);
    await ended("i");
    expect(scheduled(engine.history("i"))).toEqual([[0, "echo"], [1, "timer"], [2, "leaf"], [3, "echo"]]);
  });

  orchestration("retry-then-more", function* (context) {
    const { df } = context;
    yield df.callActivityWithRetry("once", new RetryOptions(1_000, 3), "a");
    yield df.callActivity("echo", 1);
  });
  test("a retried failure takes one id for its timer and one for the next run", async () => {
    fails.add("a");
    const { start, ended, engine, episodes } = await spied();
    await ended(start("retry-then-more", undefined, "i"));
    expect(scheduled(engine.history("i"))).toEqual([[0, "once"], [1, "timer"], [2, "once"], [3, "echo"]]);
    expect(episodes.map(({ ids }) => ids)).toEqual([1, 2, 3, 4, 4]);
  });

  orchestration("last-attempt", function* (context) {
    const { df } = context;
    try {
      yield df.callActivityWithRetry("once", new RetryOptions(1_000, 1), "a");
    } catch {
      yield df.callActivity("echo", 1);
    }
  });
  test("a retried failure takes an id for a timer even after the last attempt", async () => {
    fails.add("a");
    const { start, ended, engine } = await open();
    await ended(start("last-attempt", undefined, "i"));
    expect(scheduled(engine.history("i"))).toEqual([[0, "once"], [1, "timer"], [2, "echo"]]);
  });

  orchestration("many-retries", function* (context) {
    const { df } = context;
    const names = ["a", "b", "c", "d"];
    return yield df.Task.all(names.map((name) => df.callActivityWithRetry("once", new RetryOptions(1_000, 2), name)));
  });
  test("an event that takes ids is the first of its episode; all others are batched", async () => {
    for (const name of ["a", "b", "c", "d"]) fails.add(name);
    const { start, ended, episodes } = await spied();
    expect((await ended(start("many-retries"))).output).toBe('["a","b","c","d"]');
    const arrivals = episodes.map(({ trigger }) => kindsOf(trigger.history.filter(({ IsPlayed }) => !IsPlayed)).slice(1));
    const takesIds = (kind: number) => kind === 6 || kind === 11;
    for (const [, ...followers] of arrivals) expect(followers.filter(takesIds)).toEqual([]);
    expect(arrivals.filter(([first = -1]) => takesIds(first))).toHaveLength(8);
    // All else came in fewer episodes than events.
    expect(arrivals.flat()).toHaveLength(1 + 4 + 4 + 4);
    expect(arrivals.length).toBeLessThan(1 + 4 + 4 + 4);
  });

  orchestration("yielded-alone", function* (context) {
    const { df } = context;
    const slow = df.callActivity("echo", "slow");
    const quick = df.callActivity("echo", "quick");
    const winner = (yield df.Task.any([quick, slow])) as Task;
    if (winner.isFaulted) return "no";
    const rest: unknown = yield slow;
    return [rest, yield df.callActivity("echo", "after")];
  });
  test("a scheduled task that is yielded alone takes no new id", async () => {
    const { start, ended, engine } = await open();
    expect((await ended(start("yielded-alone", undefined, "i"))).output).toBe('["slow","after"]');
    expect(scheduled(engine.history("i"))).toEqual([[0, "echo"], [1, "echo"], [2, "echo"]]);
  });

  orchestration("yielded-again", function* (context) {
    const { df } = context;
    const tasks = [df.callActivity("echo", 1), df.waitForExternalEvent("go")];
    const winner = (yield df.Task.any(tasks)) as Task;
    if (winner.isFaulted) return "no";
    yield df.Task.all(tasks);
    return yield df.callActivity("echo", 2);
  });
  test("a scheduled task in a new group takes no new id here; that Azure schedules it again is reported as P4", async () => {
    const { start, ended, engine, raise, problems, row } = await open({ strict: "warn" });
    start("yielded-again", undefined, "i");
    await engine.idle();
    expect(row("i").status).toBe("Running");
    raise("i", "go", 1);
    expect((await ended("i")).output).toBe("2");
    expect(scheduled(engine.history("i"))).toEqual([[0, "echo"], [1, "echo"]]);
    expect(problems.map(({ rule }) => rule)).toEqual(["P4"]);
  });

  orchestration("cancelled-before", function* (context) {
    const { df } = context;
    const timer = df.createTimer(secondsFrom(context, 60));
    timer.cancel();
    const winner = (yield df.Task.any([timer, df.callActivity("echo", 1)])) as Task;
    return winner.isFaulted ? "no" : yield df.callActivity("echo", 2);
  });
  test("a timer that is cancelled before it is yielded takes its id all the same", async () => {
    const { start, ended, engine } = await open();
    expect((await ended(start("cancelled-before", undefined, "i"))).output).toBe("2");
    expect(scheduled(engine.history("i"))).toEqual([[0, "timer"], [1, "echo"], [2, "echo"]]);
  });

  test("where host and library disagree, the instance fails rather than mix results up", async () => {
    const drifting: EngineApp = {
      ...app(),
      orchestrate: (name, trigger, onContext) =>
        app().orchestrate(name, trigger, (df) => {
          onContext?.(df);
          (df as { taskOrchestratorExecutor: { sequenceNumber: number } }).taskOrchestratorExecutor.sequenceNumber = 7;
        }),
    };
    const { failure } = await open({ app: drifting });
    expect(await failure("retry-then-more")).toMatch(/ids: the library has given 8 task ids and the host 1/);
  });
});

describe("a changed orchestrator", () => {
  let variant = "first";
  orchestration("changing", function* (context) {
    const { df } = context;
    if (variant === "shorter") return yield df.waitForExternalEvent("go");
    yield df.callActivity(variant === "renamed" ? "once" : "echo", "x");
    yield variant === "retimed" ? df.createTimer(secondsFrom(context, 5)) : df.waitForExternalEvent(variant === "other-event" ? "stop" : "go");
    return "done";
  });
  test.each([
    ["renamed", /task 0 was activity "echo" in an earlier episode and is activity "once" now/],
    ["other-event", /task 1 was event "go" in an earlier episode and is event "stop" now/],
    ["retimed", /task 1 was event "go" in an earlier episode and is a timer now/],
    ["shorter", /task 0 was activity "echo".*and is event "go" now/],
  ])("is found out on replay (%s) and fails the instance", async (change, message) => {
    variant = "first";
    const { start, engine, raise, ended } = await open();
    start("changing", undefined, "i");
    await engine.idle();
    variant = change;
    raise("i", "go", 1);
    const { status, output } = await ended("i");
    expect(status).toBe("Failed");
    expect(output).toMatch(/Non-Deterministic workflow detected/);
    expect(output).toMatch(message);
  });

  let asks = 2;
  orchestration("asks-less", function* (context) {
    const { df } = context;
    yield df.Task.all(Array.from({ length: asks }, () => df.callActivity("echo", 1)));
    yield df.waitForExternalEvent("go");
  });
  test("is found out when it asks for less than before", async () => {
    asks = 2;
    const { start, engine, ended, raise } = await open({ batchMax: () => 1 });
    start("asks-less", undefined, "i");
    await engine.idle();
    asks = 1;
    raise("i", "go", 1);
    expect((await ended("i")).output).toMatch(/Non-Deterministic workflow detected/);
  });
});
