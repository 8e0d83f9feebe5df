/** The one run that a process plays now: where the shims of Node's timers, of its clock and of its chance look. */
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

interface Playing {
  readonly scheduler: Scheduler;
  readonly random: Random;
}

let playing: Playing | null = null;

/** Begins a run, or ends the last one with `null`. */
export function play(run: Playing | null): void {
  playing = run;
}

/** Throws outside of a run: code that runs by the wall clock or by real chance would not be the same twice. */
export function now(): Playing {
  if (playing === null) throw new Error("no simulated run is being played");
  return playing;
}
