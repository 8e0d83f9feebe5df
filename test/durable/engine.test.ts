import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { MemoryStore } from "../../lab/host/durable/store-memory.ts";
import type { Op, Store } from "../../lab/host/durable/store.ts";
import { stage } from "./stage.ts";

const { orchestration, activity, open } = stage();
activity("echo", (value: unknown) => value);
const running = { now: 0, most: 0 };
activity("counted", async () => {
  running.most = Math.max(running.most, ++running.now);
  await new Promise(setImmediate);
  running.now--;
});
let release: (() => void) | undefined;
activity("held", () => new Promise<void>((resolve) => (release = resolve)));
const heldRuns = () => expect.poll(() => release !== undefined, { interval: 1 }).toBe(true);
function letGo(): void {
  release?.();
  release = undefined;
}
orchestration("holds", function* ({ df }) {
  yield df.callActivity("held");
});
orchestration("chain", function* ({ df }) {
  for (let index = 0; index < df.getInput<number>(); index++) yield df.callActivity("echo", index);
  return "done";
});
orchestration("fan", function* ({ df }) {
  yield df.Task.all(Array.from({ length: df.getInput<number>() }, () => df.callActivity("counted")));
  return "done";
});
orchestration("waits", function* ({ df }) {
  return yield df.waitForExternalEvent("go");
});
orchestration("sleeps", function* ({ df }) {
  yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + df.getInput<number>()));
  return "awake";
});

/** A store that keeps what was committed. */
function recording(): { store: Store; commits: (readonly Op[])[] } {
  const memory = new MemoryStore();
  const commits: (readonly Op[])[] = [];
  return {
    commits,
    store: {
      open: () => memory.open(),
      commit(ops) {
        commits.push(ops);
        memory.commit(ops);
      },
      close: () => {},
    },
  };
}

describe("a commit", () => {
  test("takes the messages that were played, adds the events, puts the new messages and writes the row, all in one", async () => {
    const { store, commits } = recording();
    const { start, ended } = await open({ store });
    await ended(start("chain", 1, "i"));
    // Start; first episode; the activity's answer in its message's place; last episode.
    expect(commits.map((ops) => ops.map(({ op }) => op))).toEqual([
      ["purge", "row", "put"],
      ["take", "append", "row", "put"],
      ["take", "put"],
      ["take", "append", "row"],
    ]);
  });

  test("of an activity's message stays until its answer is committed", async () => {
    const { store } = recording();
    const { start, engine } = await open({ store });
    start("holds", undefined, "i");
    await heldRuns();
    expect([...store.open().messages.values()].map(({ kind }) => kind)).toEqual(["activity"]);
    letGo();
    await engine.idle();
    expect(store.open().messages.size).toBe(0);
  });
});

describe("a restart", () => {
  test("goes on from the journal: waits, timers and activities, with the events in order", async () => {
    const directory = mkdtempSync(join(tmpdir(), "lifeboat-engine-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const journalFile = join(directory, "durable.jsonl");
    const first = await open({ journalFile });
    first.start("waits", undefined, "w");
    first.start("sleeps", 60_000, "s");
    first.start("chain", 5, "c");
    await first.engine.idle();
    await first.engine.close();
    const second = await open({ journalFile, clock: first.clock });
    second.raise("w", "go", 1);
    expect((await second.ended("w")).output).toBe("1");
    const at = second.clock.now();
    expect((await second.ended("s")).output).toBe('"awake"');
    expect(second.clock.now() - at).toBe(60_000);
    expect(second.row("c").status).toBe("Completed");
  });

  test("fires at once what fell due in the meantime", async () => {
    const store = new MemoryStore();
    const first = await open({ store });
    first.start("sleeps", 60_000, "s");
    await first.engine.idle();
    await first.engine.close();
    first.clock.advance(3_600_000);
    const second = await open({ store, clock: first.clock });
    await second.engine.idle();
    expect(second.row("s").status).toBe("Completed");
  });
});

describe("activities", () => {
  test("run at most so many at once", async () => {
    running.most = 0;
    const { result } = await open({ activityConcurrency: 3 });
    await result("fan", 20);
    expect(running.most).toBe(3);
  });
});

describe("an engine", () => {
  test("runs nothing before its start, and starts once", async () => {
    const { engine } = await open();
    expect(() => engine.start()).toThrow(/started before/);
  });

  test("that is closed takes nothing, and closes again without harm", async () => {
    const { engine, start } = await open();
    await engine.close();
    await engine.close();
    expect(() => start("waits")).toThrow(/closed/);
  });

  test("lets what runs come to its end when it closes, and keeps the answer", async () => {
    const { store } = recording();
    const first = await open({ store });
    first.start("holds", undefined, "i");
    await heldRuns();
    const closing = first.engine.close();
    letGo();
    await closing;
    const second = await open({ store, clock: first.clock });
    await second.engine.idle();
    expect(second.row("i").status).toBe("Completed");
    expect(second.events.filter(({ kind }) => kind === "activity-started")).toEqual([]);
  });

  test("tells what happens, by instance and name", async () => {
    const { start, ended, events, raise } = await open();
    await ended(start("chain", 1, "c"));
    start("waits", undefined, "w");
    raise("w", "go", 1);
    await ended("w");
    await ended(start("sleeps", 1_000, "s"));
    expect(events.map(({ kind, instanceId, name }) => `${kind} ${instanceId} ${name}`)).toEqual([
      "instance-started c chain",
      "activity-started c echo",
      "activity-completed c echo",
      "instance-completed c chain",
      "instance-started w waits",
      "event-raised w go",
      "instance-completed w waits",
      "instance-started s sleeps",
      "timer-fired s sleeps",
      "instance-completed s sleeps",
    ]);
  });

  test("counts the history events of every instance", async () => {
    const { start, ended, engine } = await open();
    await ended(start("chain", 2, "c"));
    // Start, event; then for each activity scheduled, episode's end, episode's start, answer; end of instance and episode.
    expect(engine.eventCounts()).toEqual(new Map([["c", 2 + 2 * 4 + 2]]));
    expect(engine.history("c")).toHaveLength(12);
  });

  test("runs a chain of a hundred activities in well under a second", async () => {
    const { result } = await open();
    const from = performance.now();
    expect(await result("chain", 100)).toBe("done");
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});
