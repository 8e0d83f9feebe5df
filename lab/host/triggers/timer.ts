import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveSettings } from "../settings.ts";
import { writeWhole } from "../state-file.ts";
import { ncrontab, type Schedule } from "./ncrontab.ts";
import { bindingText, type RunningTrigger, type TriggerOptions } from "./trigger.ts";

/** What is remembered of a schedule, in the shape that the app sees. ISO instants. */
interface ScheduleStatus {
  /** The last run; the year 1 before the first. */
  readonly Last: string;
  readonly Next: string;
  readonly LastUpdated: string;
}

const never = "0001-01-01T00:00:00.000Z";
/** Schedules that recur more often than this are not monitored, whatever the app says. */
const monitorMsMin = 60_000;

/**
 * Runs a timer function by its schedule, in lab time, never twice at once. A monitored schedule is remembered on disk: what was missed
 * while the host was down is made up for by one run with `IsPastDue`; a run that was cut off counts as missed.
 */
export async function startTimer(options: TriggerOptions): Promise<RunningTrigger> {
  const { registered, clock, settings, stateDirectory } = options;
  const where = `function "${registered.name}"`;
  const schedule = ncrontab(resolveSettings(bindingText(registered, "schedule"), settings, where));
  const isMonitored = registered.trigger.binding.useMonitor !== false && recursSlowly(schedule, clock.now());
  const file = join(stateDirectory, "timers", `${registered.name}.json`);

  let status = isMonitored ? await readStatus(file, schedule) : null;
  const isPastDue = status !== null && Date.parse(status.Next) <= clock.now();
  if (isMonitored && !status) await remember(null);

  let cancel = () => {};
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  const report = (what: string) => (error: unknown) =>
    options.log({ level: "error", category: "system", functionName: registered.name, message: `${what}: ${String(error)}` });
  const inTurn = (run: () => Promise<void>) => (running = running.then(run).catch(report("the timer's status could not be kept")));

  if (isPastDue || registered.trigger.binding.runOnStartup === true) void inTurn(() => scheduled(isPastDue));
  else arm();

  function arm(): void {
    if (closed) return;
    const now = clock.now();
    cancel = clock.after(schedule.next(now) - now, () => void inTurn(() => scheduled(false)));
  }

  async function scheduled(pastDue: boolean): Promise<void> {
    if (closed) return;
    const startedAt = clock.now();
    await call(pastDue);
    try {
      if (isMonitored) await remember(startedAt);
    } finally {
      arm();
    }
  }

  /** A failing run is logged and over: timers are not retried. */
  async function call(pastDue: boolean): Promise<void> {
    const value = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: pastDue };
    try {
      await options.app.invoke(registered.name, { data: { json: JSON.stringify(value) }, others: options.bindings.inputsFor(registered) });
    } catch (error) {
      report("the timer's run failed")(error);
    }
  }

  async function remember(lastAt: number | null): Promise<void> {
    const now = clock.now();
    const iso = (at: number) => new Date(at).toISOString();
    status = { Last: lastAt === null ? never : iso(lastAt), Next: iso(schedule.next(now)), LastUpdated: iso(now) };
    await writeWhole(file, JSON.stringify(status));
  }

  return {
    fire: () => inTurn(() => call(false)),
    async close() {
      closed = true;
      cancel();
      await running;
    },
  };
}

function recursSlowly(schedule: Schedule, now: number): boolean {
  const first = schedule.next(now);
  return schedule.next(first) - first >= monitorMsMin;
}

/** The stored status; its Next is computed anew, since the schedule may have changed while the host was down. */
async function readStatus(file: string, schedule: Schedule): Promise<ScheduleStatus | null> {
  if (!existsSync(file)) return null;
  const stored = JSON.parse(await readFile(file, "utf8")) as ScheduleStatus;
  return { ...stored, Next: new Date(schedule.next(Date.parse(stored.LastUpdated))).toISOString() };
}
