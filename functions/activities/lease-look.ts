import type { Finding } from "../../shared/domain/findings.ts";
import { leaseTrouble } from "../../shared/domain/lease.ts";
import { leaseSeen } from "./lease-seen.ts";
import type { Duty } from "./perform.ts";
import { orUnread } from "./unread-finding.ts";

/**
 * Whether the lease agent that the plan declares renews its lease: one that is silent today proves nothing tomorrow. Nothing is said while a run is
 * under way, which looks for itself, nor when users were moved. Only looks.
 */
export async function leaseLook({ world, ledger, plan }: Duty): Promise<readonly Finding[]> {
  if (plan.fence.agent === undefined || world.home.dated === undefined) return [];
  return orUnread("the lease of the agent in the primary", async () => {
    const head = await ledger.head(plan.plan);
    if (head.run !== null || head.active === "secondary") return [];
    const fact = leaseTrouble(await leaseSeen(world.home, plan.plan));
    return fact === null ? [] : [{ kind: "agent-silent", point: null, fact }];
  });
}
