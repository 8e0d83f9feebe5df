/** Who takes writes, and who sent users where: S1, S2, S8, S11, S17. */
import { shelves } from "../shelves.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";
import type { Seen } from "./witness.ts";

const opens = ({ effect }: Seen): boolean => effect.act === "traffic.endpoint-updated" && effect.key === "secondary" && (effect.detail as { status?: string }).status === "Enabled";
const closes = ({ effect }: Seen): boolean => effect.act === "traffic.endpoint-updated" && effect.key === "primary" && (effect.detail as { status?: string }).status === "Disabled";

export function singleWriter({ witness }: Evidence): readonly Violation[] {
  return witness.seen.flatMap((seen) => {
    const { at } = seen.effect;
    if (seen.primaryTakesWrites && seen.secondaryTakesWrites) return [wrong("S1", at, "both regions take writes")];
    if (seen.primaryOpen && seen.secondaryOpen) return [wrong("S1", at, "both public endpoints are open")];
    return [];
  });
}

/** The primary is closed before, and as well fenced as the plan asks or a person has said. */
export function fencedBeforeOpen({ sim, witness, told }: Evidence): readonly Violation[] {
  const { plan, deeds } = sim.scenario;
  return witness.seen.filter(opens).flatMap((seen) => {
    const { at } = seen.effect;
    if (seen.primaryOpen) return [wrong("S1", at, "users are sent to the secondary while the primary's endpoint is open")];
    const forced = deeds.some((deed) => deed.kind === "decide" && deed.about === "fence" && deed.verdict === "approve") && !told.some(({ deed, status }) => deed.kind === "decide" && deed.about === "fence" && deed.verdict === "deny" && status === 202);
    if (!plan.trafficOnly && seen.primaryRuns > 0 && !forced) return [wrong("S1", at, "users are sent to the secondary while the primary's workloads were not stopped, and nobody said that this is enough")];
    return [];
  });
}

/** What users meet there is the shop, with the data of a point that was whole. */
export function verifiedBeforeOpen({ sim, witness }: Evidence): readonly Violation[] {
  return witness.seen.filter(opens).flatMap((seen) => {
    const { at } = seen.effect;
    const whole = shelves[sim.scenario.shelf].filter(({ missing, cut, phase }) => phase === "Completed" && missing.length === 0 && cut.length === 0);
    if (!seen.secondaryServes) return [wrong("S2", at, "users are sent to a secondary that does not serve")];
    if (!whole.some(({ snapshot }) => snapshot === seen.volume)) return [wrong("S2", at, `users are sent to a secondary whose volume holds ${seen.volume || "nothing"}`)];
    if (seen.head?.run?.pointsOfNoReturn.traffic == null) return [wrong("S8", at, "users are sent to the secondary and the ledger has no traffic point of no return")];
    if (seen.head.run.abort !== null) return [wrong("S7", at, "users are sent to the secondary by a run that was asked to stop before its point of no return")];
    return [];
  });
}

/** A machine may not act where nothing is lost, or not for long, or where it is we who are cut off. */
export function noThinEvidence({ sim, witness }: Evidence): readonly Violation[] {
  const { loss } = sim.scenario;
  const thin = loss.kind === "nothing" || loss.kind === "cut-off" || (loss.kind === "liars" && loss.liars.length < 5) || (loss.kind === "region" && loss.forMs !== null && loss.forMs < 40_000);
  if (!thin) return [];
  return witness.seen.filter((seen) => (closes(seen) || opens(seen)) && seen.head?.run?.door !== "http").map((seen) => wrong("S11", seen.effect.at, `the primary is touched although ${loss.kind === "region" ? "it was a blip" : "it is not lost"}`));
}

/** Consumers act in one place: in the secondary not before users are there. */
export function consumersHeld({ witness }: Evidence): readonly Violation[] {
  return witness.seen.filter(({ effect, secondaryOpen }) => effect.act === "consumer.acts" && effect.key.startsWith("northeurope/") && !secondaryOpen).map(({ effect }) => wrong("S1", effect.at, `${effect.key} acts before users are sent there`));
}
