/** One run from scenario to verdict. */
import { kinds } from "../../shared/domain/kinds.ts";
import { check } from "./checkers/index.ts";
import { reportsOf } from "./checkers/endings.ts";
import type { Violation } from "./checkers/violation.ts";
import { beginWitness } from "./checkers/witness.ts";
import { beginDeeds } from "./deeds.ts";
import { quietDayOf } from "./quiet-day.ts";
import { openSim, type Sim } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { StepCallMade } from "./strikes.ts";
import { nature } from "./time/scheduler.ts";
import { play } from "./time/virtual.ts";
import { endRegion } from "./world/front.ts";
import { fallsText, type Story } from "./story.ts";

/** What came of a run. */
export interface Played {
  readonly scenario: Scenario;
  readonly violations: readonly Violation[];
  readonly story: Story;
  /** How each run of the app ended, in order. */
  readonly outcomes: readonly string[];
  readonly failovers: number;
  readonly virtualMs: number;
  readonly events: number;
  /** What those who asked a run to stop were told, in order: 202 it stops, 409 it is too late. */
  readonly aborts: readonly number[];
  /** Events of the world's log and of the ledger: an abort may be asked after each. */
  readonly logged: number;
}

const dayMs = 86_400_000;
/** How long the world goes on after the last run has ended: what comes late comes then. */
const afterMs = 900_000;

/** Somebody scales the front of the secondary to nothing, after it was verified. */
function fallOver({ pair, scheduler, story }: Sim, afterMs: number): void {
  let fallen = false;
  pair.home.onWrite((name) => {
    if (fallen || !name.endsWith("verify-applications.outcome.json")) return;
    fallen = true;
    scheduler.after(afterMs, nature, () => {
      story.tell(scheduler.now, "outside", fallsText);
      pair.clusters.northeurope.objects.patch(kinds.deployments, "shop", "storefront", { spec: { replicas: 0 } });
    });
  });
}

/** `callMade` is told of every call that a step makes. */
export async function playOut(scenario: Scenario, callMade: ((call: StepCallMade) => void) | null = null): Promise<Played> {
  const sim = await openSim(scenario, scenario.quietDay === "laid" ? await quietDayOf(scenario) : null, callMade);
  const { scheduler, pair, story, lies, hosts } = sim;
  const witness = beginWitness(sim);
  const startAt = scheduler.now;
  const { loss } = scenario;
  const later = (ms: number, call: () => void): void => void scheduler.after(ms, nature, call);
  switch (loss.kind) {
    case "region": {
      const { at, forMs, reach } = loss;
      later(at, () => pair.world.setReach(endRegion.primary, reach));
      if (forMs !== null) later(at + forMs, () => pair.world.setReach(endRegion.primary, "up"));
      break;
    }
    case "liars":
      later(loss.at, () => {
        for (const liar of loss.liars) lies.add(liar);
        story.tell(scheduler.now, "world", `begins to lie: ${loss.liars.join(", ")}`);
      });
      break;
    case "cut-off":
      later(loss.at, () => (sim.cut.off = true));
      later(loss.at + loss.forMs, () => (sim.cut.off = false));
      break;
    case "nothing":
      break;
  }
  let lastAt = startAt;
  for (const trouble of scenario.troubles)
    if (trouble.kind === "pause") {
      lastAt = Math.max(lastAt, startAt + trouble.at + trouble.forMs);
      later(trouble.at, () => {
        const host = hosts[trouble.host % hosts.length];
        if (!host?.alive) return;
        host.pausedUntil = scheduler.now + trouble.forMs;
        story.tell(scheduler.now, host.name, `stands still for ${Math.round(trouble.forMs / 60_000)} min`);
      });
    }
  for (const trouble of scenario.troubles) if (trouble.kind === "falls") fallOver(sim, trouble.afterMs);
  const doing = beginDeeds(sim);
  for (const deed of scenario.deeds) if ("at" in deed) lastAt = Math.max(lastAt, startAt + deed.at);
  let quietSince: number | null = null;
  let lookedAt = 0;
  const rests = (): boolean => {
    // Looked at once a second: the ledger is parsed for it.
    if (scheduler.now - lookedAt < 1_000) return false;
    lookedAt = scheduler.now;
    const head = sim.head();
    const waits = scheduler.now <= lastAt || doing.busy() || (head !== null && (head.run !== null || head.pendingAlerts.length > 0));
    if (waits) quietSince = null;
    else quietSince ??= scheduler.now;
    return quietSince !== null && scheduler.now - quietSince >= afterMs;
  };
  const ended = await sim.go(rests, startAt + dayMs);
  const evidence = { sim, witness, told: doing.told, sent: doing.sent, rested: ended === "done" };
  const violations = check(evidence);
  const outcomes = reportsOf(evidence).map(({ outcome }) => outcome);
  for (const { invariant, at, what } of violations) story.tell(at, "checker", `${invariant} is violated: ${what}`);
  play(null);
  return {
    scenario,
    violations,
    story,
    outcomes,
    failovers: outcomes.filter((outcome) => outcome === "recovered").length,
    virtualMs: scheduler.now - startAt,
    events: scheduler.happened,
    aborts: doing.told.flatMap(({ deed, status }) => (deed.kind === "abort" ? [status] : [])),
    logged: doing.events(),
  };
}
