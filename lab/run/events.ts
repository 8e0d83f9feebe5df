/** What a lab run tells, in the order it happens. One of them is one line of `--json`. */
import type { Report } from "../../shared/domain/report.ts";

export type LabEvent = { readonly at: string } & (
  | { readonly event: "stage"; readonly stage: string }
  | { readonly event: "up"; readonly urls: Readonly<Record<string, string>> }
  | { readonly event: "serving"; readonly from: string; readonly shows: string }
  | { readonly event: "backup"; readonly name: string; readonly phase: string; readonly shows: string }
  | { readonly event: "checked"; readonly name: string; readonly reached: string | null; readonly usable: boolean; readonly about: string }
  | { readonly event: "lost"; readonly what: string }
  | { readonly event: "returned"; readonly what: string }
  | { readonly event: "agent"; readonly said: string; readonly why: string; readonly left: readonly string[] }
  | { readonly event: "dark"; readonly why: string }
  | { readonly event: "alert"; readonly status: number; readonly answer: unknown }
  | { readonly event: "asked"; readonly status: number; readonly answer: unknown }
  | { readonly event: "step"; readonly step: string; readonly state: "began" | "ended"; readonly startedAt: string; readonly seconds: number | null; readonly outcome: string | null }
  | { readonly event: "answer"; readonly from: string; readonly shows: string }
  | { readonly event: "ended"; readonly outcome: string; readonly summary: string }
  | { readonly event: "report"; readonly directory: string | null; readonly report: Report }
  | { readonly event: "failed"; readonly why: string }
);

export type Tell = (event: LabEvent extends infer E ? (E extends LabEvent ? Omit<E, "at"> : never) : never) => void;
