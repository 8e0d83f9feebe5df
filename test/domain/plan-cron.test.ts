import { expect, test } from "vitest";
import { readCron } from "../../shared/domain/plan-cron.ts";

const hour = 3_600;
const day = 24 * hour;

test.each<[string, number, number]>([
  ["0 * * * *", hour, hour],
  ["  */15 * * * *  ", 900, 900],
  ["*/40 * * * *", 1_200, 2_400],
  ["5/20 * * * *", 1_200, 1_200],
  ["0 2 * * *", day, day],
  ["0 9-17 * * MON-fri", hour, 64 * hour],
  ["0 0 ? * 0", 7 * day, 7 * day],
  ["0 0 1,15 * 1", day, 7 * day],
  ["0 0 1 jan *", 365 * day, 366 * day],
  ["0 0 29 2 *", 1_461 * day, 1_461 * day],
  ["@hourly", hour, hour],
  ["@midnight", day, day],
  ["@weekly", 7 * day, 7 * day],
  ["@every 1h30m", 1.5 * hour, 1.5 * hour],
  ["@every 500ms", 1, 1],
  ["CRON_TZ=Europe/Berlin 0 6 * * *", day, day],
])("%j is taken: %i to %i seconds from one backup to the next", (text, shortestSeconds, longestSeconds) => {
  expect(readCron(text)).toEqual({ kind: "cron", shortestSeconds, longestSeconds });
});

test.each([
  ["61 * * * *", "has `61` as minute, which goes from 0 to 59"],
  ["0 24 * * *", "has `24` as hour, which goes from 0 to 23"],
  ["0 0 0 * *", "has `0` as day of month, which goes from 1 to 31"],
  ["0 0 * * 7", "has `7` as day of week, which goes from 0 to 6"],
  ["0 0 * sept *", "has `sept` as month, which is none"],
  ["0 0 L * *", "has `L` as day of month, which is none"],
  ["*/0 * * * *", "has `*/0` as minute, which is none"],
  ["10-5 * * * *", "has `10-5` as minute, which ends before it begins"],
  ["1,,2 * * * *", "has `` as minute, which is none"],
  ["constructor", "has 1 of 5 fields: minute, hour, day of month, month, day of week"],
  ["hourly", "has 1 of 5 fields: minute, hour, day of month, month, day of week"],
  ["0 * * * * *", "has 6 of 5 fields: minute, hour, day of month, month, day of week"],
  ["", "has 0 of 5 fields: minute, hour, day of month, month, day of week"],
  ["@fortnightly", "knows no @fortnightly: it is @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or @every with a duration"],
  ["@every hour", "has @every hour, which is no duration such as 30m or 1h30m"],
])("%j is refused, as Velero would refuse it", (text, why) => {
  expect(readCron(text)).toEqual({ kind: "wrong", why });
});

test("a schedule that no day fits is taken by Velero, and is told apart", () => {
  expect(readCron("0 0 31 2 *")).toEqual({ kind: "never" });
});
