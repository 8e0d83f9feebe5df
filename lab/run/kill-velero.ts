/** Velero's server ends in the middle of a restore: it gives the restore up, and its node agents are told to stop what they were filling. */
import type { ApiObject } from "../real/api.ts";
import { secondary } from "../world/pair.ts";
import type { RunningLab } from "./run-lab.ts";

/** `begun`: as soon as Velero has taken it. `pods`: when it has brought a pod of the shop's, whose volume is still to be filled. */
export type RestoreMoment = "begun" | "pods";

const lookMs = 20;

/** Ends the secondary's server once, in the first restore from now on. Resolves when it did: with the restore's name, or `null` if it was given up waiting. */
export async function killVeleroInRestore({ pair }: RunningLab, moment: RestoreMoment, giveUpMs: number): Promise<string | null> {
  const { clock } = pair.world;
  const objects = pair.clusters[secondary.region];
  const giveUpAt = clock.now() + giveUpMs;
  for (; clock.now() < giveUpAt; await clock.sleep(lookMs)) {
    const [restore] = (objects.list("velero.io/v1", "restores", "velero") as readonly ApiObject[]).filter(({ status }) => (status as { readonly phase?: string } | undefined)?.phase === "InProgress");
    if (restore === undefined || (moment === "pods" && objects.list("v1", "pods", "shop").length === 0)) continue;
    await pair.engines[secondary.region].crashVelero();
    return restore.metadata.name;
  }
  return null;
}
