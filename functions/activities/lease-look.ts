import type { Finding } from "../../shared/domain/findings.ts";
import { leaseName, leaseTrouble, readLease } from "../../shared/domain/lease.ts";
import { WorldError } from "../../shared/ports.ts";
import type { Duty } from "./perform.ts";

/**
 * Whether the lease agent that the plan declares renews its lease: one that is silent today proves nothing tomorrow. Nothing is said while a run is
 * under way, which looks for itself, nor when users were moved. Only looks.
 */
export async function leaseLook({ world, ledger, plan }: Duty): Promise<readonly Finding[]> {
  if (plan.fence.agent === undefined || world.home.dated === undefined) return [];
  try {
    const head = await ledger.head(plan.plan);
    if (head.run !== null || head.active === "secondary") return [];
    const found = await world.home.dated(leaseName(plan.plan));
    const fact = leaseTrouble(found === null ? null : { lease: readLease(found.body, plan.plan), writtenAt: found.writtenAt, storeNowAt: found.answeredAt });
    return fact === null ? [] : [{ kind: "agent-silent", point: null, fact }];
  } catch (error) {
    if (!(error instanceof WorldError)) throw error;
    return [{ kind: "unknown", point: null, fact: `the lease of the agent in the primary could not be read: ${error.message}` }];
  }
}
