/** The Kubernetes API as the lab's own hand uses it: one token, one server, no library. */
import https from "node:https";
import { setTimeout as wait } from "node:timers/promises";

/** An object as the API gives it. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Api {
  /** Any answer, errors too, once an API server that says "later" (429) has been asked again; rejects only when there is none. PATCH is a merge patch. */
  request(method: Method, path: string, body?: unknown): Promise<ApiAnswer>;
  /** `null`: not found. Throws on any other refusal. */
  get(path: string): Promise<ApiObject | null>;
  /** All of a collection, `/api/v1/pods`. Throws on a refusal. */
  list(path: string): Promise<readonly ApiObject[]>;
  /** Server-side apply, taking fields over from others. Throws on a refusal. */
  apply(object: ApiObject): Promise<ApiObject>;
}

/** The API of a cluster, and the way to it for whoever watches. */
export interface ApiConnection extends Api {
  readonly server: ApiServer;
  close(): void;
}

export interface ApiServer {
  readonly url: string;
  readonly caPem: string;
  /** `null`: who calls is known by `client`. */
  readonly token: string | null;
  /** A certificate of the caller's, PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** What every request to the server is sent with. */
export const callOptions = ({ caPem, token, client }: ApiServer) => ({ tls: { ca: caPem, ...client }, headers: token === null ? {} : { authorization: `Bearer ${token}` } });

/** The API server refused, or answered with something else than an object. */
export class ApiRefused extends Error {
  override readonly name = "ApiRefused";
  readonly status: number;
  constructor(what: string, { status, body }: ApiAnswer) {
    const message = body["message"];
    super(`${what}: ${status}${typeof message === "string" ? ` ${message}` : ""}`);
    this.status = status;
  }
}

const timeoutMs = 20_000;
/** As client-go does: an API server says so when it is busy, or has only just begun to serve a kind. */
const laterTriesMax = 10;
const fieldManager = "lab";

export function openApi(server: ApiServer): ApiConnection {
  const agent = new https.Agent({ ...callOptions(server).tls, keepAlive: true, maxSockets: 16 });
  const send = async (method: Method, path: string, body: unknown, contentType: string): Promise<ApiAnswer> => {
    for (let tries = 1; ; tries += 1) {
      const { laterSeconds, ...answer } = await ask(server, agent, { method, path, body, contentType });
      if (laterSeconds === null || tries === laterTriesMax) return answer;
      await wait(laterSeconds * 1000);
    }
  };
  return {
    server,
    request: (method, path, body) => send(method, path, body, method === "PATCH" ? "application/merge-patch+json" : "application/json"),
    async get(path) {
      const answer = await send("GET", path, undefined, "application/json");
      return answer.status === 404 ? null : objectIn(`GET ${path}`, answer);
    },
    async list(path) {
      const answer = await send("GET", path, undefined, "application/json");
      return itemsIn(`GET ${path}`, answer);
    },
    async apply(object) {
      const path = pathOf(object);
      const answer = await send("PATCH", `${path}?fieldManager=${fieldManager}&force=true`, object, "application/apply-patch+yaml");
      return objectIn(`apply ${path}`, answer);
    },
    close: () => agent.destroy(),
  };
}

/** The items of a list. Throws an `ApiRefused`. */
export function itemsIn(what: string, answer: ApiAnswer): readonly ApiObject[] {
  const items = answer.body["items"];
  if (answer.status !== 200 || !Array.isArray(items)) throw new ApiRefused(what, answer);
  // The API server's own shape.
  return items as ApiObject[];
}

function objectIn(what: string, answer: ApiAnswer): ApiObject {
  if (answer.status >= 300 || answer.body["metadata"] === undefined) throw new ApiRefused(what, answer);
  return answer.body as ApiObject;
}

/** `/apis/apps/v1/namespaces/shop/deployments/storefront`: of a namespace when the object names one. */
export function pathOf({ apiVersion = "v1", kind = "", metadata }: ApiObject): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${place}/${pluralOf(kind)}/${encodeURIComponent(metadata.name)}`;
}

/** As all of Kubernetes' and Velero's own kinds that end in a consonant form it: `storageclasses`, `networkpolicies`. */
function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (/(?:s|x|ch|sh)$/.test(singular)) return `${singular}es`;
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

interface Question {
  readonly method: Method;
  readonly path: string;
  readonly body: unknown;
  readonly contentType: string;
}

interface Reply extends ApiAnswer {
  /** `null`: the answer is final. */
  readonly laterSeconds: number | null;
}

function ask(server: ApiServer, agent: https.Agent, { method, path, body, contentType }: Question): Promise<Reply> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { ...callOptions(server).headers, accept: "application/json", ...(text === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(text) }) };
  return new Promise((resolve, reject) => {
    const request = https.request(new URL(path, server.url), { method, agent, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        const laterSeconds = status === 429 ? Math.min(Number(response.headers["retry-after"] ?? 1), 5) : null;
        resolve({ status, body: parsed(Buffer.concat(chunks).toString("utf8")), laterSeconds });
      });
    });
    request.on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer within ${timeoutMs / 1000} s`)));
    request.on("error", reject);
    request.end(text);
  });
}

/** What is no JSON object, `ok` of a health check, is the message of one. */
function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said as it is.
  }
  return { message: text };
}
