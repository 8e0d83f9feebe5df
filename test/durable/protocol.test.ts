import { EntityId, RetryOptions, TaskFailedError } from "durable-functions";
import { describe, expect, test } from "vitest";
import { actionsOf, kindsOf, spyOn } from "./spy.ts";
import { stage } from "./stage.ts";

const { orchestration, activity, open, app } = stage();
const secondsFrom = (context: { df: { currentUtcDateTime: Date } }, seconds: number) => new Date(context.df.currentUtcDateTime.getTime() + seconds * 1_000);

async function spied(options: Parameters<typeof open>[0] = {}) {
  const spy = spyOn(app());
  return { ...(await open({ ...options, app: spy.app })), ...spy };
}

activity("echo", (value: unknown) => value);
activity("fail", (value: unknown) => {
  throw new Error(`cannot ${String(value)}`);
});
orchestration("one-activity", function* (context) {
  return yield context.df.callActivity("echo", context.df.getInput());
});

describe("the trigger value", () => {
  test("has every member that the library asks for, and the input parsed", async () => {
    const { result, episodes } = await spied();
    await result("one-activity", { a: [1] });
    const [first, second] = episodes.map(({ trigger }) => trigger);
    expect(first).toMatchObject({
      input: { a: [1] },
      parentInstanceId: null,
      isReplaying: false,
      upperSchemaVersion: 1,
      upperSchemaVersionNew: 2,
      maximumShortTimerDuration: "6.00:00:00",
      longRunningTimerIntervalDuration: "3.00:00:00",
      defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
    });
    expect(first?.instanceId).toMatch(/^[0-9a-f]{32}$/);
    expect(second?.isReplaying).toBe(true);
  });

  test("marks earlier episodes as played and the new one as not, and leaves out what the library ignores", async () => {
    const { result, episodes, engine } = await spied();
    await result("one-activity", 1);
    const [first, second] = episodes.map(({ trigger }) => trigger.history);
    expect(kindsOf(first ?? [])).toEqual([12, 0]);
    expect(kindsOf(second ?? [])).toEqual([12, 0, 12, 5]);
    expect(second?.map(({ IsPlayed }) => IsPlayed)).toEqual([true, true, false, false]);
    const id = episodes[0]?.trigger.instanceId ?? "";
    expect(kindsOf(engine.history(id))).toEqual([12, 0, 4, 13, 12, 5, 1, 13]);
  });
});

describe("history events", () => {
  test("ExecutionStarted carries name, version, input as text and the execution", async () => {
    const { start, ended, engine, row } = await open({ defaultVersion: "1.2" });
    await ended(start("one-activity", { a: 1 }, "i"));
    expect(engine.history("i")[1]).toMatchObject({
      EventType: 0,
      EventId: -1,
      Name: "one-activity",
      Version: "1.2",
      Input: '{"a":1}',
      ParentInstance: null,
      OrchestrationInstance: { InstanceId: "i", ExecutionId: row("i").executionId },
    });
  });

  test("TaskScheduled has the task id and its input as a one-element array, TaskCompleted the result as text", async () => {
    const { start, ended, engine } = await open();
    await ended(start("one-activity", { a: 1 }, "i"));
    expect(engine.history("i")[2]).toMatchObject({ EventType: 4, EventId: 0, Name: "echo", Input: '[{"a":1}]' });
    expect(engine.history("i")[5]).toMatchObject({ EventType: 5, EventId: -1, TaskScheduledId: 0, Result: '{"a":1}' });
  });

  orchestration("two-timers", function* (context) {
    const late = context.df.createTimer(secondsFrom(context, 3_600));
    yield context.df.Task.any([context.df.createTimer(secondsFrom(context, 10)), late]);
    late.cancel();
  });
  test("TimerCreated and TimerFired have FireAt, and a cancelled timer does not fire", async () => {
    const { start, ended, engine, clock } = await open();
    const at = clock.now();
    await ended(start("two-timers", undefined, "i"));
    const fireAt = new Date(at + 10_000).toISOString();
    expect(engine.history("i").filter(({ EventType }) => EventType === 10 || EventType === 11)).toMatchObject([
      { EventType: 10, EventId: 0, FireAt: fireAt },
      { EventType: 10, EventId: 1, FireAt: new Date(at + 3_600_000).toISOString() },
      { EventType: 11, TimerId: 0, FireAt: fireAt },
    ]);
    expect(clock.now()).toBe(at + 10_000);
  });

  orchestration("thrower", function* (context) {
    yield* [];
    throw new Error(`thrown ${context.df.getInput<string>()}`);
  });
  test("ExecutionCompleted tells how it ended", async () => {
    const { start, ended, engine } = await open();
    await ended(start("thrower", "x", "i"));
    expect(engine.history("i").at(-2)).toMatchObject({ EventType: 1, OrchestrationStatus: "Failed", Result: "Orchestrator function 'thrower' failed: thrown x" });
  });

  orchestration("wait", function* (context) {
    return yield context.df.waitForExternalEvent("go");
  });
  test("terminated, suspended and resumed leave their events, with the reason", async () => {
    const { start, engine, ended } = await open();
    start("wait", undefined, "i");
    engine.instances.suspend("i", "hold");
    engine.instances.resume("i", "go on");
    engine.instances.terminate("i", "enough");
    await ended("i");
    expect(engine.history("i").slice(3)).toMatchObject([
      { EventType: 19, Reason: "hold" },
      { EventType: 20, Reason: "go on" },
      { EventType: 3, Input: "enough" },
    ]);
  });
});

describe("returned states", () => {
  orchestration("two-yields", function* (context) {
    yield context.df.callActivity("echo", 1);
    yield context.df.callActivity("echo", 2);
  });
  test("the action list is cumulative, in one outer array, and an activity yields one entry", async () => {
    const { result, episodes } = await spied();
    await result("two-yields");
    expect(episodes.map((episode) => actionsOf(episode).length)).toEqual([1, 2, 2]);
    expect(episodes.map(({ state }) => [state?.actions.length, state?.isDone])).toEqual([[1, false], [1, false], [1, true]]);
  });

  orchestration("status", function* (context) {
    context.df.setCustomStatus({ phase: "one" });
    yield context.df.callActivity("echo", 1);
    context.df.setCustomStatus({ phase: "two" });
    yield context.df.waitForExternalEvent("go");
  });
  test("the custom status is kept with the episode that set it", async () => {
    const { start, row, engine } = await open();
    start("status", undefined, "i");
    await engine.idle();
    expect(row("i").customStatus).toBe('{"phase":"two"}');
  });

  orchestration("big-status", function* (context) {
    context.df.setCustomStatus("x".repeat(context.df.getInput<number>()));
    yield context.df.callActivity("echo", 1);
    return "fits";
  });
  test("a custom status of 16 KB of UTF-16 fits, one character more fails the instance", async () => {
    const { result, failure } = await open();
    // Two quotes belong to the JSON text.
    expect(await result("big-status", 8_190)).toBe("fits");
    expect(await failure("big-status", 8_191)).toMatch(/P12: The UTF-16 size .* must not exceed 16 KB/);
  });

  orchestration("no-message", function* () {
    yield* [];
    throw new Error();
  });
  test("a failure is read from the thrown error, also one without a message", async () => {
    const { failure } = await open();
    expect(await failure("thrower", "x")).toBe("Orchestrator function 'thrower' failed: thrown x");
    expect(await failure("no-message")).toBe("Orchestrator function 'no-message' failed: ");
  });

  test("what is no state fails the instance and says so", async () => {
    const { failure } = await open({ app: { kindOf: () => "orchestrator", orchestrate: async () => "nonsense", activity: async () => ({ kind: "completed", result: null }) } });
    expect(await failure("any")).toMatch(/returned no orchestrator state but "nonsense"/);
  });
});

describe("actions", () => {
  test.each([
    ["a string", "text"],
    ["a string that looks like a number", "5"],
    ["a number", 1.5],
    ["an object", { a: [null] }],
    ["false", false],
  ])("CallActivity passes %s to the activity and back", async (_, value) => {
    const { result } = await open();
    expect(await result("one-activity", value)).toEqual(value);
  });

  orchestration("no-input", function* (context) {
    return [yield context.df.callActivity("kind-of"), yield context.df.callActivity("kind-of", null)];
  });
  activity("kind-of", (value: unknown) => typeof value);
  test("null and no input both arrive as undefined", async () => {
    const { result, inputs } = await spied();
    expect(await result("no-input")).toEqual(["undefined", "undefined"]);
    expect(inputs).toEqual([undefined, undefined]);
  });

  test("a string input is JSON text once more on the wire, and the activity's text is that", async () => {
    const { result, inputs } = await spied();
    await result("one-activity", "text");
    expect(inputs).toEqual(['"text"']);
  });

  activity("nothing", () => undefined);
  orchestration("of-nothing", function* (context) {
    return { got: yield context.df.callActivity("nothing") };
  });
  test("an activity that returns nothing gives null", async () => {
    const { result } = await open();
    expect(await result("of-nothing")).toEqual({ got: null });
  });

  orchestration("catching", function* (context) {
    try {
      yield context.df.callActivity("fail", "swim");
      return "never";
    } catch (error) {
      return error instanceof Error ? error.message.split("\n")[0]?.trim() : "no error";
    }
  });
  test("a failing activity throws in the orchestrator, its reason in the first line", async () => {
    const { result } = await open();
    expect(await result("catching")).toBe("Activity function 'fail' failed: cannot swim");
  });

  activity("fail-with-code", () => {
    throw Object.assign(new RangeError("too far"), { properties: { code: "E7" } });
  });
  orchestration("passes-on", function* (context) {
    yield context.df.callActivity("fail-with-code");
  });
  orchestration("reads-code", function* (context) {
    try {
      yield context.df.getInput() === "child" ? context.df.callSubOrchestrator("passes-on") : context.df.callActivity("fail-with-code");
      return "never";
    } catch (error) {
      if (!(error instanceof TaskFailedError)) return String(error);
      return [error.failureDetails.errorType, error.failureDetails.errorMessage, error.failureDetails.properties];
    }
  });
  test.each(["activity", "child"])("a failure's type, message and properties reach the orchestrator (from its %s)", async (from) => {
    const { result } = await open();
    expect(await result("reads-code", from)).toEqual(["RangeError", "too far", { code: "E7" }]);
  });

  const attempts = { count: 0 };
  activity("third-time", () => {
    if (++attempts.count < 3) throw new Error("not yet");
    return attempts.count;
  });
  orchestration("retrying", function* (context) {
    const options = Object.assign(new RetryOptions(1_000, context.df.getInput<number>()), { backoffCoefficient: 3, maxRetryIntervalInMilliseconds: 2_000 });
    return yield context.df.callActivityWithRetry("third-time", options);
  });
  test("CallActivityWithRetry waits first x backoff^(n-1), at most the longest interval", async () => {
    attempts.count = 0;
    const { result, clock } = await open();
    const at = clock.now();
    expect(await result("retrying", 5)).toBe(3);
    expect(clock.now() - at).toBe(1_000 + 2_000);
  });

  test("after its last attempt a retried task fails at once, though the library waits for one more timer", async () => {
    attempts.count = 0;
    const { start, ended, clock, engine } = await open();
    const at = clock.now();
    expect((await ended(start("retrying", 2, "i"))).output).toMatch(/failed: Activity function 'third-time' failed: not yet/);
    expect(clock.now() - at).toBe(1_000);
    expect(kindsOf(engine.history("i")).filter((kind) => kind === 10)).toHaveLength(2);
  });

  orchestration("child", function* (context) {
    const input = context.df.getInput<{ fail?: string }>();
    yield context.df.callActivity("echo", 1);
    if (input?.fail) throw new Error(input.fail);
    return { got: input, parent: context.df.parentInstanceId ?? null, version: context.df.version ?? null };
  });
  orchestration("parent", function* (context) {
    const { id, input, version } = context.df.getInput<{ id?: string; input?: unknown; version?: string }>();
    return yield context.df.callSubOrchestrator("child", input, id, version);
  });
  test("CallSubOrchestrator runs a child under the id that was given, with input, parent and version", async () => {
    const { start, ended, engine } = await open({ defaultVersion: "2.0" });
    expect(JSON.parse((await ended(start("parent", { id: "kid", input: "text" }, "p"))).output ?? "")).toEqual({ got: "text", parent: "p", version: "2.0" });
    expect(engine.history("p")[2]).toMatchObject({ EventType: 7, EventId: 0, Name: "child", InstanceId: "kid", Input: '"text"' });
    expect(engine.history("p")[5]).toMatchObject({ EventType: 8, TaskScheduledId: 0 });
    expect(JSON.parse((await ended(start("parent", { id: "kid", version: "1.0" }, "p"))).output ?? "")).toMatchObject({ version: "1.0" });
  });

  test("a child without an id gets <execution id>:<task id>", async () => {
    const { start, ended, row, engine } = await open();
    await ended(start("parent", {}, "p"));
    expect(engine.instances.row(`${row("p").executionId}:0`)).toMatchObject({ name: "child", status: "Completed" });
  });

  orchestration("catching-child", function* (context) {
    try {
      return yield context.df.callSubOrchestrator("child", { fail: "oops" }, context.df.getInput<string>());
    } catch (error) {
      return error instanceof Error ? error.message.split("\n")[0]?.trim() : "no error";
    }
  });
  test("a failing child throws in its parent", async () => {
    const { result } = await open();
    expect(await result("catching-child", "kid")).toBe("Orchestrator function 'child' failed: oops");
  });

  orchestration("waiting-parent", function* (context) {
    try {
      return yield context.df.callSubOrchestrator("wait", null, "kid");
    } catch (error) {
      return error instanceof Error ? error.message.split("\n")[0]?.trim() : "no error";
    }
  });
  test("a terminated child throws in its parent, and a terminated parent leaves its child alone", async () => {
    const { start, ended, engine, row } = await open();
    start("waiting-parent", null, "p");
    await engine.idle();
    engine.instances.terminate("kid", "enough");
    expect((await ended("p")).output).toBe('"enough"');
    start("waiting-parent", null, "p");
    await engine.idle();
    engine.instances.terminate("p", "enough");
    await ended("p");
    expect(row("kid").status).toBe("Running");
  });

  orchestration("retried-child", function* (context) {
    return yield context.df.callSubOrchestratorWithRetry("flaky-child", new RetryOptions(1_000, 3));
  });
  orchestration("flaky-child", function* (context) {
    return yield context.df.callActivity("third-time");
  });
  test("CallSubOrchestratorWithRetry starts the child again, under a new id", async () => {
    attempts.count = 0;
    const { start, ended, row, engine } = await open();
    expect((await ended(start("retried-child", undefined, "p"))).output).toBe("3");
    const { executionId } = row("p");
    expect([0, 2, 4].map((id) => engine.instances.row(`${executionId}:${id}`)?.status)).toEqual(["Failed", "Failed", "Completed"]);
  });

  orchestration("unknown-activity", function* (context) {
    yield context.df.callActivity("nobody");
  });
  orchestration("unknown-child", function* (context) {
    yield context.df.callSubOrchestrator("echo");
  });
  test("an activity or a child that does not exist fails the instance, and it cannot catch that", async () => {
    const { failure } = await open();
    expect(await failure("unknown-activity")).toMatch(/The function 'nobody' doesn't exist, is disabled, or is not an activity function/);
    expect(await failure("unknown-child")).toMatch(/The function 'echo' doesn't exist, is disabled, or is not an orchestrator function/);
  });

  orchestration("groups", function* (context) {
    const { df } = context;
    const both = df.Task.all([df.callActivity("echo", 1), df.callActivity("echo", 2)]);
    const winner = (yield df.Task.any([both, df.waitForExternalEvent("never")])) as { result: unknown; isFaulted: boolean };
    return winner.isFaulted ? "failed" : winner.result;
  });
  test("WhenAny and WhenAll nest, and ids go depth first", async () => {
    const { start, ended, engine } = await open();
    expect((await ended(start("groups", undefined, "i"))).output).toBe("[1,2]");
    expect(engine.history("i").filter(({ EventType }) => EventType === 4)).toMatchObject([{ EventId: 0, Input: "[1]" }, { EventId: 1, Input: "[2]" }]);
  });

  orchestration("calls-http", function* (context) {
    yield context.df.callHttp({ method: "GET", url: "http://127.0.0.1/" });
  });
  orchestration("calls-entity", function* (context) {
    yield context.df.callEntity(new EntityId("counter", "one"), "add", 1);
  });
  test("callHttp and entities fail the instance and say what to do", async () => {
    const { failure } = await open();
    expect(await failure("calls-http")).toMatch(/callHttp is not served by the embedded host.*Do it in an activity/);
    expect(await failure("calls-entity")).toMatch(/callEntity is not served by the embedded host/);
  });
});
