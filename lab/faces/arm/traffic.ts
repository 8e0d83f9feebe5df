/** Microsoft.Network/trafficManagerProfiles: the profile and its external endpoints. No ETag, as in the service. */
import { z } from "zod";
import { publicName, trafficManager } from "../../world/pair.ts";
import type { Endpoint, EndpointWish, Traffic } from "../../world/traffic.ts";
import { type Answer, json } from "../answer.ts";
import { type ArmRequest, type ArmRoute, idOf, inGroup, notFound, refusal, withBody } from "./route.ts";

const type = "microsoft.network/trafficmanagerprofiles";
const profilePath = `${inGroup}/${type}/{profile}`;
const endpointPath = `${profilePath}/externalendpoints/{endpoint}`;

/** Blinded, a read says of every enabled endpoint that it is still being checked: Traffic Manager's probers have seen nothing. */
export function trafficRoutes(traffic: Traffic): readonly ArmRoute[] {
  const route = (method: ArmRoute["method"], path: string, call: string, work: (request: ArmRequest) => Answer): ArmRoute => ({
    method,
    path,
    call,
    mutating: method !== "GET",
    region: () => null,
    work: (request) => (idOf(request.names, type, request.names["profile"]) === trafficManager.id.toLowerCase() ? work(request) : notFound(request.path)),
  });
  const endpoint = (request: ArmRequest, work: (endpoint: Endpoint) => Answer): Answer => {
    const found = traffic.profile().endpoints.find(({ name }) => name.toLowerCase() === request.names["endpoint"]);
    return found ? work(found) : notFound(request.path);
  };

  return [
    route("GET", profilePath, "GET trafficManagerProfiles", ({ blind }) => json(200, profileBody(traffic, blind))),
    route("PATCH", profilePath, "PATCH trafficManagerProfiles", ({ body }) =>
      withBody(profilePatch, body, ({ properties: { profileStatus, dnsConfig, endpoints } }) => {
        const answer = traffic.update({
          ...(profileStatus === undefined ? {} : { status: profileStatus }),
          ...(dnsConfig === undefined ? {} : { ttlSeconds: dnsConfig.ttl }),
          ...(endpoints === undefined ? {} : { endpoints: Object.fromEntries(endpoints.map(({ name, properties }) => [name, wishOf(properties)])) }),
        });
        return answer.kind === "refused" ? refusal(answer) : json(200, profileBody(traffic, false));
      }),
    ),
    route("GET", endpointPath, "GET trafficManagerProfiles/externalEndpoints", (request) => endpoint(request, (found) => json(200, endpointBody(traffic, found, request.blind)))),
    route("PATCH", endpointPath, "PATCH trafficManagerProfiles/externalEndpoints", (request) =>
      endpoint(request, ({ name }) =>
        withBody(endpointPatch, request.body, ({ properties }) => {
          const answer = traffic.update({ endpoints: { [name]: wishOf(properties) } });
          return answer.kind === "refused" ? refusal(answer) : endpoint(request, (found) => json(200, endpointBody(traffic, found, false)));
        }),
      ),
    ),
  ];
}

const endpointFields = z.object({
  endpointStatus: z.enum(["Enabled", "Disabled"]).optional(),
  priority: z.number().int().min(1).max(1000).optional(),
  weight: z.number().int().min(1).max(1000).optional(),
  alwaysServe: z.enum(["Enabled", "Disabled"]).optional(),
});
const endpointPatch = z.object({ properties: endpointFields });
const profilePatch = z.object({
  properties: z.object({
    profileStatus: z.enum(["Enabled", "Disabled"]).optional(),
    dnsConfig: z.object({ ttl: z.number() }).optional(),
    endpoints: z.array(z.object({ name: z.string(), properties: endpointFields })).optional(),
  }),
});

const wishOf = ({ endpointStatus, priority, weight, alwaysServe }: z.infer<typeof endpointFields>): EndpointWish => ({
  ...(endpointStatus === undefined ? {} : { status: endpointStatus }),
  ...(priority === undefined ? {} : { priority }),
  ...(weight === undefined ? {} : { weight }),
  ...(alwaysServe === undefined ? {} : { alwaysServe: alwaysServe === "Enabled" }),
});

function endpointBody(traffic: Traffic, { name, target, region, status, priority, weight, alwaysServe }: Endpoint, blind: boolean) {
  return {
    id: `${trafficManager.id}/externalEndpoints/${name}`,
    name,
    type: "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
    properties: {
      target,
      endpointStatus: status,
      endpointMonitorStatus: blind && status === "Enabled" ? "CheckingEndpoint" : traffic.monitorStatus(name),
      priority,
      weight,
      endpointLocation: region,
      alwaysServe: alwaysServe ? "Enabled" : "Disabled",
    },
  };
}

function profileBody(traffic: Traffic, blind: boolean) {
  const { status, ttlSeconds, endpoints } = traffic.profile();
  const { intervalSeconds, timeoutSeconds, toleratedFailures } = traffic.monitor;
  return {
    id: trafficManager.id,
    name: trafficManager.id.split("/").at(-1),
    type: "Microsoft.Network/trafficManagerProfiles",
    location: "global",
    properties: {
      profileStatus: status,
      trafficRoutingMethod: "Priority",
      dnsConfig: { relativeName: trafficManager.fqdn.split(".")[0], fqdn: trafficManager.fqdn, ttl: ttlSeconds },
      monitorConfig: {
        profileMonitorStatus: blind && status === "Enabled" ? "CheckingEndpoints" : traffic.profileMonitorStatus(),
        protocol: "HTTPS",
        port: 443,
        path: trafficManager.monitor.path,
        intervalInSeconds: intervalSeconds,
        timeoutInSeconds: timeoutSeconds,
        toleratedNumberOfFailures: toleratedFailures,
        customHeaders: [{ name: "host", value: publicName }],
      },
      endpoints: endpoints.map((endpoint) => endpointBody(traffic, endpoint, blind)),
    },
  };
}
