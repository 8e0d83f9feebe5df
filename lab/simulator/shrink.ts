/** Makes a failing scenario smaller, as long as it still violates the same invariant. */
import type { Scenario } from "./scenario.ts";
import { playOut } from "./simulate.ts";

/** What a scenario is without one of its parts, largest parts first. */
function* smaller(scenario: Scenario): Generator<Scenario> {
  const { troubles, deeds } = scenario;
  if (troubles.length > 1) yield { ...scenario, troubles: [] };
  for (const trouble of troubles) yield { ...scenario, troubles: troubles.filter((other) => other !== trouble) };
  for (const deed of deeds) yield { ...scenario, deeds: deeds.filter((other) => other !== deed) };
  if (scenario.hosts > 1) yield { ...scenario, hosts: 1 };
  if (scenario.replaysAlways) yield { ...scenario, replaysAlways: false };
  if (scenario.stopped) yield { ...scenario, stopped: false };
  if (scenario.shelf !== "whole") yield { ...scenario, shelf: "whole" };
  if (scenario.plan.approval !== "automatic") yield { ...scenario, plan: { ...scenario.plan, approval: "automatic" } };
  if (scenario.plan.agree !== 5) yield { ...scenario, plan: { ...scenario.plan, agree: 5 } };
  if (scenario.agent !== undefined) {
    const { agent: _, ...without } = scenario;
    yield { ...without, plan: { ...scenario.plan, agent: false }, troubles: troubles.filter(({ kind }) => !kind.startsWith("agent-")) };
  }
  if (!scenario.plan.trafficOnly) yield { ...scenario, plan: { ...scenario.plan, trafficOnly: true } };
}

/** As small as it gets by leaving out one thing at a time; at most `playsMax` plays. */
export async function shrink(scenario: Scenario, invariant: string, playsMax = 120): Promise<Scenario> {
  let least = scenario;
  let plays = 0;
  for (let found = true; found && plays < playsMax; ) {
    found = false;
    for (const candidate of smaller(least)) {
      if (++plays > playsMax) break;
      const { violations } = await playOut(candidate);
      if (!violations.some((violation) => violation.invariant === invariant)) continue;
      least = candidate;
      found = true;
      break;
    }
  }
  return least;
}
