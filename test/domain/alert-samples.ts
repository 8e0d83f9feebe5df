/** Alerts in the common alert schema, with the variations that Azure Monitor really shows. Everything in them is made up. */

/** An availability test of Application Insights: several places cannot reach the shop. */
export const availabilityFired = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/7d1e0c52-90aa-4c1e-8b7d-0d7f2f6a0001",
      alertRule: "ar-ingress-availability-weu",
      severity: "Sev0",
      signalType: "Metric",
      monitorCondition: "Fired",
      monitoringService: "Platform",
      alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/resourcegroups/rg-obs-frc/providers/microsoft.insights/components/ai-shop"],
      configurationItems: ["ai-shop"],
      originAlertId: "0f5c9a3e-1111-4a4a-9b9b-000000000001_rg-obs-frc_microsoft.insights_metricAlerts_ar-ingress-availability-weu_-55120931",
      firedDateTime: "2026-11-20T09:14:07.512Z",
      description: "4 of 5 probe sites fail on weu",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
    },
    alertContext: {
      properties: {
        failoverGroup: "shop",
        region: "westeurope",
      },
      conditionType: "WebtestLocationAvailabilityCriteria",
      condition: {
        windowSize: "PT5M",
        allOf: [{
          metricName: "Failed Location",
          metricNamespace: null,
          operator: "GreaterThan",
          threshold: "2",
          timeAggregation: "Sum",
          dimensions: [],
          metricValue: 4,
          webTestName: "shop-weu",
        }],
        windowStartTime: "2026-11-20T09:08:00Z",
        windowEndTime: "2026-11-20T09:13:00Z",
      },
    },
    customProperties: {
      runbook: "failover",
    },
  },
} as const;

/** The same alert resolved: same id, other condition, `properties` null. */
export const availabilityResolved = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/7d1e0c52-90aa-4c1e-8b7d-0d7f2f6a0001",
      alertRule: "ar-ingress-availability-weu",
      severity: "Sev0",
      signalType: "Metric",
      monitorCondition: "Resolved",
      monitoringService: "Platform",
      alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/resourcegroups/rg-obs-frc/providers/microsoft.insights/components/ai-shop"],
      originAlertId: "0f5c9a3e-1111-4a4a-9b9b-000000000001_rg-obs-frc_microsoft.insights_metricAlerts_ar-ingress-availability-weu_-55120931",
      firedDateTime: "2026-11-20T09:14:07.512Z",
      resolvedDateTime: "2026-11-20T10:02:41.090Z",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
    },
    alertContext: {
      properties: null,
      conditionType: "WebtestLocationAvailabilityCriteria",
      condition: {
        windowSize: "PT5M",
        allOf: [{
          metricName: "Failed Location",
          operator: "GreaterThan",
          threshold: "2",
          timeAggregation: "Sum",
          dimensions: [],
          metricValue: 0,
          webTestName: "shop-weu",
        }],
      },
    },
  },
} as const;

/** A log search alert on the cluster, as `Log Alerts V2` sends it. */
export const nodesNotReady = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/7d1e0c52-90aa-4c1e-8b7d-0d7f2f6a0002",
      alertRule: "ar-nodes-notready-weu",
      severity: "Sev1",
      signalType: "Log",
      monitorCondition: "Fired",
      monitoringService: "Log Alerts V2",
      alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/resourcegroups/rg-shop-weu/providers/microsoft.containerservice/managedclusters/aks-shop-weu"],
      firedDateTime: "2026-11-20T09:15:30Z",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
    },
    alertContext: {
      properties: {
        failoverGroup: "shop",
      },
      conditionType: "LogQueryCriteria",
      condition: {
        windowSize: "PT5M",
        allOf: [{
          searchQuery: "KubeNodeInventory | where Status !has 'Ready'",
          metricMeasureColumn: null,
          targetResourceTypes: "['Microsoft.ContainerService/managedClusters']",
          operator: "GreaterThan",
          threshold: "3",
          timeAggregation: "Count",
          dimensions: [{
            name: "ClusterName",
            value: "aks-shop-weu",
          }],
          metricValue: 9.0,
          failingPeriods: {
            numberOfEvaluationPeriods: 1,
            minFailingPeriodsToAlert: 1,
          },
        }],
        windowStartTime: "2026-11-20T09:10:00Z",
        windowEndTime: "2026-11-20T09:15:00Z",
      },
    },
  },
} as const;

/** Resource Health, with `Activity Log` in two words and text where service health has numbers. */
export const resourceHealth = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/7d1e0c52-90aa-4c1e-8b7d-0d7f2f6a0003",
      alertRule: "ar-rh-aks",
      severity: "Sev4",
      signalType: "Activity Log",
      monitorCondition: "Fired",
      monitoringService: "Resource Health",
      alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/resourcegroups/rg-shop-weu/providers/microsoft.containerservice/managedclusters/aks-shop-weu"],
      configurationItems: ["aks-shop-weu"],
      originAlertId: "c0ffee00-0000-4000-8000-00000000000a_11f0a1b2c3d4e5f60718293a4b5c6d7e",
      firedDateTime: "2026-11-20T09:18:02.7Z",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
    },
    alertContext: {
      channels: "Admin, Operation",
      correlationId: "c0ffee00-0000-4000-8000-00000000000b",
      eventSource: "ResourceHealth",
      eventTimestamp: "2026-11-20T09:17:10.2Z",
      eventDataId: "c0ffee00-0000-4000-8000-00000000000c",
      level: "Critical",
      operationName: "Microsoft.Resourcehealth/healthevent/Activated/action",
      operationId: "c0ffee00-0000-4000-8000-00000000000c",
      properties: {
        title: "Control plane unreachable",
        details: null,
        currentHealthStatus: "Unavailable",
        previousHealthStatus: "Available",
        type: "Downtime",
        cause: "PlatformInitiated",
      },
      status: "Active",
      submissionTimestamp: "2026-11-20T09:17:55Z",
    },
  },
} as const;

/** Service Health: numbers for level and channels, a JSON string within, and the subscription as its target. */
export const serviceHealth = {
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId: "/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/providers/Microsoft.AlertsManagement/alerts/9b2c4d6e8f00112233445566778899aabbccddeeff00112233445566778899aa",
      alertRule: "ar-sh-weu",
      severity: "Sev4",
      signalType: "ActivityLog",
      monitorCondition: "Fired",
      monitoringService: "ServiceHealth",
      alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001"],
      originAlertId: "c0ffee00-0000-4000-8000-00000000000d",
      firedDateTime: "2026-11-20T09:31:44Z",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
    },
    alertContext: {
      channels: 1,
      correlationId: "c0ffee00-0000-4000-8000-00000000000e",
      eventSource: 2,
      eventTimestamp: "2026-11-20T09:31:20Z",
      level: 2,
      operationName: "Microsoft.ServiceHealth/incident/action",
      properties: {
        title: "Multiple services - West Europe",
        service: "Azure Kubernetes Service (AKS)",
        region: "West Europe",
        communication: "<p>Investigating.</p>",
        incidentType: "Incident",
        trackingId: "XK3T-9ZG",
        impactStartTime: "2026-11-20T09:09:00Z",
        impactedServices: "[{\"ImpactedRegions\":[{\"RegionName\":\"West Europe\"}],\"ServiceName\":\"Azure Kubernetes Service (AKS)\"}]",
        stage: "Active",
        communicationId: "11000987654321",
        isHIR: "false",
        version: "0.1.1",
      },
      status: "Active",
    },
  },
} as const;
