/**
 * The outside world on one page, in our own words. `shared/azure` and `shared/kubernetes` speak to it; `lab` plays it.
 *
 * Three rules hold for every method. To throw is to say "try again" (a `WorldError`, with the operation, the thing and what came
 * back); a final answer, "no" included, is a value; what could not be learnt is the value `unknown`, never an absence.
 * Instants are UTC milliseconds and end in `At`; durations carry their unit in the name.
 */
import type { Kind } from "./domain/kinds.ts";
import type { Plan } from "./domain/plan.ts";

/** What Lifeboat can reach. One object for the whole app; clients inside are made once, lazily. */
export interface World {
  readonly clock: Clock;
  readonly home: Home;
  readonly probes: Probes;
  readonly aks: Aks;
  readonly clusters: Clusters;
  readonly backups: Backups;
  readonly replication: Replication;
  readonly traffic: Traffic;
  readonly health: Health;
  /** Signs what Lifeboat keeps as evidence. Not there: evidence has its digests alone. */
  readonly seal?: Seal;
}

/** A key that signs digests, wherever it lies: nobody who can write to home can sign anew. */
export interface Seal {
  /** `sha256` in hexadecimal. */
  sign(sha256: string): Promise<{ readonly key: string; readonly signature: string }>;
  /** Whether a signature is this key's. One of another key is not. */
  verify(sha256: string, seal: { readonly key: string; readonly signature: string }): Promise<boolean>;
}

export interface Clock {
  /** UTC milliseconds. */
  now(): number;
}

// ---------------------------------------------------------------- home: our own account, outside both regions

/** Small blobs in the home account. Names are `/`-separated; bodies are at most 4 MiB. */
export interface Home {
  read(name: string): Promise<Stored | null>;
  /** The same with the store's own two instants: when it was written, and when this was answered. Whole seconds, each cut off. Not there: this speaker keeps no time. */
  dated?(name: string): Promise<Dated | null>;
  /** Writes only if nothing of that name exists. `false`: something does. */
  create(name: string, body: string, contentType?: string): Promise<boolean>;
  /** Writes only if the blob still has this ETag. `null`: it has not. Returns the new ETag. */
  replace(name: string, body: string, ifMatch: string): Promise<string | null>;
  /** Writes whatever was there before. For reports, whose content is a function of the ledger. */
  put(name: string, body: string, contentType?: string): Promise<void>;
  /** Names under a prefix, in order; at most `max` (default 5,000, then it throws). */
  list(prefix: string, max?: number): Promise<readonly string[]>;
}

export interface Stored {
  readonly body: string;
  readonly etag: string;
}

export interface Dated extends Stored {
  readonly writtenAt: number;
  readonly answeredAt: number;
}

// ---------------------------------------------------------------- looking from outside

export interface Probes {
  /**
   * One GET over HTTPS. `connectTo` is the host whose address is asked instead of the URL's own, while the URL's host stays the name
   * in the Host header and the certificate check: how one region's ingress is asked under the public name.
   */
  get(url: string, options: { readonly timeoutSeconds: number; readonly connectTo?: string }): Promise<ProbeAnswer>;
  /** What the configured DNS servers say of a name: the addresses at the end of its CNAMEs. */
  resolve(name: string): Promise<Resolved>;
}

export type ProbeAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: string; readonly durationMs: number }
  /** `untrusted`: somebody is there, and we could not tell who. Their certificate has expired, comes from an unknown authority or is for another name. */
  | { readonly kind: "no-answer"; readonly why: string; readonly durationMs: number; readonly untrusted?: true };

export type Resolved =
  | { readonly kind: "resolved"; readonly chain: readonly string[]; readonly addresses: readonly string[]; readonly ttlSeconds: number }
  | { readonly kind: "nothing"; readonly why: string };

/** Azure Resource Health of one resource. */
export interface Health {
  of(resourceId: string): Promise<{ readonly state: "available" | "unavailable" | "degraded" | "unknown"; readonly since: number | null; readonly summary: string }>;
}

// ---------------------------------------------------------------- AKS through ARM

export interface Aks {
  read(cluster: string): Promise<AksState>;
  /** Asks ARM to start a stopped cluster and returns at once; a running one is left alone. */
  start(cluster: string): Promise<void>;
  /** Raises a pool to at least `nodes` (minCount too where it autoscales) and returns at once; never lowers. `refused`: for good, with the reason. */
  raisePool(cluster: string, pool: string, nodes: number): Promise<{ readonly kind: "asked" | "enough" } | { readonly kind: "refused"; readonly why: string }>;
}

export interface AksState {
  readonly power: "running" | "stopped" | "unknown";
  readonly provisioning: string;
  readonly kubernetesVersion: string;
  readonly pools: readonly { readonly name: string; readonly count: number; readonly minCount: number | null; readonly maxCount: number | null; readonly autoscaled: boolean; readonly provisioning: string }[];
  /** What it gives its pods to sign in to Azure with. Not there: this speaker does not say. */
  readonly identity?: { readonly oidcIssuer: boolean; readonly workloadIdentity: boolean };
}

// ---------------------------------------------------------------- Kubernetes, with user credentials and Entra tokens

export interface Clusters {
  /** The API server of an AKS cluster. Learns its address and CA from ARM once, then keeps them at home, so that a later call needs no ARM. */
  of(cluster: string): Promise<Cluster>;
  /** Learns the address anew and keeps it at home: on quiet days, so that a dark day needs no ARM for it. */
  refresh(cluster: string): Promise<void>;
}

/** A Kubernetes object as the API gives it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  // The rest is read by whoever asked for the kind, through a schema of its own.
  readonly [field: string]: unknown;
}

export type { Kind };

export interface Cluster {
  /** GET /readyz. A refusal to let us in is an answer too: something there is alive. */
  ready(timeoutSeconds: number): Promise<{ readonly kind: "ready" } | { readonly kind: "not-ready"; readonly why: string } | { readonly kind: "no-answer"; readonly why: string }>;
  get(kind: Kind, namespace: string | null, name: string): Promise<KubeObject | null>;
  /** All objects of a kind, page by page. `namespace` null: everywhere. An unknown kind (its CRD is missing) is `null`. */
  list(kind: Kind, namespace: string | null, labelSelector?: string): Promise<readonly KubeObject[] | null>;
  /** Names of the kinds that it serves in one API version (`apps/v1`), by its discovery. `null`: it does not serve that version. Not there: this speaker has no discovery, and what is served is unknown. */
  serves?(apiVersion: string): Promise<readonly string[] | null>;
  /** `exists`: an object of that name is there already; it is not changed. */
  create(kind: Kind, object: unknown): Promise<{ readonly kind: "created" | "exists"; readonly object: KubeObject }>;
  /** JSON merge patch. `null`: no such object. */
  patch(kind: Kind, namespace: string | null, name: string, patch: unknown): Promise<KubeObject | null>;
  /** Deleting what is not there is done already. */
  delete(kind: Kind, namespace: string | null, name: string): Promise<void>;
}

// ---------------------------------------------------------------- what Velero wrote: blobs, read only, except for one probe

/** Where a set of backups lies: `url` is the account's blob endpoint, `https://stshopneu.blob.core.windows.net`. */
export interface BlobPlace {
  readonly url: string;
  readonly container: string;
}

export interface BlobItem {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string;
  readonly lastModifiedAt: number;
  /** What the source account says of all rules' copies. A list alone cannot tell `pending` from `not-source`: it says `pending` where nothing is said. */
  readonly replication: "complete" | "failed" | "pending" | "not-source";
  /** It lies in the archive tier: it is there, and nobody can read it. Moving it there leaves its ETag and its time alone. */
  readonly archived?: true;
}

export interface Backups {
  /** All blobs under a prefix, streamed page by page. */
  list(place: BlobPlace, prefix: string): AsyncIterable<BlobItem>;
  /** The same by the page, each to be gone through once: one wait for thousands of blobs. Not there: this speaker lists by the blob alone. */
  pages?(place: BlobPlace, prefix: string): AsyncIterable<Iterable<BlobItem>>;
  /** Folder names directly under a prefix. */
  folders(place: BlobPlace, prefix: string): Promise<readonly string[]>;
  /** A small blob as bytes; `null`: no such blob. Throws a `BlobUnreadable` when it has more than `maxBytes` (default 16 MiB). */
  read(place: BlobPlace, name: string, maxBytes?: number): Promise<Uint8Array | null>;
  /** A blob as a stream of chunks; `null`: no such blob. Throws a `BlobUnreadable` where the account keeps it out of reach. */
  open(place: BlobPlace, name: string): Promise<AsyncIterable<Uint8Array> | null>;
  /** Writes and deletes a small blob: does this container take writes? `locked` and `read-only` are the refusals of a replica and of a secondary endpoint. */
  probeWrite(place: BlobPlace, name: string): Promise<{ readonly kind: "accepted" | "locked" | "read-only" } | { readonly kind: "refused"; readonly why: string }>;
}

// ---------------------------------------------------------------- replication of the store

export interface Replication {
  /** Shared storage: Last Sync Time, from the secondary endpoint itself (Get Blob Service Stats). `url` is the `-secondary` endpoint. */
  lastSync(url: string): Promise<{ readonly state: "live" | "bootstrap" | "unavailable"; readonly lastSyncAt: number | null }>;
  /** Replicated storage: the policy on the destination account, or `null` when there is none. */
  policy(destinationAccount: string): Promise<ReplicationPolicy | null>;
  /** Deletes it there, which releases the write lock. Deleting what is not there is done already. `refused`: for good, with the reason. */
  deletePolicy(destinationAccount: string, policyId: string): Promise<{ readonly kind: "deleted" } | { readonly kind: "refused"; readonly why: string }>;
  /** By whose key an account is encrypted: one in a key vault, named in lower case, or `none` but the service's own. Not there: this speaker does not say. */
  encryptionKey?: (account: string) => Promise<{ readonly vault: string } | "none">;
}

export interface ReplicationPolicy {
  readonly policyId: string;
  readonly sourceAccount: string;
  readonly destinationAccount: string;
  readonly rules: readonly { readonly ruleId: string; readonly sourceContainer: string; readonly destinationContainer: string; readonly prefixes: readonly string[] }[];
}

// ---------------------------------------------------------------- traffic

export type PlanTraffic = Plan["traffic"];

/** Two acts and a look. Traffic Manager has no ETag: only a run past its gate may act, and it reads back. */
export interface Traffic {
  read(traffic: PlanTraffic): Promise<TrafficState>;
  /** A fence, reversible: no new answer of the public name leads to the primary. */
  closePrimary(traffic: PlanTraffic): Promise<void>;
  /** Takes the fence back. */
  reopenPrimary(traffic: PlanTraffic): Promise<void>;
  /** Users go to the secondary. Called by one activity only, behind the traffic point of no return. */
  openSecondary(traffic: PlanTraffic): Promise<void>;
}

export interface TrafficState {
  readonly primary: TrafficEnd;
  readonly secondary: TrafficEnd;
}

/** `monitor` is what the service's own probes say; plain DNS has none. */
export interface TrafficEnd {
  readonly open: boolean;
  readonly monitor: "online" | "degraded" | "checking" | "stopped" | "none" | "unknown";
}

// ---------------------------------------------------------------- errors

/** The world did not do what was asked, and might if asked again. Thrown by adapters only. */
export class WorldError extends Error {
  override readonly name: string = "WorldError";
  readonly operation: string;
  readonly thing: string;
  readonly retryAfterSeconds: number | null;
  constructor(operation: string, thing: string, cameBack: string, options: { readonly cause?: unknown; readonly retryAfterSeconds?: number } = {}) {
    super(`${operation} on ${thing}: ${cameBack}`, { cause: options.cause });
    this.operation = operation;
    this.thing = thing;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** One blob that the store has and does not give: it is larger than asked for, or lies in the archive tier. Of the store beside it this says nothing. */
export class BlobUnreadable extends WorldError {
  override readonly name = "BlobUnreadable";
  readonly why: string;
  constructor(operation: string, thing: string, why: string) {
    super(operation, thing, why);
    this.why = why;
  }
}
