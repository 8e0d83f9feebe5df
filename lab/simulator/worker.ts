/** A process that does a share of the work and says what came of it. */
import { type Batch, playBatch } from "./batch.ts";
import { explore, type Share } from "./explore.ts";
import { loadSimulator } from "./load.ts";

/** Seeds, or a share of something that is gone through in order. */
export type Job = { readonly kind: "seeds"; readonly batch: Batch } | { readonly kind: "share"; readonly share: Share };

const job = JSON.parse(process.argv[2] ?? "{}") as Job; // written by pool.ts
const simulator = await loadSimulator();
process.stdout.write(JSON.stringify(job.kind === "seeds" ? await playBatch(job.batch, simulator) : await explore(job.share, simulator)));
