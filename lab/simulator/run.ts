/** Plays one scenario from its beginning to the end of all that can still happen in it. */
import { registerApp } from "../../functions/app.ts";
import type { Config } from "../../shared/config.ts";
import { type Head, headName } from "../../shared/domain/ledger.ts";
import { labStart } from "../clock.ts";
import { beginAgent } from "./agent.ts";
import { openClient, type SimulatedClient } from "./durable/client.ts";
import { Host, type Moment, nameOf } from "./durable/host.ts";
import { Hub } from "./durable/hub.ts";
import { Network } from "./network.ts";
import { planName, planText } from "./plan.ts";
import { type Liar, openSimulatedWorld } from "./ports/world.ts";
import type { Scenario } from "./scenario.ts";
import { shelves } from "./shelves.ts";
import { type Registered, registered } from "./shims/functions.ts";
import { Story } from "./story.ts";
import { openStrikes, type StepCallMade, type Strikes } from "./strikes.ts";
import { randomOf } from "./time/random.ts";
import { nature, Scheduler } from "./time/scheduler.ts";
import { play } from "./time/virtual.ts";
import { openTroubles } from "./troubles.ts";
import { openArchive } from "./world/backup-files.ts";
import { openPair, type SimulatedPair } from "./world/pair.ts";
import { layQuietDay, type QuietDay } from "./world/quiet-day.ts";

/** All that there is of a run while it is played. */
export interface Sim {
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly pair: SimulatedPair;
  readonly hub: Hub;
  readonly story: Story;
  /** Those that are alive now, in their places. */
  readonly hosts: readonly Host[];
  readonly clientOf: (host: Host) => SimulatedClient;
  readonly lies: Set<Liar>;
  /** What a replay said that history does not. */
  readonly differences: string[];
  /** `off` while no host reaches anybody. */
  readonly cut: { off: boolean };
  readonly head: () => Head | null;
}

const config: Config = { home: { url: "", container: "" }, identityClientId: null, people: { issuer: "", audience: "", jwksUrl: "" }, backupSources: [], schedules: { verification: "", watchdog: "" }, dnsServers: [], endpointHosts: {} };

/** The quiet day's part of a run: backups verified, addresses learnt. Earlier than any loss. */
export const quietMs = 25_000;

/** Shorter than in a cloud where only polls would be longer for it. */
const quick = { poolScale: 4_000, clusterStart: 8_000, volumeRestore: 1_500, resourceHealth: 20_000, policyDelete: 1_500, veleroBackup: 1_000 } as const;

let archive: Promise<Uint8Array> | null = null;

/** Lays a scenario out, with what a quiet day leaves behind where one is given; `go` lets its time pass. */
export async function openSim(scenario: Scenario, quietDay: QuietDay | null, callMade: ((call: StepCallMade) => void) | null = null): Promise<Sim & { go(until: () => boolean, lastAt: number): ReturnType<Scheduler["run"]> }> {
  const scheduler = new Scheduler(labStart);
  const random = randomOf(scenario.seed);
  play({ scheduler, random: random.fork("node") });
  const story = new Story();
  const troubles = openTroubles(scenario.troubles);
  const strikes = openStrikes(scenario.troubles, callMade);
  const { plan: choice, shelf, stopped } = scenario;
  const pair = await openPair(scheduler, {
    topology: choice.topology,
    shelf: shelves[shelf],
    archive: await (archive ??= openArchive()),
    latencies: quick,
    aks: { power: { northeurope: stopped ? "Stopped" : "Running" } },
    seed: scenario.seed,
    restoreTrouble: (nth) => troubles.restore(nth),
  });
  pair.world.onEffect(({ at, act, key, detail }) => story.tell(at, "world", `${act} ${key}${detail === undefined ? "" : ` ${JSON.stringify(detail)}`}`));
  if (troubles.capacity !== null) pair.aks.setCapacity("northeurope", { kind: "partial", nodes: troubles.capacity, code: "AllocationFailed" });

  scheduler.after(quietMs, nature, () => troubles.begin(), false);

  const hosts: Host[] = [];
  const lies = new Set<Liar>();
  const differences: string[] = [];
  const hub = new Hub({ scheduler, random: random.fork("hub"), workers: () => hosts, leaseMs: 60_000, again: (work) => strikes?.again(nameOf(work)) ?? troubles.again() });
  const cut = { off: false };
  const clients = new Map<Host, SimulatedClient>();

  const openHost = (place: number, generation: number): void => {
    const hostRandom = random.fork(`host ${place} ${generation}`);
    const die = (downMs: number, about: string): void => {
      if (!host.alive) return;
      host.alive = false;
      story.tell(scheduler.now, host.name, `dies (${about}); another starts in ${downMs / 1_000} s`);
      scheduler.after(downMs, nature, () => openHost(place, generation + 1), false);
    };
    const strike = (moment: Moment, about: string, instanceId = ""): void => {
      if (!host.alive) return;
      const downMs = struckAt(strikes, moment, about, instanceId) ?? troubles.crash(moment);
      if (downMs !== null) die(downMs, `${moment}, ${about}`);
    };
    // The app needs its world, the world its network, and the network its host.
    let app: Registered | null = null;
    const all = (): Registered => {
      if (app === null) throw new Error("the host is asked before it has loaded its app");
      return app;
    };
    const host: Host = new Host(generation === 0 ? `host-${place + 1}` : `host-${place + 1}.${generation}`, {
      scheduler,
      random: hostRandom,
      hub,
      registered: all,
      at: (moment, _host, about, instanceId) => strike(moment, about, instanceId),
      within: (step, work) => (strikes === null ? work() : strikes.within(step, work)),
      replaysAlways: scenario.replaysAlways,
      driver: scenario.driver,
      differs: (about) => void differences.push(about),
      told: (_host, what) => story.tell(scheduler.now, host.name, what),
    });
    const network = new Network(
      host,
      { scheduler, random: hostRandom.fork("network"), world: pair.world, faultFor: (_host, asked) => (cut.off && asked.port !== "home" && asked.port !== "hub" ? { kind: "cut-off" } : troubles.call(asked)), told: (name, what) => story.tell(scheduler.now, name, what), strike: (asked) => strikes?.call(asked) ?? null, die: (about, afterMs) => {
        const now = (): void => die(strikes?.downMs ?? 0, about);
        if (afterMs === 0) now();
        else scheduler.after(afterMs, nature, now, false);
      } },
      (about) => strike("call-sent", about),
      (about) => strike("call-answered", about),
    );
    app = registered(() => registerApp(config, openSimulatedWorld(pair, scheduler, network, lies)));
    clients.set(host, openClient(hub, network));
    hosts[place] = host;
  };
  for (let place = 0; place < scenario.hosts; place++) openHost(place, 0);

  if (scenario.agent !== undefined) beginAgent(scenario.agent, scenario, { scheduler, pair, story, random: random.fork("agent") });

  let read: { etag: string; head: Head } | null = null;
  const { text, plan } = planText(choice);
  pair.home.put(`plans/${planName}.yaml`, text);
  if (quietDay !== null) layQuietDay(pair, quietDay, plan);
  return {
    scenario,
    scheduler,
    pair,
    hub,
    story,
    hosts,
    lies,
    differences,
    cut,
    clientOf(host) {
      const client = clients.get(host);
      if (!client) throw new Error("a host without a client");
      return client;
    },
    head() {
      const stored = pair.home.read(headName(planName));
      if (stored === null) return null;
      if (read?.etag !== stored.etag) read = { etag: stored.etag, head: JSON.parse(stored.body) as Head };
      return read.head;
    },
    go: (until, lastAt) => scheduler.run(until, lastAt),
  };
}

/** What a strike at a named place makes of a moment: for how long the host is down. */
function struckAt(strikes: Strikes | null, moment: Moment, about: string, instanceId: string): number | null {
  switch (moment) {
    case "work-taken":
      return strikes?.taken(about) ?? null;
    case "work-done":
      return strikes?.done(about, instanceId) ?? null;
    case "turn-sent":
      return strikes?.turnSent(about) ?? null;
    case "turn-played":
    case "call-sent":
    case "call-answered":
      return null;
  }
}
