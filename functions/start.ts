/** Where all doors end: the ledger opens a run, then an instance is started for it or found. */
import type { DurableClient } from "durable-functions";
import type { RunInput } from "../orchestrations/failover.ts";
import type { Started } from "../orchestrations/runbook.ts";
import { type Head, type OpenRun, type Opening, openRun, type Refusal } from "../shared/domain/ledger.ts";
import type { Plan } from "../shared/domain/plan.ts";
import type { World } from "../shared/ports.ts";
import { openLedger } from "./ledger.ts";
import { followNewest } from "./ledger-follow.ts";
import { keepVersion, noRun, planOf, refOf } from "./runs.ts";

export type Opened =
  | { readonly kind: "opened"; readonly runId: string }
  /** Nothing was started: `runId` is the run that speaks against it, if one does. */
  | { readonly kind: "refused"; readonly why: Refusal; readonly runId: string | null; readonly epoch: number };

/** Opens a run and starts its instance. `ifEpoch`: only if the ledger still stands there. Throws `LedgerBroken` where the run would hang on what was changed by hand. */
export async function start(world: World, client: DurableClient, plan: Plan, hash: string, opening: Opening, ifEpoch: number | null = null): Promise<Opened> {
  // Kept before the ledger names it: an open run whose plan is missing could never act.
  await keepVersion(world.home, plan, hash);
  const ledger = openLedger(world.home);
  const before = await ledger.head(plan.plan);
  if (before.run === null) await followNewest(world.home, before, { withEntries: true });
  const made = await ledger.change(plan.plan, (head) => openRun(head, opening, hash, world.clock.now(), ifEpoch));
  const { run, last, epoch } = made.head;
  if (made.kind === "refused") return { kind: "refused", why: made.why, runId: run?.id ?? last?.runId ?? null, epoch };
  if (run === null) throw new Error("a run that was opened is not open");
  await startInstance(world, client, plan.plan, run);
  return { kind: "opened", runId: run.id };
}

/** Opens the run that kept alerts wait for, if the plan is free by now; `null`: none waits, or it is not. */
export async function startPending(world: World, client: DurableClient, plan: Plan, hash: string, { run, active, pendingAlerts }: Head): Promise<Opened | null> {
  const [oldest] = pendingAlerts;
  if (oldest === undefined || run !== null || active === "secondary") return null;
  const reason = `${oldest.reason}; told at ${new Date(oldest.at).toISOString()}, when nothing could be started`;
  return start(world, client, plan, hash, { kind: "failover", door: "alert", by: oldest.rule, reason, alertId: oldest.alertId, applications: [] });
}

const orchestrators = { failover: "failover", recovery: "recover" } as const;

/** Ends of an instance by which the run in the ledger should have been closed. */
const ended: ReadonlySet<string> = new Set(["Completed", "Failed", "Terminated", "Canceled"]);

/**
 * Starts the instance of an open run, unless it was started before. One that came to its end without closing the run is not
 * started anew, it would end the same way: the run is closed as halted, so that it does not hold its plan for ever.
 */
export async function startInstance(world: World, client: DurableClient, plan: string, run: OpenRun): Promise<void> {
  const status = await statusOf(client, run.id);
  const ref = refOf(run, plan);
  if (status !== null && ended.has(status)) return startNew(client, "close-abandoned", `${run.id}--close`, { ref, phase: null, input: { reached: run.phases.at(-1)?.phase ?? "accept" } });
  if (status !== null) return;
  const input: Started<RunInput> = { ref, phase: null, input: { plan: await planOf(world.home, ref), door: run.door, by: run.by, applications: run.applications, ...inherited(run) } };
  await startNew(client, orchestrators[run.kind], run.id, input);
}

/** What a run goes on from, where it took another's place. */
const inherited = ({ takenOver, pointsOfNoReturn }: OpenRun): Pick<RunInput, "inherits"> => (takenOver === undefined ? {} : { inherits: { runId: takenOver.runId, fenced: takenOver.fenced, trafficPassed: pointsOfNoReturn.traffic !== null } });

/**
 * Verifies a plan's backups and learns where its clusters are. The instance has a fixed id: one that still runs is not doubled. With `dueAt`, one that
 * ended just before is not done again either.
 */
export const startVerification = (client: DurableClient, plan: string, dueAt?: number): Promise<void> =>
  startNew(client, "verify-backups", `verify--${plan}`, { ref: noRun(plan), phase: null, input: dueAt === undefined ? {} : { dueAt } });

/** Starts an instance under a fixed id; a live one of that id is left alone and joined. */
export async function startNew(client: DurableClient, orchestrator: string, instanceId: string, input: unknown): Promise<void> {
  try {
    await client.startNew(orchestrator, { instanceId, input });
  } catch (error) {
    // Somebody else was faster: the host lets no live instance be replaced.
    if ((await statusOf(client, instanceId)) === null) throw error;
  }
}

/** What the host knows of an instance; `null`: nothing. */
export async function statusOf(client: DurableClient, instanceId: string): Promise<string | null> {
  try {
    const status = await client.getStatus(instanceId);
    return status.runtimeStatus;
  } catch (error) {
    if (error instanceof Error && /HTTP 404/.test(error.message)) return null;
    throw error;
  }
}
