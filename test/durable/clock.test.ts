import { describe, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openEngine } from "../../lab/host/durable/engine.ts";
import { DueQueue } from "../../lab/host/durable/due-queue.ts";
import { openEpisode } from "../../lab/host/durable/episode.ts";
import { startOps } from "../../lab/host/durable/new-instance.ts";
import { stamp } from "../../lab/host/durable/protocol.ts";
import { StoreState } from "../../lab/host/durable/store.ts";
import { spyOn } from "./spy.ts";
import { stage } from "./stage.ts";
import { VirtualClock } from "./virtual-clock.ts";

const { orchestration, activity, open, app } = stage();
activity("echo", (value: unknown) => value);
const later = (at: Date, ms: number) => new Date(at.getTime() + ms);

orchestration("deadline", function* ({ df }) {
  const deadline = later(df.currentUtcDateTime, 60_000);
  let rounds = 0;
  while (df.currentUtcDateTime < deadline) {
    yield df.createTimer(later(df.currentUtcDateTime, 25_000));
    rounds++;
  }
  return rounds;
});
orchestration("long", function* ({ df }) {
  yield df.createTimer(later(df.currentUtcDateTime, df.getInput<number>()));
  return df.currentUtcDateTime.getTime();
});

const days = 24 * 3_600_000;

describe("an orchestration's clock", () => {
  test("is at least the fire time of every timer, so a loop until a deadline ends", async () => {
    const { result } = await open();
    expect(await result("deadline")).toBe(3);
  });

  test("is not behind a timer even where the host's clock is", () => {
    const at = Date.parse("2026-11-21T06:05:00Z");
    const fired = { EventType: 11, ...stamp(at + 9_000), TimerId: 0, FireAt: new Date(at + 9_000).toISOString() } as const;
    const { row } = startOf("long", at);
    expect(openEpisode(row, [], [fired], at + 5_000).at).toBe(at + 9_000);
    expect(openEpisode(row, [], [], at + 5_000).at).toBe(at + 5_000);
  });
  function startOf(name: string, at: number) {
    const ops = startOps({ instanceId: "i", name, version: null, input: null, parent: null }, at, "m1");
    const state = new StoreState();
    state.apply(ops);
    const row = state.rows.get("i");
    if (!row) throw new Error("a start makes a row");
    return { row };
  }

  test("never goes back", async () => {
    const clock = new VirtualClock();
    let offset = 0;
    const jumping = Object.assign(Object.create(clock) as VirtualClock, { now: () => clock.now() - offset, after: clock.after.bind(clock) });
    const spy = spyOn(app());
    const { start, engine, raise, ended } = await open({ clock: jumping, app: spy.app });
    start("waits", undefined, "i");
    await engine.idle();
    offset = 3_600_000;
    raise("i", "go", 1);
    await ended("i");
    const starts = (spy.episodes.at(-1)?.trigger.history ?? []).filter(({ EventType }) => EventType === 12).map(({ Timestamp }) => Timestamp);
    expect(starts).toHaveLength(2);
    expect(starts[1]).toBe(starts[0]);
  });
  orchestration("waits", function* ({ df }) {
    yield df.waitForExternalEvent("go");
  });

  test("a timer longer than six days fires once, at its final time, in one step", async () => {
    const { start, ended, clock, engine } = await open();
    const from = clock.now();
    expect(Number((await ended(start("long", 30 * days, "i"))).output)).toBe(from + 30 * days);
    expect(engine.history("i").filter(({ EventType }) => EventType === 10)).toHaveLength(1);
  });

  orchestration("race", function* ({ df }) {
    const timer = df.createTimer(later(df.currentUtcDateTime, 3_600_000));
    yield df.Task.any([timer, df.callActivity("echo", 1)]);
    timer.cancel();
    yield df.waitForExternalEvent("go");
  });
  test("a cancelled timer's message is dropped", async () => {
    const { start, engine, clock, events, ended, raise } = await open();
    start("race", undefined, "i");
    await engine.idle();
    clock.advance(2 * 3_600_000);
    await engine.idle();
    expect(events.map(({ kind }) => kind)).not.toContain("timer-fired");
    raise("i", "go", 1);
    expect((await ended("i")).status).toBe("Completed");
  });

  test("at rate 1000, a thousand timers of ten lab seconds fire in little more than ten wall milliseconds", async () => {
    const clock = startClock({ rate: 1_000 });
    const fired: number[] = [];
    const queue = new DueQueue<number>(clock, (index) => fired.push(index));
    const dueAt = clock.now() + 10_000;
    const from = performance.now();
    for (let index = 0; index < 1_000; index++) queue.put(dueAt, index);
    while (fired.length < 1_000) await new Promise((resolve) => setTimeout(resolve, 1));
    // Ten is what it must be; the rest is room for a busy machine.
    expect(performance.now() - from).toBeLessThan(100);
    expect(fired).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
  });

  test("a timer orchestration runs on the lab's own clock", async () => {
    const engine = await openEngine({ app: app(), clock: startClock({ rate: 100_000 }), journalFile: null, strict: "fail", problems: () => {} });
    engine.start();
    engine.instances.start({ name: "deadline", instanceId: "i", input: null, version: null });
    await expect.poll(() => engine.instances.row("i")?.status, { interval: 2 }).toBe("Completed");
    await engine.close();
  });
});

describe("the queue of what is due", () => {
  test("arms one call of the clock, however much it holds, and delivers in order of instants", () => {
    const clock = new VirtualClock();
    const delivered: string[] = [];
    const queue = new DueQueue<string>(clock, (name) => delivered.push(name));
    const from = clock.now();
    for (const [name, seconds] of [["c", 30], ["a", 10], ["d", 40], ["b", 20], ["a2", 10]] as const) {
      queue.put(from + seconds * 1_000, name);
      expect(clock.armed()).toBe(1);
    }
    clock.advance(10_000);
    expect(delivered).toEqual(["a", "a2"]);
    clock.advance(30_000);
    expect(delivered).toEqual(["a", "a2", "b", "c", "d"]);
    expect(clock.armed()).toBe(0);
  });

  test("an idle engine arms nothing", async () => {
    const { start, ended, clock } = await open();
    await ended(start("deadline"));
    expect(clock.armed()).toBe(0);
  });
});
