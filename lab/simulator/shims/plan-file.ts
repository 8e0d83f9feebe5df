/** The app's reader of plan files with a memory: reading is pure and takes longer than the rest of a step. */
import { type Digest, type PlanFileText, readPlan as read, type ReadPlan, type ReadPlans, readPlans as readAll, type UnreadablePlan } from "../../../shared/domain/plan-file.ts";

export { problemLine } from "../../../shared/domain/plan-file.ts";

/** By its text. Few: the plans of a simulation, as they lie at home. */
const known = new Map<string, ReadPlan | UnreadablePlan>();

export function readPlan(text: string, digest: Digest): ReadPlan | UnreadablePlan {
  const found = known.get(text) ?? read(text, digest);
  known.set(text, found);
  return found;
}

/** Several files are for the app's own tests: a simulated home holds one. */
export function readPlans(files: readonly PlanFileText[], digest: Digest): ReadPlans {
  const [only, ...more] = files;
  if (only === undefined || more.length > 0) return readAll(files, digest);
  const found = readPlan(only.text, digest);
  return found.kind === "plan" ? { plans: [{ ...found, file: only.file }], unreadable: [] } : { plans: [], unreadable: [{ ...found, file: only.file }] };
}
