/** How the contracts of Kubernetes and Velero reach a cluster: the same requests, whoever answers. */
import http from "node:http";
import https from "node:https";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";

/** One cluster, the double or the real one. */
export interface ClusterSpeaker {
  /** With an administrator's rights, whatever they are proven by. */
  readonly kubeConfig: KubeConfig;
  /** How long the slowest ordinary thing may take here, wall time. */
  readonly patienceMs: number;
  close(): Promise<void>;
}

/** An object as it came over the wire. */
export interface Seen {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly uid: string; readonly name: string }[];
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string; readonly subresource?: string; readonly fieldsV1: unknown }[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface WireAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The body as JSON; an empty object when it is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface WireRequest {
  readonly body?: unknown;
  /** As it is, without JSON. */
  readonly text?: string;
  readonly contentType?: string;
  readonly manager?: string;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Seen;
}

export interface OpenWatch {
  readonly events: readonly WatchEvent[];
  readonly isOver: () => boolean;
  close(): void;
}

/** Plain HTTP to an API server, for what a client library would hide. */
export interface Wire {
  ask(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, request?: WireRequest): Promise<WireAnswer>;
  /** Throws when it is not 2xx. */
  get(path: string): Promise<Seen>;
  /** Throws when it is not 2xx. */
  create(collection: string, object: unknown): Promise<Seen>;
  /** A merge patch. Throws when it is not 2xx. */
  patch(path: string, patch: unknown): Promise<Seen>;
  list(path: string): Promise<readonly Seen[]>;
  watch(path: string): Promise<OpenWatch>;
  /** A new namespace with a name that was never used here. */
  namespace(): Promise<string>;
}

/** For tests that wait for what a real cluster or Velero does once a minute. */
export const patiently = { timeout: 400_000 } as const;

export const mergePatch = "application/merge-patch+json";
export const jsonPatch = "application/json-patch+json";
export const strategicPatch = "application/strategic-merge-patch+json";
export const applyPatch = "application/apply-patch+yaml";

let namespaces = 0;

export function wireTo({ kubeConfig }: Pick<ClusterSpeaker, "kubeConfig">): Wire {
  const server = kubeConfig.getCurrentCluster()?.server ?? "";
  const started = async (method: string, path: string, { body, text, contentType = "application/json", manager = "contract" }: WireRequest): Promise<http.IncomingMessage> => {
    const options: https.RequestOptions = {};
    await kubeConfig.applyToHTTPSOptions(options);
    const { auth: _, agent: _agent, ...secure } = options;
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = { ...(options.headers as http.OutgoingHttpHeaders), accept: "application/json", "user-agent": manager, ...(sent === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(sent) }) };
    return new Promise((resolve, reject) => {
      const call = server.startsWith("https:") ? https.request : http.request;
      call(`${server}${path}`, { ...secure, method, headers }, resolve).once("error", reject).end(sent);
    });
  };
  const ask: Wire["ask"] = async (method, path, request = {}) => {
    const answer = await started(method, path, request);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    return { status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text, body: jsonOf(text) };
  };
  const done = async (method: "GET" | "POST" | "PATCH", path: string, request: WireRequest = {}): Promise<Seen> => {
    const answer = await ask(method, path, request);
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body as Seen;
  };
  return {
    ask,
    get: (path) => done("GET", path),
    create: (collection, object) => done("POST", collection, { body: object }),
    patch: (path, patch) => done("PATCH", path, { body: patch, contentType: mergePatch }),
    list: async (path) => (await done("GET", path))["items"] as readonly Seen[],
    async watch(path) {
      const answer = await started("GET", path, {});
      const events: WatchEvent[] = [];
      let rest = "";
      let over = false;
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) events.push(JSON.parse(line) as WatchEvent);
      });
      answer.once("close", () => (over = true));
      // An end that we made ourselves, or a server that went away: both are an end.
      answer.once("error", () => (over = true));
      return { events, isOver: () => over, close: () => answer.destroy() };
    },
    async namespace() {
      namespaces += 1;
      const name = `contract-${process.pid.toString(36)}-${Date.now().toString(36)}-${namespaces}`;
      await kubeConfig.makeApiClient(CoreV1Api).createNamespace({ body: { metadata: { name } } });
      return name;
    },
  };
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Waits until `look` gives something that is not null or undefined. Throws with `what`, and what was seen last, when it takes too long. */
export async function eventually<T>(what: string, waitMs: number, look: () => Promise<T | null | undefined> | T | null | undefined, shown: () => unknown = () => ""): Promise<T> {
  const endAt = performance.now() + waitMs;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined) return seen;
    if (performance.now() > endAt) throw new Error(`not within ${waitMs} ms: ${what} ${JSON.stringify(await shown())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
