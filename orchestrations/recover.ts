/** The smallest runbook: an application that was deleted in a healthy cluster comes back there. Nothing is fenced, promoted or switched. */
import type { Outcome } from "../shared/domain/outcome.ts";
import { waits, wavesOf } from "../shared/domain/runbook-terms.ts";
import type { RunInput } from "./failover.ts";
import { readied } from "./make-ready.ts";
import { restoreApplication } from "./restore-application.ts";
import { AbortAsked, type Desk, type Runbook, StepFailed, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

export const recover = defineRunbook("recover", function* (desk: Desk, { plan, applications }: RunInput): Runbook<Outcome> {
  try {
    yield* desk.phase("confirm"); // Never over something that is there: a restore skips what exists and calls it Completed.
    const gone = yield* desk.run(steps.confirmGone, { applications });
    if (gone.kind === "there") return { kind: "not-failed-over", why: gone.why };

    yield* desk.phase("choose");
    const choice = yield* desk.run(steps.chooseRestorePoint, {});
    if (choice.kind === "nothing-restorable") return choice;
    const { point } = choice;

    yield* desk.phase("make-ready"); // Leftovers in the lost namespaces would be skipped too.
    const target = yield* readied(desk, point.name, gone.applications);
    if (target.kind === "unable") return { kind: "target-not-ready", reasons: target.reasons };

    yield* desk.phase("restore"); // In the plan's waves, as in a failover.
    for (const wave of wavesOf(plan)) {
      const lost = wave.filter((application) => gone.applications.includes(application));
      yield* desk.each(restoreApplication, lost.map((application) => ({ key: application, input: { application, point, storeTakesWrites: true, deadlineMs: plan.restore.deadlineSeconds * 1_000 } })));
    }

    yield* desk.phase("verify");
    const verified = yield* desk.until(steps.verifyApplications, { applications: gone.applications, point }, waits.verification);
    if (verified.kind === "late") throw new StepFailed("verify-applications", verified.about);

    yield* desk.phase("release");
    yield* desk.run(steps.releaseConsumers, { applications: gone.applications, point: point.name });
    return { kind: "recovered", restorePoint: point.name, unprotected: false };
  } catch (error) {
    if (error instanceof AbortAsked) return { kind: "aborted", by: error.by, left: ["what was restored so far is left in place"] };
    if (!(error instanceof StepFailed) || error.superseded) throw error;
    return { kind: "halted", phase: error.phase ?? desk.reached(), step: error.step, cause: error.because, next: "mend the cause, delete what was half restored, then start the recovery again" };
  }
});
