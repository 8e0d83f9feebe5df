/** The runbook for losing a region. It is read top to bottom, and run the same way: the eleven steps of docs/product.md. */
import { decisionAsked, fenceAsked, isGreater, lossAsked } from "../shared/domain/asked.ts";
import type { Outcome } from "../shared/domain/outcome.ts";
import type { Plan } from "../shared/domain/plan.ts";
import { isEnough } from "../shared/domain/fence.ts";
import { confirmWaiting, stillLostWaiting, waits, wavesOf } from "../shared/domain/runbook-terms.ts";
import { fencePrimary } from "./fence-primary.ts";
import { lookReady, makeReady } from "./make-ready.ts";
import { promote } from "./promote.ts";
import { release } from "./release.ts";
import { restoreApplication } from "./restore-application.ts";
import { AbortAsked, type Desk, type Runbook, StepFailed, call, defineRunbook, start } from "./runbook.ts";
import { type Ending, type Fenced, standDown } from "./stand-down.ts";
import { steps } from "./steps.ts";

export interface RunInput {
  readonly plan: Plan;
  readonly door: "alert" | "http" | "timer";
  readonly by: string;
  readonly applications: readonly string[];
  /** Where this run took the place of one that hung: what that one left. */
  readonly inherits?: { readonly runId: string; readonly fenced: boolean; readonly trafficPassed: boolean };
}

export const failover = defineRunbook("failover", function* (desk: Desk, { plan, door, by, inherits }: RunInput): Runbook<Outcome> {
  const { run, until, phase, ask } = on(desk);
  const applications = plan.applications.map(({ name }) => name);
  // What stands to be undone. How far we came otherwise, the ledger knows.
  const fenced: Fenced = { begun: inherits?.fenced ?? false, quieted: null, agent: plan.fence.agent ?? null };
  try {
    // 1. Accepted: the ledger holds this run before this instance exists.
    // Whoever takes over behind the traffic point finds users there: what is left is for a person to look at.
    if (inherits?.trafficPassed) throw new StepFailed("open-secondary", `${inherits.runId} was taken over after it had passed the traffic point of no return`);

    yield* phase("confirm"); // 2. Alerts lie, so look again, with several eyes and for a while.
    const loss = yield* until(steps.confirmLoss, {}, confirmWaiting(plan, door));
    // A person who asks for a failover may have seen what we cannot; a machine may not go on without.
    if (door !== "http" && loss.kind === "late") return { kind: "not-failed-over", why: `could not look: ${loss.about}` };
    if (door !== "http" && loss.kind === "done" && loss.value.kind === "not-lost") return { kind: "not-failed-over", why: loss.value.why };

    yield* phase("decide"); // 3. Only jump where there is ground, and something to bring.
    const ahead = yield* desk.together({ target: call(steps.assessTarget, {}), points: call(steps.weighRestorePoints, {}) });
    if (ahead.target.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: ahead.target.reasons });
    if (ahead.points.kind === "nothing-restorable") return yield* early(desk, fenced, ahead.points);
    // Capacity is only known when it is there: warm the target before anything is taken from the primary.
    const warmed = yield* run(steps.warmTarget, {});
    if (warmed.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: warmed.reasons });
    const warm = yield* until(steps.targetWarm, {}, waits.capacity);
    if (warm.kind === "late") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: [warm.about] });
    if (warm.value.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: warm.value.reasons });
    const velero = yield* lookReady(desk);
    if (velero.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: velero.reasons });
    const fits = yield* run(steps.checkTarget, { point: ahead.points.card.restorePoint });
    if (fits.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: fits.reasons });
    const decision = yield* ask(decisionAsked(plan, door, by, ahead.points, loss.kind === "done" ? loss.value : null));
    if (decision.kind === "declined") return yield* early(desk, fenced, { kind: "declined", why: decision.why });

    // Warming and asking take time, and a region may come back meanwhile. Nothing was touched so far.
    if (door !== "http") {
      const again = yield* until(steps.stillLost, {}, stillLostWaiting(plan));
      if (again.kind === "late") return { kind: "not-failed-over", why: `the loss could not be seen any more when the primary was to be fenced: ${again.about}` };
      if (again.value.kind === "not-lost") return { kind: "not-failed-over", why: again.value.why };
    }

    yield* phase("fence"); // 4. Before the data moves, so that two regions never take writes at once. Reversible.
    const found = yield* fencePrimary(desk, plan, fenced);
    if (!isEnough(found, plan.fence)) {
      const person = yield* ask(fenceAsked(found));
      if (person.kind === "declined") return yield* standDown(desk, fenced, { kind: "declined", why: `the fence (${found.about}) is not enough for this plan, and ${person.why}` });
    }

    yield* phase("choose"); // 5. The newest proven and whole point, looked at again now that nothing new is coming.
    const choice = yield* run(steps.chooseRestorePoint, {});
    if (choice.kind === "nothing-restorable") return yield* standDown(desk, fenced, choice);
    const { point } = choice;
    const { card } = ahead.points;
    if (isGreater(plan, card, point)) {
      const consent = yield* ask(lossAsked(plan, door, { ...card, name: card.restorePoint }, point));
      if (consent.kind === "declined") return yield* standDown(desk, fenced, { kind: "declined", why: `more is lost than was decided upon, and ${consent.why}` });
    }

    // 6. Side by side: the store becomes ours (past the data point of no return, if it has one), the secondary becomes ready.
    const { store, target } = yield* desk.together({ store: start(promote, plan.storage.topology), target: start(makeReady, point.name) });
    if (target.kind === "unable") return yield* standDown(desk, fenced, { kind: "target-not-ready", reasons: target.reasons });

    yield* phase("restore"); // 7. By application, in waves; each to its true end.
    for (const wave of wavesOf(plan)) {
      yield* desk.each(restoreApplication, wave.map((application) => ({ key: application, input: { application, point, storeTakesWrites: store.takesWrites, deadlineMs: plan.restore.deadlineSeconds * 1_000 } })));
    }

    yield* phase("verify"); // 8. What users will see, asked through the secondary's own ingress.
    const verified = yield* until(steps.verifyApplications, { applications, point }, waits.verification);
    if (verified.kind === "late") throw new StepFailed("verify-applications", verified.about);

    yield* phase("open"); // 9. The one guarded place where users are sent to the secondary.
    const opened = yield* run(steps.openSecondary, {});
    if (opened.kind === "abort-asked") throw new AbortAsked(opened.by);
    // Past this line users write to the secondary: there is only forward.
    const seen = yield* until(steps.seenFromOutside, {}, waits.outside);
    if (seen.kind === "late") throw new StepFailed("seen-from-outside", seen.about);

    yield* desk.child(release, { applications, point: point.name }); // 10. Consumers on; backups in the new region, the first one seen Completed.
    return { kind: "recovered", restorePoint: point.name, unprotected: true };
    // 11. The report is written around every runbook: orchestrations/reported.ts.
  } catch (error) {
    if (error instanceof AbortAsked) return yield* standDown(desk, fenced, { kind: "aborted", by: error.by, left: [] });
    if (!(error instanceof StepFailed) || error.superseded) throw error;
    return yield* standDown(desk, fenced, { kind: "failed", failure: error });
  }
});

/** An ending before anything was fenced; a fence that was inherited is undone all the same. */
function* early(desk: Desk, fenced: Fenced, ending: Exclude<Ending, { kind: "failed" }>): Runbook<Outcome> {
  return fenced.begun ? yield* standDown(desk, fenced, ending) : ending;
}

/** The desk's verbs, so that a runbook can say `run` and not `desk.run`. */
function on(desk: Desk): Pick<Desk, "run" | "until" | "phase" | "ask"> {
  return { run: desk.run.bind(desk), until: desk.until.bind(desk), phase: desk.phase.bind(desk), ask: desk.ask.bind(desk) };
}
