/**
 * What users meet: the two endpoints of the public name, the pages behind them, and who takes their writes. Traffic Manager's own prober
 * is worked out from how the regions answered, not by asking every ten seconds: a simulated day would be nothing but probes.
 */
import type { Kind } from "../../../shared/ports.ts";
import { publicName, regions, type RegionName, trafficManager } from "../../world/pair.ts";
import type { LabWorld } from "../../world/world.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { storefronts } from "./shop.ts";

export type End = "primary" | "secondary";

export interface Page {
  readonly status: number;
  readonly body: string;
}

export interface Front {
  /** As ARM has it. */
  isOpen(end: End): boolean;
  turn(end: End, open: boolean): void;
  monitor(end: End): "online" | "degraded" | "checking" | "stopped";
  /** The region that the public name leads to, as the name servers say now; `null`: nowhere. */
  leadsTo(): RegionName | null;
  /** A page of a region's ingress; whether it can be reached is another matter. */
  page(region: RegionName, path: string): Page;
  /** Whether users' writes are taken there now. */
  takesWrites(end: End): boolean;
}

const configMaps: Kind = { apiVersion: "v1", plural: "configmaps", namespaced: true };

export const endRegion: Readonly<Record<End, RegionName>> = { primary: "westeurope", secondary: "northeurope" };
export const regionOfHost = (host: string): RegionName | null => Object.values(regions).find(({ ingressHost }) => ingressHost === host)?.region ?? null;
export { publicName };

export function openFront(world: LabWorld, clusters: Readonly<Record<RegionName, SimulatedCluster>>): Front {
  const open: Record<End, boolean> = { primary: true, secondary: false };
  let published: Readonly<Record<End, boolean>> = { ...open };
  const { intervalSeconds, timeoutSeconds, toleratedFailures } = trafficManager.monitor;
  /** From the first probe that fails until the profile says so. */
  const noticedMs = (intervalSeconds * toleratedFailures + timeoutSeconds) * 1_000;
  const changedAt = new Map<RegionName, number>();
  const openedAt = new Map<End, number>([["primary", Number.NEGATIVE_INFINITY]]);
  world.onReach((region) => void changedAt.set(region, world.clock.now()));

  const page = (region: RegionName, path: string): Page => {
    const { ready, objects, volume } = clusters[region];
    if (ready("storefront") === 0) return { status: 503, body: "no pod of the storefront is ready" };
    if (path === "/orders") return ready("orders") === 0 || volume() === null ? { status: 503, body: "the order database does not answer" } : { status: 200, body: `orders of ${volume()}` };
    const currency = (objects.get(configMaps, "shop", "storefront")?.["data"] as { currency?: string } | undefined)?.currency;
    return { status: 200, body: `shop at ${region}, prices in ${currency ?? "nothing"}` };
  };
  const serves = (region: RegionName): boolean => world.reach(region) === "up" && page(region, "/orders").status === 200 && clusters[region].ready("storefront") <= storefronts;

  return {
    page,
    isOpen: (end) => open[end],
    turn(end, wanted) {
      if (open[end] === wanted) return;
      open[end] = wanted;
      if (wanted) openedAt.set(end, world.clock.now());
      world.record("traffic.endpoint-updated", end, { status: wanted ? "Enabled" : "Disabled" });
      const now = { ...open };
      world.clock.after(world.latencies.trafficManagerUpdate, () => void (published = now));
    },
    monitor(end) {
      if (!open[end]) return "stopped";
      const region = endRegion[end];
      const since = Math.max(changedAt.get(region) ?? Number.NEGATIVE_INFINITY, openedAt.get(end) ?? Number.NEGATIVE_INFINITY);
      const well = world.reach(region) === "up" && page(region, trafficManager.monitor.path).status === 200;
      // It stays what it was until enough probes have said otherwise.
      return well || world.clock.now() - since < noticedMs ? "online" : "degraded";
    },
    leadsTo() {
      const ends: readonly End[] = ["primary", "secondary"];
      const end = ends.find((one) => published[one]);
      return end === undefined ? null : endRegion[end];
    },
    takesWrites: (end) => open[end] && serves(endRegion[end]),
  };
}
