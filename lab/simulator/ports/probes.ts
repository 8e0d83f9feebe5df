import type { ProbeAnswer, Probes, Resolved } from "../../../shared/ports.ts";
import { controlAddress, publicName, regions, type RegionName, trafficManager } from "../../world/pair.ts";
import type { Network } from "../network.ts";
import type { Scheduler } from "../time/scheduler.ts";
import { regionOfHost } from "../world/front.ts";
import type { SimulatedPair } from "../world/pair.ts";
import type { Lies } from "./world.ts";

/** Places that belong to neither region but for the storage of the secondary. */
const elsewhere: Readonly<Record<string, RegionName | null>> = { "management.azure.com": null, "stshopneu.blob.core.windows.net": "northeurope" };
const resolveSeconds = 5;

export function openProbes({ front }: Pick<SimulatedPair, "front">, network: Network, scheduler: Scheduler, lies: Lies): Probes {
  /** Where a name leads now; `null`: nowhere. */
  const placeOf = (host: string): { readonly region: RegionName | null } | null => {
    if (host in elsewhere) return { region: elsewhere[host] ?? null };
    const region = host === publicName ? front.leadsTo() : regionOfHost(host);
    return region === null ? null : { region };
  };
  return {
    async get(url, { timeoutSeconds, connectTo }) {
      const target = new URL(url);
      const host = connectTo ?? target.hostname;
      const askedAt = scheduler.now;
      const silent = (why: string): ProbeAnswer => ({ kind: "no-answer", why, durationMs: scheduler.now - askedAt });
      const place = placeOf(host);
      if (place === null) return silent(`${host} has no address`);
      const { region } = place;
      if (region === "westeurope" && lies.has(target.pathname === "/orders" ? "backend-probe" : "public-probe")) return silent("the probe was lied to");
      try {
        return await network.ask({ port: "probes", op: "get", thing: `${host}${target.pathname}`, region, mutating: false, fastMs: 15, slowMs: 60, deadlineMs: timeoutSeconds * 1_000 }, (): ProbeAnswer => {
          const page = region === null || host in elsewhere ? { status: 400, body: "what do you want?" } : front.page(region, target.pathname);
          return { kind: "answered", ...page, durationMs: scheduler.now - askedAt };
        });
      } catch (error) {
        return silent(error instanceof Error ? error.message : String(error));
      }
    },
    resolve: (name) =>
      network.ask({ port: "dns", op: "resolve", thing: name, region: null, mutating: false, fastMs: 5, slowMs: 25, deadlineMs: resolveSeconds * 1_000 }, (): Resolved => {
        const place = placeOf(name);
        if (place === null) return { kind: "nothing", why: `${name} has no address` };
        const address = place.region === null ? controlAddress : regions[place.region].ingressAddress;
        return { kind: "resolved", chain: name === publicName && place.region !== null ? [trafficManager.fqdn, regions[place.region].ingressHost] : [], addresses: [address], ttlSeconds: trafficManager.ttlSeconds };
      }),
  };
}
