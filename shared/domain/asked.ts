/** What people are asked, by the plan's own rule: whether to fail over, whether a weaker fence is enough, whether a greater loss is. Pure. */
import { type DecisionCard, spoken } from "./decision.ts";
import type { FenceFound } from "./fence.ts";
import { type Verdict, verdictText } from "./health.ts";
import { instantText } from "./instant.ts";
import type { Door, Question } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** How long a person has to agree to what no plan decides alone: a weaker fence, a loss above the objective. */
export const personExpiresSeconds = 3_600;

interface How extends Pick<Question, "approvalsNeeded" | "silence"> {
  readonly expiresSeconds: number;
}

const nobody: How = { approvalsNeeded: 0, silence: "go", expiresSeconds: 0 };
const onePerson: How = { approvalsNeeded: 1, silence: "decline", expiresSeconds: personExpiresSeconds };

/** By the plan's own rule; whoever started it by hand has decided already. A loss above the objective needs a yes all the same, whoever started it: silence is none. */
function howAsked({ approval }: Plan, door: Door, above: boolean): How {
  if (approval.mode === "approval") return { approvalsNeeded: approval.approvals, silence: "decline", expiresSeconds: approval.expiresSeconds };
  if (above) return onePerson;
  return approval.mode === "veto" && door !== "http" ? { approvalsNeeded: 0, silence: "go", expiresSeconds: approval.windowSeconds } : nobody;
}

/** Whether more is lost than the plan's objective allows: then nobody but a person says go. */
export const isAbove = ({ objectives }: Pick<Plan, "objectives">, { lossSeconds }: Pick<DecisionCard, "lossSeconds">): boolean => lossSeconds > objectives.rpoSeconds;

/** What is weighed before the failover: the card, and the card in words. */
export interface PointsWeighed {
  readonly text: string;
  readonly card: Pick<DecisionCard, "lossSeconds">;
}

/** What is asked before the failover, with what is down: `verdict` null where nobody could look. */
export function decisionAsked(plan: Plan, door: Door, by: string, { text, card }: PointsWeighed, verdict: Verdict | null = null) {
  const above = isAbove(plan, card);
  const words = [...(verdict === null ? [] : [verdictText(verdict)]), text, ...(above ? [aboveText(plan, card)] : []), ...undecided(plan, door, by, above)];
  return { about: "decision", ...howAsked(plan, door, above), text: words.join(" ") } as const;
}

const aboveText = ({ objectives: { rpoSeconds } }: Plan, { lossSeconds }: Pick<DecisionCard, "lossSeconds">): string => `That is ${spoken(lossSeconds - rpoSeconds)} more than the objective of ${spoken(rpoSeconds)}: it needs a person's yes.`;

/** Who has decided where no person is asked, or why one is asked all the same. */
function undecided({ approval }: Plan, door: Door, by: string, above: boolean): readonly string[] {
  if (approval.mode === "approval") return [];
  if (door === "http") return [above ? `${by} started it.` : `Decided by ${by}, who started it.`];
  return approval.mode === "automatic" && !above ? [`Nobody is asked: ${approval.because}`] : [];
}

/** What was shown when it was decided, and what is to be taken now. */
export interface LossShown {
  readonly name: string;
  readonly takenAt: number;
  readonly lossSeconds: number;
}

/** Whether what was agreed to was another loss: an older point is to be taken, or the loss has grown above the objective since. */
export const isGreater = (plan: Pick<Plan, "objectives">, shown: Omit<LossShown, "name">, found: Omit<LossShown, "name">): boolean => found.takenAt < shown.takenAt || (isAbove(plan, found) && !isAbove(plan, shown));

/** Asked when more is lost than was decided upon (`isGreater`). By the plan's own rule, as the decision itself was. */
export function lossAsked(plan: Plan, door: Door, shown: LossShown, found: LossShown) {
  const above = isAbove(plan, found);
  const older = `${shown.name}, taken ${instantText(shown.takenAt)}, cannot be used any more, and ${found.name}, taken ${instantText(found.takenAt)}, loses ${spoken((shown.takenAt - found.takenAt) / 1_000)} of changes more.`;
  const grown = `${found.name} loses at most ${spoken(found.lossSeconds)} of changes by now; ${spoken(shown.lossSeconds)} were shown.`;
  const words = [`More is lost than was decided upon: ${found.takenAt < shown.takenAt ? older : grown}`, ...(above ? [aboveText(plan, found)] : []), "Go on with it?"];
  return { about: "loss", ...howAsked(plan, door, above), text: words.join(" ") } as const;
}

export const fenceAsked = (found: FenceFound) =>
  ({ about: "fence", ...onePerson, text: `The primary may still take writes: ${found.about}. Go on all the same? Recorded as forced by whoever says so.` }) as const;
