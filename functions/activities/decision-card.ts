import { cardText, warmUpSeconds } from "../../shared/domain/decision.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { weighRestorePoints } from "./choose.ts";
import type { Work } from "./perform.ts";

/** The restore points weighed, and with them what the secondary still needs before anything can be restored into it. Only looks. */
export const weighPointsAndTarget: Work<typeof steps.weighRestorePoints> = async (input, duty) => {
  const weighed = await weighRestorePoints(input, duty);
  if (weighed.kind === "nothing-restorable") return weighed;
  const { cluster, pools } = duty.plan.secondary;
  const state = await duty.world.aks.read(cluster);
  const small = pools.some(({ name, nodes }) => state.pools.some((pool) => pool.name === name && (pool.count < nodes || growing.has(pool.provisioning))));
  const predictedRtoSeconds = weighed.card.predictedRtoSeconds + warmUpSeconds({ stopped: state.power !== "running", small });
  const card = { ...weighed.card, predictedRtoSeconds, withinRto: predictedRtoSeconds <= duty.plan.objectives.rtoSeconds };
  return { kind: "weighed", card, text: cardText(card) };
};

/** Asked for already, and not there yet. */
const growing: ReadonlySet<string> = new Set(["Creating", "Scaling", "Updating"]);
