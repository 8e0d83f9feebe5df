/**
 * Virtual time. What is due happens in the order of its time, then of its making; between two events every promise that can go on has
 * gone on, so a run is a function of what was scheduled and of nothing else.
 */

/** Whoever an event belongs to. What belongs to the dead never happens; what belongs to the paused happens when they go on. */
export interface Owner {
  readonly name: string;
  readonly alive: boolean;
  /** 0: not paused. */
  readonly pausedUntil: number;
}

/** The world goes on whatever becomes of hosts. */
export const nature: Owner = { name: "world", alive: true, pausedUntil: 0 };

interface Due {
  readonly at: number;
  readonly order: number;
  readonly owner: Owner;
  /** Promises may wait for it: they go on before the next event. */
  readonly wakes: boolean;
  call: (() => void) | null;
}

export class Scheduler {
  #now: number;
  #order = 0;
  #owner: Owner = nature;
  #happened = 0;
  #streaming = false;
  readonly #heap: Due[] = [];

  constructor(startAt: number) {
    this.#now = startAt;
  }

  /** UTC milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** Whose event happens now. */
  get owner(): Owner {
    return this.#owner;
  }

  /** Events that have happened. */
  get happened(): number {
    return this.#happened;
  }

  /** Says that a stream was opened in this event. */
  streams(): void {
    this.#streaming = true;
  }

  /** Calls after that much time; returns what takes it back. `wakes` false: no promise waits for it. */
  after(ms: number, owner: Owner, call: () => void, wakes = true): () => void {
    const due: Due = { at: this.#now + Math.max(0, ms), order: this.#order++, owner, wakes, call };
    push(this.#heap, due);
    return () => void (due.call = null);
  }

  /** A wait as a promise, for whoever's turn it is. */
  sleep(ms: number, owner: Owner = this.#owner): Promise<void> {
    return new Promise((resolve) => void this.after(ms, owner, resolve));
  }

  /** Lets time go on until something is so, nothing is due any more, or it is too late. */
  async run(until: () => boolean, lastAt: number): Promise<"done" | "idle" | "late"> {
    for (;;) {
      const ended = await inATurn(() => this.#goOn(until, lastAt));
      if (ended !== "streams") return ended;
      this.#streaming = false;
    }
  }

  /** Event after event, until one opens a stream: that needs turns of Node's loop, many times as dear as what promises need. */
  #goOn(until: () => boolean, lastAt: number): "done" | "idle" | "late" | "streams" {
    this.#owner = nature;
    while (!until()) {
      const due = pop(this.#heap);
      if (due === undefined) return "idle";
      const { owner, call } = due;
      if (call === null || !owner.alive) continue;
      if (owner.pausedUntil > due.at) {
        const later: Due = { at: owner.pausedUntil, order: this.#order++, owner, wakes: due.wakes, call };
        push(this.#heap, later);
        continue;
      }
      if (due.at > lastAt) {
        push(this.#heap, due);
        return "late";
      }
      this.#now = due.at;
      this.#owner = owner;
      this.#happened += 1;
      call();
      if (due.wakes) settle();
      if (this.#streaming) return "streams";
      this.#owner = nature;
    }
    return "done";
  }
}

/**
 * Lets every promise go on that can, and every tick: Node's own drain, which it runs when a turn of its loop has ended. Only outside of
 * promises: in one it would do nothing.
 */
const { _tickCallback: settle } = process as unknown as { readonly _tickCallback: () => void };

/** Does it in a turn of Node's loop of its own, when all that earlier turns have left is done. */
function inATurn<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}

const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  heap.push(due);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !before(due, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = due;

}

function pop(heap: Due[]): Due | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    let least = heap[left];
    let where = left;
    const other = heap[right];
    if (least === undefined) break;
    if (other !== undefined && before(other, least)) {
      least = other;
      where = right;
    }
    if (!before(least, last)) break;
    heap[at] = least;
    at = where;
  }
  heap[at] = last;
  return first;
}
