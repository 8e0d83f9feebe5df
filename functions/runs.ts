/** Plans and runs at home: the plans as they are now, and each version that a run was started with. */
import type { Plan } from "../shared/domain/plan.ts";
import { problemLine, readPlan, type ReadPlans, readPlans } from "../shared/domain/plan-file.ts";
import { planName } from "../shared/domain/plan-name.ts";
import type { OpenRun } from "../shared/domain/ledger.ts";
import type { RunRef } from "../orchestrations/step.ts";
import type { Home } from "../shared/ports.ts";
import { sha256 } from "./ledger.ts";

const versionName = (plan: string, hash: string): string => `runs/${plan}/plans/${hash}.json`;

/** Versions that were read from each home, so that a run of fifty steps reads its own once. Bounded: the oldest goes first. */
const knownAt = new WeakMap<Home, Map<string, Plan>>();
const knownMax = 20;

/** Keeps the version that a run is about to start with: a plan edited in mid-failover changes nothing. Named by its hash, so written once. */
export async function keepVersion(home: Home, plan: Plan, hash: string): Promise<void> {
  await home.create(versionName(plan.plan, hash), JSON.stringify(plan));
}

/** The plan of a run; without a run (`epoch` 0), the plan as it is now. Throws when there is none, or it is not readable. */
export async function planOf(home: Home, ref: Pick<RunRef, "plan" | "epoch" | "planHash">): Promise<Plan> {
  if (ref.epoch === 0) return currentPlan(home, ref.plan);
  const known = knownAt.get(home) ?? new Map<string, Plan>();
  knownAt.set(home, known);
  const before = known.get(ref.planHash);
  if (before) return before;
  const stored = await home.read(versionName(ref.plan, ref.planHash));
  if (stored === null) throw new Error(`the plan that run ${ref.plan}-${ref.epoch} was started with is missing: ${versionName(ref.plan, ref.planHash)}`);
  const plan = JSON.parse(stored.body) as Plan; // validated before it was kept
  known.set(ref.planHash, plan);
  for (const oldest of known.keys()) {
    if (known.size <= knownMax) break;
    known.delete(oldest);
  }
  return plan;
}

export const refOf = (run: OpenRun, plan: string): RunRef => ({ runId: run.id, plan, epoch: run.epoch, planHash: run.planHash, kind: run.kind });
/** For what is no run and changes nothing: verification, replication checks. */
export const noRun = (plan: string): RunRef => ({ runId: "", plan, epoch: 0, planHash: "", kind: "failover" });

async function currentPlan(home: Home, name: string): Promise<Plan> {
  const stored = await home.read(planName(name));
  if (stored === null) throw new Error(`there is no plan ${name}`);
  const read = readPlan(stored.body, sha256);
  if (read.kind === "unreadable") throw new Error(read.problems.map((problem) => problemLine(planName(name), problem)).join("; "));
  return read.plan;
}

/** What was last read from each home: as long as the files say the same, so do the plans. */
const lastRead = new WeakMap<Home, { readonly texts: string; readonly plans: ReadPlans }>();

/** Every plan at home. An invalid one is told of, and keeps no other from working. */
export async function plansAt(home: Home): Promise<ReadPlans> {
  const names = (await home.list("plans/")).filter((name) => name.endsWith(".yaml"));
  const files = await Promise.all(names.map(async (file) => ({ file, text: (await home.read(file))?.body ?? "" })));
  const texts = JSON.stringify(files);
  const before = lastRead.get(home);
  if (before?.texts === texts) return before.plans;
  const plans = readPlans(files, sha256);
  lastRead.set(home, { texts, plans });
  return plans;
}
