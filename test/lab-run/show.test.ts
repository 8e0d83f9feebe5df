import { afterEach, describe, expect, test, vi } from "vitest";
import type { LabEvent } from "../../lab/run/events.ts";
import { columnsOf } from "../../lab/run/show/columns.ts";
import { hushable } from "../../lab/run/show/hushable.ts";
import { jsonLines } from "../../lab/run/show/json-lines.ts";
import { live } from "../../lab/run/show/live.ts";
import { paintIn } from "../../lab/run/show/paint.ts";
import { plainLines } from "../../lab/run/show/plain-lines.ts";
import { waysIn } from "../../lab/run/show/ways-in.ts";
import { sampleReport } from "../domain/report-sample.ts";
import { storyAt, toTheEnd, untilPromote } from "./story.ts";
import { openTerminal } from "./terminal.ts";

const page = "shop.example.com";

describe("on a terminal", () => {
  afterEach(() => void vi.useRealTimers());

  function shown(size: { columns?: number; rows?: number } = {}, { colours = false, at = "06:09:14" } = {}) {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const terminal = openTerminal(size);
    const show = live({ stream: terminal, paint: paintIn(colours), page, title: "region-lost", kind: "failover", now: () => Date.parse(storyAt(at)) });
    const tell = (events: readonly LabEvent[]) => {
      for (const event of events) {
        show.tell(event);
        vi.advanceTimersByTime(250);
      }
    };
    return { terminal, show, tell };
  }

  test("one line says what users meet, and each step whether it waits, runs, or is done", () => {
    const { terminal, show, tell } = shown();
    tell(untilPromote);
    const lines = terminal.lines();
    expect(lines).toContain("shop.example.com  dark for 1:42  socket hang up");
    expect(lines).toContain("  ✓ confirm     46 s");
    expect(lines.some((line) => /^ {2}[⠋-⠿] promote {5}16 s +[⠋-⠿] make-ready {2}16 s$/u.test(line))).toBe(true);
    expect(lines).toContain("  · restore");
    show.end();
  });

  test("the picture stands once, whatever was redrawn, and what happened stands above it", () => {
    const { terminal, show, tell } = shown();
    tell(untilPromote);
    const text = terminal.lines().join("\n");
    expect(text.match(/· restore/g)).toHaveLength(1);
    expect(text.match(/dark for/g)).toHaveLength(1);
    expect(text.match(/is served from/g)).toHaveLength(1);
    expect(text.indexOf("westeurope is lost")).toBeLessThan(text.indexOf("dark for"));
    show.end();
  });

  test("the whole of it goes out in one write, and nothing is written while nothing changes", () => {
    const { terminal, show, tell } = shown();
    tell([{ at: storyAt("06:06:11"), event: "serving", from: "westeurope", shows: "Winter sale" }]);
    const before = terminal.writes;
    vi.advanceTimersByTime(5_000);
    expect(terminal.writes).toBe(before);
    tell([{ at: storyAt("06:07:32"), event: "dark", why: "socket hang up" }]);
    expect(terminal.writes).toBe(before + 2); // the line above, the picture
    show.end();
  });

  test.each([[30, 24], [44, 16], [80, 8], [20, 3], [200, 60]])("fits %i columns and %i rows", (columns, rows) => {
    const { terminal, tell } = shown({ columns, rows });
    tell([...untilPromote, ...toTheEnd]);
    for (const line of terminal.lines()) expect(columnsOf(line), line).toBeLessThanOrEqual(columns);
    expect(terminal.lines().join(" ")).toContain("Recovery time");
  });

  test("a terminal that becomes narrower leaves no shreds of the picture before", () => {
    const { terminal, show, tell } = shown({ columns: 80, rows: 40 });
    tell(untilPromote.slice(0, 8));
    terminal.resize(40);
    tell(untilPromote.slice(8));
    const text = terminal.lines().join("\n");
    expect(text.match(/region-lost/g)).toHaveLength(1);
    expect(text.match(/answers from|dark for/g)).toHaveLength(1);
    show.end();
  });

  test("at the end the cursor is back, the last picture stands, and below it are the figures", () => {
    const { terminal, tell } = shown();
    tell(untilPromote);
    expect(terminal.cursorHidden).toBe(true);
    tell(toTheEnd);
    expect(terminal.cursorHidden).toBe(false);
    const text = terminal.lines().join("\n");
    expect(text).toContain('shop.example.com  answers from northeurope: "Night market"');
    expect(text.indexOf("answers from northeurope")).toBeLessThan(text.indexOf("Recovery time"));
    const written = terminal.writes;
    vi.advanceTimersByTime(5_000);
    expect(terminal.writes).toBe(written);
  });

  test("a run that is broken off leaves no picture, and the cursor back", () => {
    const { terminal, show, tell } = shown();
    tell(untilPromote);
    show.end();
    show.end();
    expect(terminal.cursorHidden).toBe(false);
    expect(terminal.lines().join("\n")).not.toContain("· restore");
    expect(terminal.lines().join("\n")).toContain("westeurope is lost");
  });

  test("a step that the run ended in says how, and so does a run that rightly touched nothing", () => {
    const { terminal, show, tell } = shown();
    const ended = (step: string, outcome: string): LabEvent => ({ at: storyAt("06:09:00"), event: "step", step, state: "ended", startedAt: storyAt("06:08:00"), seconds: 60, outcome });
    tell([ended("restore", "halted"), ended("confirm", "not-failed-over")]);
    expect(terminal.lines()).toContain("  ✗ restore     60 s halted");
    expect(terminal.lines()).toContain("  ✓ confirm     60 s not-failed-over");
    show.end();
  });

  test("what a page says of itself steers nothing", () => {
    const { terminal, show, tell } = shown();
    // The terminal of these tests breaks on any sequence that is not ours.
    tell([{ at: storyAt("06:06:11"), event: "serving", from: "westeurope", shows: "a\u001B]0;evil\u0007\u001B[2Jb\nc" }]);
    expect(terminal.lines()).toContain('shop.example.com  answers from westeurope: "ab c"');
    show.end();
  });
});

describe("elsewhere", () => {
  function plain(colours = false) {
    let text = "";
    const show = plainLines({ out: (more) => void (text += more), err: () => undefined, paint: paintIn(colours), page, columns: 100 });
    return { show, text: () => text };
  }

  test("each event is one line with the lab's time, in plain letters", () => {
    const { show, text } = plain();
    for (const event of untilPromote) show.tell(event);
    const lines = text().trimEnd().split("\n");
    // The first answer and the page being served are one thing.
    expect(lines).toHaveLength(untilPromote.length - 1);
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d {2}\S/.test(line))).toEqual([]);
    expect(lines).toContain("06:07:52  an alert was delivered: 202, opened run shop-1");
    expect(lines).toContain("06:07:10  the app has checked the copy of shop-hourly-1: not usable, it has no archive at the replica");
    expect(text()).not.toContain("\u001B");
  });

  test("it ends with the course, the figures against the objectives, what was passed over and where the report is", () => {
    const { show, text } = plain();
    for (const event of toTheEnd) show.tell(event);
    for (const words of ["5 min 41 s (340.8 s), within the objective of 15 min", "restored: shop-hourly-20261121055825, taken 05:58:25", '"Winter sale"', "Passed over         shop-hourly-20261121061330: it has no", "20 times as fast", "/tmp/report/report.html", "▲ data 06:19:44", "users dark", "the report agrees with what was seen from outside"])
      expect(text()).toContain(words);
  });

  test("what did not come out right is the last thing said, and nothing is said to be well", () => {
    const { show, text } = plain();
    show.tell({ at: storyAt("06:10:20"), event: "failed", why: "the run ended halted" });
    show.tell({ at: storyAt("06:10:21"), event: "report", directory: null, report: sampleReport({ outcome: "halted", rtoSeconds: null }) });
    expect(text().trimEnd().split("\n").at(-1)).toBe("WRONG: the run ended halted");
    expect(text()).not.toContain("as this scenario must end");
  });

  test("colours are there when they are wanted", () => {
    const { show, text } = plain(true);
    for (const event of toTheEnd) show.tell(event);
    expect(text()).toContain("\u001B[32m");
  });
});

test("as JSON, each event is one object on a line of its own, the report is the last, and notes go elsewhere", () => {
  let out = "";
  let err = "";
  const show = jsonLines({ out: (text) => void (out += text), err: (text) => void (err += text) });
  for (const event of [...untilPromote, ...toTheEnd]) show.tell(event);
  show.note("a note");
  show.end();
  const events = out.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events).toHaveLength(untilPromote.length + toTheEnd.length);
  expect(events.every(({ format, at, event }) => format === 1 && typeof at === "string" && typeof event === "string")).toBe(true);
  expect(events.at(-1)).toMatchObject({ event: "report", report: { rtoSeconds: 340.8 } });
  expect(err).toBe("a note\n");
});

test("after the report nothing more is said: what breaks while all is being closed is no news", () => {
  const told: string[] = [];
  const show = hushable({ tell: ({ event }) => void told.push(event), note: (text) => void told.push(text), end: () => void told.push("end") });
  const [report] = toTheEnd.slice(-1);
  for (const event of [untilPromote[0], report, untilPromote[8]]) if (event) show.tell(event);
  show.note("the lab could not answer");
  show.end();
  expect(told).toEqual(["stage", "report", "end"]);
});

test("who stays is told how to reach each region's own page, as commands to copy", () => {
  const up = untilPromote.find((event) => event.event === "up");
  expect(waysIn(up?.event === "up" ? up.urls : {}, { doors: "/tmp/lab/doors.env", log: ".lab/report/app.jsonl" })).toEqual(expect.arrayContaining([
    "  curl --cacert /tmp/lab/lab-ca.pem --resolve shop.example.com:4321:127.0.0.11 https://shop.example.com:4321/",
    "  curl --cacert /tmp/lab/lab-ca.pem --resolve shop.example.com:4321:127.0.0.12 https://shop.example.com:4321/",
    '  . /tmp/lab/doors.env; curl -H "authorization: Bearer $TOKEN" $APP/api/plans',
    "the function app:  http://127.0.0.1:7071",
    "what it writes:    .lab/report/app.jsonl",
  ]));
});
