import type { EngineApp } from "../../lab/host/contract.ts";
import type { Action, HistoryEvent, OrchestratorState, TriggerValue } from "../../lab/host/durable/protocol.ts";

/** One episode as it went over the line between host and library. */
export interface SeenEpisode {
  readonly name: string;
  /** A copy from before the library touched it. */
  readonly trigger: TriggerValue;
  /** The returned state; null when the orchestrator threw. */
  readonly state: OrchestratorState | null;
  /** The library's own count of task ids, after the episode. */
  readonly ids: number;
}

/** Puts itself between the app and the engine, notes every episode, changes nothing. */
export function spyOn(app: EngineApp): { readonly app: EngineApp; readonly episodes: SeenEpisode[]; readonly inputs: (string | undefined)[] } {
  const episodes: SeenEpisode[] = [];
  const inputs: (string | undefined)[] = [];
  return {
    episodes,
    inputs,
    app: {
      kindOf: (name) => app.kindOf(name),
      async orchestrate(name, trigger, onContext) {
        let df: { taskOrchestratorExecutor?: { sequenceNumber: number } } = {};
        const copy = structuredClone(trigger) as TriggerValue;
        const note = (state: OrchestratorState | null) => episodes.push({ name, trigger: copy, state, ids: df.taskOrchestratorExecutor?.sequenceNumber ?? -1 });
        try {
          const state = await app.orchestrate(name, trigger, (context) => {
            df = context;
            onContext?.(context);
          });
          note(state as OrchestratorState);
          return state;
        } catch (error) {
          note(null);
          throw error;
        }
      },
      async activity(name, input) {
        inputs.push(input);
        return await app.activity(name, input);
      },
    },
  };
}

/** The kinds of a history, as numbers. */
export function kindsOf(history: readonly HistoryEvent[]): number[] {
  return history.map(({ EventType }) => EventType);
}

/** The action list of an episode. */
export function actionsOf({ state }: SeenEpisode): readonly Action[] {
  return state?.actions[0] ?? [];
}
