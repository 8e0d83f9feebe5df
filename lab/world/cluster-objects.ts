/** What a region's ingress may see of its cluster: the objects in its API and the files on its volumes, nothing else. */

/** An object as the API gives it. Whoever asks for a kind reads its fields with care: it may have been restored, half made or patched. */
export type ClusterObject = Readonly<Record<string, unknown>>;

/** Reads the store of one cluster as it is at this moment. `apiVersion` and `plural` as in a URL: `apps/v1`, `deployments`. */
export interface ClusterObjects {
  get(apiVersion: string, plural: string, namespace: string, name: string): ClusterObject | null;
  /** `namespace` empty: everywhere. */
  list(apiVersion: string, plural: string, namespace: string): readonly ClusterObject[];
  /** The files on the volume bound to a claim, by path; `null`: no such claim, or not bound. */
  volumeFiles(namespace: string, claim: string): Readonly<Record<string, string>> | null;
}
