/** Who takes writes, and who sent users where: S1, S2, S7, S8, S11, S12, S17, S20. */
import { labStart } from "../../clock.ts";
import type { Liar } from "../ports/world.ts";
import { shelves } from "../shelves.ts";
import { fallsText } from "../story.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";
import type { Seen } from "./witness.ts";

export const opens = ({ effect }: Seen): boolean => effect.act === "traffic.endpoint-updated" && effect.key === "secondary" && (effect.detail as { status?: string }).status === "Enabled";
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
export function fencedBeforeOpen(evidence: Evidence): readonly Violation[] {
  const { sim, witness } = evidence;
  const { plan } = sim.scenario;
  const forced = isForced(evidence);
  return witness.seen.filter(opens).flatMap((seen) => {
    const { at } = seen.effect;
    if (seen.primaryOpen) return [wrong("S1", at, "users are sent to the secondary while the primary's endpoint is open")];
    if (!plan.trafficOnly && seen.primaryRuns > 0 && !forced && !isDown(sim, seen)) return [wrong("S1", at, "users are sent to the secondary while the primary's workloads were not stopped, and nobody said that this is enough")];
    return [];
  });
}

/** With its agent the region itself went down: nothing runs there, whatever its objects say. */
const isDown = ({ scenario }: Evidence["sim"], { primaryReach }: Seen): boolean => scenario.agent?.inside === "dies" && primaryReach !== "up";

/** Whether a person said that the fence is enough. */
export const isForced = ({ sim, told }: Evidence): boolean =>
  sim.scenario.deeds.some((deed) => deed.kind === "decide" && deed.about === "fence" && deed.verdict === "approve") && !told.some(({ deed, status }) => deed.kind === "decide" && deed.about === "fence" && deed.verdict === "deny" && status === 202);

/** What users meet there is the shop, with the data of a point that was whole. */
export function verifiedBeforeOpen({ sim, witness }: Evidence): readonly Violation[] {
  return witness.seen.filter(opens).flatMap((seen) => {
    const { at } = seen.effect;
    const whole = shelves[sim.scenario.shelf].filter(({ missing, cut, phase }) => phase === "Completed" && missing.length === 0 && cut.length === 0);
    if (!seen.secondaryServes && !justFallen(sim, at)) return [wrong("S2", at, "users are sent to a secondary that does not serve")];
    if (!whole.some(({ snapshot }) => snapshot === seen.volume)) return [wrong("S2", at, `users are sent to a secondary whose volume holds ${seen.volume || "nothing"}`)];
    if (seen.head?.run?.pointsOfNoReturn.traffic == null) return [wrong("S8", at, "users are sent to the secondary and the ledger has no traffic point of no return")];
    if (seen.head.run.abort !== null) return [wrong("S7", at, "users are sent to the secondary by a run that was asked to stop before its point of no return")];
    return [];
  });
}

/** How long the gate's last look may be before the act: two calls of Azure. */
const lookedMs = 400;

/** What fell over a moment ago nobody could see; nor, where an answer is late or a host stands still, how long the moment was. */
function justFallen({ story, scenario }: Evidence["sim"], at: number): boolean {
  const fellAt = story.lines.find(({ what }) => what === fallsText)?.at;
  return fellAt !== undefined && (at - fellAt <= lookedMs || scenario.troubles.some((trouble) => trouble.kind === "pause" || (trouble.kind === "call" && "delayMs" in trouble.fault)));
}

/** Looks that must agree, one after the other, before a loss is confirmed. */
const looksMin = 3;
/** By which port each witness is asked. */
const portOf: Readonly<Record<Liar, string>> = { "public-probe": "probes", "backend-probe": "probes", "kubernetes-api": "kubernetes", "resource-health": "arm", "traffic-manager": "arm" };

/** Witnesses that do not lie, and whose answers may be kept from us for as long as a loss takes to be confirmed: nobody can tell that from a loss. */
function silenced({ loss, troubles }: Evidence["sim"]["scenario"]): number {
  const ports = new Set(troubles.flatMap((trouble) => (trouble.kind === "call" && trouble.times >= looksMin && trouble.fault.kind !== "throttled" ? [trouble.port] : [])));
  return (Object.keys(portOf) as Liar[]).filter((witness) => !(loss.kind === "liars" && loss.liars.includes(witness)) && ports.has(portOf[witness])).length;
}

/** A machine may not act where nothing is lost, or not for long, or where it is we who are cut off. */
export function noThinEvidence({ sim, witness }: Evidence): readonly Violation[] {
  const { loss, plan } = sim.scenario;
  const thin = loss.kind === "nothing" || loss.kind === "cut-off" || (loss.kind === "liars" && loss.liars.length + silenced(sim.scenario) < plan.agree) || (loss.kind === "region" && loss.forMs !== null && loss.forMs < 40_000);
  if (!thin) return [];
  const decided = witness.heads.find(({ head: { run } }) => run !== null && run.door !== "http" && run.phases.some(({ phase }) => phase === "decide"));
  if (decided !== undefined) return [wrong("S11", decided.at, `${decided.head.run?.id} goes on to its decision although ${loss.kind === "cut-off" ? "it is we who are cut off" : loss.kind === "region" ? "it was a blip" : "it is not lost"}`)];
  return witness.seen.filter((seen) => (closes(seen) || opens(seen)) && seen.head?.run?.door !== "http").map((seen) => wrong("S11", seen.effect.at, `the primary is touched although ${loss.kind === "region" ? "it was a blip" : "it is not lost"}`));
}

/** How long after its return a region may still be fenced: the last look is a moment old, and an act is asked for again and again. */
const returnedMs = 120_000;

/** A machine looks again before it touches the primary: one that has long been back is left alone. And it only jumps where there is room. */
export function lookedAgain({ sim, witness }: Evidence): readonly Violation[] {
  const { loss, troubles } = sim.scenario;
  const backAt = loss.kind === "region" && loss.forMs !== null ? loss.at + loss.forMs + labStart : Number.POSITIVE_INFINITY;
  const noRoom = troubles.some((trouble) => trouble.kind === "capacity" && trouble.nodes === 0);
  return witness.seen.filter(closes).flatMap((seen) => {
    const { at } = seen.effect;
    const paused = troubles.some((trouble) => trouble.kind === "pause" || trouble.kind === "crash");
    if (seen.head?.run?.door !== "http" && at > backAt + returnedMs && !paused) return [wrong("S11", at, `the primary is fenced ${Math.round((at - backAt) / 1_000)} s after it came back`)];
    if (noRoom) return [wrong("S12", at, "the primary is fenced although the secondary has no room")];
    return [];
  });
}

/** Who may have said yes to a question about this run before an instant: what was not answered, or with 503 ("not now"), may have been taken, whatever a second try was told. */
export function yesTo(runId: string | undefined, { sent }: Evidence, before: number, counts: (about: "decision" | "fence" | "loss") => boolean): ReadonlySet<string> {
  return new Set(sent.flatMap(({ deed, status, runId: of, at }) => (deed.kind === "decide" && counts(deed.about) && deed.verdict === "approve" && of === runId && at < before && (status === null || status === 202 || status === 503) ? [deed.who] : [])));
}

/** As many people as the plan asks for have said yes before, and nobody had said no. */
export function approved(evidence: Evidence): readonly Violation[] {
  const { sim, witness, told } = evidence;
  const { plan } = sim.scenario;
  const needed = plan.approval === "one" ? 1 : plan.approval === "two" ? 2 : 0;
  return witness.seen.filter(closes).flatMap((seen) => {
    const { at } = seen.effect;
    const runId = seen.head?.run?.id;
    const yes = yesTo(runId, evidence, at, (about) => about === "decision");
    const no = told.find(({ deed, status, runId: of, at: saidAt }) => deed.kind === "decide" && deed.about === "decision" && deed.verdict === "deny" && status === 202 && of === runId && saidAt < at);
    if (no !== undefined) return [wrong("S20", at, `the primary is fenced by ${runId}, to which somebody had said no`)];
    return yes.size < needed ? [wrong("S20", at, `the primary is fenced by ${runId} with ${yes.size} of ${needed} approvals`)] : [];
  });
}

/** Consumers act in one place: in the secondary not before users are there. */
export function consumersHeld({ witness }: Evidence): readonly Violation[] {
  return witness.seen.filter(({ effect, secondaryOpen }) => effect.act === "consumer.acts" && effect.key.startsWith("northeurope/") && !secondaryOpen).map(({ effect }) => wrong("S1", effect.at, `${effect.key} acts before users are sent there`));
}
