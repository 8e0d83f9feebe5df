/** Microsoft.ResourceHealth: the availability of the two clusters, and the events behind it. */
import type { Health, HealthEvent } from "../../world/health.ts";
import { type RegionName, regions, subscription } from "../../world/pair.ts";
import { json } from "../answer.ts";
import { type ArmRoute, idOf, inGroup, type Names, notFound } from "./route.ts";

const type = "microsoft.containerservice/managedclusters";

/** Not served by the clusters' regions, so that it can tell of their loss. Blinded, it says `Unknown`: no signal for ten minutes, in Microsoft's words. */
export function healthRoutes(health: Health): readonly ArmRoute[] {
  return [
    {
      method: "GET",
      path: `${inGroup}/${type}/{cluster}/providers/microsoft.resourcehealth/availabilitystatuses/current`,
      call: "GET availabilityStatuses",
      mutating: false,
      region: () => null,
      work({ names, path, blind }) {
        const region = regionOf(names);
        return region === null ? notFound(path) : json(200, statusBody(region, health, blind));
      },
    },
    {
      method: "GET",
      path: "/subscriptions/{subscription}/providers/microsoft.resourcehealth/events",
      call: "GET events",
      mutating: false,
      region: () => null,
      work: () => json(200, { value: health.events().map(eventBody) }),
    },
  ];
}

function regionOf(names: Names): RegionName | null {
  const id = idOf(names, type, names["cluster"]);
  return Object.values(regions).find(({ cluster }) => cluster.id.toLowerCase() === id)?.region ?? null;
}

const words = {
  Available: { title: "Available", summary: "There aren't any known Azure platform problems affecting this cluster." },
  Unavailable: { title: "Unavailable", summary: "The cluster's control plane cannot be reached." },
  Unknown: { title: "Unknown", summary: "Resource Health has had no information on this cluster for more than 10 minutes." },
} as const;

function statusBody(region: RegionName, health: Health, blind: boolean) {
  const { state, occurredAt, reportedAt } = health.of(region);
  const shown = blind ? "Unknown" : state;
  return {
    id: `${regions[region].cluster.id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current`,
    name: "current",
    type: "Microsoft.ResourceHealth/AvailabilityStatuses",
    location: region,
    properties: {
      availabilityState: shown,
      ...words[shown],
      ...(shown === "Unavailable" ? { reasonType: "Unplanned", context: "Platform Initiated", category: "Unplanned" } : {}),
      // Spelt so by the service.
      occuredTime: new Date(occurredAt).toISOString(),
      reasonChronicity: "Persistent",
      reportedTime: new Date(reportedAt).toISOString(),
    },
  };
}

const regionTitles: Readonly<Record<RegionName, string>> = { westeurope: "West Europe", northeurope: "North Europe" };

const eventBody = ({ trackingId, region, beganAt, endedAt }: HealthEvent) => ({
  id: `/subscriptions/${subscription}/providers/Microsoft.ResourceHealth/events/${trackingId}`,
  name: trackingId,
  type: "Microsoft.ResourceHealth/events",
  properties: {
    eventType: "ServiceIssue",
    eventSource: "ResourceHealth",
    status: endedAt === null ? "Active" : "Resolved",
    title: `Azure Kubernetes Service - ${regionTitles[region]}`,
    summary: "Control planes of the region cannot be reached.",
    level: "Critical",
    impactStartTime: new Date(beganAt).toISOString(),
    ...(endedAt === null ? {} : { impactMitigationTime: new Date(endedAt).toISOString() }),
    impact: [{ impactedService: "Azure Kubernetes Service (AKS)", impactedRegions: [{ impactedRegion: regionTitles[region], status: endedAt === null ? "Active" : "Resolved" }] }],
  },
});
