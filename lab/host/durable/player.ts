import type { EngineOptions } from "../contract.ts";
import type { Answer } from "./answer.ts";
import { closeEpisode, failedTurn, openEpisode, type Episode, type Turn } from "./episode.ts";
import type { HistoryEvent } from "./protocol.ts";
import { SdkWatch } from "./sdk-watch.ts";
import type { InboxMessage, InstanceRow } from "./store.ts";
import { versionMatches } from "./version.ts";

/** An episode that was played, and over which of the messages; or why this host must leave the instance to another. */
export type Played =
  | { readonly kind: "turn"; readonly turn: Turn; readonly played: readonly InboxMessage[] }
  | { readonly kind: "refused"; readonly why: string };

/** Plays episodes through the app. It keeps nothing: all that it needs is in the row, the history and the messages. */
export class Player {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  async play(row: InstanceRow, history: readonly HistoryEvent[], messages: readonly InboxMessage[]): Promise<Played> {
    const mismatch = this.#versionMismatch(row);
    if (mismatch !== null) {
      if ((this.#options.versionFailureStrategy ?? "Reject") === "Reject") return { kind: "refused", why: mismatch };
      return { kind: "turn", turn: failedTurn(this.#open(row, history, messages), mismatch, null, []), played: messages };
    }
    const turn = await this.#episode(row, history, messages);
    if (turn.ending.kind === "continued") return await this.#shortestThatContinues(row, history, messages, turn);
    return { kind: "turn", turn, played: messages };
  }

  #versionMismatch({ version }: InstanceRow): string | null {
    const { versionMatchStrategy = "CurrentOrOlder", defaultVersion = null } = this.#options;
    if (versionMatches(versionMatchStrategy, version, defaultVersion)) return null;
    return `version '${version ?? ""}' of the instance does not match this host's '${defaultVersion ?? ""}' (${versionMatchStrategy})`;
  }

  /**
   * What came after the event that led to continueAsNew is carried over to the next generation. The orchestrator, being deterministic, is
   * asked again with less to find that event.
   */
  async #shortestThatContinues(row: InstanceRow, history: readonly HistoryEvent[], messages: readonly InboxMessage[], whole: Turn): Promise<Played> {
    for (let length = 1; length < messages.length; length++) {
      const played = messages.slice(0, length);
      const turn = await this.#episode(row, history, played);
      if (turn.ending.kind === "continued") return { kind: "turn", turn, played };
    }
    return { kind: "turn", turn: whole, played: messages };
  }

  async #episode(row: InstanceRow, history: readonly HistoryEvent[], messages: readonly InboxMessage[]): Promise<Turn> {
    const { app, strict, defaultVersion = null } = this.#options;
    const episode = this.#open(row, history, messages);
    const watch = new SdkWatch();
    let answer: Answer;
    try {
      answer = { kind: "returned", value: await app.orchestrate(row.name, episode.trigger, watch.onContext) };
    } catch (error) {
      answer = { kind: "threw", error };
    }
    return closeEpisode(episode, answer, { strict, kindOf: (name) => app.kindOf(name), defaultVersion, watch });
  }

  #open(row: InstanceRow, history: readonly HistoryEvent[], messages: readonly InboxMessage[]): Episode {
    const arrivals = messages.map(({ event }) => event);
    return openEpisode(row, history, arrivals, this.#options.clock.now());
  }
}
