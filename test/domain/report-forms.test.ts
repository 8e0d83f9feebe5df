import { describe, expect, test } from "vitest";
import { reportHtml } from "../../shared/domain/report-html.ts";
import { reportMarkdown } from "../../shared/domain/report-markdown.ts";
import type { Report } from "../../shared/domain/report.ts";
import { timelineOf } from "../../shared/domain/timeline.ts";
import { timelineRows } from "../../shared/domain/timeline-text.ts";
import { hostileReport, sampleReport } from "./report-sample.ts";

/** What a reader of the file has: nothing but its text. */
const figuresIn = {
  html: (page: string) => [...page.matchAll(/<data value="([^"]+)">/g)].map(([, value]) => Number(value)),
  markdown: (text: string) => [...text.matchAll(/^\| [^|]+ \| \*\*[^|]*\*\*(?: \(([\d.]+) s\))? \|/gm)].map(([, value]) => Number(value)),
};

const reports: readonly (readonly [string, Report])[] = [
  ["a recovery", sampleReport()],
  ["a recovery that took too long and lost too much", sampleReport({ rtoSeconds: 1_000.7, restorePoint: { name: "shop-old", takenAt: "2026-11-20T23:00:00Z", lossSeconds: 26_000, items: 1, volumeBytes: 0 } })],
];

describe.each(reports)("%s", (_, report) => {
  test("has the same figures as page, as Markdown and as JSON", () => {
    const { rtoSeconds, restorePoint } = JSON.parse(JSON.stringify(report)) as Report;
    expect(figuresIn.markdown(reportMarkdown(report)).slice(0, 2)).toEqual([rtoSeconds, restorePoint?.lossSeconds]);
    const page = figuresIn.html(reportHtml(report));
    expect(page.slice(0, 2)).toEqual([rtoSeconds, restorePoint?.lossSeconds]);
    // The time without answers leads the course; then every step, in order.
    expect(page.slice(3)).toEqual(report.steps.map(({ seconds }) => seconds));
    expect(page[2]).toBe(report.observed?.rtoSeconds);
  });

  test.each([
    ["page", reportHtml(report).replaceAll("&#34;", '"').replaceAll("&#39;", "'")],
    ["Markdown", reportMarkdown(report)],
  ])("names on the %s what was decided, seen, passed over and recorded", (_form, text) => {
    const { steps, checks, passedOver, next, acts, confirmation, observed, traffic, restorePoint, pointsOfNoReturn, digest } = report;
    const told = [
      ...steps.flatMap(({ name, outcome }) => [name, outcome === "done" ? "" : outcome]),
      ...checks.flatMap(({ check, saw }) => [check, saw]),
      ...passedOver.flatMap(({ name, reason }) => [name, reason]),
      ...next,
      ...acts.map(({ step, key }) => (key === "" ? step : `${step} (${key})`)),
      ...(confirmation?.readings.flatMap(({ signal, says, about }) => [signal, says, about]) ?? []),
      `"${observed?.shows}"`,
      `${traffic.after}; before: ${traffic.before}`,
      restorePoint?.name ?? "",
      `data at ${pointsOfNoReturn.data?.slice(11, 19)}`.slice(-8),
      `traffic at ${pointsOfNoReturn.traffic?.slice(11, 19)}`.slice(-8),
      "20 times as fast",
      digest,
    ];
    expect(told.filter((words) => !text.includes(words))).toEqual([]);
  });
});

describe("what was decided is told in a few lines:", () => {
  const forms = (report: Report) => [reportMarkdown(report), reportHtml(report).replaceAll("&#39;", "'")];

  test("who did, the loss and the time; the rest by pointing to it", () => {
    for (const text of forms(sampleReport())) {
      const decisions = text.slice(text.indexOf("Decisions"), text.indexOf("The run"));
      for (const words of ["Decided by", "Ada Operator; 1 had to agree", "3 min 37 s", "19 min 24 s", "Above: what the signals said, and why newer restore points were passed over."]) expect(decisions).toContain(words);
      expect(decisions).not.toContain("Restore shop-hourly");
      expect(decisions).not.toContain("ECONNRESET");
    }
  });

  test("why the loss ends later than the region fell dark", () => {
    const point = { name: "shop-1", takenAt: "2026-11-21T05:58:25.000Z", items: 1, volumeBytes: 0 };
    for (const text of forms(sampleReport({ restorePoint: { ...point, lossSeconds: 1_073 } }))) expect(text).toContain("until 06:16:18, when enough signals first said down together: it may have taken writes until then");
    for (const text of forms(sampleReport({ restorePoint: { ...point, lossSeconds: 1_276 } }))) expect(text).toContain("until 06:19:41, when the point was chosen: nobody saw when the last write was taken");
  });
});

test("an objective that was missed is said to be, by how much", () => {
  const late = sampleReport({ rtoSeconds: 1_000 });
  expect(reportHtml(late)).toContain("✗ over the objective of 15 min by 100 s");
  expect(reportMarkdown(late)).toContain("✗ over the objective of 15 min by 100 s");
  expect(reportMarkdown(sampleReport())).toContain("✓ within the objective of 15 min");
});

test("a blip is no recovery: how long users went without is held against nothing", () => {
  const blip = sampleReport({ outcome: "not-failed-over", restorePoint: null, rtoSeconds: 41.2, traffic: { before: "westeurope", after: "westeurope" } });
  const text = reportMarkdown(blip);
  expect(text).toContain("| Users went without | **41 s** (41.2 s) | it ended without a failover<br>");
  expect(text).toContain("| Loss | **nothing was restored** |");
  expect(text).toContain("sent to westeurope, as before");
  expect(text).not.toContain("objective");
});

test("where the observer contradicts the report, both forms say so before anything else", () => {
  const { observed } = sampleReport();
  const doubtful = sampleReport({ observed: observed && { ...observed, disagrees: ['the page shows "A", and the point holds "B"'] } });
  for (const text of [reportHtml(doubtful), reportMarkdown(doubtful)]) {
    expect(text).toContain("What does not fit together");
    expect(text.indexOf("What does not fit together")).toBeLessThan(text.indexOf("Next"));
  }
});

describe("text from outside", () => {
  const evil = "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;\"' | *b* _i_ `c` [l](javascript:1) ~s~ \\| \u001B[31m\n# heading\n- item";

  test("is text on the page, never markup", () => {
    const plain = reportHtml(sampleReport());
    const page = reportHtml(hostileReport(evil));
    const tags = (html: string) => new Set([...html.matchAll(/<\/?([a-z]\w*)/g)].map(([, name]) => name));
    expect(tags(page)).toEqual(tags(plain));
    expect(page).toContain("&#60;script&#62;");
    expect([...page.matchAll(/ on\w+=/g)].filter(({ index }) => page.slice(0, index).lastIndexOf("<") > page.slice(0, index).lastIndexOf(">"))).toEqual([]);
  });

  test("is text in Markdown, on one line, and breaks no table", () => {
    const text = reportMarkdown(hostileReport(evil)).replace(/```text[\s\S]*?```/, "");
    const own = text.replaceAll(/<br>|<\/?details>|<\/?summary>/g, "");
    expect(own).not.toMatch(/[<]/);
    expect(own).not.toMatch(/(?<!\\)(?:\[l|`c|~s|_i)/);
    expect(own).not.toMatch(/(?<!\\)\*b/);
    expect(text.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
    const columns = (line: string) => line.match(/(?<!\\)\|/g)?.length ?? 0;
    const tables = text.split("\n\n").filter((part) => part.startsWith("|"));
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables) expect(new Set(table.split("\n").map(columns)).size, table).toBe(1);
  });
});

describe("the course", () => {
  test("is to scale: a step of a quarter of the time has a quarter of the length", () => {
    const report = sampleReport({
      opened: { ...sampleReport().opened, at: "2026-11-21T06:00:00Z" },
      endedAt: "2026-11-21T06:00:40Z",
      observed: null,
      pointsOfNoReturn: { data: "2026-11-21T06:00:20Z", traffic: null },
      steps: [{ name: "confirm", startedAt: "2026-11-21T06:00:10Z", endedAt: "2026-11-21T06:00:20Z", seconds: 10, outcome: "done" }],
    });
    expect(timelineOf(report)).toMatchObject({ lanes: [{ from: 0.25, to: 0.5, seconds: 10, parallel: false }], marks: [{ name: "data", where: 0.5 }], dark: null });
    expect(reportHtml(report)).toContain('style="left:25%;width:25%"');
    const [scale, confirm, mark, ...others] = timelineRows(report, 40);
    expect(others).toEqual([]);
    expect(scale).toMatchObject({ picture: `06:00:00${" ".repeat(24)}06:00:40` });
    expect(confirm).toMatchObject({ name: "confirm", picture: `${" ".repeat(10)}${"█".repeat(10)}`, took: "10 s" });
    expect(mark?.picture.indexOf("▲")).toBe(20);
  });

  test("says of steps that they ran side by side, and of no other", () => {
    expect(timelineOf(sampleReport()).lanes.filter(({ parallel }) => parallel).map(({ name }) => name)).toEqual(["promote", "make-ready"]);
  });

  test.each([8, 20, 60, 200])("fits %i letters", (width) => {
    for (const { picture } of timelineRows(sampleReport(), width)) expect(picture.length).toBeLessThanOrEqual(width);
  });
});
