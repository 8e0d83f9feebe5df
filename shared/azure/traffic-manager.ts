/** Traffic Manager profiles (@azure/arm-trafficmanager): the primary's endpoint is the fence, the secondary's the opening. */
import { TrafficManagerManagementClient } from "@azure/arm-trafficmanager";
import { type PlanTraffic, type TrafficEnd, type TrafficState, WorldError } from "../ports.ts";
import { type Arm, armOptions, perSubscription } from "./arm.ts";
import { azureCall } from "./azure-call.ts";
import { parseResourceId } from "./resource-id.ts";

export type TrafficManagerPlan = Extract<PlanTraffic, { readonly kind: "traffic-manager" }>;

export function openTrafficManager(arm: Arm) {
  const clientOf = perSubscription((subscription) => new TrafficManagerManagementClient(arm.credential, subscription, armOptions(arm)));
  const at = (profile: string) => {
    const { subscription, resourceGroup, names } = parseResourceId(profile);
    return { client: clientOf(subscription), resourceGroup, name: names[0] };
  };
  // The service has no ETag; the same status twice is the same as once.
  const setStatus = async (traffic: TrafficManagerPlan, endpoint: string, endpointStatus: "Enabled" | "Disabled") => {
    const { client, resourceGroup, name } = at(traffic.profile);
    await azureCall(endpointStatus === "Enabled" ? "enable endpoint" : "disable endpoint", `${name}/${endpoint}`, arm.deadlineSeconds, (abortSignal) =>
      client.endpoints.update(resourceGroup, name, "ExternalEndpoints", endpoint, { endpointStatus }, { abortSignal }),
    );
  };

  return {
    async read(traffic: TrafficManagerPlan): Promise<TrafficState> {
      const { client, resourceGroup, name } = at(traffic.profile);
      const { profileStatus, endpoints } = await azureCall("read profile", name, arm.deadlineSeconds, (abortSignal) => client.profiles.get(resourceGroup, name, { abortSignal }));
      const end = (wanted: string): TrafficEnd => {
        const found = endpoints?.find((endpoint) => endpoint.name?.toLowerCase() === wanted.toLowerCase());
        if (found === undefined) throw new WorldError("read profile", name, `it has no endpoint "${wanted}"`);
        // A disabled profile answers nobody, whatever its endpoints say.
        return { open: profileStatus !== "Disabled" && found.endpointStatus === "Enabled", monitor: monitorOf(found.endpointMonitorStatus) };
      };
      return { primary: end(traffic.endpoints.primary), secondary: end(traffic.endpoints.secondary) };
    },
    closePrimary: (traffic: TrafficManagerPlan) => setStatus(traffic, traffic.endpoints.primary, "Disabled"),
    reopenPrimary: (traffic: TrafficManagerPlan) => setStatus(traffic, traffic.endpoints.primary, "Enabled"),
    openSecondary: (traffic: TrafficManagerPlan) => setStatus(traffic, traffic.endpoints.secondary, "Enabled"),
  };
}

function monitorOf(status: string | undefined): TrafficEnd["monitor"] {
  switch (status) {
    case "Online":
      return "online";
    case "Degraded":
      return "degraded";
    case "CheckingEndpoint":
      return "checking";
    case "Disabled":
    case "Inactive":
    case "Stopped":
      return "stopped";
    case "Unmonitored":
      return "none";
    default:
      return "unknown";
  }
}
