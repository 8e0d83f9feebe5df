import { Cron } from "croner";

/** A schedule in UTC. */
export interface Schedule {
  /** The first occurrence strictly after an instant, UTC milliseconds. */
  next(afterAt: number): number;
}

/** Names and numbers that each of the six fields takes: second, minute, hour, day, month, day of the week. */
const field = /^[0-9A-Za-z*,/-]+$/;

/**
 * Reads an NCRONTAB expression: six fields with seconds first; five mean second 0. Day of month and day of week must both match, where
 * classic cron takes either. Time spans and the letters L, W and #, which NCRONTAB lacks, are refused.
 */
export function ncrontab(expression: string): Schedule {
  const fields = expression.trim().split(/\s+/);
  const [, , , ...dayFields] = fields.length === 5 ? ["0", ...fields] : fields;
  const known = (fields.length === 5 || fields.length === 6) && fields.every((text) => field.test(text)) && !dayFields.some((text) => /\d[LW]|^[LW]/i.test(text));
  if (!known) throw new Error(`"${expression}" is no NCRONTAB schedule: six fields "second minute hour day month weekday", for example "0 */5 * * * *"`);
  const cron = new Cron(expression.trim(), { paused: true, timezone: "UTC", domAndDow: true, mode: "5-or-6-parts" });
  return {
    next(afterAt) {
      const date = cron.nextRun(new Date(afterAt));
      if (!date) throw new Error(`the schedule "${expression}" never occurs`);
      return date.getTime();
    },
  };
}
