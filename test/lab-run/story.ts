/** The events of one lab run as it was told, for whatever shows them. */
import type { LabEvent } from "../../lab/run/events.ts";
import { sampleReport } from "../domain/report-sample.ts";

export const storyAt = (time: string): string => `2026-11-21T${time}.000Z`;

const step = (at: string, name: string, state: "began" | "ended", startedAt: string, seconds: number | null = null, outcome: string | null = null): LabEvent => ({
  at: storyAt(at),
  event: "step",
  step: name,
  state,
  startedAt: storyAt(startedAt),
  seconds,
  outcome,
});

/** From the first stage until promote and make-ready run side by side. */
export const untilPromote: readonly LabEvent[] = [
  { at: storyAt("06:05:00"), event: "stage", stage: "storage" },
  { at: storyAt("06:05:40"), event: "stage", stage: "app" },
  { at: storyAt("06:06:10"), event: "up", urls: { public: "https://shop.example.com:4321/", westeurope: "https://127.0.0.11:4321/", northeurope: "https://127.0.0.12:4321/", app: "http://127.0.0.1:7071", storage: "http://127.0.0.1:7072", ca: "file:///tmp/lab/lab-ca.pem" } },
  { at: storyAt("06:06:11"), event: "answer", from: "westeurope", shows: "Winter sale" },
  { at: storyAt("06:06:11"), event: "serving", from: "westeurope", shows: "Winter sale" },
  { at: storyAt("06:06:50"), event: "backup", name: "shop-hourly-1", phase: "Completed", shows: "Night market" },
  { at: storyAt("06:07:10"), event: "checked", name: "shop-hourly-1", reached: "seen", usable: false, about: "it has no archive at the replica" },
  { at: storyAt("06:07:31"), event: "lost", what: "westeurope" },
  { at: storyAt("06:07:32"), event: "dark", why: "socket hang up" },
  { at: storyAt("06:07:52"), event: "alert", status: 202, answer: { runs: [{ plan: "shop", kind: "opened", runId: "shop-1" }] } },
  step("06:07:53", "accept", "began", "06:07:52"),
  step("06:07:53", "accept", "ended", "06:07:52", 0, "accepted"),
  step("06:07:54", "confirm", "began", "06:07:53"),
  step("06:08:40", "confirm", "ended", "06:07:53", 46, "done"),
  step("06:09:00", "promote", "began", "06:08:58"),
  step("06:09:00", "make-ready", "began", "06:08:58"),
];

/** … and on until the report. */
export const toTheEnd: readonly LabEvent[] = [
  step("06:09:10", "promote", "ended", "06:08:58", 12, "done"),
  step("06:09:20", "make-ready", "ended", "06:08:58", 22, "done"),
  { at: storyAt("06:10:00"), event: "answer", from: "northeurope", shows: "Night market" },
  { at: storyAt("06:10:20"), event: "ended", outcome: "recovered", summary: "The application runs again." },
  { at: storyAt("06:10:21"), event: "report", directory: "/tmp/report", report: sampleReport() },
];
