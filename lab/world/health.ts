/** Azure Resource Health of the two clusters: it learns of a loss late, and of a return as late. */
import { type RegionName, regions } from "./pair.ts";
import type { LabWorld } from "./world.ts";

export interface Availability {
  readonly state: "Available" | "Unavailable";
  readonly occurredAt: number;
  readonly reportedAt: number;
}

export interface Health {
  of(region: RegionName): Availability;
  /** Every time a cluster became unavailable, newest first. `endedAt` null: it still is. */
  events(): readonly HealthEvent[];
}

export interface HealthEvent {
  readonly trackingId: string;
  readonly region: RegionName;
  readonly beganAt: number;
  readonly endedAt: number | null;
}

export function openHealth(world: LabWorld): Health {
  const openedAt = world.clock.now();
  const states = new Map<RegionName, Availability>();
  const events: HealthEvent[] = [];
  const pending = new Map<RegionName, () => void>();

  world.onReach((region, reach) => {
    const occurredAt = world.clock.now();
    const state = reach === "up" ? "Available" : "Unavailable";
    // A blip that is over before it is noticed is never reported.
    pending.get(region)?.();
    const report = () => {
      if ((states.get(region)?.state ?? "Available") === state) return;
      const reportedAt = world.clock.now();
      states.set(region, { state, occurredAt, reportedAt });
      const last = events.findIndex((event) => event.region === region && event.endedAt === null);
      const begun = events[last];
      if (state === "Unavailable") events.unshift({ trackingId: `LAB-${events.length + 1}`, region, beganAt: occurredAt, endedAt: null });
      else if (begun) events[last] = { ...begun, endedAt: occurredAt };
      world.record("health.reported", regions[region].cluster.name, { state });
    };
    pending.set(region, world.clock.after(world.latencies.resourceHealth, report));
  });

  return {
    of: (region) => states.get(region) ?? { state: "Available", occurredAt: openedAt, reportedAt: openedAt },
    events: () => events,
  };
}
