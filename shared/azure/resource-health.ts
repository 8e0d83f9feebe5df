/** Azure Resource Health of one resource (@azure/arm-resourcehealth). */
import { MicrosoftResourceHealth } from "@azure/arm-resourcehealth";
import type { Health } from "../ports.ts";
import { type Arm, armOptions, perSubscription } from "./arm.ts";
import { azureCall } from "./azure-call.ts";
import { parseResourceId } from "./resource-id.ts";

export function openHealth(arm: Arm): Health {
  const clientOf = perSubscription((subscription) => new MicrosoftResourceHealth(arm.credential, subscription, armOptions(arm)));
  return {
    async of(resourceId) {
      const { subscription, names } = parseResourceId(resourceId);
      // With its leading slash the client would ask for `//subscriptions/…`.
      const resourceUri = resourceId.slice(1);
      const { properties } = await azureCall("read health", names.at(-1) ?? resourceId, arm.deadlineSeconds, (abortSignal) => clientOf(subscription).availabilityStatuses.getByResource(resourceUri, { abortSignal }));
      return {
        state: stateOf(properties?.availabilityState),
        since: properties?.occuredTime?.getTime() ?? null,
        summary: properties?.summary ?? properties?.title ?? "",
      };
    },
  };
}

function stateOf(state: string | undefined): Awaited<ReturnType<Health["of"]>>["state"] {
  switch (state) {
    case "Available":
      return "available";
    case "Unavailable":
      return "unavailable";
    case "Degraded":
      return "degraded";
    default:
      return "unknown";
  }
}
