/**
 * The app's reader of plan files with a memory. Reading is pure and takes longer than the rest of a step: a plan that differs from a known
 * one in its `about` alone is not read again.
 */
import { type Digest, type PlanFileText, readPlan as read, type ReadPlan, type ReadPlans, readPlans as readAll, type UnreadablePlan } from "../../../shared/domain/plan-file.ts";

export { problemLine } from "../../../shared/domain/plan-file.ts";

const known = new Map<string, ReadPlan>();
/** By the whole text: the few plans of a simulation, as they lie at home. */
const whole = new Map<string, ReadPlan | UnreadablePlan>();

export function readPlan(text: string, digest: Digest): ReadPlan | UnreadablePlan {
  const before = whole.get(text);
  if (before !== undefined) return before;
  const first = readWithout(text, digest);
  whole.set(text, first);
  return first;
}

function readWithout(text: string, digest: Digest): ReadPlan | UnreadablePlan {
  const { about, ...rest } = JSON.parse(text) as { readonly about: string };
  const key = JSON.stringify(rest);
  const before = known.get(key);
  if (before !== undefined) return { ...before, plan: { ...before.plan, about }, hash: digest(text) };
  const first = read(text, digest);
  if (first.kind === "plan") known.set(key, first);
  return first.kind === "plan" ? { ...first, hash: digest(text) } : first;
}

/** Several files are for the app's own tests: a simulated home holds one. */
export function readPlans(files: readonly PlanFileText[], digest: Digest): ReadPlans {
  const [only, ...more] = files;
  if (only === undefined || more.length > 0) return readAll(files, digest);
  const found = readPlan(only.text, digest);
  return found.kind === "plan" ? { plans: [{ ...found, file: only.file }], unreadable: [] } : { plans: [], unreadable: [{ ...found, file: only.file }] };
}
