/** The app's whole outside world, in process: what one host reaches of the simulated pair, through its own network. */
import type { World } from "../../../shared/ports.ts";
import type { Network } from "../network.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { SimulatedPair } from "../world/pair.ts";
import { openAks } from "./aks.ts";
import { openBackups } from "./backups.ts";
import { openClusters } from "./clusters.ts";
import { openHealth } from "./health.ts";
import { openHome } from "./home.ts";
import { openProbes } from "./probes.ts";
import { openReplication } from "./replication.ts";
import { openTraffic } from "./traffic.ts";

/** A witness that does not say what is so. */
export type Liar = "public-probe" | "backend-probe" | "kubernetes-api" | "resource-health" | "traffic-manager";

/** What a host sees wrongly, as long as it is in the set. */
export interface Lies {
  has(liar: Liar): boolean;
}
export const noLies: Lies = { has: () => false };

export function openSimulatedWorld(pair: SimulatedPair, scheduler: Scheduler, network: Network, lies: Lies = noLies): World {
  const home = openHome(pair, network);
  return {
    // What is written in the ledger are whole milliseconds of one clock, as in a cloud whose machines are synchronised.
    clock: { now: () => scheduler.now },
    home,
    probes: openProbes(pair, network, scheduler, lies),
    aks: openAks(pair, network),
    clusters: openClusters(pair, network, scheduler, home, lies),
    backups: openBackups(pair, network),
    replication: openReplication(pair, network),
    traffic: openTraffic(pair, network, lies),
    health: openHealth(pair, network, lies),
  };
}
