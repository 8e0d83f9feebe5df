/**
 * What each step of a failover of the lab's shop usually answers, made up without looking at anything and without doing it. Held to the
 * catalogue by its types: an app that is built with one of these in place of the step's work has taken that step out and keeps on going.
 */
import type { Work } from "../functions/activities/perform.ts";
import type { steps } from "../orchestrations/steps.ts";
import { restoreName } from "../shared/domain/restore-run.ts";

type Steps = typeof steps;

/** A restore point of the recorded container, as a run knows it: of an older one, so that a made-up choice is not by chance the right one. */
const point = { name: "shop-hourly-20261121055818", takenAt: Date.parse("2026-11-21T05:58:18Z"), expiresAt: Date.parse("2026-12-21T05:58:18Z"), lossSeconds: 600, items: 60, volumeBytes: 2_500_000 };

const lost = async () => ({ kind: "done", value: { kind: "lost", scope: "region", since: Date.now(), agreedSince: Date.now(), readings: [] } }) as const;

export const usualAnswers = {
  turnPhase: async () => ({ abortBy: null }),
  putQuestion: async () => ({ kind: "go", by: [] }),
  confirmLoss: lost,
  stillLost: lost,
  assessTarget: async () => ({ kind: "able" }),
  warmTarget: async () => ({ kind: "able" }),
  targetWarm: async () => ({ kind: "done", value: { kind: "able" } }),
  weighRestorePoints: async () => ({
    kind: "weighed",
    text: "restore the newest point",
    card: { restorePoint: point.name, takenAt: point.takenAt, lossSeconds: point.lossSeconds, withinRpo: true, items: point.items, volumeBytes: point.volumeBytes, predictedRtoSeconds: 300, withinRto: true, passedOver: [], waitingCosts: "seconds" },
  }),
  closePrimary: async () => ({ kind: "closed" }),
  quietPrimary: async () => ({ kind: "quiet", suspended: [] }),
  askAgent: async () => ({ kind: "asked" }),
  agentClosed: async () => ({ kind: "done", value: { kind: "expired", about: "the agent in the primary could not renew its lease" } }),
  chooseRestorePoint: async () => ({ kind: "chosen", point, passedOver: [] }),
  readPolicy: async () => ({ kind: "policy", policyId: "5f2c4d1e-2222-4b4b-8c8c-000000000001" }),
  passDataPoint: async () => ({ kind: "passed" }),
  deletePolicy: async () => ({ kind: "deleted" }),
  storeTakesWrites: async () => ({ kind: "done", value: { kind: "writable" } }),
  veleroAlive: async () => ({ kind: "done", value: { version: "velero/velero:v1.18.3" } }),
  storageLocationReady: async () => ({ kind: "done", value: { storageLocation: "replica" } }),
  alignView: async () => ({ imported: 0, replaced: 0 }),
  repositoriesReady: async () => ({ kind: "done", value: { repositories: 1 } }),
  checkTarget: async () => ({ kind: "able" }),
  startRestore: async ({ application, part }, { call }) => ({ application, part, name: restoreName(call.ref.runId, application, part), volumes: 0, turns: 1 }),
  restoreEnded: async () => ({ kind: "done", value: { kind: "whole", warnings: 0, items: 30 } }),
  verifyApplications: async () => ({ kind: "done", value: { checks: [] } }),
  openSecondary: async () => ({ kind: "open", before: { primary: false, secondary: false }, after: { primary: false, secondary: true } }),
  seenFromOutside: async () => ({ kind: "done", value: { at: Date.now(), saw: "status 200" } }),
  releaseConsumers: async () => ({ released: ["Deployment shop/order-mailer", "CronJob shop/invoice-run"] }),
  startBackups: async (_, { call }) => ({ backup: `lifeboat-${call.ref.runId}-first` }),
  firstBackupCompleted: async () => ({ kind: "done", value: { kind: "completed", completedAt: Date.now() } }),
  report: async (_, { call }) => ({ report: `reports/${call.ref.runId}/report.json` }),
  closeRun: async () => ({ kind: "closed" }),
} satisfies { readonly [K in keyof Steps]?: Work<Steps[K]> };

export type StepTakenOut = keyof typeof usualAnswers;
