import type { Task } from "durable-functions";
import { describe, expect, test } from "vitest";
import { stage, type Run } from "./stage.ts";

const { orchestration, activity, open } = stage();
activity("echo", (value: unknown) => value);
activity("fail", () => {
  throw new Error("as told");
});
const releases = new Map<string, () => void>();
activity("held", (name: string) => new Promise<string>((resolve) => releases.set(name, () => resolve(name))));
/** Lets a held activity end once it runs, and everything that follows from it. */
async function release({ engine }: Run, name: string): Promise<void> {
  await expect.poll(() => releases.has(name), { interval: 1 }).toBe(true);
  releases.get(name)?.();
  releases.delete(name);
  await engine.idle();
}
const later = (at: Date, seconds: number) => new Date(at.getTime() + seconds * 1_000);
/** Long enough for the engine to have done all it can without the held activities. */
const settled = (run: Run) => expect.poll(() => run.events.length, { interval: 5 }).toBeGreaterThan(1);
const echoes = ({ events }: Run) => events.filter(({ kind, name }) => kind === "activity-started" && name === "echo").length;

describe("completion is withheld while anything is open", () => {
  orchestration("loser-activity", function* ({ df }) {
    const winner = (yield df.Task.any([df.callActivity("echo", 1), df.callActivity("held", "loser")])) as Task;
    return winner.isFaulted ? "failed" : "won";
  });
  test("the loser of a Task.any keeps the instance Running", async () => {
    const run = await open();
    run.start("loser-activity", undefined, "i");
    await expect.poll(() => run.events.some(({ kind }) => kind === "activity-completed"), { interval: 1 }).toBe(true);
    await expect.poll(() => run.engine.history("i").length, { interval: 1 }).toBeGreaterThan(6);
    expect(run.row("i").status).toBe("Running");
    await release(run, "loser");
    expect(run.row("i")).toMatchObject({ status: "Completed", output: '"won"' });
  });

  orchestration("open-timer", function* ({ df }) {
    const winner = (yield df.Task.any([df.callActivity("echo", 1), df.createTimer(later(df.currentUtcDateTime, 3_600))])) as Task;
    return winner.isFaulted ? "failed" : "won";
  });
  test("a timer that was not cancelled keeps it Running until it fires", async () => {
    const run = await open({ strict: "warn" });
    run.start("open-timer", undefined, "i");
    await run.engine.idle();
    expect(run.row("i").status).toBe("Running");
    run.clock.advance(3_600_000);
    await run.engine.idle();
    expect(run.row("i").status).toBe("Completed");
  });

  orchestration("open-child", function* ({ df }) {
    const winner = (yield df.Task.any([df.callActivity("echo", 1), df.callSubOrchestrator("waits", null, "kid")])) as Task;
    return winner.isFaulted ? "failed" : "won";
  });
  orchestration("waits", function* ({ df }) {
    yield df.waitForExternalEvent("go");
  });
  test("a sub-orchestration keeps it Running; an open wait for an event does not", async () => {
    const run = await open();
    run.start("open-child", undefined, "i");
    run.start("open-wait", undefined, "w");
    await run.engine.idle();
    expect(run.row("i").status).toBe("Running");
    expect(run.row("w").status).toBe("Completed");
    run.raise("kid", "go", 1);
    await run.engine.idle();
    expect(run.row("i").status).toBe("Completed");
  });
  orchestration("open-wait", function* ({ df }) {
    const winner = (yield df.Task.any([df.callActivity("echo", 1), df.waitForExternalEvent("never")])) as Task;
    return winner.isFaulted ? "failed" : "won";
  });

  orchestration("fails-early", function* ({ df }) {
    yield df.Task.all([df.callActivity("fail"), df.callActivity("held", "sibling")]);
  });
  test("a failure waits as well", async () => {
    const run = await open();
    run.start("fails-early", undefined, "i");
    await expect.poll(() => run.events.some(({ kind }) => kind === "activity-failed"), { interval: 1 }).toBe(true);
    expect(run.row("i").status).toBe("Running");
    await release(run, "sibling");
    expect(run.row("i").status).toBe("Failed");
  });

  orchestration("continues-early", function* ({ df }) {
    if (df.getInput<number>() === 1) return "second";
    const winner = (yield df.Task.any([df.callActivity("echo", 1), df.callActivity("held", "old")])) as Task;
    if (!winner.isFaulted) df.continueAsNew(1);
    return;
  });
  test("so does continueAsNew", async () => {
    const run = await open();
    run.start("continues-early", 0, "i");
    await expect.poll(() => run.events.some(({ kind }) => kind === "activity-completed"), { interval: 1 }).toBe(true);
    const { executionId } = run.row("i");
    await expect.poll(() => run.engine.history("i").length, { interval: 1 }).toBeGreaterThan(6);
    expect(run.row("i").executionId).toBe(executionId);
    await release(run, "old");
    expect(run.row("i")).toMatchObject({ status: "Completed", output: '"second"' });
  });
});

describe("actions start strictly in sequence", () => {
  orchestration("compensates", function* ({ df }) {
    try {
      yield df.Task.all([df.callActivity("fail"), df.callActivity("held", "slowest")]);
    } catch {
      return yield df.callActivity("echo", "compensated");
    }
    return "never";
  });
  test("what follows a caught Task.all failure starts only when the slowest sibling has ended", async () => {
    const run = await open({ strict: "warn" });
    run.start("compensates", undefined, "i");
    await expect.poll(() => run.engine.history("i").length, { interval: 1 }).toBeGreaterThan(5);
    await settled(run);
    expect(echoes(run)).toBe(0);
    expect(run.engine.history("i").some((event) => event.EventType === 4 && event.Name === "echo")).toBe(false);
    await release(run, "slowest");
    expect(run.row("i")).toMatchObject({ status: "Completed", output: '"compensated"' });
    expect(echoes(run)).toBe(1);
    expect(run.problems.map(({ rule }) => rule)).toEqual(["P2"]);
  });

  orchestration("goes-on", function* ({ df }) {
    const winner = (yield df.Task.any([df.callActivity("fail"), df.callActivity("held", "loser")])) as Task;
    if (!winner.isFaulted) return "never";
    return yield df.callActivity("echo", "next");
  });
  test("a Task.any is complete at its first member, so what follows starts at once", async () => {
    const run = await open();
    run.start("goes-on", undefined, "i");
    await expect.poll(() => echoes(run), { interval: 1 }).toBe(1);
    await release(run, "loser");
    expect(run.row("i").output).toBe('"next"');
  });
});

describe("ids of instances", () => {
  orchestration("starts-kid", function* ({ df }) {
    try {
      return yield df.callSubOrchestrator("waits", null, "kid");
    } catch (error) {
      return error instanceof Error ? error.message.split("\n")[0]?.trim() : "no error";
    }
  });
  test("a live one cannot be used again, which fails the caller of a sub-orchestration", async () => {
    const run = await open();
    run.start("waits", undefined, "kid");
    expect(await run.result("starts-kid")).toMatch(/An Orchestration instance with the status Running already exists: kid/);
    expect(() => run.start("waits", undefined, "kid")).toThrow(/already exists/);
  });

  orchestration("starts-twins", function* ({ df }) {
    yield df.Task.all([df.callSubOrchestrator("waits", null, "twin"), df.callSubOrchestrator("waits", null, "twin")]);
  });
  test("two children of one episode cannot share one", async () => {
    const run = await open();
    run.start("starts-twins", undefined, "i");
    await run.engine.idle();
    run.raise("twin", "go", 1);
    expect((await run.ended("i")).output).toMatch(/already exists: twin/);
  });

  test("a finished one can", async () => {
    const run = await open();
    run.start("waits", undefined, "kid");
    run.raise("kid", "go", 1);
    await run.ended("kid");
    run.start("starts-kid", undefined, "i");
    await run.engine.idle();
    expect(run.row("kid").status).toBe("Running");
    run.raise("kid", "go", 1);
    expect((await run.ended("i")).status).toBe("Completed");
  });
});

describe("termination", () => {
  test("does not stop an activity that runs; its answer is dropped", async () => {
    const run = await open();
    run.start("loser-activity", undefined, "i");
    await expect.poll(() => releases.has("loser"), { interval: 1 }).toBe(true);
    run.engine.instances.terminate("i", "enough");
    await expect.poll(() => run.row("i").status, { interval: 1 }).toBe("Terminated");
    const before = run.engine.history("i").length;
    await release(run, "loser");
    expect(run.engine.history("i")).toHaveLength(before);
    expect(run.events.filter(({ kind }) => kind === "activity-completed")).toHaveLength(2);
  });
});
