/** One process of the function app: plays turns, does activities, answers at its doors; until it dies. */
import type { Random } from "../time/random.ts";
import type { Owner, Scheduler } from "../time/scheduler.ts";
import type { Context, HttpAnswer, HttpRequest, Registered } from "../shims/functions.ts";
import type { Hub, Instance, Turn, Work, Worker } from "./hub.ts";
import { LibraryPlayer } from "./library-player.ts";
import { arrived, type Call, callText, type End, type Message, Player, plain, sameCalls } from "./player.ts";

/** Where a host can be struck down. The numbers are those of the crash modes in docs/simulator.md. */
export type Moment = "turn-played" | "turn-sent" | "work-taken" | "work-done" | "call-sent" | "call-answered";

/** Who plays turns: the simulator's own player, or the real library. */
export type Driver = "bare" | "sdk";

export interface HostOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly hub: Hub;
  /** What the app has registered in this process. */
  readonly registered: () => Registered;
  /** Asked at each moment; what it does may kill this host. */
  readonly at: (moment: Moment, host: Host, about: string, instanceId?: string) => void;
  /** Replays from the beginning before each turn, as a host without a cache does. */
  readonly replaysAlways: boolean;
  /** Who plays turns: the simulator's own player, or the real library. */
  readonly driver: Driver;
  /** What a replay said that history does not. */
  readonly differs: (about: string) => void;
  /** An activity that begins or comes to an end, for the story. */
  readonly told: (host: Host, what: () => string) => void;
  /** Does an activity's work: whoever wants to know whose calls are whose puts it into a room of its own. */
  readonly within: <T>(step: string, work: () => T) => T;
}

interface Live {
  /** Another one may come to have the same id. */
  readonly instance: Instance;
  readonly player: Player;
  readonly generation: number;
  /** Turns that it has played. */
  turns: number;
  /** How many of them are those of the history. */
  recorded: number;
}

export class Host implements Owner, Worker {
  readonly name: string;
  alive = true;
  pausedUntil = 0;
  readonly #options: HostOptions;
  readonly #live = new Map<string, Live>();
  readonly #library: LibraryPlayer;

  constructor(name: string, options: HostOptions) {
    this.name = name;
    this.#options = options;
    this.#library = new LibraryPlayer(options.registered, options.scheduler);
  }

  get takes(): boolean {
    return this.alive && this.pausedUntil <= this.#options.scheduler.now;
  }

  playTurn(instance: Instance, messages: readonly Message[]): void {
    const { scheduler, random, driver, differs } = this.#options;
    const turnsBefore = instance.turns.length;
    const nowAt = (): number => scheduler.now;
    switch (driver) {
      case "bare":
        scheduler.after(random.between(1, 4), this, () => {
          const live = this.#playerOf(instance);
          if (live === null) return;
          const { calls, end } = live.player.turn(nowAt(), messages);
          live.turns += 1;
          this.#finish(instance, { at: nowAt(), messages, calls }, end, turnsBefore);
        }, false);
        return;
      case "sdk":
        scheduler.after(random.between(1, 4), this, () => {
          if (instance.status !== "Running") return;
          void this.#library.play(instance, messages).then(({ turn, end, problems }) => {
            for (const problem of problems) differs(problem);
            this.#finish(instance, turn, end, turnsBefore);
          });
        });
        return;
    }
  }

  /** Sends out what a turn asks for, then records it: who dies in between has its messages sent again. */
  #finish(instance: Instance, turn: Turn, end: End | null, turnsBefore: number): void {
    const { scheduler, random, hub, at } = this.#options;
    at("turn-played", this, instance.id);
    if (!this.alive) return;
    scheduler.after(random.between(2, 12), this, () => {
      at("turn-sent", this, instance.id);
      if (!this.alive) return hub.send(instance, turn.calls);
      const live = this.#live.get(instance.id);
      if (!hub.record(instance, this.name, turn, end, turnsBefore) || end !== null) this.#live.delete(instance.id);
      else if (live) live.recorded = live.turns;
    }, false);
  }

  doWork(work: Work): void {
    const { scheduler, random, hub, registered, at, told, within } = this.#options;
    scheduler.after(random.between(1, 6), this, () => {
      const handler = registered().activities.get(work.name);
      if (!handler) throw new Error(`the app has no activity ${work.name}`);
      at("work-taken", this, nameOf(work));
      if (!this.alive) return;
      const again = work.deliveries > 1 ? ` (delivery ${work.deliveries})` : "";
      told(this, () => `begins ${nameOf(work)}${again}`);
      void within(nameOf(work), () => handler(work.input, contextOf(work.name))).then((value) => {
        const json = JSON.stringify(value);
        const answer = arrived(json);
        told(this, () => `has done ${nameOf(work)}${again}: ${inShort(json)}`);
        at("work-done", this, nameOf(work), work.instanceId);
        scheduler.after(random.between(2, 12), this, () => hub.done(work, answer), false);
      });
    });
  }

  /** A request at one of the doors. Nobody is answered by a host that dies meanwhile. */
  request(route: string, request: { readonly person?: string; readonly body?: unknown; readonly params?: Readonly<Record<string, string>>; readonly ifMatch?: string }, client: unknown, answered: (answer: HttpAnswer) => void): void {
    const { scheduler, registered } = this.#options;
    const handler = registered().http.get(route);
    if (!handler) throw new Error(`the app has no door ${route}`);
    const headers: Readonly<Record<string, string | undefined>> = { "x-person": request.person, "if-match": request.ifMatch };
    const asked: HttpRequest = { headers: { get: (name) => headers[name.toLowerCase()] ?? null }, params: request.params ?? {}, text: () => Promise.resolve(JSON.stringify(request.body ?? null)) };
    scheduler.after(1, this, () => void handler(asked, client, contextOf(route)).then(answered));
  }

  tick(timer: string, client: unknown): void {
    const { scheduler, registered } = this.#options;
    const handler = registered().timers.get(timer);
    if (!handler) throw new Error(`the app has no timer ${timer}`);
    // What a timer cannot do now it does at its next turn: the real host logs the error and goes on.
    scheduler.after(1, this, () => void handler({}, client, contextOf(timer)).catch(() => undefined));
  }

  /** The generator in memory or a new one, played up to what is recorded: by another host too. */
  #playerOf(instance: Instance): Live | null {
    const { registered, replaysAlways, differs } = this.#options;
    if (instance.status !== "Running") return null;
    const known = this.#live.get(instance.id);
    const goesOn = known?.instance === instance && !replaysAlways && known.generation === instance.generation && known.turns === known.recorded;
    const body = registered().orchestrators.get(instance.orchestrator);
    if (!body) throw new Error(`the app has no orchestrator ${instance.orchestrator}`);
    const live: Live = goesOn ? known : { instance, player: new Player(body, instance.id, instance.generation, plain(instance.input)), generation: instance.generation, turns: 0, recorded: 0 };
    for (const turn of instance.turns.slice(live.turns)) {
      const { calls } = live.player.turn(turn.at, turn.messages);
      if (!sameCalls(turn.calls, calls)) differs(`${instance.id}, turn ${live.turns + 1}: history has ${callsText(turn.calls)}, the replay says ${callsText(calls)}`);
      live.turns += 1;
      live.recorded += 1;
    }
    this.#live.set(instance.id, live);
    return live;
  }
}

const callsText = (calls: readonly Call[]): string => calls.map(callText).join("\n") || "nothing";

const contextOf = (functionName: string): Context => ({ functionName, log: nothing, warn: nothing, error: nothing, debug: nothing });
const nothing = (): void => undefined;

/** A step and its key: `start-restore shop-main`. */
export function nameOf({ name, input }: Pick<Work, "name" | "input">): string {
  const key = (input as { readonly key?: string } | null)?.key ?? "";
  return key === "" ? name : `${name} ${key}`;
}

function inShort(json: string | undefined): string {
  const text = json ?? "nothing";
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`;
}
