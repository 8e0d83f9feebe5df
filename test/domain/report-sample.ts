/** A report as a real run of the lab left it, to be changed where a test says so. */
import type { Report } from "../../shared/domain/report.ts";

const at = (time: string): string => `2026-11-21T${time}Z`;
const step = (name: Report["steps"][number]["name"], from: string, to: string, outcome = "done"): Report["steps"][number] => ({
  name,
  startedAt: at(from),
  endedAt: at(to),
  seconds: Math.round((Date.parse(at(to)) - Date.parse(at(from))) / 100) / 10,
  outcome,
});

export function sampleReport(changes: Partial<Report> = {}): Report {
  return {
    format: 1,
    runId: "shop-1",
    kind: "failover",
    outcome: "recovered",
    summary: "The application runs again from shop-hourly-20261121055825; it is unprotected until it is reprotected in the other direction.",
    plan: "shop",
    planHash: "4a81ee83dd2a1c699d993375263afb9174a7e27e38ab7ff306c8fef2d6813062",
    topology: "replicated",
    epoch: 1,
    opened: { at: at("06:15:43.520"), door: "alert", by: "ar-shop-availability-weu", reason: "its custom property lifeboat-plan names the plan" },
    endedAt: at("06:21:46.560"),
    rtoSeconds: 340.8,
    objectives: { rtoSeconds: 900, rpoSeconds: 4_500 },
    restorePoint: { name: "shop-hourly-20261121055825", takenAt: at("05:58:25.000"), lossSeconds: 1_276, items: 74, volumeBytes: 2_500_048 },
    passedOver: [{ name: "shop-hourly-20261121061330", reason: "it has no shop-hourly-20261121061330.tar.gz at the replica" }],
    findings: [],
    steps: [
      step("accept", "06:15:43.520", "06:15:43.520", "accepted"),
      step("confirm", "06:15:48.080", "06:17:26.900"),
      step("decide", "06:17:26.900", "06:19:28.700"),
      step("fence", "06:19:28.700", "06:19:32.400"),
      step("choose", "06:19:32.400", "06:19:41.160"),
      step("promote", "06:19:42.120", "06:19:56.780"),
      step("make-ready", "06:19:42.140", "06:19:51.340"),
      step("restore", "06:19:58.380", "06:20:43.660"),
      step("verify", "06:20:43.660", "06:20:47.720"),
      step("open", "06:20:47.720", "06:20:59.260"),
      step("release", "06:21:06.600", "06:21:45.020"),
      step("report", "06:21:45.860", "06:21:46.560"),
    ],
    confirmation: {
      kind: "lost",
      scope: "region",
      since: Date.parse(at("06:16:07.400")),
      agreedSince: Date.parse(at("06:16:17.400")),
      readings: [
        { signal: "public-probe", says: "down", about: "ECONNRESET: socket hang up" },
        { signal: "kubernetes-api", says: "down", about: "ECONNRESET: request to https://127.0.0.1:43101/readyz failed, reason: socket hang up" },
        { signal: "resource-health", says: "unknown", about: "the answer did not come in time" },
      ],
    },
    decision: {
      card: {
        restorePoint: "shop-hourly-20261121055825",
        takenAt: Date.parse(at("05:58:25.000")),
        lossSeconds: 1_164,
        withinRpo: true,
        items: 74,
        volumeBytes: 2_500_048,
        predictedRtoSeconds: 217,
        withinRto: true,
        passedOver: [],
        waitingCosts: "Each second of waiting is a second of outage more; the plan allows 15 min.",
      },
      by: "Ada Operator; 1 had to agree",
      asked: "Restore shop-hourly-20261121055825? At most 19 min 24 s of changes are lost.",
      answers: [{ about: "decision", question: null, verdict: "approve", personId: "id of Ada", by: "Ada Operator", at: Date.parse(at("06:18:02.000")), reason: "the region is dark" }],
      abort: null,
    },
    fence: { level: "traffic-only", about: "the primary's public endpoint is closed; its cluster does not answer" },
    traffic: { before: "westeurope", after: "northeurope" },
    checks: [
      { check: "GET https://shop.example.com/ at neu.shop.example.com", saw: 'status 200, holds "EUR"' },
      { check: "volume shop/data-orders-0", saw: "bound; snapshot d70925441320c050e93b72478118b3da restored: Completed" },
    ],
    pointsOfNoReturn: { data: at("06:19:44.860"), traffic: at("06:20:48.720") },
    acts: [
      { at: at("06:17:24.200"), step: "confirm-loss", key: "", phase: "confirm", seconds: 5.1 },
      { at: at("06:20:07.100"), step: "start-restore", key: "shop-main", phase: "restore", seconds: 1.2 },
    ],
    next: ["Reprotect shop in the other direction as soon as westeurope is back.", "Keep westeurope fenced when it returns."],
    observed: {
      by: "an independent client",
      lastGoodAt: at("06:15:14.260"),
      firstGoodAt: at("06:20:55.080"),
      rtoSeconds: 340.8,
      shows: "Winter sale",
      writesToPrimary: 0,
      rate: 20,
      disagrees: [],
    },
    digest: "ae731923189d42399762b802bf0ec7df602983ae6b3b411fabfa59075fa03953",
    ...changes,
  };
}

/** The same report, with every text in it replaced that comes from outside. */
export function hostileReport(text: string): Report {
  const report = sampleReport();
  return {
    ...report,
    runId: text,
    plan: text,
    planHash: text,
    digest: text,
    summary: text,
    opened: { ...report.opened, by: text, reason: text },
    restorePoint: report.restorePoint && { ...report.restorePoint, name: text },
    passedOver: [{ name: text, reason: text }],
    confirmation: report.confirmation && { ...report.confirmation, readings: report.confirmation.readings.map((reading) => ({ ...reading, about: text })) },
    decision: { ...report.decision, by: text, asked: text, answers: report.decision.answers.map((answer) => ({ ...answer, by: text, reason: text })), abort: { by: text, at: 0, reason: text } },
    fence: { level: text, about: text },
    traffic: { before: text, after: text },
    checks: [{ check: text, saw: text }],
    acts: report.acts.map((act) => ({ ...act, step: text, key: text })),
    next: [text],
    observed: report.observed && { ...report.observed, by: text, shows: text, disagrees: [text] },
  };
}
