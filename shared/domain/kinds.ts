/** The Kubernetes kinds that Lifeboat reads or writes, by the names the API has for them. */

/** `apps/v1` + `deployments`; core is `v1`. */
export interface Kind {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const kind = (apiVersion: string, plural: string, namespaced = true): Kind => ({ apiVersion, plural, namespaced });
const velero = (plural: string, version = "v1") => kind(`velero.io/${version}`, plural);

export const kinds = {
  namespaces: kind("v1", "namespaces", false),
  nodes: kind("v1", "nodes", false),
  pods: kind("v1", "pods"),
  configMaps: kind("v1", "configmaps"),
  persistentVolumeClaims: kind("v1", "persistentvolumeclaims"),
  deployments: kind("apps/v1", "deployments"),
  statefulSets: kind("apps/v1", "statefulsets"),
  daemonSets: kind("apps/v1", "daemonsets"),
  jobs: kind("batch/v1", "jobs"),
  cronJobs: kind("batch/v1", "cronjobs"),
  storageClasses: kind("storage.k8s.io/v1", "storageclasses", false),
  ingressClasses: kind("networking.k8s.io/v1", "ingressclasses", false),
  validatingWebhooks: kind("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", false),
  mutatingWebhooks: kind("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", false),
  endpointSlices: kind("discovery.k8s.io/v1", "endpointslices"),
  resourceQuotas: kind("v1", "resourcequotas"),
  customResourceDefinitions: kind("apiextensions.k8s.io/v1", "customresourcedefinitions", false),
  backups: velero("backups"),
  restores: velero("restores"),
  schedules: velero("schedules"),
  backupStorageLocations: velero("backupstoragelocations"),
  backupRepositories: velero("backuprepositories"),
  podVolumeBackups: velero("podvolumebackups"),
  podVolumeRestores: velero("podvolumerestores"),
  dataDownloads: velero("datadownloads", "v2alpha1"),
  kustomizations: kind("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
  helmReleases: kind("helm.toolkit.fluxcd.io/v2", "helmreleases"),
  applications: kind("argoproj.io/v1alpha1", "applications"),
} as const satisfies Record<string, Kind>;

/** What makes a namespace count as in use: everything that runs pods, and claims. */
export const occupying: readonly Kind[] = [kinds.deployments, kinds.statefulSets, kinds.daemonSets, kinds.cronJobs, kinds.jobs, kinds.persistentVolumeClaims];

/** The API group of a version: `apps` of `apps/v1`, nothing of `v1`. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");
