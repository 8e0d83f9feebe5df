import type { PlanTraffic, Traffic, TrafficState } from "../../../shared/ports.ts";
import type { Network } from "../network.ts";
import type { End } from "../world/front.ts";
import type { SimulatedPair } from "../world/pair.ts";
import { armCall } from "./aks.ts";
import type { Lies } from "./world.ts";

/** Traffic Manager and DNS are served by no region of the pair. A plain record leads to one place at a time. */
export function openTraffic({ front }: Pick<SimulatedPair, "front">, network: Network, lies: Lies): Traffic {
  const set = ({ kind }: PlanTraffic, op: string, end: End, open: boolean, unless?: End): Promise<void> =>
    network.ask(armCall(op, end, null, true), () => {
      if (kind === "dns" && unless !== undefined && front.isOpen(unless)) return;
      if (kind === "dns" && open) front.turn(end === "primary" ? "secondary" : "primary", false);
      front.turn(end, open);
    });
  return {
    read: ({ kind }) =>
      network.ask(armCall("read traffic", "profile", null, false), (): TrafficState => {
        const end = (one: End) => {
          const monitor = one === "primary" && lies.has("traffic-manager") && front.isOpen(one) ? "degraded" : front.monitor(one);
          return { open: front.isOpen(one), monitor: kind === "dns" ? ("none" as const) : monitor };
        };
        return { primary: end("primary"), secondary: end("secondary") };
      }),
    closePrimary: (traffic) => set(traffic, "close primary", "primary", false),
    reopenPrimary: (traffic) => set(traffic, "reopen primary", "primary", true, "secondary"),
    openSecondary: (traffic) => set(traffic, "open secondary", "secondary", true),
  };
}
