/**
 * What a backup holds, gathered object by object while its archive streams by: enough for the readiness check (kinds, images, storage
 * classes, custom resources), for the restore (consumers, claims) and for the completeness check, and bounded however large it is.
 */

import { type HostNamed, hostsIn } from "./hosts-named.ts";
import { arrayOf, containersOf, recordOf, stringOf } from "./loose.ts";
import { type OutsideTie, tiesOf } from "./outside-ties.ts";
import { type Demand, demandOf } from "./resource-demand.ts";

/** What one namespace, or the cluster scope, contributes. */
export interface Share {
  readonly objects: number;
  /** `apps/v1/Deployment` → how many. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly images: readonly string[];
  readonly storageClasses: readonly string[];
  /** Classes that its Ingresses name. */
  readonly ingressClasses?: readonly string[];
  /** Host names that its settings write out. Not given: by who did not look for them. */
  readonly hosts?: readonly HostNamed[];
  /** What its objects hold on to outside of the cluster. */
  readonly ties?: readonly OutsideTie[];
  /** What its pods and claims would take of a quota. Not given: by who did not count it. */
  readonly demand?: Demand;
}

/** An object that one of the plan's consumer selectors picks, by its own labels or by those of its pods: it, or they, must not act before release. */
export interface Consumer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  /** `spec.replicas`, where the kind has it. */
  readonly replicas: number | null;
  /** `spec.suspend`, where the kind has it. */
  readonly suspended: boolean | null;
  /** Labels that its pods carry: its template's, or its own if it is a pod. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Whether another object owns it, and will make it again. */
  readonly owned: boolean;
  /** The consumer selectors (`label=value`) that its own labels match. Empty: only its pods match one. */
  readonly selectedBy: readonly string[];
  /** Claims that its pods mount, as their template names them. */
  readonly claims: readonly string[];
}

/** A claim for a volume. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly storageClass: string | null;
  readonly volume: string | null;
  readonly phase: string | null;
}

/** The record of one volume's data movement; Velero restores from what it says. */
export interface DataUpload {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly snapshot: string;
}

/** A kind that the backup brings along. */
export interface CustomKind {
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly versions: readonly string[];
}

export interface Contents {
  readonly objects: number;
  readonly namespaces: Readonly<Record<string, Share>>;
  readonly cluster: Share;
  readonly consumers: readonly Consumer[];
  readonly claims: readonly Claim[];
  readonly dataUploads: readonly DataUpload[];
  readonly customKinds: readonly CustomKind[];
  /** Lists that were longer than their bound, by name: what they say is not all. Empty on a quiet day. */
  readonly cut: readonly string[];
}

/** How many entries each list may have. A backup with more is restored all the same; its readiness check knows only part of it. */
export const longest = { images: 2_000, storageClasses: 200, ingressClasses: 200, hosts: 2_000, ties: 2_000, consumers: 2_000, claims: 10_000, dataUploads: 10_000, customKinds: 2_000, namespaces: 5_000, kinds: 2_000 } as const;

/** An object of the archive, with the parts that every one has. */
export interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Recognises a Kubernetes object. `null`: it is none. */
export function storedOf(value: unknown): Stored | null {
  const object = recordOf(value);
  const metadata = recordOf(object["metadata"]);
  const { apiVersion, kind } = object;
  const { name, namespace } = metadata;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return null;
  return { apiVersion, kind, name, namespace: typeof namespace === "string" && namespace !== "" ? namespace : null, object };
}

/** `apps/v1/Deployment shop/storefront`: the key of an object, as `<b>-resource-list.json.gz` splits it. */
export const keyOf = (kind: string, name: string): string => `${kind} ${name}`;

/** Gathers contents. `add` each object once. `consumerSelectors` are `label=value`. */
export function gatherContents(consumerSelectors: readonly string[]): { add(stored: Stored): void; contents(): Contents } {
  const namespaces = new Map<string, GrowingShare>();
  const cluster = emptyShare();
  const consumers: Consumer[] = [];
  const claims: Claim[] = [];
  const dataUploads: DataUpload[] = [];
  const customKinds: CustomKind[] = [];
  const cut = new Set<string>();
  let objects = 0;

  const keep = <T>(list: T[], what: keyof typeof longest, entry: T | null): void => {
    if (entry === null) return;
    if (list.length < longest[what]) list.push(entry);
    else cut.add(what);
  };
  const shareOf = (namespace: string | null): GrowingShare | null => {
    if (namespace === null) return cluster;
    const known = namespaces.get(namespace);
    if (known) return known;
    if (namespaces.size >= longest.namespaces) {
      cut.add("namespaces");
      return null;
    }
    const share = emptyShare();
    namespaces.set(namespace, share);
    return share;
  };

  return {
    add(stored) {
      objects += 1;
      const share = shareOf(stored.namespace);
      const consumer = consumerOf(stored, consumerSelectors);
      if (share) {
        share.objects += 1;
        const kind = `${stored.apiVersion}/${stored.kind}`;
        if (share.kinds.has(kind) || share.kinds.size < longest.kinds) share.kinds.set(kind, (share.kinds.get(kind) ?? 0) + 1);
        else cut.add("kinds");
        for (const image of imagesOf(stored)) remember(share.images, "images", image, cut);
        const storageClass = claimOf(stored)?.storageClass;
        if (storageClass) remember(share.storageClasses, "storageClasses", storageClass, cut);
        const ingressClass = ingressClassOf(stored);
        for (const [resource, amount] of Object.entries(demandOf(stored.kind, stored.object))) {
          const before = share.demand.get(resource);
          share.demand.set(resource, before === null || amount === null ? null : (before ?? 0) + amount);
        }
        if (ingressClass) remember(share.ingressClasses, "ingressClasses", ingressClass, cut);
        for (const host of hostsIn(stored.kind, stored.object, podOf(stored))) {
          if (share.hosts.has(host)) continue;
          if (share.hosts.size < longest.hosts) share.hosts.set(host, `${stored.kind} ${stored.name}`);
          else cut.add("hosts");
        }
        for (const tie of tiesOf(stored, isOwned(stored) ? {} : podOf(stored), consumer !== null)) keep(share.ties, "ties", tie);
      }
      keep(consumers, "consumers", consumer);
      keep(claims, "claims", claimOf(stored));
      keep(dataUploads, "dataUploads", dataUploadOf(stored));
      keep(customKinds, "customKinds", customKindOf(stored));
    },
    contents: () => ({
      objects,
      namespaces: Object.fromEntries([...namespaces].sort(byKey).map(([name, share]) => [name, shown(share)])),
      cluster: shown(cluster),
      consumers,
      claims,
      dataUploads,
      customKinds,
      cut: [...cut].sort(),
    }),
  };
}

interface GrowingShare {
  objects: number;
  readonly kinds: Map<string, number>;
  readonly images: Set<string>;
  readonly storageClasses: Set<string>;
  readonly ingressClasses: Set<string>;
  readonly hosts: Map<string, string>;
  readonly ties: OutsideTie[];
  readonly demand: Map<string, number | null>;
}
const emptyShare = (): GrowingShare => ({ objects: 0, kinds: new Map(), images: new Set(), storageClasses: new Set(), ingressClasses: new Set(), hosts: new Map(), ties: [], demand: new Map() });
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
const shown = (share: GrowingShare): Share => ({
  objects: share.objects,
  kinds: Object.fromEntries([...share.kinds].sort(byKey)),
  images: [...share.images].sort(),
  storageClasses: [...share.storageClasses].sort(),
  ...(share.ingressClasses.size === 0 ? {} : { ingressClasses: [...share.ingressClasses].sort() }),
  hosts: [...share.hosts].sort(byKey).map(([host, at]) => ({ host, in: at })),
  ...(share.ties.length === 0 ? {} : { ties: share.ties }),
  demand: Object.fromEntries([...share.demand].sort(byKey)),
});

function remember(set: Set<string>, what: "images" | "storageClasses" | "ingressClasses", value: string, cut: Set<string>): void {
  if (set.has(value) || set.size < longest[what]) set.add(value);
  else cut.add(what);
}

/** The pod template of a workload, wherever its kind keeps it; a pod is its own. */
function podOf({ kind, object }: Stored): Readonly<Record<string, unknown>> {
  if (kind === "Pod") return object;
  const spec = recordOf(object["spec"]);
  const holder = recordOf(kind === "CronJob" ? recordOf(spec["jobTemplate"])["spec"] : spec);
  return recordOf(holder["template"]);
}

const imagesOf = (stored: Stored): readonly string[] => containersOf(podOf(stored)).map(({ image }) => image).filter((image) => typeof image === "string");

/** The class of an Ingress: its field, or the annotation from before there was one. */
function ingressClassOf({ kind, object }: Stored): string | null {
  if (kind !== "Ingress") return null;
  return stringOf(recordOf(object["spec"])["ingressClassName"]) ?? stringOf(recordOf(recordOf(object["metadata"])["annotations"])["kubernetes.io/ingress.class"]);
}

/** Whether labels carry what a selector (`label=value`) asks for. The value may hold an equals sign itself; the label cannot. */
export function selects(selector: string, labels: Readonly<Record<string, unknown>>): boolean {
  const at = selector.indexOf("=");
  return labels[selector.slice(0, at)] === selector.slice(at + 1);
}

/** Whether another object will make it again. */
const isOwned = ({ object }: Stored): boolean => arrayOf(recordOf(object["metadata"])["ownerReferences"]).length > 0;

function consumerOf(stored: Stored, consumerSelectors: readonly string[]): Consumer | null {
  const metadata = recordOf(stored.object["metadata"]);
  const pod = podOf(stored);
  const podLabels = recordOf(recordOf(pod["metadata"])["labels"]);
  const selectedBy = consumerSelectors.filter((selector) => selects(selector, recordOf(metadata["labels"])));
  if (selectedBy.length === 0 && !consumerSelectors.some((selector) => selects(selector, podLabels))) return null;
  const { replicas, suspend } = recordOf(stored.object["spec"]);
  return {
    apiVersion: stored.apiVersion,
    kind: stored.kind,
    namespace: stored.namespace,
    name: stored.name,
    replicas: typeof replicas === "number" ? replicas : null,
    suspended: typeof suspend === "boolean" ? suspend : null,
    podLabels: Object.fromEntries(Object.entries(podLabels).filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    owned: isOwned(stored),
    selectedBy,
    claims: arrayOf(recordOf(pod["spec"])["volumes"]).flatMap((volume) => stringOf(recordOf(recordOf(volume)["persistentVolumeClaim"])["claimName"]) ?? []),
  };
}

function claimOf(stored: Stored): Claim | null {
  if (stored.kind !== "PersistentVolumeClaim" || stored.namespace === null) return null;
  const { storageClassName, volumeName } = recordOf(stored.object["spec"]);
  const { phase } = recordOf(stored.object["status"]);
  return { namespace: stored.namespace, name: stored.name, storageClass: stringOf(storageClassName), volume: stringOf(volumeName), phase: stringOf(phase) };
}

function dataUploadOf(stored: Stored): DataUpload | null {
  if (stored.kind !== "DataUpload" || stored.namespace === null) return null;
  const { phase, snapshotID } = recordOf(stored.object["status"]);
  return { name: stored.name, namespace: stored.namespace, phase: stringOf(phase) ?? "New", snapshot: stringOf(snapshotID) ?? "" };
}

/** A CustomResourceDefinition, of an archive or of a cluster; `null`: it is something else. */
export function customKindOf(stored: Stored): CustomKind | null {
  if (stored.kind !== "CustomResourceDefinition") return null;
  const { group, names, versions } = recordOf(stored.object["spec"]);
  return {
    name: stored.name,
    group: stringOf(group) ?? "",
    kind: stringOf(recordOf(names)["kind"]) ?? "",
    versions: arrayOf(versions)
      .map((version) => recordOf(version))
      .filter((version) => version["served"] === true)
      .map((version) => stringOf(version["name"]) ?? ""),
  };
}
