/**
 * The watermark: the instant before which every write to the source is known to be at the replica. It never goes back: what was known
 * once stays true, so the newest known one holds while the source is dark.
 */

export interface Watermark {
  /** UTC ms. Writes before it are at the replica; of writes at or after it nothing is said. */
  readonly at: number;
  readonly recordedAt: number;
  /** Shared storage reads the service's Last Sync Time; replicated storage computes it from the source's listing. */
  readonly how: "last-sync-time" | "source-listing";
}

/** Azure answers with the least date there is (year 1 or 1601) when it does not know. Nothing was replicated before this one. */
const earliestAt = Date.UTC(2010, 0, 1);

/** Shared storage. `null`: the secondary does not know, or it is still being filled. */
export function watermarkOfLastSync(reading: { readonly state: "live" | "bootstrap" | "unavailable"; readonly lastSyncAt: number | null }, nowAt: number): Watermark | null {
  if (reading.state !== "live" || reading.lastSyncAt === null || reading.lastSyncAt < earliestAt) return null;
  return { at: reading.lastSyncAt, recordedAt: nowAt, how: "last-sync-time" };
}

/**
 * Replicated storage. `beganAt` is when the listing of the source began, `behindSinceAt` the oldest Last-Modified among its blobs that are
 * not at the replica (`null`: there is none). Last-Modified has whole seconds, so the beginning is cut down to one: a blob written
 * later in that second would look older than the listing.
 */
export function watermarkOfListing(beganAt: number, behindSinceAt: number | null): Watermark {
  const began = Math.floor(beganAt / 1000) * 1000;
  return { at: behindSinceAt === null ? began : Math.min(began, behindSinceAt), recordedAt: beganAt, how: "source-listing" };
}

/** The one that says more. */
export function laterWatermark(one: Watermark | null, other: Watermark | null): Watermark | null {
  if (one === null || other === null) return one ?? other;
  if (one.at !== other.at) return one.at > other.at ? one : other;
  return one.recordedAt >= other.recordedAt ? one : other;
}

/** Whether a write of this instant is known to be at the replica. */
export const covers = (watermark: Watermark | null, writtenAt: number): boolean => watermark !== null && writtenAt < watermark.at;
