/** The outside world, small and in memory: an object typed as the ports, which notes every effect and can lose an answer. */
import type { Kind } from "../../shared/domain/kinds.ts";
import type { AksState, BlobPlace, Cluster, Home, KubeObject, ProbeAnswer, ReplicationPolicy, Resolved, Stored, TrafficState, World } from "../../shared/ports.ts";
import { WorldError } from "../../shared/ports.ts";

/** Where the recorded backups are minutes old. */
export const testStart = Date.parse("2026-11-21T06:05:00Z");

export type MemoryWorld = ReturnType<typeof memoryWorld>;

/** A world in which everything answers, nothing is in the clusters, and users are at the primary. */
export function memoryWorld() {
  const time = { now: testStart };
  /** Every change of the outside world, in order: `close-primary`, `patch deployments shop/storefront`. Home is ours and not among them. */
  const effects: string[] = [];
  const clusters = new Map<string, MemoryCluster>();
  const state = {
    traffic: { primary: { open: true, monitor: "online" }, secondary: { open: false, monitor: "stopped" } } as TrafficState,
    aks: { power: "running", provisioning: "Succeeded", kubernetesVersion: "1.34.4", pools: [{ name: "user", count: 2, minCount: null, maxCount: null, autoscaled: false, provisioning: "Succeeded" }] } as AksState,
    /** Why a pool cannot be raised; `null`: it can. */
    poolRefused: null as string | null,
    policy: null as ReplicationPolicy | null,
    /** Why the policy cannot be deleted; `null`: it can. */
    deleteRefused: null as string | null,
    probeWrite: { kind: "accepted" } as Awaited<ReturnType<World["backups"]["probeWrite"]>>,
    health: { state: "available", since: null, summary: "all is well" } as Awaited<ReturnType<World["health"]["of"]>>,
    probe: (_url: string, _connectTo?: string): ProbeAnswer => ({ kind: "answered", status: 200, body: "EUR", durationMs: 3 }),
    resolve: (name: string): Resolved => ({ kind: "resolved", chain: [], addresses: [`address of ${name}`], ttlSeconds: 30 }),
    blobs: new Map<string, { readonly bytes: Uint8Array; readonly lastModifiedAt: number }>(),
  };
  const blobKey = ({ url, container }: BlobPlace, name: string) => `${url}/${container}/${name}`;
  const home = memoryHome(() => time.now);
  const world: World = {
    clock: { now: () => time.now },
    home,
    probes: {
      get: async (url, { connectTo }) => state.probe(url, connectTo),
      resolve: async (name) => state.resolve(name),
    },
    aks: {
      read: async () => state.aks,
      async start() {
        if (state.aks.power === "running") return;
        effects.push("start cluster");
        state.aks = { ...state.aks, power: "running" };
      },
      async raisePool(_cluster, pool, nodes) {
        if (state.poolRefused !== null) return { kind: "refused", why: state.poolRefused };
        const known = state.aks.pools.find(({ name }) => name === pool);
        if (known === undefined) return { kind: "refused", why: `there is no pool ${pool}` };
        if (known.count >= nodes) return { kind: "enough" };
        effects.push(`raise ${pool} to ${nodes}`);
        state.aks = { ...state.aks, pools: state.aks.pools.map((each) => (each === known ? { ...each, count: nodes } : each)) };
        return { kind: "asked" };
      },
    },
    clusters: { of: async (id) => clusterOf(id), refresh: async () => undefined },
    backups: {
      async *list(place, prefix) {
        for (const [key, { bytes, lastModifiedAt }] of state.blobs) {
          const name = key.slice(blobKey(place, "").length);
          if (key.startsWith(blobKey(place, prefix))) yield { name, bytes: bytes.length, etag: `"${bytes.length}"`, lastModifiedAt, replication: "complete" };
        }
      },
      folders: async (place, prefix) => [...new Set([...state.blobs.keys()].filter((key) => key.startsWith(blobKey(place, prefix))).map((key) => key.slice(blobKey(place, prefix).length).split("/")[0] ?? ""))],
      read: async (place, name) => state.blobs.get(blobKey(place, name))?.bytes ?? null,
      async open(place, name) {
        const blob = state.blobs.get(blobKey(place, name));
        return blob === undefined ? null : chunksOf(blob.bytes);
      },
      async probeWrite(_place, name) {
        if (state.probeWrite.kind === "accepted") effects.push(`probe ${name}`);
        return state.probeWrite;
      },
    },
    replication: {
      lastSync: async () => ({ state: "live", lastSyncAt: time.now - 60_000 }),
      policy: async () => state.policy,
      async deletePolicy() {
        if (state.deleteRefused !== null) return { kind: "refused", why: state.deleteRefused };
        if (state.policy !== null) effects.push("delete policy");
        state.policy = null;
        return { kind: "deleted" };
      },
    },
    traffic: {
      read: async () => state.traffic,
      closePrimary: async () => turn("close-primary", { primary: { ...state.traffic.primary, open: false } }),
      reopenPrimary: async () => turn("reopen-primary", { primary: { ...state.traffic.primary, open: true } }),
      openSecondary: async () => turn("open-secondary", { secondary: { ...state.traffic.secondary, open: true } }),
    },
    health: { of: async () => state.health },
  };

  function turn(effect: string, change: Partial<TrafficState>): void {
    effects.push(effect);
    state.traffic = { ...state.traffic, ...change };
  }

  function clusterOf(id: string): MemoryCluster {
    const known = clusters.get(id) ?? memoryCluster(effects);
    clusters.set(id, known);
    return known;
  }

  return { world, time, effects, state, home, clusterOf, put: (place: BlobPlace, name: string, bytes: Uint8Array, lastModifiedAt = testStart) => void state.blobs.set(blobKey(place, name), { bytes, lastModifiedAt }) };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Our own account: names, bodies, ETags that change with every write, and the instant of it. */
export function memoryHome(now: () => number = () => testStart): Home & { readonly blobs: Map<string, Stored>; reachable: boolean } {
  const blobs = new Map<string, Stored>();
  const writtenAt = new Map<string, number>();
  let writes = 0;
  const write = (name: string, body: string) => {
    const etag = `"${++writes}"`;
    blobs.set(name, { body, etag });
    writtenAt.set(name, now());
    return etag;
  };
  const answering = () => {
    if (!home.reachable) throw new WorldError("reach", "the home account", "no answer", { retryAfterSeconds: 7 });
  };
  const home = {
    blobs,
    reachable: true,
    async read(name: string) {
      answering();
      return blobs.get(name) ?? null;
    },
    async dated(name: string) {
      answering();
      const stored = blobs.get(name);
      return stored === undefined ? null : { ...stored, writtenAt: writtenAt.get(name) ?? now(), answeredAt: now() };
    },
    async create(name: string, body: string) {
      answering();
      if (blobs.has(name)) return false;
      write(name, body);
      return true;
    },
    async replace(name: string, body: string, ifMatch: string) {
      answering();
      return blobs.get(name)?.etag === ifMatch ? write(name, body) : null;
    },
    async put(name: string, body: string) {
      answering();
      write(name, body);
    },
    async list(prefix: string) {
      answering();
      return [...blobs.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
  };
  return home;
}

export type MemoryCluster = ReturnType<typeof memoryCluster>;

/** A store of Kubernetes objects. Nothing runs in it: what a controller would do, a test does. */
function memoryCluster(effects: string[]) {
  const objects = new Map<string, KubeObject>();
  const state = {
    ready: { kind: "ready" } as Awaited<ReturnType<Cluster["ready"]>>,
    /** Kinds by API version; what is not here is not served. */
    served: {} as Readonly<Record<string, readonly string[]>>,
    /** Called before each call, to throw. */
    before: (_verb: "get" | "list" | "create" | "patch" | "delete", _kind: Kind, _name: string): void => undefined,
  };
  let uids = 0;
  const keyOf = ({ plural }: Kind, namespace: string | null, name: string) => `${plural} ${namespace ?? ""}/${name}`;
  const cluster: Cluster = {
    ready: async () => state.ready,
    async get(kind, namespace, name) {
      state.before("get", kind, name);
      return objects.get(keyOf(kind, namespace, name)) ?? null;
    },
    async list(kind, namespace, labelSelector) {
      state.before("list", kind, "");
      return [...objects].filter(([key, { metadata }]) => key.startsWith(`${kind.plural} `) && (namespace === null || metadata.namespace === namespace) && selects(labelSelector, metadata.labels ?? {})).map(([, object]) => object);
    },
    serves: async (apiVersion) => state.served[apiVersion] ?? null,
    async create(kind, object) {
      const given = object as KubeObject;
      const { name, namespace = null } = given.metadata;
      state.before("create", kind, name);
      const key = keyOf(kind, namespace, name);
      const known = objects.get(key);
      if (known !== undefined) return { kind: "exists", object: known };
      const created = { ...given, metadata: { ...given.metadata, uid: `uid-${++uids}` } };
      objects.set(key, created);
      effects.push(`create ${key}`);
      return { kind: "created", object: created };
    },
    async patch(kind, namespace, name, patch) {
      state.before("patch", kind, name);
      const key = keyOf(kind, namespace === "" ? null : namespace, name);
      const known = objects.get(key);
      if (known === undefined) return null;
      const patched = merged(known, patch) as KubeObject;
      if (JSON.stringify(patched) !== JSON.stringify(known)) effects.push(`patch ${key}`);
      objects.set(key, patched);
      return patched;
    },
    async delete(kind, namespace, name) {
      state.before("delete", kind, name);
      if (objects.delete(keyOf(kind, namespace, name))) effects.push(`delete ${keyOf(kind, namespace, name)}`);
    },
  };
  return {
    ...cluster,
    state,
    /** Puts an object there as if it had always been. */
    has(kind: Kind, object: Readonly<Record<string, unknown>> & { readonly metadata: KubeObject["metadata"] }): void {
      const { name, namespace = null } = object.metadata;
      objects.set(keyOf(kind, namespace, name), { apiVersion: kind.apiVersion, kind: "", ...object });
    },
    spec: (kind: Kind, namespace: string, name: string) => objects.get(keyOf(kind, namespace, name))?.["spec"],
  };
}

/** `a=b` and `a in (b, c)`: what the app asks with. */
function selects(selector: string | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return true;
  const [, key = "", values = ""] = /^(\S+) in \((.*)\)$/.exec(selector) ?? /^([^=]+)=(.*)$/.exec(selector) ?? [];
  return values.split(/, ?/).includes(labels[key] ?? "");
}

/** JSON merge patch, RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** The same port, whose method does its work and loses its first answer on the way back. */
export function losing<P extends object>(port: P, method: keyof P & string): P {
  let lost = false;
  return new Proxy(port, {
    get(target, key, receiver) {
      const value = Reflect.get(target, key, receiver) as unknown;
      if (key !== method || typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const answer: unknown = await (value as (...args: unknown[]) => unknown).apply(target, args);
        if (lost) return answer;
        lost = true;
        throw new WorldError(method, "the world", "the answer was lost", { retryAfterSeconds: 2 });
      };
    },
  });
}
