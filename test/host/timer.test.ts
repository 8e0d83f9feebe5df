import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { labStart } from "../../lab/clock.ts";
import { openBindings } from "../../lab/host/bindings.ts";
import { loadApp, type HostedApp } from "../../lab/host/core-api.ts";
import type { LogRecord } from "../../lab/host/log.ts";
import { ncrontab } from "../../lab/host/triggers/ncrontab.ts";
import { startTimer } from "../../lab/host/triggers/timer.ts";
import type { RunningTrigger } from "../../lab/host/triggers/trigger.ts";
import { appDirectory } from "./app-directory.ts";
import { manualClock, type ManualClock } from "./manual-clock.ts";

interface Run {
  readonly name: string;
  readonly timer?: { schedule: unknown; scheduleStatus: { last: string; next: string; lastUpdated: string } | null; isPastDue: boolean };
  readonly hasMetadata?: boolean;
}
const minute = 60_000;
const shared = globalThis as { runs?: Run[]; wait?: Promise<void> };
const runs = (shared.runs ??= []);
const log: LogRecord[] = [];
let app: HostedApp;
let stateDirectory: string;
let clock: ManualClock;
let open: RunningTrigger[] = [];

beforeAll(async () => {
  app = await loadApp({ appDirectory: appDirectory("timers"), log: (record) => log.push(record) });
});
beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lifeboat-timer-"));
  // Twenty seconds past 06:05, so that no schedule of the app is due at once.
  clock = manualClock(labStart + 20_000);
  runs.length = 0;
  log.length = 0;
});
afterEach(async () => {
  await Promise.all(open.map((trigger) => trigger.close()));
  open = [];
  await rm(stateDirectory, { recursive: true });
});

async function start(name: string, settings: Record<string, string> = { EVERY: "0 */5 * * * *" }): Promise<RunningTrigger> {
  const registered = app.functions.get(name);
  if (!registered) throw new Error(`no ${name}`);
  const trigger = await startTimer({ registered, app, bindings: openBindings(null), clock, settings, stateDirectory, log: (record) => log.push(record) });
  open.push(trigger);
  return trigger;
}

describe("a timer", () => {
  test("fires by its schedule in UTC, with the keys of the timer object, and has no trigger metadata", async () => {
    await start("five-minutes");
    await clock.advance(4 * minute);
    expect(runs).toEqual([]);
    await clock.advance(minute);
    expect(runs).toEqual([
      {
        name: "five-minutes",
        hasMetadata: false,
        timer: {
          schedule: { adjustForDST: true },
          scheduleStatus: { last: "0001-01-01T00:00:00.000Z", next: "2026-11-21T06:10:00.000Z", lastUpdated: "2026-11-21T06:05:20.000Z" },
          isPastDue: false,
        },
      },
    ]);
    await clock.advance(10 * minute);
    expect(runs.map(({ timer }) => timer?.scheduleStatus?.last)).toEqual(["0001-01-01T00:00:00.000Z", "2026-11-21T06:10:00.000Z", "2026-11-21T06:15:00.000Z"]);
  });

  test("keeps Last and Next on disk", async () => {
    await start("five-minutes");
    await clock.advance(5 * minute);
    expect(JSON.parse(await readFile(join(stateDirectory, "timers", "five-minutes.json"), "utf8"))).toEqual({
      Last: "2026-11-21T06:10:00.000Z",
      Next: "2026-11-21T06:15:00.000Z",
      LastUpdated: "2026-11-21T06:10:00.000Z",
    });
  });

  test("makes up for what was missed while the host was down: once, past due", async () => {
    await (await start("five-minutes")).close();
    await clock.advance(17 * minute);
    expect(runs).toEqual([]);
    await start("five-minutes");
    await expect.poll(() => runs.map(({ timer }) => timer?.isPastDue)).toEqual([true]);
    await clock.advance(3 * minute);
    expect(runs.map(({ timer }) => timer?.isPastDue)).toEqual([true, false]);
  });

  test("a host that was away without missing anything fires nothing", async () => {
    await (await start("five-minutes")).close();
    await clock.advance(minute);
    await start("five-minutes");
    await clock.advance(minute);
    expect(runs).toEqual([]);
  });

  test("a schedule that was changed while the host was down is judged anew", async () => {
    await (await start("five-minutes")).close();
    await clock.advance(17 * minute);
    await start("five-minutes", { EVERY: "0 0 * * * *" });
    await clock.advance(minute);
    expect(runs).toEqual([]);
  });

  test.each([
    ["without a monitor", "unmonitored"],
    ["that recurs within a minute", "seconds"],
  ])("%s remembers nothing and is never past due", async (_, name) => {
    await (await start(name)).close();
    await clock.advance(17 * minute);
    await start(name);
    await clock.advance(5 * minute);
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.map(({ timer }) => [timer?.isPastDue, timer?.scheduleStatus])).toEqual(runs.map(() => [false, null]));
    await expect(readFile(join(stateDirectory, "timers", `${name}.json`))).rejects.toThrow(/ENOENT/);
  });

  test("runs on start-up when it asks for it", async () => {
    await start("on-startup");
    await expect.poll(() => runs.map(({ timer }) => timer?.isPastDue)).toEqual([false]);
  });

  test("a failing run is logged, not retried, and the schedule goes on", async () => {
    await start("failing");
    await clock.advance(10 * minute);
    expect(runs).toHaveLength(2);
    expect(log.map(({ message }) => message)).toContain("the timer's run failed: Error: the work failed");
  });

  test("never runs twice at once; what fell due meanwhile is left out", async () => {
    let release = () => {};
    shared.wait = new Promise((resolve) => (release = resolve));
    await start("slow");
    await clock.advance(3 * minute);
    expect(runs.map(({ name }) => name)).toEqual(["slow begins"]);
    release();
    await expect.poll(() => clock.waiting()).toBe(1);
    await clock.advance(minute);
    expect(runs.map(({ name }) => name)).toEqual(["slow begins", "slow ends", "slow begins", "slow ends"]);
  });

  test("a run by hand waits for the one that runs", async () => {
    let release = () => {};
    shared.wait = new Promise((resolve) => (release = resolve));
    const trigger = await start("slow");
    await clock.advance(minute);
    const byHand = trigger.fire(undefined);
    await clock.advance(1);
    expect(runs.map(({ name }) => name)).toEqual(["slow begins"]);
    release();
    await byHand;
    expect(runs.map(({ name }) => name)).toEqual(["slow begins", "slow ends", "slow begins", "slow ends"]);
  });

  test("fires by hand without moving the schedule", async () => {
    await (await start("five-minutes")).fire(undefined);
    expect(runs.map(({ timer }) => timer?.isPastDue)).toEqual([false]);
    await clock.advance(5 * minute);
    expect(runs).toHaveLength(2);
  });

  test("a setting that is missing is named", async () => {
    await expect(start("five-minutes", {})).rejects.toThrow(/function "five-minutes": the setting EVERY/);
  });
});

describe("NCRONTAB", () => {
  test.each([
    ["six fields, seconds first", "30 */5 * * * *", "2026-11-21T06:05:30"],
    ["five fields, second 0", "*/5 * * * *", "2026-11-21T06:10:00"],
    ["names of months and days", "0 30 9 * Jan Mon", "2027-01-04T09:30:00"],
    ["ranges", "0 0 6 * * Mon-Fri", "2026-11-23T06:00:00"],
    ["lists", "0 0 3,9,15 * * *", "2026-11-21T09:00:00"],
    ["day of month and day of week must both match", "0 0 0 13 * 5", "2027-08-13T00:00:00"],
  ])("%s", (_, expression, next) => {
    expect(new Date(ncrontab(expression).next(labStart)).toISOString()).toBe(`${next}.000Z`);
  });

  test("the next occurrence is strictly later", () => {
    expect(ncrontab("0 */5 * * * *").next(labStart)).toBe(labStart + 5 * minute);
  });

  test.each(["00:05:00", "0 0 0 L * *", "0 0 0 * * 5#2", "* * * *", "0 0 0 * * * 2027", ""])("refuses %j", (expression) => {
    expect(() => ncrontab(expression)).toThrow(/is no NCRONTAB schedule/);
  });

  test("says when a schedule never occurs", () => {
    expect(() => ncrontab("0 0 0 31 2 *").next(labStart)).toThrow(/never occurs/);
  });
});
