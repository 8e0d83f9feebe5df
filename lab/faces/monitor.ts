/** How Traffic Manager's prober reaches a region's ingress: one GET over HTTPS under the public name. */
import https from "node:https";
import { publicName, regions, trafficManager } from "../world/pair.ts";
import type { Probe } from "../world/traffic.ts";

/** As the real prober calls itself. */
export const proberAgent = "Azure Traffic Manager Endpoint Monitor";

/** `port`: the one on which every region's ingress listens; asked at each probe, because the ingress may open later. */
export function httpsProbe(port: () => number): Probe {
  return ({ region, target }, signal) =>
    new Promise((resolve, reject) => {
      const request = https.get({
        host: regions[region].ingressAddress,
        port: port(),
        path: trafficManager.monitor.path,
        servername: target,
        headers: { host: publicName, "user-agent": proberAgent },
        // Traffic Manager validates no certificates.
        rejectUnauthorized: false,
        agent: false,
        signal,
      });
      request.once("response", (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.once("error", reject);
    });
}
