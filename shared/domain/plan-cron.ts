/**
 * Cron as Velero reads it: `ParseStandard` of robfig/cron v3 (https://pkg.go.dev/github.com/robfig/cron/v3), five fields or a word
 * that begins with `@`. Other programs take more (seconds, `L`, 7 for Sunday); what they would take, Velero refuses at run time.
 */

/** How far apart two firings are, at least and at most. Summer time is left out of it. */
export interface Rhythm {
  readonly shortestSeconds: number;
  readonly longestSeconds: number;
}

/** `never`: well formed, so Velero takes it, and no day fits it, such as the 31st of February. */
export type ReadCron = ({ readonly kind: "cron" } & Rhythm) | { readonly kind: "never" } | { readonly kind: "wrong"; readonly why: string };

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Words that stand for `least` and what follows it. */
  readonly words?: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of month", least: 1, most: 31 },
  { name: "month", least: 1, most: 12, words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { name: "day of week", least: 0, most: 6, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const words: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/** Never throws. */
export function readCron(text: string): ReadCron {
  const plain = text.replace(/^(?:CRON_)?TZ=\S+\s+/, "").trim();
  const every = /^@every\s+(\S+)$/.exec(plain)?.[1];
  if (every !== undefined) return readEvery(every);
  const parts = (words.get(plain) ?? plain).split(/\s+/);
  if (plain.startsWith("@") && !words.has(plain)) return wrong(`knows no ${plain}: it is ${[...words.keys()].join(", ")} or @every with a duration`);
  if (plain === "" || parts.length !== fields.length) return wrong(`has ${plain === "" ? 0 : parts.length} of ${fields.length} fields: ${fields.map(({ name }) => name).join(", ")}`);
  const sets: Set<number>[] = [];
  for (const [at, field] of fields.entries()) {
    const read = readField(parts[at] ?? "", field);
    if (typeof read === "string") return wrong(read);
    sets.push(read);
  }
  return rhythmOf(sets, parts);
}

const wrong = (why: string): ReadCron => ({ kind: "wrong", why });

const unitSeconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3_600 };

/** A duration as Go writes it, `1h30m`. Less than a second counts as one. */
function readEvery(duration: string): ReadCron {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(duration)) return wrong(`has @every ${duration}, which is no duration such as 30m or 1h30m`);
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  const seconds = Math.max(1, Math.floor(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ""] ?? 0), 0)));
  return { kind: "cron", shortestSeconds: seconds, longestSeconds: seconds };
}

/** The values that a field stands for, or what is wrong with it. */
function readField(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [, range = "", step] = /^([^/]*)(?:\/(\d+))?$/.exec(item) ?? [];
    const bounds = boundsOf(range, field, step !== undefined);
    if (bounds === null || step === "0" || Number(step ?? 1) === 0) return `has \`${item}\` as ${field.name}, which is none`;
    const [from, to] = bounds;
    if (from < field.least || to > field.most) return `has \`${item}\` as ${field.name}, which goes from ${field.least} to ${field.most}`;
    if (from > to) return `has \`${item}\` as ${field.name}, which ends before it begins`;
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

function boundsOf(range: string, { least, most, words: named = [] }: Field, stepped: boolean): readonly [number, number] | null {
  if (range === "*" || range === "?") return [least, most];
  const ends = range.split("-").map((end) => (/^\d{1,4}$/.test(end) ? Number(end) : named.includes(end.toLowerCase()) ? least + named.indexOf(end.toLowerCase()) : null));
  const [from, to = stepped ? most : from] = ends;
  return ends.length > 2 || from == null || to == null ? null : [from, to];
}

const none: ReadonlySet<number> = new Set();
const daySeconds = 86_400;
/** All leap years and weekdays come by in 28 years. */
const daysLooked = 28 * 366;

/** Every day that is looked at, by its date, month and weekday. Made once: a plan is read with every alert. */
const calendar: readonly (readonly [date: number, month: number, weekday: number])[] = Array.from({ length: daysLooked }, (_, day) => {
  const date = new Date(Date.UTC(2001, 0, 1 + day));
  return [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
});

/** Of two fields for the day, either is enough when both are restricted. */
function rhythmOf([minutes = none, hours = none, days = none, months = none, weekdays = none]: readonly ReadonlySet<number>[], [, , dayText = "", , weekdayText = ""]: readonly string[]): ReadCron {
  const times = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 3_600 + minute * 60)).toSorted((a, b) => a - b);
  const open = (text: string) => /(?:^|,)[*?](?:\/1)?(?:,|$)/.test(text);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const gaps = new Set(times.slice(1).map((time, at) => time - (times[at] ?? 0)));
  const both = open(dayText) || open(weekdayText);
  // As many as there are in a week, a month, a year: then it is every day.
  const daily = days.size === 31 && months.size === 12 && weekdays.size === 7;
  let before: number | null = null;
  for (const [day, [date, month, weekday]] of (daily ? calendar.slice(0, 2) : calendar).entries()) {
    const [inMonth, inWeek] = [days.has(date), weekdays.has(weekday)];
    if (!months.has(month) || !(both ? inMonth && inWeek : inMonth || inWeek)) continue;
    if (before !== null) gaps.add((day - before) * daySeconds - last + first);
    before = day;
  }
  return before === null ? { kind: "never" } : { kind: "cron", shortestSeconds: Math.min(...gaps), longestSeconds: Math.max(...gaps) };
}
