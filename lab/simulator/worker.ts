/** A process that does one share of the work after the other: what its compiler has learnt by the first one serves the next. */
import { type Batch, playBatch } from "./batch.ts";
import { explore, type Share } from "./explore.ts";
import { loadSimulator } from "./load.ts";

/** Seeds, or a share of something that is gone through in order. */
export type Job = { readonly kind: "seeds"; readonly batch: Batch } | { readonly kind: "share"; readonly share: Share };

const simulator = await loadSimulator();
process.on("message", (job: Job) => {
  void (job.kind === "seeds" ? playBatch(job.batch, simulator) : explore(job.share, simulator)).then((result) => process.send?.(result));
});
