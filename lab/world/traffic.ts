/** The Traffic Manager profile: its two endpoints, its prober, and what its name servers would answer now. */
import { publicName, type RegionName, regions, trafficManager } from "./pair.ts";
import { type Refusal, refused } from "./refusal.ts";
import { afterLab } from "./operations.ts";
import { type MonitorSettings, startProber } from "./traffic-prober.ts";
import type { LabWorld } from "./world.ts";

export type EndpointMonitorStatus = "CheckingEndpoint" | "Online" | "Degraded" | "Disabled" | "Inactive" | "Unmonitored";
export type ProfileMonitorStatus = "CheckingEndpoints" | "Online" | "Degraded" | "Disabled" | "Inactive";

export interface Endpoint {
  readonly name: string;
  readonly region: RegionName;
  readonly target: string;
  readonly status: "Enabled" | "Disabled";
  readonly priority: number;
  readonly weight: number;
  readonly alwaysServe: boolean;
}

export interface Profile {
  readonly status: "Enabled" | "Disabled";
  readonly ttlSeconds: number;
  readonly endpoints: readonly Endpoint[];
}

export type EndpointWish = Partial<Pick<Endpoint, "status" | "priority" | "weight" | "alwaysServe">>;
export type ProfileWish = Partial<Pick<Profile, "status" | "ttlSeconds">> & { readonly endpoints?: Readonly<Record<string, EndpointWish>> };

/** What the name servers answer for the profile's name. No targets: the name does not exist for now. */
export interface TrafficAnswer {
  readonly targets: readonly string[];
  readonly ttlSeconds: number;
}

export interface Traffic {
  readonly monitor: MonitorSettings;
  profile(): Profile;
  monitorStatus(endpoint: string): EndpointMonitorStatus;
  profileMonitorStatus(): ProfileMonitorStatus;
  update(wish: ProfileWish): { readonly kind: "written" } | Refusal;
  answer(): TrafficAnswer;
  /** Ends the prober. */
  close(): void;
}

/** What the profile was made with. */
export interface TrafficSettings {
  readonly ttlSeconds: number;
  readonly monitor: MonitorSettings;
}

/**
 * Asks one endpoint's monitor path and says whether it answered 200 in time. How it reaches the region's ingress is the lab's wiring;
 * the world only counts.
 */
export type Probe = (endpoint: Endpoint, signal: AbortSignal) => Promise<boolean>;

export function openTraffic(world: LabWorld, probe: Probe, { ttlSeconds, monitor }: TrafficSettings = trafficManager): Traffic {
  let profile = profileAtStart(ttlSeconds);
  // What the name servers have heard of. ARM's answer is ahead of it.
  let published = profile;
  const prober = startProber(world, () => (profile.status === "Enabled" ? profile.endpoints : []), probe, monitor);

  const monitorStatus = ({ name, status, alwaysServe }: Endpoint, of: Profile): EndpointMonitorStatus => {
    if (status === "Disabled") return "Disabled";
    if (of.status === "Disabled") return "Inactive";
    return alwaysServe ? "Unmonitored" : prober.seen(name);
  };

  return {
    monitor,
    profile: () => profile,
    monitorStatus(name) {
      const endpoint = profile.endpoints.find((endpoint) => endpoint.name === name);
      return endpoint ? monitorStatus(endpoint, profile) : "Inactive";
    },
    profileMonitorStatus: () => summed(profile, profile.endpoints.map((endpoint) => monitorStatus(endpoint, profile))),

    update(wish) {
      const next = merged(profile, wish);
      const priorities = next.endpoints.map(({ priority }) => priority);
      if (new Set(priorities).size < priorities.length) return refused(400, "BadRequest", "the priorities of the endpoints must differ from each other");
      if (!Number.isInteger(next.ttlSeconds) || next.ttlSeconds < 0) return refused(400, "BadRequest", "the TTL is a whole number of seconds");
      const before = profile;
      profile = next;
      recordChanges(world, before, next);
      prober.look();
      afterLab(world, world.latencies.trafficManagerUpdate, () => void (published = next));
      return { kind: "written" };
    },

    answer() {
      const served = published.endpoints.map((endpoint) => ({ endpoint, monitor: monitorStatus(endpoint, published) })).filter(({ monitor }) => monitor !== "Disabled" && monitor !== "Inactive");
      const well = served.filter(({ monitor }) => monitor !== "Degraded");
      // With every endpoint degraded Traffic Manager answers as if all were online.
      const first = (well.length > 0 ? well : served).toSorted((a, b) => a.endpoint.priority - b.endpoint.priority)[0];
      return { targets: first ? [first.endpoint.target] : [], ttlSeconds: published.ttlSeconds };
    },
    close: () => prober.close(),
  };
}

/** The secondary is closed until a failover opens it, so that Traffic Manager never jumps by itself. */
function profileAtStart(ttlSeconds: number): Profile {
  const endpoint = (name: RegionName, status: Endpoint["status"], priority: number): Endpoint => ({ name, region: name, target: regions[name].ingressHost, status, priority, weight: 1, alwaysServe: false });
  const { primary, secondary } = trafficManager.endpoints;
  return { status: "Enabled", ttlSeconds, endpoints: [endpoint(primary, "Enabled", 1), endpoint(secondary, "Disabled", 2)] };
}

function merged(profile: Profile, { endpoints, ...wish }: ProfileWish): Profile {
  return { ...profile, ...wish, endpoints: profile.endpoints.map((endpoint) => ({ ...endpoint, ...endpoints?.[endpoint.name] })) };
}

function recordChanges(world: LabWorld, before: Profile, after: Profile): void {
  if (before.status !== after.status || before.ttlSeconds !== after.ttlSeconds) world.record("traffic.profile-updated", publicName, { status: after.status, ttlSeconds: after.ttlSeconds });
  for (const endpoint of after.endpoints) {
    const was = before.endpoints.find(({ name }) => name === endpoint.name);
    const changed = (["status", "priority", "weight", "alwaysServe"] as const).filter((field) => was?.[field] !== endpoint[field]);
    if (changed.length > 0) world.record("traffic.endpoint-updated", endpoint.name, Object.fromEntries(changed.map((field) => [field, endpoint[field]])));
  }
}

/** Microsoft's table of profile states, worst first. */
function summed(profile: Profile, monitors: readonly EndpointMonitorStatus[]): ProfileMonitorStatus {
  if (profile.status === "Disabled") return "Disabled";
  if (monitors.includes("Degraded")) return "Degraded";
  if (monitors.includes("Online") || monitors.includes("Unmonitored")) return "Online";
  return monitors.includes("CheckingEndpoint") ? "CheckingEndpoints" : "Inactive";
}
