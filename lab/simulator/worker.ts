/** A process that plays a share of the seeds and says what came of it. */
import { type Batch, playBatch } from "./batch.ts";
import { loadSimulator } from "./load.ts";

const batch = JSON.parse(process.argv[2] ?? "{}") as Batch; // written by pool.ts
const result = await playBatch(batch, await loadSimulator());
process.stdout.write(JSON.stringify(result));
