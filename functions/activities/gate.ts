import { gateLacks, type GateRecord, gateRecords, type Records } from "../../shared/domain/gate.ts";
import { passPoint } from "../../shared/domain/ledger.ts";
import type { Passed } from "../../orchestrations/steps.ts";
import { followRun } from "../ledger-follow.ts";
import { goneSince, seenAnew } from "./gate-looks.ts";
import { type Duty, Superseded } from "./perform.ts";

/** Something that must be on record before a point of no return is not. Nothing was passed. */
export class GateShut extends Error {
  override readonly name = "GateShut";
  constructor(point: "data" | "traffic", runId: string, lacks: readonly string[]) {
    super(`the gate before the ${point} point of no return stays shut for ${runId}: ${lacks.join("; ")}`);
  }
}

/**
 * Passes a point of no return: its evidence read from the ledger now, what is old of it looked at anew, then one compare-and-swap. Passed already, by an earlier try, is
 * passed. Throws `GateShut` while evidence is missing, and `LedgerBroken` where a record of this run is not what was written. `look`: what else is looked at, side by
 * side with that, so that it is a moment old when the point is passed; what it throws is thrown.
 */
export async function pass(point: "data" | "traffic", duty: Duty, look: () => Promise<void> = async () => undefined): Promise<Passed> {
  const { ledger, call, startedAt } = duty;
  const { plan: name, epoch, runId } = call.ref;
  await Promise.all([evidenceFor(point, duty), look()]);
  const made = await ledger.change(name, (now) => passPoint(now, epoch, point, startedAt));
  if (made.kind === "changed" || made.why === "already") return { kind: "passed" };
  if (made.why === "past-no-return") return { kind: "abort-asked", by: made.head.run?.abort?.by ?? "somebody" };
  throw new Superseded(runId, made.head);
}

async function evidenceFor(point: "data" | "traffic", duty: Duty): Promise<void> {
  const { ledger, plan, call, world } = duty;
  const { plan: name, epoch, runId } = call.ref;
  const [written, { run, ...head }] = await Promise.all([readRecords(ledger, name, epoch), ledger.head(name)]);
  if (run === null || run.id !== runId) throw new Superseded(runId, { ...head, run });
  if (run.pointsOfNoReturn[point] !== null) return;
  await followRun(world.home, name, epoch);
  const records = await seenAnew(written, duty);
  const lacks = [...gateLacks(point, run, plan, records, world.clock.now()), ...(await goneSince(point, records, duty))];
  if (lacks.length > 0) throw new GateShut(point, runId, lacks);
}

async function readRecords(ledger: Duty["ledger"], plan: string, epoch: number): Promise<Records> {
  const read = await Promise.all(Object.entries(gateRecords).map(async ([record, at]) => [record, await ledger.entry({ plan, epoch, ...at }, "outcome")] as const));
  return Object.fromEntries(read) as Record<GateRecord, Records[GateRecord]>;
}
