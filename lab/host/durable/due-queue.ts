import type { LabClock } from "../../clock.ts";

/** Things that are due at an instant. One timer of the clock is armed, for the earliest; between two instants nothing runs. */
export class DueQueue<T> {
  readonly #clock: LabClock;
  readonly #deliver: (thing: T) => void;
  /** A binary heap, the earliest first; of the same instant the first put first. */
  readonly #heap: { readonly dueAt: number; readonly order: number; readonly thing: T }[] = [];
  #order = 0;
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | null = null;

  constructor(clock: LabClock, deliver: (thing: T) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  put(dueAt: number, thing: T): void {
    this.#heap.push({ dueAt, order: this.#order++, thing });
    this.#rise(this.#heap.length - 1);
    this.#arm();
  }

  /** Whether something should have been delivered by now. */
  isDue(): boolean {
    const first = this.#heap[0];
    return first !== undefined && first.dueAt <= this.#clock.now();
  }

  close(): void {
    this.#disarm?.();
    this.#heap.length = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.dueAt >= this.#armedFor) return;
    this.#disarm?.();
    this.#armedFor = first.dueAt;
    this.#disarm = this.#clock.after(Math.max(0, first.dueAt - this.#clock.now()), () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#disarm = null;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.dueAt <= now; first = this.#heap[0]) {
      this.#removeFirst();
      this.#deliver(first.thing);
    }
    this.#arm();
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (!left || !right) return left !== undefined;
    return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left && right) [this.#heap[a], this.#heap[b]] = [right, left];
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #removeFirst(): void {
    this.#swap(0, this.#heap.length - 1);
    this.#heap.pop();
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = this.#before(right, left) ? right : left;
      if (!this.#before(child, parent)) return;
      this.#swap(child, parent);
      parent = child;
    }
  }
}
