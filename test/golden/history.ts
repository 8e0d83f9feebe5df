/** What an engine did, turn by turn, as it is kept for releases to come; and the same asked of today's code. */
import type { EngineApp } from "../../lab/host/contract.ts";
import type { Turn } from "../../lab/host/durable/episode.ts";
import { MemoryStore } from "../../lab/host/durable/store-memory.ts";
import { Player } from "../../lab/host/durable/player.ts";
import { type Arrival, eventType, type HistoryEvent, type ParentInstance } from "../../lab/host/durable/protocol.ts";
import type { InboxMessage, InstanceRow, Op, Snapshot, Store } from "../../lab/host/durable/store.ts";
import { VirtualClock } from "../durable/virtual-clock.ts";

/** One turn: what arrived is in the events that it appended; one that started the instance anew appended none. */
export type RecordedTurn =
  | { readonly kind: "appended"; readonly events: readonly HistoryEvent[]; readonly customStatus: string | null }
  | { readonly kind: "continued"; readonly arrivals: readonly Arrival[]; readonly at: number; readonly input: string | null };

/** One generation of one instance. */
export interface RecordedInstance {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string | null;
  readonly parent: ParentInstance | null;
  readonly turns: readonly RecordedTurn[];
}

/** A store in memory that also remembers every turn. */
export class RecordingStore implements Store {
  readonly #store = new MemoryStore();
  readonly #turns = new Map<string, { readonly row: InstanceRow; readonly turns: RecordedTurn[] }>();
  readonly #snapshot: Snapshot = this.#store.open();

  open(): Snapshot {
    return this.#store.open();
  }

  commit(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === "append" && op.events[0]?.EventType === eventType.orchestratorStarted) this.#of(op.instanceId).push({ kind: "appended", events: op.events, customStatus: rowIn(ops, op.instanceId)?.customStatus ?? null });
      if (op.op === "reset") this.#of(op.instanceId).push({ kind: "continued", arrivals: this.#taken(ops), at: rowIn(ops, op.instanceId)?.updatedAt ?? 0, input: rowIn(ops, op.instanceId)?.input ?? null });
    }
    this.#store.commit(ops);
  }

  close(): void {
    this.#store.close();
  }

  /** All that was played so far. */
  recorded(): readonly RecordedInstance[] {
    return [...this.#turns.values()].map(({ row: { instanceId, executionId, name, version, parent }, turns }) => ({ instanceId, executionId, name, version, parent, turns }));
  }

  #of(instanceId: string): RecordedTurn[] {
    const row = this.#snapshot.rows.get(instanceId);
    if (row === undefined) throw new Error(`${instanceId} plays and is not there`);
    const known = this.#turns.get(row.executionId) ?? { row, turns: [] };
    this.#turns.set(row.executionId, known);
    return known.turns;
  }

  #taken(ops: readonly Op[]): Arrival[] {
    return ops.flatMap((op) => {
      const message = op.op === "take" ? this.#snapshot.messages.get(op.id) : undefined;
      return message?.kind === "inbox" ? [message.event] : [];
    });
  }
}

const rowIn = (ops: readonly Op[], instanceId: string): InstanceRow | undefined => ops.flatMap((op) => (op.op === "row" && op.row.instanceId === instanceId ? [op.row] : [])).at(0);

/**
 * Asks today's code for every turn of a recorded instance, each from the whole history before it, and says where it asks for something else:
 * name, input, time of a timer, end, custom status; to the letter. `null`: nowhere.
 */
export async function replayed(app: EngineApp, recorded: RecordedInstance): Promise<string | null> {
  const { instanceId, executionId, name, version, parent, turns } = recorded;
  const clock = new VirtualClock(0);
  const player = new Player({ app, clock, journalFile: null, strict: "fail", problems: () => {}, ...(version === null ? {} : { defaultVersion: version }) });
  const row: InstanceRow = { instanceId, name, version, executionId, status: "Running", input: null, output: null, customStatus: null, createdAt: 0, updatedAt: 0, parent };
  const history: HistoryEvent[] = [];
  let customStatus: string | null = null;
  for (const [index, turn] of turns.entries()) {
    clock.advance(startedAt(turn) - clock.now());
    const played = await player.play(row, history, arrivalsOf(turn).map((event, at): InboxMessage => ({ kind: "inbox", id: String(at), instanceId, executionId, event })));
    const where = `turn ${index + 1} of ${turns.length} of ${name} (${instanceId})`;
    if (played.kind === "refused") return `${where}: ${played.why}`;
    const difference = turn.kind === "continued" ? againDiffers(turn, played.turn) : turnDiffers(turn, played.turn, customStatus);
    if (difference !== null) return `${where}: ${difference}`;
    if (turn.kind === "continued") return index === turns.length - 1 ? null : `${where}: it went on after it had begun anew`;
    customStatus = turn.customStatus;
    history.push(...turn.events);
  }
  return null;
}

const startedAt = (turn: RecordedTurn): number => (turn.kind === "continued" ? turn.at : Date.parse(turn.events[0]?.Timestamp ?? ""));

const arrives: ReadonlySet<number> = new Set([eventType.executionStarted, eventType.taskCompleted, eventType.taskFailed, eventType.subOrchestrationCompleted, eventType.subOrchestrationFailed, eventType.timerFired, eventType.eventRaised, eventType.executionSuspended, eventType.executionResumed]);

const arrivalsOf = (turn: RecordedTurn): readonly Arrival[] => (turn.kind === "continued" ? turn.arrivals : turn.events.filter((event): event is Arrival => arrives.has(event.EventType)));

function againDiffers({ input }: Extract<RecordedTurn, { kind: "continued" }>, { ending }: Turn): string | null {
  if (ending.kind !== "continued") return `it began anew, and now it ${ending.kind === "failed" ? `fails: ${ending.output}` : "does not"}`;
  return ending.input === input ? null : `it began anew with ${input}, and now with ${ending.input}`;
}

function turnDiffers({ events, customStatus }: Extract<RecordedTurn, { kind: "appended" }>, turn: Turn, before: string | null): string | null {
  if (turn.ending.kind === "continued") return "it went on, and now it begins anew";
  for (let at = 0; at < Math.max(events.length, turn.events.length); at++) {
    const [was, is] = [JSON.stringify(events[at] ?? null), JSON.stringify(turn.events[at] ?? null)];
    if (was !== is) return `event ${at + 1} was ${was.slice(0, 300)}, and now it is ${is.slice(0, 300)}`;
  }
  const status = turn.customStatus ?? before;
  return status === customStatus ? null : `the custom status was ${customStatus}, and now it is ${status}`;
}
