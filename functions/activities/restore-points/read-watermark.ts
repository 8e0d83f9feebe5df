/** Up to which instant the replica is known whole, as far as anyone answers now. */
import type { Plan } from "../../../shared/domain/plan.ts";
import { placesOf } from "../../../shared/domain/replica.ts";
import { type Watermark, watermarkOfLastSync, watermarkOfListing } from "../../../shared/domain/watermark.ts";
import { type World, WorldError } from "../../../shared/ports.ts";
import type { Source } from "./list-folder.ts";

/** What a restore reads. Restores' own logs are written and replicated too, and matter to none. */
const prefixes = ["backups/", "kopia/"] as const;

/**
 * `null`: nobody answers, and the last recorded one holds. Shared storage asks the secondary endpoint; replicated storage lists the whole source,
 * page by page, and keeps one number.
 */
export async function readWatermark(world: Pick<World, "replication" | "clock">, plan: Plan, source: Source): Promise<Watermark | null> {
  switch (plan.storage.topology) {
    case "shared":
      return watermarkOfLastSync(await lastSync(world, placesOf(plan).replica.url), world.clock.now());
    case "replicated": {
      const beganAt = world.clock.now();
      const behind = await source.behindSince(prefixes);
      return behind && watermarkOfListing(beganAt, behind.at);
    }
  }
}

/** A secondary endpoint that does not say its Last Sync Time leaves the watermark unknown; that is no reason to look at nothing. */
async function lastSync({ replication }: Pick<World, "replication">, url: string): ReturnType<World["replication"]["lastSync"]> {
  try {
    return await replication.lastSync(url);
  } catch (error) {
    if (!(error instanceof WorldError)) throw error;
    return { state: "unavailable", lastSyncAt: null };
  }
}
