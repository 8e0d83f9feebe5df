/**
 * The lease agent in the simulated primary: the program's own code, over the cluster that it stands in and a way home that the loss may cut.
 * It is an owner of events like a host: it dies with the region or is started anew, and stands still when it is told to.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { live } from "../../agent/live.ts";
import type { LabWorld } from "../world/world.ts";
import { primary } from "../world/pair.ts";
import { Network } from "./network.ts";
import { planName } from "./plan.ts";
import { openCluster } from "./ports/clusters.ts";
import { openHome } from "./ports/home.ts";
import { noLies } from "./ports/world.ts";
import type { AgentChoice, Scenario } from "./scenario.ts";
import type { Story } from "./story.ts";
import type { Random } from "./time/random.ts";
import { nature, type Owner, type Scheduler } from "./time/scheduler.ts";
import type { SimulatedPair } from "./world/pair.ts";

/** A container that ended is started again after this long. */
const restartMs = 5_000;

interface Place {
  readonly scheduler: Scheduler;
  readonly pair: SimulatedPair;
  readonly story: Story;
  readonly random: Random;
}

/** One start of the agent. */
interface Start extends Owner {
  alive: boolean;
  pausedUntil: number;
}

/** Starts it, and lets happen to it what the scenario says. */
export function beginAgent(choice: AgentChoice, { loss, troubles }: Pick<Scenario, "loss" | "troubles">, place: Place): void {
  const { scheduler, pair, story } = place;
  const memory: { text: string | null } = { text: null };
  let starts = 0;
  let now: Start | null = null;
  const stop = (why: string): void => {
    if (now?.alive !== true) return;
    now.alive = false;
    story.tell(scheduler.now, now.name, why);
  };
  const start = (): void => {
    now = { name: `agent-${++starts}`, alive: true, pausedUntil: 0 };
    run(now, choice, memory, place);
  };
  const later = (ms: number, call: () => void): void => void scheduler.after(ms, nature, call, false);
  const isDead = (): boolean => choice.inside === "dies" && pair.world.reach(primary.region) !== "up";

  start();
  if (loss.kind === "region" && choice.inside === "dies") {
    later(loss.at, () => stop("is gone with its region"));
    if (loss.forMs !== null) later(loss.at + loss.forMs, start);
  }
  for (const trouble of troubles) {
    if (trouble.kind === "agent-restarts")
      later(trouble.at, () => {
        stop("ends");
        later(restartMs, () => {
          if (!isDead() && now?.alive !== true) start();
        });
      });
    if (trouble.kind === "agent-pause")
      later(trouble.at, () => {
        if (now?.alive !== true) return;
        now.pausedUntil = scheduler.now + trouble.forMs;
        story.tell(scheduler.now, now.name, `stands still for ${Math.round(trouble.forMs / 1_000)} s`);
      });
  }
}

/** One start, until it is no longer alive: nothing that it waits for happens then. */
function run(owner: Start, { inside }: AgentChoice, memory: { text: string | null }, { scheduler, pair, story, random }: Place): void {
  const { world } = pair;
  const from = random.fork(owner.name);
  const told = (about: string): void => story.tell(scheduler.now, owner.name, about);
  const lost = (): boolean => world.reach(primary.region) !== "up";
  const calls = { scheduler, random: from, told: (_: string, what: string) => told(what), strike: () => null, die: () => undefined };
  const none = (): void => undefined;
  // Its own cluster is beside it, whatever becomes of the way out.
  const within = new Network(owner, { ...calls, world: { reach: () => "up" }, faultFor: () => null }, none, none);
  const outside = new Network(owner, { ...calls, world, faultFor: () => (lost() && inside !== "hears-home" ? { kind: "cut-off" } : null) }, none, none);
  // Its acts are not a run's.
  const record: LabWorld["record"] = (act, key, detail) => world.record(act.replace(/^kubernetes\./, "agent."), key, detail);
  const cluster = openCluster({ clusters: pair.clusters, aks: pair.aks, world: { record } }, primary.region, within, noLies);
  const parts: Parameters<typeof live>[0] = {
    plan: planName,
    clusterId: primary.cluster.id,
    id: owner.name,
    home: openHome(pair, outside),
    cluster,
    clock: { monotonicMs: () => scheduler.now, nowAt: () => scheduler.now, sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }) },
    memory: { recall: async () => memory.text, keep: async (text) => void (memory.text = text) },
    log: (event, fields) => story.tell(scheduler.now, owner.name, () => `${event} ${JSON.stringify(fields)}`),
  };
  scheduler.after(0, owner, () => void live(parts, new AbortController().signal));
}
