/** Makes the secondary ready to be restored into. Everything here is a look, but for the view of the backups, which is put right. */
import { waits } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, defineRunbook } from "./runbook.ts";
import { type TargetAnswer, steps } from "./steps.ts";

export const makeReady = defineRunbook("make-ready", function* (desk: Desk, point: string): Runbook<TargetAnswer> {
  const velero = yield* desk.until(steps.veleroAlive, {}, waits.velero);
  if (velero.kind === "late") return unable(`Velero in the secondary: ${velero.about}`);
  const location = yield* desk.until(steps.storageLocationReady, {}, waits.velero);
  if (location.kind === "late") return unable(`the storage location of the replica: ${location.about}`);
  // Velero's own sync takes up to a minute and never refreshes what it once imported half-copied: do both at once.
  yield* desk.run(steps.alignView, { point });
  // A repository that is not ready restores objects and silently leaves their volumes out.
  const repositories = yield* desk.until(steps.repositoriesReady, {}, waits.velero);
  if (repositories.kind === "late") return unable(`the repositories of volume data: ${repositories.about}`);
  return yield* desk.run(steps.checkTarget, { point });
}, "make-ready");

const unable = (reason: string): TargetAnswer => ({ kind: "unable", reasons: [reason] });
