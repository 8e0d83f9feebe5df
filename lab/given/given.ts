/** Clusters and storage that somebody has already: what a lab run is given of them, and what it calls its own things in them. */

export interface Given {
  /** Kubeconfig files; the current context of each counts. */
  readonly primary: string;
  readonly secondary: string;
  /** Of one storage account that both clusters reach: `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;…`. A secret. */
  readonly storageConnection: string;
}

/** Something that was given cannot be used; the message says why and what to do. */
export class GivenRefused extends Error {
  override readonly name = "GivenRefused";
}

/** On every object that the lab makes in a given cluster. By this label they are removed, also those of a run that was killed. */
export const ownLabel = "lifeboat.dev/lab";

/** Where Velero lives, as `velero install` has it and the example plans say. */
export const veleroNamespace = "velero";

/** What the lab calls things of its own in that namespace. */
export const ownName = "lifeboat-lab";

/** What a role of docs/permissions.md is called there: somebody's own app may have its roles under the page's names. */
export const ownRole = (name: string): string => `${ownName}-app${name.replace(/^lifeboat/, "")}`;
