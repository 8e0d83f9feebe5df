/** The plays whose histories are kept: every runbook, every ending, retries, questions, aborts, long waits. */
import { type Plan, planSchema } from "../../shared/domain/plan.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { allGoesWell, fails, type Play, type PlayOptions, point, type Works } from "../orchestrations/stage.ts";

export interface GoldenPlay {
  readonly name: string;
  readonly works?: Partial<Works>;
  readonly options?: PlayOptions;
  /** What people do meanwhile. */
  readonly meanwhile?: (play: Play) => Promise<void>;
}

const shared = examplePlan("shop-shared");
const replicated = examplePlan("shop-replicated");
const asking = (approval: Plan["approval"]): PlayOptions => ({ plan: { ...shared, approval } });
const fencedOnly: PlayOptions = { plan: { ...replicated, fence: { ...replicated.fence, enough: ["fenced"] } } };

const withAgent: PlayOptions = { plan: planSchema.parse({ ...replicated, fence: { ...replicated.fence, enough: ["fenced", "self-fenced"], agent: {} } }) };

/** A step that works from its n-th call on. */
function fromCall(key: keyof Works, n: number): Partial<Works> {
  let calls = 0;
  const usual = allGoesWell[key] as (...args: unknown[]) => Promise<unknown>;
  return {
    [key]: async (...args: unknown[]) => {
      if (++calls < n) throw new Error("not yet");
      return usual(...args);
    },
  };
}

const abortAt = (step: keyof Works): Pick<GoldenPlay, "works"> & { readonly arm: (play: () => Play) => void } => {
  let playing: (() => Play) | null = null;
  const usual = allGoesWell[step] as (...args: unknown[]) => Promise<unknown>;
  return {
    arm: (play) => (playing = play),
    works: {
      [step]: async (...args: unknown[]) => {
        await playing?.().abort();
        return usual(...args);
      },
    },
  };
};

const asked = async ({ until, head }: Play, about = "decision"): Promise<void> => until(async () => (await head()).run?.question?.about === about);

const answered =
  (...answers: readonly (readonly [by: string, verdict: "approve" | "deny", about?: "decision" | "fence" | "loss"])[]) =>
  async (play: Play): Promise<void> => {
    for (const [by, verdict, about = "decision"] of answers) {
      await asked(play, about);
      await play.decide(by, verdict, about);
      play.ring();
    }
  };

const longRestore = (polls: number): Partial<Works> => {
  let looks = 0;
  return {
    restoreEnded: async (input, duty) => (++looks < polls ? { kind: "not-yet", about: "it moves", state: { looks } } : allGoesWell.restoreEnded(input, duty)),
  };
};

/** Those that say when to abort need the play itself: `arm` gives it to them. */
export const goldenPlays: readonly (GoldenPlay & { readonly arm?: (play: () => Play) => void })[] = [
  { name: "recovered-replicated" },
  { name: "recovered-shared", options: { plan: shared } },
  { name: "recovered-by-hand", options: { door: "http" } },
  { name: "recovered-locked-replica", works: { deletePolicy: async () => ({ kind: "refused", why: "not allowed" }) } },
  { name: "recovered-nothing-to-promote", works: { readPolicy: async () => ({ kind: "none" }) } },
  ...(["warmTarget", "closePrimary", "chooseRestorePoint", "startRestore", "openSecondary", "report"] as const).map((key) => ({ name: `retried-${key}`, works: fromCall(key, 4) })),
  { name: "long-restore", works: longRestore(120) },
  { name: "long-confirm", works: { confirmLoss: notYet(50, "confirmLoss") } },
  { name: "veto-nobody-objects", options: asking({ mode: "veto", windowSeconds: 300 }) },
  { name: "veto-objection", options: asking({ mode: "veto", windowSeconds: 300 }), meanwhile: answered(["Grace Approver", "deny"]) },
  { name: "approval-two", options: asking({ mode: "approval", approvals: 2, expiresSeconds: 1_800 }), meanwhile: answered(["Grace Approver", "approve"], ["Ken Approver", "approve"]) },
  { name: "approval-expires", options: asking({ mode: "approval", approvals: 2, expiresSeconds: 1_800 }), meanwhile: answered(["Grace Approver", "approve"]) },
  { name: "fence-forced", options: fencedOnly, meanwhile: answered(["Grace Approver", "approve", "fence"]) },
  { name: "fence-declined", options: fencedOnly, meanwhile: answered(["Grace Approver", "deny", "fence"]) },
  { name: "fence-nobody-answers", options: fencedOnly },
  { name: "self-fenced", options: withAgent },
  { name: "self-fenced-after-a-wait", options: withAgent, works: { agentClosed: notYet(30, "agentClosed") } },
  { name: "agent-proves-nothing", options: withAgent, works: { agentClosed: async () => ({ kind: "done", value: { kind: "no", about: "no agent has ever renewed a lease" } }) }, meanwhile: answered(["Grace Approver", "approve", "fence"]) },
  { name: "agent-opens-again", options: withAgent, works: { chooseRestorePoint: fails("no answer") } },
  { name: "agent-cut-off", options: withAgent, works: { chooseRestorePoint: fails("no answer"), agentOpened: async () => ({ kind: "not-yet", about: "it is cut off" }) } },
  { name: "loss-above-agreed", works: losing(replicated.objectives.rpoSeconds + 600), meanwhile: answered(["Grace Approver", "approve"]) },
  { name: "loss-above-nobody-answers", works: losing(replicated.objectives.rpoSeconds + 600) },
  { name: "loss-grown-agreed", works: { chooseRestorePoint: chosen({ lossSeconds: replicated.objectives.rpoSeconds + 600 }) }, meanwhile: answered(["Grace Approver", "approve", "loss"]) },
  { name: "loss-older-declined", options: asking({ mode: "approval", approvals: 1, expiresSeconds: 1_800 }), works: { chooseRestorePoint: chosen({ takenAt: point.takenAt - 600_000 }) }, meanwhile: answered(["Grace Approver", "approve"], ["Grace Approver", "deny", "loss"]) },
  { name: "not-lost", works: { confirmLoss: async () => ({ kind: "done", value: { kind: "not-lost", why: "a blip", readings: [] } }) } },
  { name: "back-before-the-fence", works: { stillLost: async () => ({ kind: "done", value: { kind: "not-lost", why: "it is back", readings: [] } }) } },
  { name: "target-not-ready-at-once", works: { assessTarget: async () => ({ kind: "unable", reasons: ["it is being deleted"] }) } },
  { name: "target-not-ready-behind-the-fence", options: { plan: shared }, works: { checkTarget: secondTime({ kind: "unable", reasons: ["namespace shop is not empty"] }) } },
  { name: "target-without-capacity", works: { targetWarm: async () => ({ kind: "not-yet", about: "0 of 2 nodes" }) } },
  { name: "nothing-restorable-at-once", works: { weighRestorePoints: async () => ({ kind: "nothing-restorable", passedOver: [] }) } },
  { name: "nothing-restorable-behind-the-fence", works: { chooseRestorePoint: async () => ({ kind: "nothing-restorable", passedOver: [] }) } },
  { name: "halted-before-the-points", works: { chooseRestorePoint: fails("no answer") } },
  { name: "halted-between-the-points", works: { verifyApplications: async () => ({ kind: "not-yet", about: "1 of 5 ready" }) } },
  { name: "halted-behind-the-points", works: { seenFromOutside: async () => ({ kind: "not-yet", about: "the old address" }) } },
  { name: "halted-without-a-backup", works: { firstBackupCompleted: async () => ({ kind: "done", value: { kind: "failed", why: "Failed" } }) } },
  { name: "halted-and-not-woken", works: { chooseRestorePoint: fails("no"), wakePrimary: fails("no answer from the primary") } },
  ...(["confirmLoss", "weighRestorePoints", "quietPrimary", "chooseRestorePoint", "passDataPoint", "restoreEnded", "verifyApplications"] as const).map((step) => ({ name: `aborted-in-${step}`, ...abortAt(step) })),
  { name: "too-late-in-openSecondary", ...abortAt("seenFromOutside") },
  { name: "recovery", options: { kind: "recovery" } },
  { name: "recovery-of-nothing", options: { kind: "recovery" }, works: { confirmGone: async () => ({ kind: "there", why: "nothing is lost" }) } },
  { name: "recovery-halted", options: { kind: "recovery" }, works: { restoreEnded: async () => ({ kind: "done", value: { kind: "broken", why: "3 errors" } }) } },
];

function notYet<K extends "confirmLoss" | "agentClosed">(looks: number, key: K): Works[K] {
  let seen = 0;
  const usual = allGoesWell[key] as (input: unknown, duty: unknown) => Promise<unknown>;
  return (async (input: unknown, duty: unknown) => (++seen < looks ? { kind: "not-yet", about: "2 of 5 say down", state: { seen } } : usual(input, duty))) as Works[K]; // both are asked until they are done
}

function chosen(more: Partial<typeof point>): Works["chooseRestorePoint"] {
  return async () => ({ kind: "chosen", point: { ...point, ...more }, passedOver: [] });
}

/** So much is lost by the newest point, when it is weighed and when it is taken. */
function losing(lossSeconds: number): Partial<Works> {
  return {
    async weighRestorePoints(input, duty) {
      const weighed = await allGoesWell.weighRestorePoints(input, duty);
      return weighed.kind === "weighed" ? { ...weighed, card: { ...weighed.card, lossSeconds, withinRpo: false } } : weighed;
    },
    chooseRestorePoint: chosen({ lossSeconds }),
  };
}

function secondTime(answer: { readonly kind: "unable"; readonly reasons: readonly string[] }): Works["checkTarget"] {
  let calls = 0;
  return async () => (++calls === 1 ? { kind: "able" } : answer);
}
