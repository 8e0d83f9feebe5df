/** The objects of a real cluster that ingress and checks read, as its API server has them: listed once, then followed. */
import type { ApiConnection, ApiObject } from "../real/api.ts";
import { type Watched, watchObjects } from "../real/watch.ts";
import type { ClusterObject, ClusterObjects } from "../world/cluster-objects.ts";

/** By apiVersion and plural. What is not among them is not kept, and asking for it is a mistake of ours. */
const kept = [
  ["v1", "pods"],
  ["v1", "services"],
  ["v1", "configmaps"],
  ["v1", "persistentvolumeclaims"],
  ["apps/v1", "deployments"],
  ["apps/v1", "statefulsets"],
  ["batch/v1", "cronjobs"],
  ["networking.k8s.io/v1", "ingresses"],
  ["velero.io/v1", "backups"],
  ["velero.io/v1", "restores"],
  ["velero.io/v1", "schedules"],
  ["velero.io/v1", "backupstoragelocations"],
] as const;

export interface KeptObjects extends Pick<ClusterObjects, "get" | "list"> {
  /** Resolves when every kind has been listed once. */
  readonly listed: Promise<void>;
  close(): Promise<void>;
}

/** Told of each change: what a kind had before, what it has now. */
export type OnKept = (plural: string, now: ReadonlyMap<string, ApiObject>) => void;

/** While the API server is away everything stays as it was last seen: whether a lost region still shows it, is not decided here. */
export function keepObjects(api: ApiConnection, onKept: OnKept): KeptObjects {
  const collections = new Map<string, Watched>();
  const unlisted = new Set<string>(kept.map(([, plural]) => plural));
  let resolveListed: () => void = () => undefined;
  const listed = new Promise<void>((resolve) => (resolveListed = resolve));
  for (const [apiVersion, plural] of kept) {
    const path = `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}/${plural}`;
    const watched: Watched = watchObjects(api, path, () => {
      onKept(plural, watched.objects);
      if (unlisted.delete(plural) && unlisted.size === 0) resolveListed();
    });
    collections.set(`${apiVersion}/${plural}`, watched);
  }
  const collection = (apiVersion: string, plural: string): ReadonlyMap<string, ApiObject> => {
    const found = collections.get(`${apiVersion}/${plural}`);
    if (!found) throw new Error(`${apiVersion}/${plural} of a real cluster is not followed: add it to the kinds in ${import.meta.filename}`);
    return found.objects;
  };
  return {
    listed,
    get: (apiVersion, plural, namespace, name): ClusterObject | null => collection(apiVersion, plural).get(`${namespace}/${name}`) ?? null,
    list: (apiVersion, plural, namespace) => [...collection(apiVersion, plural).values()].filter(({ metadata }) => namespace === "" || metadata.namespace === namespace),
    close: async () => void (await Promise.all([...collections.values()].map((watched) => watched.close()))),
  };
}
