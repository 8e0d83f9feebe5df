import { StoreState, type Op, type Snapshot, type Store } from "./store.ts";

/** Keeps everything for the life of the process. Opened again, it still has it: a restart without a file. */
export class MemoryStore implements Store {
  readonly #state = new StoreState();

  open(): Snapshot {
    return this.#state;
  }

  commit(ops: readonly Op[]): void {
    this.#state.apply(ops);
  }

  close(): void {}
}
