import { actionType, type Action, type LeafNote } from "./protocol.ts";
import type { Progress } from "./fold.ts";

/**
 * One entry of the action list. The extension starts the entries strictly in sequence: the next one only when this one is complete in
 * .NET's sense, where "all" waits for every member even after one failed, while the library goes on at the first failure.
 */
export type Slot =
  | { readonly kind: "leaf"; readonly leaf: number }
  | { readonly kind: "all" | "any"; readonly members: readonly Slot[] }
  /** Continue as new: complete by itself. */
  | { readonly kind: "end" };

/** The action list, understood. */
export interface ActionList {
  readonly slots: readonly Slot[];
  /** By leaf number: the action that describes it. */
  readonly actions: readonly Action[];
  /** For the history: what is new in the list since the last episode. */
  readonly notes: readonly (LeafNote | number)[];
  /** Leaves that were put into a second Task.any or Task.all in this episode (pitfall P4). */
  readonly repeated: readonly Action[];
  /** Null, or how the known part of the list differs from what the history says: the orchestrator is not deterministic. */
  readonly difference: string | null;
}

/** Reads the action list against what is known of it. Task identity is object identity: the library reuses one action for one task. */
export function readActions(list: readonly Action[], progress: Progress): ActionList {
  const reader = new Reader(progress);
  const slots = list.map((action) => reader.slot(action));
  return { slots, actions: reader.actions, notes: reader.notes, repeated: reader.repeated, difference: reader.difference(list.length) };
}

/** Whether the extension regards the entry as complete. */
export function slotDone(slot: Slot, progress: Progress): boolean {
  switch (slot.kind) {
    case "leaf":
      return progress.done.has(slot.leaf);
    case "all":
      return slot.members.every((member) => slotDone(member, progress));
    case "any":
      return slot.members.some((member) => slotDone(member, progress));
    case "end":
      return true;
  }
}

/** Depth first. */
export function leavesOf(slot: Slot): number[] {
  switch (slot.kind) {
    case "leaf":
      return [slot.leaf];
    case "all":
    case "any":
      return slot.members.flatMap(leavesOf);
    case "end":
      return [];
  }
}

class Reader {
  readonly actions: Action[] = [];
  readonly notes: (LeafNote | number)[] = [];
  readonly repeated: Action[] = [];
  readonly #progress: Progress;
  readonly #leafOf = new Map<Action, number>();
  #position = 0;
  #leafCount: number;
  #difference: string | null = null;

  constructor(progress: Progress) {
    this.#progress = progress;
    this.#leafCount = progress.leaves.length;
  }

  slot(action: Action): Slot {
    const members = action.compoundActions;
    if (members) {
      const kind = action.actionType === actionType.whenAll ? "all" : "any";
      return { kind, members: members.map((member) => this.slot(member)) };
    }
    if (action.actionType === actionType.continueAsNew) return { kind: "end" };
    return { kind: "leaf", leaf: this.#leaf(action) };
  }

  difference(listLength: number): string | null {
    const missing = this.#progress.positions.length - this.#position;
    if (this.#difference === null && missing > 0) {
      return `it asked for ${missing} task(s) in an earlier episode that it does not ask for now (${listLength} actions)`;
    }
    return this.#difference;
  }

  #leaf(action: Action): number {
    const position = this.#position++;
    const known = this.#progress.positions[position];
    const leaf = known ?? this.#newLeaf(action);
    this.#compare(position, leaf, known === undefined, action);
    this.#leafOf.set(action, leaf);
    this.actions[leaf] ??= action;
    return leaf;
  }

  #newLeaf(action: Action): number {
    const earlier = this.#leafOf.get(action);
    if (earlier !== undefined) {
      this.notes.push(earlier);
      this.repeated.push(action);
      return earlier;
    }
    this.notes.push(noteOf(action));
    return this.#leafCount++;
  }

  #compare(position: number, leaf: number, isNew: boolean, action: Action): void {
    const noted = this.#progress.leaves[leaf];
    if (isNew || noted === undefined || this.#difference !== null) return;
    const now = noteOf(action);
    if (now.kind === noted.kind && now.name === noted.name) return;
    this.#difference = `task ${position} was ${describe(noted)} in an earlier episode and is ${describe(now)} now`;
  }
}

function noteOf(action: Action): LeafNote {
  const name = action.functionName ?? "";
  const attempts = action.retryOptions ? Math.max(1, action.retryOptions.maxNumberOfAttempts) : 0;
  switch (action.actionType) {
    case actionType.callActivity:
    case actionType.callActivityWithRetry:
      return { kind: "activity", name, attempts };
    case actionType.callSubOrchestrator:
    case actionType.callSubOrchestratorWithRetry:
      return { kind: "sub-orchestration", name, attempts };
    case actionType.createTimer:
      return { kind: "timer", name: "", attempts: 0 };
    case actionType.waitForExternalEvent:
      return { kind: "event", name: action.externalEventName ?? "", attempts: 0 };
    default:
      throw new UnservedAction(action);
  }
}

function describe({ kind, name }: LeafNote): string {
  return name === "" ? `a ${kind}` : `${kind} "${name}"`;
}

/** Thrown for an action that this host has decided not to serve: the instance fails with its message. */
export class UnservedAction extends Error {
  override readonly name = "UnservedAction";
  constructor({ actionType: type }: Action) {
    const what = Object.entries(actionType).find(([, number]) => number === type)?.[0] ?? `action ${type}`;
    super(`${what} is not served by the embedded host: it has no entities, no locks and no callHttp. Do it in an activity`);
  }
}
