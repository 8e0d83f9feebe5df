/** The lab's clock over virtual time: what the lab's world is given. */
import type { LabClock } from "../../clock.ts";
import { nature, type Scheduler } from "./scheduler.ts";

export const clockOf = (scheduler: Scheduler): LabClock => ({
  rate: 1,
  now: () => scheduler.now,
  sleep: (labMs) => scheduler.sleep(labMs, nature),
  after: (labMs, call) => scheduler.after(labMs, nature, call),
  toString: () => "virtual time",
});
