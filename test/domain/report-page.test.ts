/** The report page in a real browser: what no look at its source can tell. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { reportHtml } from "../../shared/domain/report-html.ts";
import { hostileReport, sampleReport } from "./report-sample.ts";

const found = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env["PATH"] ?? "").split(path.delimiter).map((folder) => path.join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const leftOut = process.env["LIFEBOAT_NO_BROWSER"] === "1";

let browser: Browser | null = null;
beforeAll(async () => {
  if (leftOut) return;
  if (found === undefined) throw new Error("there is no chromium on this machine, and the report page is tried in a real browser: apt-get install chromium, or leave these tests out with LIFEBOAT_NO_BROWSER=1");
  // In a container, root has no sandbox to give; the page holds no script.
  browser = await chromium.launch({ executablePath: found, args: ["--no-sandbox"] });
});
beforeEach(({ skip }) => skip(leftOut, "LIFEBOAT_NO_BROWSER=1 is set: no browser looks at the report page"));
afterAll(() => browser?.close());

/** Opens the page, records unfolded; every complaint of the browser is a failure. */
async function opened(html: string): Promise<Page> {
  if (browser === null) throw new Error("no browser");
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => complaints.push(`it asks for ${request.url()}`));
  await page.setContent(html);
  await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
  expect(complaints).toEqual([]);
  return page;
}

const longest = `shop-${"very".repeat(40)}-long`;
const pages = [
  ["a recovery", sampleReport()],
  ["a failover that halted", sampleReport({ outcome: "halted", rtoSeconds: null, restorePoint: null, observed: null, steps: sampleReport().steps.map((step) => (step.name === "restore" ? { ...step, outcome: "halted" } : step)) })],
  ["names that have no end", hostileReport(longest)],
] as const;

describe.each(pages)("the page of %s", (_, report) => {
  const html = reportHtml(report);

  test("has nothing that sticks out, from 320 px to 1280 px", async () => {
    const page = await opened(html);
    for (const width of [320, 360, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate<string[]>(stickingOut), `${width} px`).toEqual([]);
    }
    await page.close();
  });

  test("is readable in light and in dark colours: contrast at least 4.5 to 1", async () => {
    const page = await opened(html);
    const papers = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const { looked, faint, paper } = await page.evaluate<{ looked: number; faint: string[]; paper: string }>(contrasts);
      expect(faint, colorScheme).toEqual([]);
      expect(looked).toBeGreaterThan(50);
      papers.add(paper);
    }
    expect(papers.size).toBe(2);
    await page.close();
  });

  test("is one heading, then headings of the next level, and a list of steps", async () => {
    const page = await opened(html);
    const levels = await page.evaluate<number[]>("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(({ tagName }) => Number(tagName[1]))");
    expect(levels[0]).toBe(1);
    expect(levels.slice(1).every((level) => level === 2)).toBe(true);
    expect(await page.title()).toContain(report.plan);
    expect(await page.locator("ol > li").count()).toBe(report.steps.length + (report.observed === null ? 0 : 1));
    await page.close();
  });
});

// What runs in the page is text: it knows the browser's types, which these tests do not.
const stickingOut = `
  [...document.querySelectorAll("body *")]
    .filter((element) => element.getClientRects().length > 0 && element.closest("thead") === null)
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 || element.getBoundingClientRect().left < -0.5)
    .map((element) => element.outerHTML.slice(0, 80))
    .concat(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["the page scrolls sideways"] : [])`;

const contrasts = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let looked = 0;
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (textContent.trim() === "" || element.getClientRects().length === 0) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    looked += 1;
    if (contrast < 4.5) faint.push(contrast.toFixed(2) + ": " + textContent.slice(0, 40));
  }
  return { looked, faint, paper: getComputedStyle(document.body).backgroundColor };
})()`;
