import type { Health } from "../../../shared/ports.ts";
import type { Network } from "../network.ts";
import type { SimulatedPair } from "../world/pair.ts";
import { armCall, regionOf } from "./aks.ts";
import type { Lies } from "./world.ts";

/** Resource Health is a service of its own: it answers while the region does not. */
export function openHealth({ health }: Pick<SimulatedPair, "health">, network: Network, lies: Lies): Health {
  return {
    async of(resourceId) {
      const region = regionOf(resourceId);
      return network.ask(armCall("read health", region, null, false), () => {
        const { state, occurredAt } = health.of(region);
        const down = state === "Unavailable" || (region === "westeurope" && lies.has("resource-health"));
        return { state: down ? "unavailable" : "available", since: occurredAt, summary: down ? "the cluster is unavailable" : "there are no known problems" };
      });
    },
  };
}
