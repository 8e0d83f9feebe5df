/** The decision card: what a person (or the plan's own rule) decides upon. Pure. */
import { instantText } from "./instant.ts";
import type { PassedOver } from "./outcome.ts";
import type { Plan } from "./plan.ts";

export interface DecisionCard {
  readonly restorePoint: string;
  readonly takenAt: number;
  /** Upper bound: everything written since the point was taken, up to when the primary went dark where that is known. */
  readonly lossSeconds: number;
  readonly withinRpo: boolean;
  readonly items: number;
  readonly volumeBytes: number;
  /** What has passed, what the secondary still needs, the item count by the measured rate of a restore; see docs/latencies.md. */
  readonly predictedRtoSeconds: number;
  readonly withinRto: boolean;
  readonly passedOver: readonly PassedOver[];
  /** In a sentence: what each second of waiting adds. */
  readonly waitingCosts: string;
}

/** Objects a second that Velero restores (measured on Velero 1.18.3: 1,000 in 20 s) and bytes a second of a file-system volume restore on one node (an estimate: 20 MiB/s). */
const itemsPerSecond = 50;
const volumeBytesPerSecond = 20 * 1024 * 1024;
/** Everything of a run that does not grow with the data: readiness, claims bound, pods started, traffic switched and its TTL. */
const fixedSeconds = 90;

export function predictRtoSeconds(items: number, volumeBytes: number, spentSeconds: number): number {
  return Math.ceil(spentSeconds + fixedSeconds + items / itemsPerSecond + volumeBytes / volumeBytesPerSecond);
}

/** What the restores of an earlier run of this plan took, and what they brought. */
export interface RestoreMeasured {
  readonly items: number;
  readonly volumeBytes: number;
  readonly seconds: number;
}

/** A restore of less than this says little of a long one: most of it is what does not grow with the data. */
const tellingSeconds = 30;

/** What the plan's own history adds to the figures above, seconds: by as much as its slowest restore was slower than they say. Never less than they say. */
export function slowerThanFiguresSeconds(items: number, volumeBytes: number, history: readonly RestoreMeasured[]): number {
  const figured = (of: Pick<RestoreMeasured, "items" | "volumeBytes">): number => of.items / itemsPerSecond + of.volumeBytes / volumeBytesPerSecond;
  const factor = Math.max(1, ...history.map((measured) => measured.seconds / Math.max(tellingSeconds, figured(measured))));
  return Math.ceil(figured({ items, volumeBytes }) * (factor - 1));
}

/** A stopped cluster's start, and a pool's new nodes until they are Ready: estimates, see docs/latencies.md. */
const clusterStartSeconds = 180;
const poolGrowthSeconds = 90;

/** What the secondary needs before anything is restored into it. Pools grow side by side, and only in a cluster that runs. */
export function warmUpSeconds({ stopped, small }: { readonly stopped: boolean; readonly small: boolean }): number {
  return (stopped ? clusterStartSeconds : 0) + (small ? poolGrowthSeconds : 0);
}

/**
 * How long the fence may wait for the agent in a primary that does not answer, seconds, when so much has passed since it was heard last: 0 where the
 * plan has none, or needs no more than what can be closed from outside.
 */
export function agentWaitSeconds({ enough, agent }: Pick<Plan["fence"], "enough" | "agent">, spentSeconds: number): number {
  if (agent === undefined || enough.includes("traffic-only")) return 0;
  return Math.max(0, Math.ceil(agent.leaseSeconds + agent.closingSeconds + agent.marginSeconds - spentSeconds));
}

/** The card as one paragraph for a page at 3 a.m. */
export function cardText(card: DecisionCard): string {
  const older = card.passedOver.length === 0 ? "" : ` ${card.passedOver.length} newer ${card.passedOver.length === 1 ? "point" : "points"} cannot be used: ${card.passedOver.map(({ name, reason }) => `${name}: ${reason}`).join("; ")}.`;
  return `Restore ${card.restorePoint}, taken ${instantText(card.takenAt)}: at most ${spoken(card.lossSeconds)} of changes are lost${card.withinRpo ? "" : ", more than the objective allows"}. Back in about ${spoken(card.predictedRtoSeconds)} after the loss.${older} ${card.waitingCosts}`;
}

/** Seconds as a person says them. */
export function spoken(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return both(Math.floor(whole / 60), "min", whole % 60, "s");
  return both(Math.floor(whole / 3_600), "h", Math.floor((whole % 3_600) / 60), "min");
}

const both = (large: number, unit: string, small: number, smallUnit: string): string => (small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`);
