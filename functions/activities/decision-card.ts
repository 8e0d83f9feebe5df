import { z } from "zod";
import { cardText, type RestoreMeasured, slowerThanFiguresSeconds, warmUpSeconds } from "../../shared/domain/decision.ts";
import { runId } from "../../shared/domain/ledger.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { weighRestorePoints } from "./choose.ts";
import type { Duty, Work } from "./perform.ts";

/** The restore points weighed, and with them what the secondary still needs before anything can be restored into it. Only looks. */
export const weighPointsAndTarget: Work<typeof steps.weighRestorePoints> = async (input, duty) => {
  const weighed = await weighRestorePoints(input, duty);
  if (weighed.kind === "nothing-restorable") return weighed;
  const { cluster, pools } = duty.plan.secondary;
  const [state, history] = await Promise.all([duty.world.aks.read(cluster), restoresMeasured(duty)]);
  const small = pools.some(({ name, nodes }) => state.pools.some((pool) => pool.name === name && (pool.count < nodes || growing.has(pool.provisioning))));
  const { items, volumeBytes } = weighed.card;
  const predictedRtoSeconds = weighed.card.predictedRtoSeconds + warmUpSeconds({ stopped: state.power !== "running", small }) + slowerThanFiguresSeconds(items, volumeBytes, history);
  const card = { ...weighed.card, predictedRtoSeconds, withinRto: predictedRtoSeconds <= duty.plan.objectives.rtoSeconds };
  return { kind: "weighed", card, text: cardText(card) };
};

/** Runs before this one that are asked how long they took. */
const runsAsked = 5;

/** What the restores of the last runs took, by their reports. A report that cannot be had or read is no reason not to decide. */
async function restoresMeasured({ world, call: { ref }, log }: Duty): Promise<readonly RestoreMeasured[]> {
  const epochs = Array.from({ length: Math.min(runsAsked, ref.epoch - 1) }, (_, before) => ref.epoch - 1 - before);
  const measured = await Promise.all(
    epochs.map(async (epoch) => {
      try {
        const stored = await world.home.read(`reports/${runId(ref.plan, epoch)}/report.json`);
        return stored === null ? null : measuredIn(JSON.parse(stored.body));
      } catch (error) {
        log("history.unread", { run: ref.runId, epoch, because: error instanceof Error ? error.message : String(error) });
        return null;
      }
    }),
  );
  return measured.filter((one) => one !== null);
}

const reported = z.object({ outcome: z.literal("recovered"), kind: z.literal("failover"), restorePoint: z.object({ items: z.number(), volumeBytes: z.number() }), steps: z.array(z.object({ name: z.string(), seconds: z.number().nullable() })) });

/** Only a restore that came to its end, of everything, says how long one takes. */
function measuredIn(report: unknown): RestoreMeasured | null {
  const read = reported.safeParse(report);
  const seconds = read.data?.steps.find(({ name }) => name === "restore")?.seconds ?? null;
  return read.success && seconds !== null ? { ...read.data.restorePoint, seconds } : null;
}

/** Asked for already, and not there yet. */
const growing: ReadonlySet<string> = new Set(["Creating", "Scaling", "Updating"]);
