/** One run from seed to verdict. */
import { beginDeeds, type Told } from "./deeds.ts";
import { openSim, type Sim } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Line } from "./story.ts";
import { nature } from "./time/scheduler.ts";
import { play } from "./time/virtual.ts";
import { endRegion } from "./world/front.ts";

export interface Played {
  readonly sim: Sim;
  readonly told: readonly Told[];
  /** Whether all came to rest within a day. */
  readonly rested: boolean;
}

const dayMs = 86_400_000;
/** How long the world goes on after the last run has ended: what comes late comes then. */
const afterMs = 1_200_000;

export async function playOut(scenario: Scenario): Promise<Played> {
  const sim = await openSim(scenario);
  const { scheduler, pair, story, lies, hosts } = sim;
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
      later(loss.at, () => (sim.cutOff = true));
      later(loss.at + loss.forMs, () => (sim.cutOff = false));
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
  play(null);
  return { sim, told: doing.told, rested: ended === "done" };
}

export type { Line };
