/** Makes the cluster ready to be restored into. Everything here is a look, but for the view of the backups, which is put right. */
import { waits } from "../shared/domain/runbook-terms.ts";
import { type Desk, type Runbook, type Waiting, defineRunbook } from "./runbook.ts";
import { type TargetAnswer, steps } from "./steps.ts";

export const makeReady = defineRunbook("make-ready", (desk: Desk, point: string) => readied(desk, point), "make-ready");

/** Ready for one restore point: Velero and its stores answer, its view is the blobs', and what the point brings has room. Applications: only these. */
export function* readied(desk: Desk, point: string, applications?: readonly string[]): Runbook<TargetAnswer> {
  const ready = yield* veleroReady(desk, waits.velero);
  if (ready.kind === "unable") return ready;
  // Velero's own sync takes up to a minute and never refreshes what it once imported half-copied: do both at once.
  yield* desk.run(steps.alignView, { point });
  return yield* desk.run(steps.checkTarget, applications === undefined ? { point } : { point, applications });
}

/** A short look before anything is taken from the primary: long enough for Velero to look at its storage location, which it does each minute. */
const shortly: Waiting = { ...waits.velero, deadlineMs: 120_000 };

/** Whether Velero could restore now. Only looks, and no longer than two minutes for each of three things: for before the fence. */
export const lookReady = (desk: Desk): Runbook<TargetAnswer> => veleroReady(desk, shortly);

function* veleroReady(desk: Desk, waiting: Waiting): Runbook<TargetAnswer> {
  const velero = yield* desk.until(steps.veleroAlive, {}, waiting);
  if (velero.kind === "late") return unable(`Velero: ${velero.about}`);
  const location = yield* desk.until(steps.storageLocationReady, {}, waiting);
  if (location.kind === "late") return unable(`the storage location that is restored from: ${location.about}`);
  // A repository that is not ready restores objects and silently leaves their volumes out.
  const repositories = yield* desk.until(steps.repositoriesReady, {}, waiting);
  if (repositories.kind === "late") return unable(`the repositories of volume data: ${repositories.about}`);
  return { kind: "able" };
}

const unable = (reason: string): TargetAnswer => ({ kind: "unable", reasons: [reason] });
