/** Where a lab run stands, folded from its events. Pure. */
import { type Phase, phases } from "../../../shared/domain/outcome.ts";
import { wentWell } from "../../../shared/domain/timeline.ts";
import type { LabEvent } from "../events.ts";

export type StepState =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly since: number }
  | { readonly kind: "done"; readonly seconds: number; readonly outcome: string }
  | { readonly kind: "failed"; readonly seconds: number; readonly outcome: string };

/** What users meet under the public name. */
export type PageState =
  | { readonly kind: "not-yet" }
  | { readonly kind: "answering"; readonly from: string; readonly shows: string }
  | { readonly kind: "dark"; readonly since: number; readonly why: string };

export interface Progress {
  /** What is being prepared, until the run begins. */
  readonly stage: string | null;
  readonly page: PageState;
  /** In the order of the runbook. */
  readonly steps: ReadonlyMap<Phase, StepState>;
  readonly outcome: string | null;
  readonly failures: readonly string[];
}

/** The phases of a recovery in place; the others belong to a region that is lost. */
const recoveryPhases: readonly Phase[] = ["accept", "confirm", "choose", "restore", "verify", "release", "report"];

export function newProgress(kind: "failover" | "recovery"): Progress {
  // Nobody waits to stand down: it shows up when it happens.
  const due = kind === "failover" ? phases.filter((phase) => phase !== "stand-down") : recoveryPhases;
  return { stage: null, page: { kind: "not-yet" }, steps: new Map(due.map((phase) => [phase, { kind: "waiting" }])), outcome: null, failures: [] };
}

export function advanced(progress: Progress, event: LabEvent): Progress {
  switch (event.event) {
    case "stage":
      return { ...progress, stage: event.stage };
    case "serving":
      return { ...progress, stage: null, page: { kind: "answering", from: event.from, shows: event.shows } };
    case "answer":
      return { ...progress, page: { kind: "answering", from: event.from, shows: event.shows } };
    case "dark":
      return progress.page.kind === "answering" ? { ...progress, page: { kind: "dark", since: Date.parse(event.at), why: event.why } } : progress;
    case "step": {
      const phase = phases.find((known) => known === event.step);
      return phase === undefined ? progress : { ...progress, steps: inOrder(new Map([...progress.steps, [phase, stateOf(event)]])) };
    }
    case "ended":
      return { ...progress, outcome: event.outcome };
    case "failed":
      return { ...progress, failures: [...progress.failures, event.why] };
    case "up":
      return { ...progress, stage: null };
    case "backup":
    case "checked":
    case "lost":
    case "returned":
    case "agent":
    case "alert":
    case "asked":
    case "report":
      return progress;
  }
}

const inOrder = (steps: ReadonlyMap<Phase, StepState>): Progress["steps"] => new Map([...steps].toSorted(([a], [b]) => phases.indexOf(a) - phases.indexOf(b)));

function stateOf({ state, startedAt, seconds, outcome }: Extract<LabEvent, { event: "step" }>): StepState {
  if (state === "began") return { kind: "running", since: Date.parse(startedAt) };
  if (outcome === null || wentWell(outcome)) return { kind: "done", seconds: seconds ?? 0, outcome: outcome ?? "done" };
  return { kind: "failed", seconds: seconds ?? 0, outcome };
}
