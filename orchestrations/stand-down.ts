/**
 * The endings of a failover that does not recover. What is done depends on how far it came: before the points of no return everything is
 * undone; between them traffic is left alone and what must be rebuilt is said; after the traffic point there is only forward, with a person.
 */
import type { Quieted } from "../shared/domain/fence.ts";
import type { Outcome, Phase } from "../shared/domain/outcome.ts";
import type { AgentTerms } from "../shared/domain/plan-agent.ts";
import { agentOpeningWaiting } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, type StepFailed, type Tried, tried } from "./runbook.ts";
import { type Ends, steps } from "./steps.ts";

/** How far the fence came. Set before the act, so that one which failed to answer is undone too. */
export interface Fenced {
  begun: boolean;
  quieted: Quieted | null;
  /** The one in the primary that may have been asked; `null`: the plan has none. */
  readonly agent: AgentTerms | null;
}

export type Ending = Extract<Outcome, { kind: "declined" | "aborted" | "nothing-restorable" | "target-not-ready" }> | { readonly kind: "failed"; readonly failure: StepFailed };

export function* standDown(desk: Desk, fenced: Fenced, ending: Ending): Runbook<Outcome> {
  const why = whyOf(ending, desk.reached());
  // The ledger says what was passed: an act that did not answer may still have happened.
  const passed = yield* desk.run(steps.readPoints, {});
  if (passed.traffic) return { ...why, next: onlyForward(why.step, passed.ends) };
  if (passed.data) {
    if (ending.kind === "aborted") return { ...ending, left: ["the replica may be cut off from its source: look for the replication policy, and create a new one into a fresh container", "the primary's public endpoint is closed, and its workloads are suspended as far as they could be reached", ...passed.left] };
    return { ...why, next: `the data point of no return is passed, the primary stays fenced and users are served by nobody: mend the cause, then start the failover again${passed.left.length === 0 ? "" : `; ${passed.left.join("; ")}`}` };
  }
  const left = [...(fenced.begun ? yield* undoFence(desk, fenced, ending.kind) : []), ...passed.left];
  if (ending.kind === "aborted") return { ...ending, left };
  // Declined, nothing restorable, target not ready: as they are named, unless the primary could not be given back.
  if (ending.kind !== "failed" && left.length === passed.left.length) return ending;
  return { ...why, next: `mend the cause, then start the failover again${left.length === 0 ? "; everything was undone" : `. Left: ${left.join("; ")}`}` };
}

/** What is still to be done once users may be at the secondary, by the step that did not come to its end. */
function onlyForward(step: string, ends: Ends | null): string {
  const last = "release the consumers, start backups of the new region, and reprotect";
  switch (step) {
    case "open-secondary":
      return `there is only forward: ${openingLeft(ends)}, look at the public page, then ${last}`;
    case "seen-from-outside":
      return `there is only forward: users are sent to the secondary and no good answer was seen from outside; look at its ingress and the name servers, then ${last}`;
    case "first-backup-completed":
      return "there is only forward: users are served and consumers act, but the new region has no backup of its own: mend Velero's storage location there and make one now";
    default:
      return `there is only forward: ${last}`;
  }
}

/** What somebody has to do at the public endpoints, by what was read back of them just now. */
function openingLeft(ends: Ends | null): string {
  if (ends === null) return "nobody could read the public endpoints: see that the primary's is disabled and the secondary's enabled";
  const left = [...(ends.primary ? ["disable the primary's endpoint by hand"] : []), ...(ends.secondary ? [] : ["enable the secondary's endpoint by hand"])];
  return left.length > 0 ? `${left.join(", ")} (now: primary ${openOrClosed(ends.primary)}, secondary ${openOrClosed(ends.secondary)})` : "the primary's endpoint is closed and the secondary's is open by now";
}

const openOrClosed = (open: boolean): string => (open ? "open" : "closed");

/**
 * Wakes the primary, then opens it: users who come back find it running. What cannot be undone, because the primary does not answer, is
 * said and not forgotten. A phase of its own, so that the records of the phase that failed stay as they were hashed.
 */
function* undoFence(desk: Desk, { quieted, agent }: Fenced, ended: string): Runbook<string[]> {
  yield* desk.phase("stand-down", ended);
  // First, or the agent would close again what we wake.
  const released = agent === null ? null : yield* tried(desk.run(steps.releaseAgent, {}));
  const woken = yield* tried(desk.run(steps.wakePrimary, { quieted }));
  // Where the cluster answers us, what the agent closed was woken just now, and users need not wait for its word.
  const byUs = quieted !== null && quieted.kind !== "unreachable";
  const agentLeft = byUs ? null : yield* agentOpens(desk, agent, released);
  const reopened = yield* tried(desk.run(steps.reopenPrimary, {}));
  return [
    ...(agentLeft ?? (yield* agentOpens(desk, agent, released))),
    ...(woken.kind === "done" ? woken.value.left : [`what is suspended in the primary (${woken.because})`]),
    ...(reopened.kind === "failed" ? [`the primary's public endpoint may still be closed (${reopened.because})`] : []),
    ...(reopened.kind === "done" && reopened.value.kind === "left-closed" ? [`the primary's public endpoint is closed (${reopened.value.why})`] : []),
  ];
}

/** What is still to be said of the agent in the primary. It may be cut off: then it opens when it reaches home, and nobody can wait for that. */
function* agentOpens(desk: Desk, agent: AgentTerms | null, released: Tried<{ readonly kind: "taken-back" | "nothing-asked" }> | null): Runbook<string[]> {
  if (agent === null || released === null) return [];
  if (released.kind === "failed") return [`the agent in the primary was not told to open (${released.because}); it opens what it closed when it reads that this run is over`];
  if (released.value.kind === "nothing-asked") return [];
  const opened = yield* tried(desk.until(steps.agentOpened, {}, agentOpeningWaiting(agent)));
  if (opened.kind === "done" && opened.value.kind === "done") return [];
  const about = opened.kind === "failed" ? opened.because : opened.value.kind === "late" ? opened.value.about : "";
  return [`the agent in the primary has not said that the application is open there (${about}); it opens what it closed as soon as it reaches home`];
}

type Halt = Omit<Extract<Outcome, { kind: "halted" }>, "next">;

function whyOf(ending: Ending, reached: Phase): Halt {
  const halted = (step: string, cause: string, phase: Phase = reached): Halt => ({ kind: "halted", phase, step, cause });
  switch (ending.kind) {
    case "failed":
      return halted(ending.failure.step, ending.failure.because, ending.failure.phase ?? reached);
    case "aborted":
      return halted("abort", `abort was asked by ${ending.by}`);
    case "declined":
      return halted("put-question", ending.why);
    case "nothing-restorable":
      return halted("choose-restore-point", "no restore point can be used");
    case "target-not-ready":
      return halted("check-target", ending.reasons.join("; "), "make-ready");
  }
}
