import type { Finding } from "../../shared/domain/findings.ts";
import type { TrafficState } from "../../shared/ports.ts";
import type { Duty } from "./perform.ts";
import { orUnread } from "./unread-finding.ts";

/**
 * Whether the public name leads to the region that the ledger calls active, and to no other. While a run is under way nothing is said: it moves
 * the endpoints itself. What cannot be read is `unknown`. Only looks.
 */
export async function trafficDrift({ world, ledger, plan }: Duty): Promise<readonly Finding[]> {
  return orUnread("where the public name leads", async () => {
    const before = await ledger.head(plan.plan);
    if (before.run !== null) return [];
    const state = await world.traffic.read(plan.traffic);
    const after = await ledger.head(plan.plan);
    // A run that began meanwhile may have moved them between the two looks.
    if (after.run !== null || after.epoch !== before.epoch) return [];
    const fact = driftOf(state, after.active, after.last?.outcome ?? null);
    return fact === null ? [] : [{ kind: "traffic-drift", point: null, fact }];
  });
}

function driftOf({ primary, secondary }: TrafficState, active: "primary" | "secondary", lastOutcome: string | null): string | null {
  const [users, other, otherName] = active === "primary" ? [primary, secondary, "secondary"] : [secondary, primary, "primary"];
  const wrong = [...(users.open ? [] : [`the ${active}'s endpoint is closed`]), ...(other.open ? [`the ${otherName}'s endpoint is open`] : [])];
  return wrong.length === 0 ? null : `users are at the ${active} by the ledger, and ${wrong.join(" and ")}${lastOutcome === null ? "" : `; the last run ended ${lastOutcome}, and its report says how it left them`}`;
}
