import { labStart, type LabClock } from "../../lab/clock.ts";

/** A clock that stands still until it is told to go on: hours pass in no time, and a test says which instant comes next. */
export class VirtualClock implements LabClock {
  readonly rate = 1;
  #now: number;
  #calls: { readonly dueAt: number; readonly call: () => void }[] = [];

  constructor(startMs = labStart) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(labMs: number, call: () => void): () => void {
    const entry = { dueAt: this.#now + labMs, call };
    this.#calls.push(entry);
    return () => void (this.#calls = this.#calls.filter((each) => each !== entry));
  }

  sleep(labMs: number): Promise<void> {
    return new Promise((resolve) => this.after(labMs, resolve));
  }

  /** How many calls are armed. */
  armed(): number {
    return this.#calls.length;
  }

  /** Goes on by that much, calling everything on the way at its instant. */
  advance(labMs: number): void {
    const until = this.#now + labMs;
    while (this.#nextDueAt() <= until) this.#callNext();
    this.#now = until;
  }

  /** Goes to the next instant at which something is due; false: nothing ever is. */
  advanceToNext(): boolean {
    if (this.#calls.length === 0) return false;
    this.#callNext();
    return true;
  }

  #nextDueAt(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#calls.map(({ dueAt }) => dueAt));
  }

  #callNext(): void {
    this.#now = Math.max(this.#now, this.#nextDueAt());
    const due = this.#calls.filter(({ dueAt }) => dueAt <= this.#now);
    this.#calls = this.#calls.filter(({ dueAt }) => dueAt > this.#now);
    for (const { call } of due) call();
  }
}
