/** What the lease agent in the primary does: S1, S20. */
import { labStart } from "../../clock.ts";
import { agentSeconds } from "../plan.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";
import { isForced } from "./writers.ts";
import type { Seen } from "./witness.ts";

/** A region that comes back up has its agent start with everything else: so long it may need to read what is asked of it, and to close. */
const startedMs = (agentSeconds.marginSeconds + agentSeconds.closingSeconds) * 1_000;
/** A renewal, and all that it leads to. */
const followsMs = (agentSeconds.renewSeconds + agentSeconds.closingSeconds) * 1_000;

/** Where the agent's word or silence was fence enough, nothing takes writes in the primary any more: not by ways around the public name, and not later. */
export function agentKeepsClosed(evidence: Evidence): readonly Violation[] {
  const { sim, witness } = evidence;
  const { plan, agent, loss, troubles } = sim.scenario;
  if (agent === undefined || plan.trafficOnly || isForced(evidence)) return [];
  const backAt = loss.kind === "region" && loss.forMs !== null ? loss.at + loss.forMs + labStart : Number.POSITIVE_INFINITY;
  const starting = (at: number): boolean => agent.inside === "dies" && at < backAt + startedMs + (troubles.some(({ kind }) => kind.startsWith("agent-")) ? followsMs : 0);
  const late = witness.seen.find((seen) => seen.secondaryOpen && seen.primaryReach === "up" && seen.primaryRuns > 0 && !starting(seen.effect.at));
  if (late !== undefined) return [wrong("S1", late.effect.at, "users are at the secondary, and the primary that its agent closed runs")];
  const { pair, scheduler } = sim;
  const runs = pair.clusters.westeurope.ready("storefront") + pair.clusters.westeurope.ready("orders");
  const up = pair.world.reach("westeurope") === "up" || agent.inside !== "dies";
  return pair.front.isOpen("secondary") && up && runs > 0 ? [wrong("S1", scheduler.now, "users stay at the secondary, and the primary still runs")] : [];
}

/** It closes nothing unless a run asks for it, users are elsewhere, or it cannot be told. */
export function agentActsWithCause({ sim, witness }: Evidence): readonly Violation[] {
  const { agent, loss } = sim.scenario;
  if (agent === undefined) return [];
  const cutAt = loss.kind === "region" && agent.inside !== "hears-home" ? loss.at + labStart : Number.POSITIVE_INFINITY;
  return witness.seen.filter(closes).flatMap(({ effect, head }) => {
    const fenced = head !== null && (head.active === "secondary" || head.promotedBy !== null || head.run?.phases.some(({ phase }) => phase === "fence") === true || head.run?.takenOver !== undefined);
    return fenced || effect.at >= cutAt ? [] : [wrong("S20", effect.at, `the agent stops ${effect.key}, and nobody asked`)];
  });
}

const closes = ({ effect }: Seen): boolean => {
  if (effect.act !== "agent.changed") return false;
  const { spec } = effect.detail as { readonly spec?: { readonly replicas?: number; readonly suspend?: boolean } };
  return spec?.replicas === 0 || spec?.suspend === true;
};
