/** The Cluster port over HTTP: objects of any kind, page by page, answers told apart from errors. */
import { plain, retryAfterSeconds, wordsOf } from "../foreign-words.ts";
import { type Cluster, type KubeObject, type Kind, WorldError } from "../ports.ts";
import { type ApiAnswer, type ApiOptions, type ApiRequest, NoToken, openApi } from "./api-call.ts";
import { type Status, statusIn } from "./status.ts";

const pageLimit = 500;
/** 100,000 objects of one kind: more than etcd is meant for, so a list that goes on is broken. */
const pagesMax = 200;

export interface ClusterOptions extends ApiOptions {
  /** How long each call may take, `ready` excepted. */
  readonly deadlineSeconds: number;
}

/** Opens a cluster by the address of its API server. `name` is only for messages. */
export function openCluster(name: string, options: ClusterOptions): Cluster {
  const api = openApi(options);
  const thingOf = (kind: Kind, namespace: string | null, object = "") => [name, namespace, kind.plural, object].filter(Boolean).join("/");

  /** One call; whatever was not foreseen by `answers` is a `WorldError`. */
  const call = async <T>(operation: string, thing: string, request: ApiRequest, read: (answer: Understood) => T | undefined): Promise<T> => {
    const answer = await api(request, options.deadlineSeconds).catch((error: unknown) => {
      throw new WorldError(operation, thing, wordsOf(error));
    });
    const understood = { ...answer, ...statusIn(answer) };
    const value = read(understood);
    if (value === undefined) throw refused(operation, thing, understood);
    return value;
  };

  const get = (kind: Kind, namespace: string | null, object: string) =>
    call("get", thingOf(kind, namespace, object), { method: "GET", path: pathOf(kind, namespace, object) }, (answer) => (answer.ok ? objectIn(answer) : answer.absent ? null : undefined));

  return {
    async ready(timeoutSeconds) {
      const ask = (anonymous: boolean) => api({ method: "GET", path: "/readyz", anonymous }, timeoutSeconds);
      try {
        // Without a token we cannot be let in, but whether anything answers can still be learnt.
        const { status, body } = await ask(false).catch((error: unknown) => {
          if (error instanceof NoToken) return ask(true);
          throw error;
        });
        return status === 200 ? { kind: "ready" } : { kind: "not-ready", why: `status ${status}: ${plain(body)}` };
      } catch (error) {
        return { kind: "no-answer", why: wordsOf(error) };
      }
    },

    get,

    async list(kind, namespace, labelSelector) {
      const thing = thingOf(kind, namespace);
      const objects: KubeObject[] = [];
      let next = "";
      for (let page = 0; page < pagesMax; page++) {
        const query = new URLSearchParams({ limit: String(pageLimit), ...(labelSelector === undefined ? {} : { labelSelector }), ...(next === "" ? {} : { continue: next }) });
        // In a list nothing but the kind itself can be missing: a namespace that is not there has an empty list.
        const found = await call("list", thing, { method: "GET", path: `${pathOf(kind, namespace)}?${query.toString()}` }, (answer) => (answer.ok ? listIn(answer) : answer.absent ? null : undefined));
        if (found === null) return null;
        objects.push(...found.items);
        next = found.next;
        if (next === "") return objects;
      }
      throw new WorldError("list", thing, `there are more than ${pagesMax * pageLimit}`);
    },

    async serves(apiVersion) {
      const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      return call("discover", `${name}/${apiVersion}`, { method: "GET", path }, (answer) => (answer.ok ? kindsIn(answer) : answer.status === 404 ? null : undefined));
    },

    async create(kind, object) {
      const { namespace, name: objectName } = namesIn(object);
      const thing = thingOf(kind, namespace, objectName);
      const request: ApiRequest = { method: "POST", path: pathOf(kind, namespace), body: object };
      // A 404 is an error here: of the namespace or the kind, which may still come.
      const created = await call("create", thing, request, (answer) => (answer.ok ? objectIn(answer) : answer.status === 409 && answer.reason === "AlreadyExists" ? null : undefined));
      if (created !== null) return { kind: "created", object: created };
      const existing = await get(kind, namespace, objectName);
      if (existing === null) throw new WorldError("create", thing, "it existed when it was to be created and was gone when it was read");
      return { kind: "exists", object: existing };
    },

    patch: (kind, namespace, object, patch) =>
      call(
        "patch",
        thingOf(kind, namespace, object),
        { method: "PATCH", path: pathOf(kind, namespace, object), body: patch, contentType: "application/merge-patch+json" },
        (answer) => (answer.ok ? objectIn(answer) : answer.absent ? null : undefined),
      ),

    // What belongs to it goes with it; for Jobs the API's own default is to leave their pods behind.
    delete: async (kind, namespace, object) => {
      const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" };
      await call("delete", thingOf(kind, namespace, object), { method: "DELETE", path: pathOf(kind, namespace, object), body }, (answer) => (answer.ok || answer.absent ? true : undefined));
    },
  };
}

type Understood = ApiAnswer & Status;

/** `/apis/GROUP/VERSION/…`, or `/api/v1/…` for the core. */
function pathOf({ apiVersion, plural, namespaced }: Kind, namespace: string | null, object?: string): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = namespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${within}/${plural}${object === undefined ? "" : `/${encodeURIComponent(object)}`}`;
}

function refused(operation: string, thing: string, { status, reason, message, header }: Understood): WorldError {
  const seconds = retryAfterSeconds(header);
  return new WorldError(operation, thing, `status ${status} ${reason}: ${message}`, seconds === null ? {} : { retryAfterSeconds: seconds });
}

/** Whatever answered 2xx without an object is not a Kubernetes API: `undefined`, so that it becomes an error. */
function objectIn({ parsed }: Understood): KubeObject | undefined {
  return isObject(parsed) && isObject(parsed["metadata"]) && typeof parsed["kind"] === "string" ? (parsed as unknown as KubeObject) : undefined;
}

function listIn({ parsed }: Understood): { readonly items: readonly KubeObject[]; readonly next: string } | undefined {
  if (!isObject(parsed) || !Array.isArray(parsed["items"]) || typeof parsed["kind"] !== "string") return undefined;
  // The items of a typed list leave out what the list says once.
  const said = { apiVersion: parsed["apiVersion"], kind: parsed["kind"].replace(/List$/, "") };
  const metadata = parsed["metadata"];
  const next = isObject(metadata) && typeof metadata["continue"] === "string" ? metadata["continue"] : "";
  return { items: parsed["items"].map((item: KubeObject) => ({ ...said, ...item })), next };
}

/** Kinds of an APIResourceList; subresources (`pods/log`) are none. */
function kindsIn({ parsed }: Understood): readonly string[] | undefined {
  if (!isObject(parsed) || !Array.isArray(parsed["resources"])) return undefined;
  const served = parsed["resources"].filter((resource): resource is { name: string; kind: string } => isObject(resource) && typeof resource["name"] === "string" && typeof resource["kind"] === "string");
  return [...new Set(served.filter(({ name: plural }) => !plural.includes("/")).map(({ kind }) => kind))];
}

function namesIn(object: unknown): { readonly namespace: string | null; readonly name: string } {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  if (!isObject(metadata) || typeof metadata["name"] !== "string") throw new TypeError("an object to be created needs metadata.name: a generated name would make a second object when repeated");
  return { namespace: typeof metadata["namespace"] === "string" ? metadata["namespace"] : null, name: metadata["name"] };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
