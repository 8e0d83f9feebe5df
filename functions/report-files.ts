import type { Report } from "../shared/domain/report.ts";
import { reportHtml } from "../shared/domain/report-html.ts";
import { reportMarkdown } from "../shared/domain/report-markdown.ts";
import type { Home } from "../shared/ports.ts";

/** Writes a report in its three forms. They follow from the report alone, so writing them again writes the same. */
export async function putReport(home: Home, runId: string, report: Report): Promise<string> {
  const name = (extension: string) => `reports/${runId}/report.${extension}`;
  await Promise.all([
    home.put(name("json"), JSON.stringify(report, null, 2), "application/json"),
    home.put(name("md"), reportMarkdown(report), "text/markdown; charset=utf-8"),
    home.put(name("html"), reportHtml(report), "text/html; charset=utf-8"),
  ]);
  return name("json");
}
