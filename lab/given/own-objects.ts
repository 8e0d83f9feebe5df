/** What the lab leaves in a given cluster: all of it carries one label, and goes when the run ends, or when the next one begins. */
import { setTimeout as wait } from "node:timers/promises";
import { runLabel } from "../../shared/domain/restore-object.ts";
import { type Api, type ApiObject, ApiRefused, pathOf } from "../real/api.ts";
import { GivenRefused, ownLabel, ownName, veleroNamespace } from "./given.ts";

/** An API whose applied objects carry the lab's label, and that applies over nothing of somebody else's: then it throws a `GivenRefused`. */
export function labelling(api: Api): Api {
  return {
    ...api,
    async apply(object) {
      const there = await api.get(pathOf(object));
      if (there !== null && !isOwn(there)) throw new GivenRefused(inTheWay(object));
      return api.apply({ ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, [ownLabel]: "true" } } });
    },
  };
}

export const isOwn = ({ metadata }: ApiObject): boolean => metadata.labels?.[ownLabel] === "true";

/** What is called as the lab's own things are, and is not the lab's, is somebody's. */
export const inTheWay = ({ kind = "", metadata: { name } }: ApiObject): string => `there is a ${kind} ${name} already that is not the lab's, and the lab needs that name and would remove it at the end: give a cluster without it`;

const velero = `/apis/velero.io/v1/namespaces/${veleroNamespace}`;
const rbac = "/apis/rbac.authorization.k8s.io/v1";
/** What Velero makes of the lab's locations carries no label of the lab's: where it says the location. In the order in which it goes. */
const veleroKinds: readonly (readonly [plural: string, locationOf: (object: ApiObject) => unknown])[] = [
  ["schedules", ({ spec }) => (spec as { readonly template?: { readonly storageLocation?: string } }).template?.storageLocation],
  ["restores", () => undefined],
  ["backups", ({ spec }) => (spec as { readonly storageLocation?: string }).storageLocation],
  ["backuprepositories", ({ spec }) => (spec as { readonly backupStorageLocation?: string }).backupStorageLocation],
];
/** Collections in which the lab's label counts. */
const labelled = [
  "/api/v1/namespaces",
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "/apis/scheduling.k8s.io/v1/priorityclasses",
  `${rbac}/roles`,
  `${rbac}/rolebindings`,
  `${rbac}/clusterroles`,
  `${velero}/backupstoragelocations`,
  `/api/v1/namespaces/${veleroNamespace}/secrets`,
] as const;

export interface Removal {
  /** Resolves only when the namespaces are gone, not when they begin to end. */
  readonly untilGone: boolean;
  /** Aborted: it waits for nothing more. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks for all of it to be deleted. `locations`: the names of the lab's storage locations. Throws an `ApiRefused`, or says what does not go. */
export async function removeOwnObjects(api: Api, locations: readonly string[], { untilGone, signal }: Removal): Promise<void> {
  const ours = new Set<unknown>(locations);
  const labels = `?labelSelector=${encodeURIComponent(`${ownLabel}=true`)}`;
  // Before its objects, so that Velero does not import them again.
  for (const location of await api.list(`${velero}/backupstoragelocations${labels}`)) await remove(api, `${velero}/backupstoragelocations`, location);
  const backups = new Set((await api.list(`${velero}/backups`)).filter(({ spec }) => ours.has((spec as { readonly storageLocation?: string }).storageLocation)).map(({ metadata }) => metadata.name));
  const isOurs = (object: ApiObject, location: unknown) => isOwn(object) || ours.has(location) || backups.has((object["spec"] as { readonly backupName?: string }).backupName ?? "");
  const restores = (await api.list(`${velero}/restores`)).filter((object) => isOurs(object, undefined));
  // What the app leaves of a run for whoever looks into it later: a restore's modifiers, under its name. Runs of somebody's own plans have them too.
  const names = new Set(restores.map(({ metadata }) => metadata.name));
  const modifiers = (await api.list(`/api/v1/namespaces/${veleroNamespace}/configmaps?labelSelector=${runLabel}`)).filter(({ metadata }) => names.has(metadata.name));
  for (const object of modifiers) await remove(api, `/api/v1/namespaces/${veleroNamespace}/configmaps`, object);
  for (const [plural, locationOf] of veleroKinds) for (const object of await api.list(`${velero}/${plural}`)) if (isOurs(object, locationOf(object))) await remove(api, `${velero}/${plural}`, object);
  for (const path of labelled) for (const object of await api.list(`${path}${labels}`)) await remove(api, path, object);
  if (untilGone) await gone(api, `/api/v1/namespaces${labels}`, signal);
  const bindings = (await api.list(`${rbac}/clusterrolebindings${labels}`)).filter(({ metadata }) => metadata.name !== ownName);
  for (const binding of bindings) await remove(api, `${rbac}/clusterrolebindings`, binding);
  await api.request("DELETE", `/api/v1/namespaces/${veleroNamespace}/serviceaccounts/${ownName}`);
  await api.request("DELETE", `${rbac}/clusterrolebindings/${ownName}`);
}

async function remove(api: Api, collection: string, { metadata: { name, namespace } }: ApiObject): Promise<void> {
  const inNamespace = namespace === undefined || collection.includes("/namespaces/") ? collection : collection.replace(/\/(\w+)$/, `/namespaces/${namespace}/$1`);
  const path = `${inNamespace}/${encodeURIComponent(name)}`;
  // Velero holds on to a Restore until its files are removed from the storage, and the storage goes too.
  if (collection.endsWith("/restores")) await api.request("PATCH", path, { metadata: { finalizers: null } });
  const answer = await api.request("DELETE", path);
  if (answer.status >= 300 && answer.status !== 404) throw new ApiRefused(`DELETE ${path}`, answer);
}

const goneMsMax = 120_000;

async function gone(api: Api, path: string, signal: AbortSignal | undefined): Promise<void> {
  for (const giveUpAt = performance.now() + goneMsMax; (await api.list(path)).length > 0; await wait(250, undefined, signal ? { signal } : {})) {
    if (performance.now() > giveUpAt) throw new Error(`what an earlier lab run left is not gone after ${goneMsMax / 1_000} s: ${(await api.list(path)).map(({ metadata }) => metadata.name).join(", ")}; see what holds it with kubectl`);
  }
}
