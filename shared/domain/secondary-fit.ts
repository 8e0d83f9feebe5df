/**
 * Whether a restore point would fit into the secondary's cluster as it is now: APIs, classes, images, quotas. What could not be learnt is
 * `unknown` in the evidence, and never counted as there. Pure.
 */
import type { Contents, longest } from "./contents.ts";
import { guessedPlural, isCustom } from "./custom-kinds.ts";
import type { Evidence } from "./evidence.ts";
import type { Finding } from "./findings.ts";
import { answersOf, type FitAnswer } from "./fit-answer.ts";
import { quantityOf } from "./quantity.ts";
import { namespacesOf } from "./ladder-levels.ts";
import type { Plan } from "./plan.ts";
import { accountName, someOf } from "./replica.ts";
import { admission, network, type StateSeen } from "./secondary-state.ts";
import { tieAnswers } from "./secondary-ties.ts";

/** What was seen of the cluster. `null`: it could not be asked. */
export interface SecondarySeen {
  /** Kinds by API version; a version whose value is `null` is not served. */
  readonly served: Readonly<Record<string, readonly string[] | null>> | null;
  readonly storageClasses: readonly string[] | null;
  readonly ingressClasses: readonly string[] | null;
  readonly quotas: readonly Quota[] | null;
  readonly pools: readonly { readonly name: string; readonly maxCount: number | null; readonly autoscaled: boolean }[] | null;
  readonly state: StateSeen;
}

export interface Quota {
  readonly namespace: string;
  readonly name: string;
  /** `pods` → `{ hard: "10", used: "3" }`. */
  readonly limits: Readonly<Record<string, { readonly hard: string; readonly used: string }>>;
}

/** Each question with its answer, as evidence; what is missing, as findings about that point. */
export function secondaryFit(point: string, contents: Contents, plan: Plan, seen: SecondarySeen, at: number, planHash: string): { readonly findings: readonly Finding[]; readonly evidence: readonly Evidence[] } {
  const counted = (answer: FitAnswer, ...lists: readonly (keyof typeof longest)[]) => asFarAsCounted(answer, contents, ["namespaces", ...lists]);
  const answers = [counted(apis(contents, plan, seen), "kinds", "customKinds"), counted(classes(contents, plan, seen), "storageClasses", "ingressClasses"), counted(images(contents, plan), "images"), counted(quotas(contents, seen), "kinds"), pools(plan, seen), counted(hosts(contents, plan), "hosts"), counted(admission(contents, plan, seen.state), "kinds"), network(seen.state), ...tieAnswers(contents, plan, seen.state, at).map((answer) => counted(answer, "ties", "hosts"))];
  return {
    findings: answers.filter(({ ok }) => ok === false).map(({ kind, about }) => ({ kind, point, fact: about })),
    evidence: answers.map(({ level, ok, about }) => ({ level, rung: "readable", ok, about, at, planHash, expiresAt: at + plan.backups.verifyEverySeconds * 1_000 })),
  };
}

/** What was seen of the first thousands says nothing of those that were not counted. */
function asFarAsCounted(answer: FitAnswer, { cut }: Contents, lists: readonly string[]): FitAnswer {
  const short = lists.filter((list) => cut.includes(list));
  return answer.ok !== true || short.length === 0 ? answer : { ...answer, ok: "unknown", about: `${answer.about}, as far as they are known: the backup holds more ${short.join(" and ")} than are counted` };
}

/** Velero never restores these (pkg/restore, nonRestorableResources). */
const neverRestored: ReadonlySet<string> = new Set(["Node", "Event", "Backup", "Restore", "BackupRepository", "CSINode", "VolumeAttachment", "PodMetrics"]);

/** Kinds by API version that a restore of the plan would create: those of its namespaces, and the cluster-wide ones that it names, as far as somebody must have taught them to a cluster. */
export function apisNeeded(contents: Contents, plan: Plan): ReadonlyMap<string, readonly string[]> {
  const needed = new Map<string, string[]>();
  const clusterWide = Object.keys(contents.cluster.kinds).filter((key) => isNamed(key, contents, plan));
  for (const key of [...namespacesOf(plan).flatMap((namespace) => Object.keys(contents.namespaces[namespace]?.kinds ?? {})), ...clusterWide]) {
    const slash = key.lastIndexOf("/");
    const [apiVersion, kind] = [key.slice(0, slash), key.slice(slash + 1)];
    if (!neverRestored.has(kind)) needed.set(apiVersion, [...(needed.get(apiVersion) ?? []), kind]);
  }
  return needed;
}

/** Whether the plan restores a custom cluster-wide kind. Its plural is in its definition; without that, as Kubernetes guesses it. */
function isNamed(key: string, { customKinds }: Contents, { applications }: Plan): boolean {
  const [group = "", , kind = ""] = key.split("/");
  if (!isCustom(group)) return false;
  const name = customKinds.find((custom) => custom.group === group && custom.kind === kind)?.name ?? `${guessedPlural(kind)}.${group}`;
  return applications.some(({ clusterResources }) => clusterResources.includes(name));
}

const bringsDefinitions = (plan: Plan): boolean => plan.applications.some(({ clusterResources }) => clusterResources.includes("customresourcedefinitions.apiextensions.k8s.io"));

function apis(contents: Contents, plan: Plan, { served }: SecondarySeen): FitAnswer {
  const say = answersOf("api", "missing-api");
  if (served === null) return say("unknown", "the cluster's discovery could not be read");
  const brought = (apiVersion: string, kind: string) => bringsDefinitions(plan) && contents.customKinds.some((custom) => custom.kind === kind && custom.versions.some((version) => `${custom.group}/${version}` === apiVersion));
  const needed = [...apisNeeded(contents, plan)];
  const missing = needed.flatMap(([apiVersion, kinds]) => [...new Set(kinds)].filter((kind) => served[apiVersion]?.includes(kind) !== true && !brought(apiVersion, kind)).map((kind) => `${kind} in ${apiVersion}`));
  return missing.length === 0 ? say(true, `all of the ${needed.length} API versions that it needs are served, or brought by it`) : say(false, `the secondary does not serve ${someOf(missing, 5)}`);
}

function classes(contents: Contents, plan: Plan, { storageClasses, ingressClasses }: SecondarySeen): FitAnswer {
  const say = answersOf("classes", "missing-class");
  if (storageClasses === null || ingressClasses === null) return say("unknown", "the cluster's classes could not be listed");
  const shares = namespacesOf(plan).flatMap((namespace) => contents.namespaces[namespace] ?? []);
  const storage = new Set([...plan.secondary.storageClasses, ...shares.flatMap((share) => share.storageClasses)]);
  const ingress = new Set(shares.flatMap((share) => share.ingressClasses ?? []));
  const missing = [...[...storage].filter((name) => !storageClasses.includes(name)).map((name) => `storage class ${name}`), ...[...ingress].filter((name) => !ingressClasses.includes(name)).map((name) => `ingress class ${name}`)];
  return missing.length === 0 ? say(true, `the ${storage.size} storage and ${ingress.size} ingress classes that it names are there`) : say(false, `the secondary has no ${someOf(missing, 5)}`);
}

function images(contents: Contents, plan: Plan): FitAnswer {
  const say = answersOf("images", "images");
  const { registries } = plan.secondary;
  const all = [...new Set(namespacesOf(plan).flatMap((namespace) => contents.namespaces[namespace]?.images ?? []))];
  if (all.length === 0) return say(true, "it runs no images");
  if (registries.length === 0) return say("unknown", `nothing says from which registries the secondary can pull its ${all.length} images: list them in secondary.registries`);
  const elsewhere = all.filter((image) => !registries.includes(registryOf(image)));
  return elsewhere.length === 0 ? say(true, `its ${all.length} images come from registries that the secondary can pull from`) : say(false, `${elsewhere.length} of ${all.length} images come from registries that are not in secondary.registries: ${someOf(elsewhere)}`);
}

/** The registry of an image, as Docker reads names: the first part is one if it has a dot or a port, else it is Docker Hub. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost") ? first : "docker.io";
}

function quotas(contents: Contents, { quotas: found }: SecondarySeen): FitAnswer {
  const say = answersOf("quota", "quota");
  if (found === null) return say("unknown", "the quotas of the target namespaces could not be listed");
  const counted = found.flatMap(({ namespace, name, limits }) =>
    Object.entries(limits).map(([resource, { hard, used }]) => ({ what: `${resource} in ${namespace} (${name})`, room: roomIn(hard, used), needs: countOf(contents, namespace, resource) })),
  );
  const over = counted.filter(({ room, needs }) => needs !== null && room !== null && needs > room);
  if (over.length > 0) return say(false, `it does not fit: ${over.map(({ what, room, needs }) => `${what} has room for ${amountText(what, room ?? 0)} and it brings ${amountText(what, needs ?? 0)}`).join("; ")}`);
  const uncounted = counted.filter(({ room, needs }) => needs === null || room === null);
  if (uncounted.length > 0) return say("unknown", `what it would use of ${someOf(uncounted.map(({ what }) => what))} is not counted`);
  return say(true, counted.length === 0 ? "no quota limits the target namespaces" : `it fits into the ${counted.length} limits of the target namespaces`);
}

/** Settings that lead back to the lost region: the application would come up and reach for what is gone. */
function hosts(contents: Contents, plan: Plan): FitAnswer {
  const say = answersOf("hosts", "points-back");
  const shares = namespacesOf(plan).flatMap((namespace) => {
    const share = contents.namespaces[namespace];
    return share === undefined ? [] : [{ namespace, hosts: share.hosts }];
  });
  if (shares.some((share) => share.hosts === undefined)) return say("unknown", "it was read before its settings were looked at for host names");
  const all = shares.flatMap(({ namespace, hosts: named = [] }) => named.map((one) => ({ namespace, ...one })));
  const back = all.filter(({ host }) => isOfPrimary(host, plan));
  if (back.length === 0) return say(true, `none of the ${all.length} host names in its settings is the primary region's, as far as names tell`);
  return say(false, `its settings lead back to ${plan.primary.name}: ${someOf(back.map((one) => `${one.host} in ${one.in} of ${one.namespace}`), 5)}`);
}

/** By its name alone: the primary's ingress, its storage account, or anything with the region as a part of its name (`shop.westeurope.cloudapp.azure.com`). */
function isOfPrimary(host: string, { primary, storage }: Plan): boolean {
  const account = accountName(storage.topology === "shared" ? storage.account : storage.source.account).toLowerCase();
  const labels = host.split(".");
  return host === new URL(primary.ingress).hostname.toLowerCase() || labels.slice(1).includes(primary.name.toLowerCase()) || (labels[0] === account && host.endsWith(".core.windows.net"));
}

function roomIn(hard: string, used: string): number | null {
  const [limit, taken] = [quantityOf(hard), quantityOf(used === "" ? "0" : used)];
  return limit === null || taken === null ? null : limit - taken;
}

/** Bytes as people say them. */
const amountText = (what: string, amount: number): string => (/memory|storage/.test(what) ? `${Math.round(amount / 2 ** 20)} MiB` : String(Math.round(amount * 1_000) / 1_000));

/** Quota names of kinds that are counted (Kubernetes, object count quota). */
const counts: Readonly<Record<string, string>> = { pods: "v1/Pod", services: "v1/Service", configmaps: "v1/ConfigMap", secrets: "v1/Secret", persistentvolumeclaims: "v1/PersistentVolumeClaim", replicationcontrollers: "v1/ReplicationController", "count/deployments.apps": "apps/v1/Deployment", "count/statefulsets.apps": "apps/v1/StatefulSet", "count/jobs.batch": "batch/v1/Job", "count/cronjobs.batch": "batch/v1/CronJob", "count/pods": "v1/Pod", "count/services": "v1/Service", "count/configmaps": "v1/ConfigMap", "count/secrets": "v1/Secret", "count/persistentvolumeclaims": "v1/PersistentVolumeClaim" };

/** A quota may leave the word out: `cpu` is `requests.cpu` (https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota). */
const demanded: Readonly<Record<string, string>> = { cpu: "requests.cpu", memory: "requests.memory", "requests.cpu": "requests.cpu", "requests.memory": "requests.memory", "limits.cpu": "limits.cpu", "limits.memory": "limits.memory", "requests.storage": "requests.storage" };

/** `null`: nobody counts it, or an object does not say what it takes. */
function countOf({ namespaces }: Contents, namespace: string, resource: string): number | null {
  const share = namespaces[namespace];
  const [kind, demand] = [counts[resource], demanded[resource]];
  if (kind !== undefined) return share?.kinds[kind] ?? 0;
  if (demand === undefined) return null;
  if (share === undefined) return 0;
  const amount = share.demand === undefined ? null : share.demand[demand];
  return amount === undefined ? 0 : amount;
}

function pools(plan: Plan, { pools: found }: SecondarySeen): FitAnswer {
  const say = answersOf("quota", "quota");
  if (found === null) return say("unknown", "the secondary's node pools could not be read");
  const short = plan.secondary.pools.flatMap(({ name, nodes }) => {
    const pool = found.find((each) => each.name === name);
    if (pool === undefined) return [`there is no node pool ${name}`];
    return pool.autoscaled && pool.maxCount !== null && pool.maxCount < nodes ? [`node pool ${name} grows to ${pool.maxCount} nodes at most, and the plan wants ${nodes}`] : [];
  });
  return short.length === 0 ? say(true, "its node pools are there and may grow as far as the plan wants; whether the region has the cores, only warming tells") : say(false, short.join("; "));
}
