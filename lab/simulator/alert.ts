import { planProperty } from "../../shared/domain/alert.ts";
import { planName } from "./plan.ts";

/** An alert in the common alert schema that names the simulated plan. */
export const alertBody = (alertId: string, condition: "Fired" | "Resolved", at: number): unknown => ({
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: { alertId, alertRule: "region-down", severity: "Sev0", monitorCondition: condition, alertTargetIDs: [], firedDateTime: new Date(at).toISOString() },
    alertContext: null,
    customProperties: { [planProperty]: planName },
  },
});
