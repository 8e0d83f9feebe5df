/** What a run was started with: written once when it is opened, so that a plan edited in mid-failover changes nothing. */
import { problemLine, readPlan, type ReadPlans, readPlans } from "../shared/domain/plan-file.ts";
import type { Opening, RunKind } from "../shared/domain/ledger.ts";
import type { Plan } from "../shared/domain/plan.ts";
import type { Home } from "../shared/ports.ts";
import { sha256 } from "./ledger.ts";

export interface RunRecord {
  readonly runId: string;
  readonly epoch: number;
  readonly plan: Plan;
  readonly planHash: string;
  readonly opening: Opening;
}

export const recordName = (plan: string, epoch: number): string => `runs/${plan}/${String(epoch).padStart(6, "0")}/record.json`;
export const planName = (plan: string): string => `plans/${plan}.yaml`;

/** What every step of a run needs to know of it. */
export interface Terms {
  readonly plan: Plan;
  readonly kind: RunKind;
}

/** Runs of one process, so that a run of fifty steps reads its record once. Bounded: the oldest goes first. */
const known = new Map<string, Terms>();
const knownMax = 20;

/** The terms of a run; without a run (`epoch` 0), those of the plan as it is now. Throws when there is none, or it is not readable. */
export async function termsOf(home: Home, ref: { readonly plan: string; readonly epoch: number; readonly planHash: string }): Promise<Terms> {
  if (ref.epoch === 0) return { plan: await currentPlan(home, ref.plan), kind: "failover" };
  const key = `${ref.plan}/${ref.epoch}/${ref.planHash}`;
  const before = known.get(key);
  if (before) return before;
  const { plan, opening } = await readRecord(home, ref.plan, ref.epoch);
  const terms = { plan, kind: opening.kind };
  known.set(key, terms);
  for (const oldest of known.keys()) {
    if (known.size <= knownMax) break;
    known.delete(oldest);
  }
  return terms;
}

export async function readRecord(home: Home, plan: string, epoch: number): Promise<RunRecord> {
  const stored = await home.read(recordName(plan, epoch));
  if (stored === null) throw new Error(`the record of run ${plan}-${epoch} is missing: ${recordName(plan, epoch)}`);
  return JSON.parse(stored.body) as RunRecord;
}

async function currentPlan(home: Home, name: string): Promise<Plan> {
  const stored = await home.read(planName(name));
  if (stored === null) throw new Error(`there is no plan ${name}`);
  const read = readPlan(stored.body, sha256);
  if (read.kind === "unreadable") throw new Error(read.problems.map((problem) => problemLine(planName(name), problem)).join("; "));
  return read.plan;
}

/** Every plan at home. An invalid one is told of, and keeps no other from working. */
export async function plansAt(home: Home): Promise<ReadPlans> {
  const names = (await home.list("plans/")).filter((name) => name.endsWith(".yaml"));
  const files = await Promise.all(names.map(async (file) => ({ file, text: (await home.read(file))?.body ?? "" })));
  return readPlans(files, sha256);
}
