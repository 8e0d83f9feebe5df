/** Everything a runbook can ask for. functions/activities does it; leaving one out there does not compile. */
import type { DecisionCard } from "../shared/domain/decision.ts";
import type { Closed, Quieted } from "../shared/domain/fence.ts";
import type { Verdict } from "../shared/domain/health.ts";
import type { SelfFence } from "../shared/domain/lease.ts";
import type { Outcome, PassedOver } from "../shared/domain/outcome.ts";
import type { Choice, ChosenPoint, RestoreEnd, RestorePart } from "../shared/domain/restore-run.ts";
import type { Look } from "./step.ts";
import { act, deskSteps, judgement, look, patient } from "./step.ts";

/** Nothing to say: the run's own record holds the plan. */
export type Nothing = Record<string, never>;

export type TargetAnswer = { readonly kind: "able" } | { readonly kind: "unable"; readonly reasons: readonly string[] };
export type Weighed = { readonly kind: "weighed"; readonly card: DecisionCard; readonly text: string } | { readonly kind: "nothing-restorable"; readonly passedOver: readonly PassedOver[] };
export type Passed = { readonly kind: "passed" } | { readonly kind: "abort-asked"; readonly by: string };
/** Whether the store that the backups are read from takes writes now, and why not. */
export type Promoted = { readonly kind: "writable" } | { readonly kind: "read-only"; readonly why: string };
export type Policy = { readonly kind: "policy"; readonly policyId: string } | { readonly kind: "none" };
export type Opened = { readonly kind: "open"; readonly before: Ends; readonly after: Ends } | { readonly kind: "abort-asked"; readonly by: string };
/** Which public endpoints are open. */
export interface Ends {
  readonly primary: boolean;
  readonly secondary: boolean;
}
export type Verified = { readonly checks: readonly { readonly check: string; readonly saw: string }[] };
export type OutsideSeen = { readonly at: number; readonly saw: string };

export const steps = {
  ...deskSteps,

  // confirm
  confirmLoss: judgement<Nothing, Look<Verdict>>("confirm-loss"),
  stillLost: judgement<Nothing, Look<Verdict>>("still-lost"),
  confirmGone: judgement<{ readonly applications: readonly string[] }, { readonly kind: "gone"; readonly applications: readonly string[] } | { readonly kind: "there"; readonly why: string }>("confirm-gone"),

  // decide
  assessTarget: judgement<Nothing, TargetAnswer>("assess-target"),
  warmTarget: act<Nothing, TargetAnswer>("warm-target"),
  targetWarm: judgement<Nothing, Look<TargetAnswer>>("target-warm"),
  weighRestorePoints: judgement<Nothing, Weighed>("weigh-restore-points"),

  // wherever a run stands down
  readPoints: patient(look<Nothing, { readonly data: boolean; readonly traffic: boolean; readonly left: readonly string[]; readonly ends: Ends | null }>("read-points")),

  // fence
  closePrimary: act<Nothing, Closed>("close-primary"),
  quietPrimary: act<Nothing, Quieted>("quiet-primary"),
  reopenPrimary: patient(act<Nothing, { readonly kind: "reopened" } | { readonly kind: "left-closed"; readonly why: string }>("reopen-primary")),
  wakePrimary: act<{ readonly quieted: Quieted | null }, { readonly left: readonly string[] }>("wake-primary"),
  askAgent: act<Nothing, { readonly kind: "asked" } | { readonly kind: "not-asked"; readonly why: string }>("ask-agent"),
  agentClosed: judgement<Nothing, Look<SelfFence>>("agent-closed"),
  releaseAgent: act<Nothing, { readonly kind: "taken-back" | "nothing-asked" }>("release-agent"),
  agentOpened: judgement<Nothing, Look<{ readonly kind: "open" | "no-agent" }>>("agent-opened"),

  // choose
  chooseRestorePoint: judgement<Nothing, Choice>("choose-restore-point"),

  // promote
  readPolicy: judgement<Nothing, Policy>("read-policy"),
  passDataPoint: patient(act<Nothing, Passed>("pass-data-point")),
  deletePolicy: act<{ readonly policyId: string }, { readonly kind: "deleted" } | { readonly kind: "refused"; readonly why: string }>("delete-policy"),
  storeTakesWrites: judgement<{ readonly expect: "writable" | "any" }, Look<Promoted>>("store-takes-writes"),

  // make ready
  veleroAlive: look<Nothing, Look<{ readonly version: string }>>("velero-alive"),
  storageLocationReady: look<Nothing, Look<{ readonly storageLocation: string }>>("storage-location-ready"),
  // Many calls in one: each may be refused once.
  alignView: patient(act<{ readonly point: string }, { readonly imported: number; readonly replaced: number }>("align-view")),
  repositoriesReady: look<Nothing, Look<{ readonly repositories: number }>>("repositories-ready"),
  checkTarget: judgement<{ readonly point: string; readonly applications?: readonly string[] }, TargetAnswer>("check-target"),

  // restore
  startRestore: act<{ readonly application: string; readonly part: RestorePart["part"]; readonly point: ChosenPoint; readonly earlier?: readonly string[] }, RestorePart | null>("start-restore"),
  restoreEnded: judgement<{ readonly part: RestorePart; readonly storeTakesWrites: boolean }, Look<RestoreEnd>>("restore-ended"),

  // verify
  verifyApplications: judgement<{ readonly applications: readonly string[]; readonly point: ChosenPoint }, Look<Verified>>("verify-applications"),

  // open
  openSecondary: patient(act<Nothing, Opened>("open-secondary")),
  seenFromOutside: judgement<Nothing, Look<OutsideSeen>>("seen-from-outside"),

  // release: users are served there already, so there is only forward
  releaseConsumers: patient(act<{ readonly applications: readonly string[]; readonly point: string }, { readonly released: readonly string[] }>("release-consumers")),
  startBackups: patient(act<{ readonly point: string }, { readonly backup: string }>("start-backups")),
  firstBackupCompleted: judgement<{ readonly backup: string }, Look<{ readonly kind: "completed"; readonly completedAt: number } | { readonly kind: "failed"; readonly why: string }>>("first-backup-completed"),

  // report
  report: patient(act<{ readonly outcome: Outcome }, { readonly report: string }>("report")),
  closeRun: patient(look<{ readonly outcome: Outcome }, { readonly kind: "closed" }>("close-run")),

  // verification and the blob door
  checkAllBackups: look<{ readonly dueAt?: number }, { readonly checked: number; readonly usable: number; readonly already?: true }>("check-all-backups"),
  learnClusters: look<Nothing, { readonly learnt: readonly string[]; readonly silent: readonly string[] }>("learn-clusters"),
  holdAgainstSecondary: look<Nothing, { readonly point: string | null; readonly findings: number; readonly imported: readonly string[] }>("hold-against-secondary"),
  guardRetention: look<Nothing, { readonly kind: "nothing-due" } | { readonly kind: "left"; readonly point: string; readonly why: string } | { readonly kind: "extended"; readonly point: string; readonly untilAt: number }>("guard-retention"),
  checkBackup: look<{ readonly backup: string }, Look<{ readonly state: string }>>("check-backup"),
} as const;
